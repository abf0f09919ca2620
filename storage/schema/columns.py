"""Column types that both databases can keep, and the columns that every table says in the same way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.errors import UnstorableText

# ---------------------------------------------------------------- column types


def storable(value: str) -> str:
    """Return `value`, or raise UnstorableText for what PostgreSQL (NUL) or UTF-8 (surrogates) cannot hold.

    SQLite would keep a NUL; refusing it there too keeps both databases alike.
    """
    for position, character in enumerate(value) if _is_suspect(value) else ():
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise UnstorableText(position, ord(character))
    return value


def _is_suspect(value: str) -> bool:
    if "\0" in value:
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False


class String(TypeDecorator[str]):
    """Text that both databases can keep."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Word(TypeDecorator[StrEnum]):
    """One word of an enum, as text; the table's CHECK holds the same words."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class Ids(TypeDecorator[tuple[str, ...]]):
    """Ids in their order, as words of a text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(" ".join(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(value.split())


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, in and out. SQLite keeps it as text without a zone, which sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; pass an aware datetime such as datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Document(TypeDecorator[Any]):
    """JSON: text in SQLite, JSONB in PostgreSQL. Takes mappings, sequences and records; gives dicts and lists."""

    impl = JSON().with_variant(JSONB, "postgresql")
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> Any | None:
        return _plain(value)


def _plain(value: Any) -> Any:
    """What JSON has a word for, its strings storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(key): _plain(item) for key, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast(Sequence[Any], value)]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


# ---------------------------------------------------------------- what every table says in the same way

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def word(
    name: str, words: type[StrEnum], *, primary_key: bool = False, nullable: bool = False
) -> tuple[Column[StrEnum], CheckConstraint]:
    """A column that holds one word of an enum, and the CHECK that says so."""
    check = CheckConstraint(f"{name} IN ({quoted(word.value for word in words)})", name=name)
    return Column(name, Word(words), nullable=nullable, primary_key=primary_key), check


def identifier() -> Column[str]:
    return Column("id", String, primary_key=True)


def sequence(name: str) -> Column[int]:
    """A number the database counts up; SQLite does so only for its INTEGER primary key."""
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def string(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String, nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=nullable)


def reference(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(name, String, ForeignKey(target), nullable=nullable, primary_key=primary_key)
