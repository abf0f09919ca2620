"""The tables. Uniqueness, references and the words a state may be live here, as constraints, not in an `if`.

A column is named as the record's field is (`storage.records`). `storage/migrations` builds these tables; this module only
describes them, and a test holds the two together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from storage.errors import UnstorableText
from storage.records import (
    OPEN_RUN_STATES,
    ChannelMode,
    CorrectionState,
    DeploymentKind,
    DisputeKind,
    Held,
    Judgement,
    Part,
    PostingKind,
    PromptKind,
    ReplySource,
    Role,
    RunState,
    Scope,
    Settlement,
    Side,
    Trigger,
    TurnState,
)

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


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in sorted(words))


def _word(
    name: str, words: type[StrEnum], *, primary_key: bool = False, nullable: bool = False
) -> tuple[Column[StrEnum], CheckConstraint]:
    """A column that holds one word of an enum, and the CHECK that says so."""
    check = CheckConstraint(f"{name} IN ({_quoted(word.value for word in words)})", name=name)
    return Column(name, Word(words), nullable=nullable, primary_key=primary_key), check


def _id() -> Column[str]:
    return Column("id", String, primary_key=True)


def _sequence(name: str) -> Column[int]:
    """A number the database counts up; SQLite does so only for its INTEGER primary key."""
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _string(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=nullable)


def _reference(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[str]:
    return Column(name, String, ForeignKey(target), nullable=nullable, primary_key=primary_key)


# ---------------------------------------------------------------- people

actors = Table(
    "actors",
    metadata,
    _id(),
    _string("platform"),
    _string("external_id"),
    _string("name"),
    Column("rights", Document, nullable=False),  # sorted list of words
    _moment("created_at"),
    UniqueConstraint("platform", "external_id"),
)

login_tokens = Table(
    "login_tokens",
    metadata,
    Column("token_hash", String, primary_key=True),
    _reference("actor_id", "actors.id"),
    _moment("expires_at"),
    _moment("used_at", nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),  # the hash of what the cookie holds
    _reference("actor_id", "actors.id"),
    _string("csrf_token"),
    _moment("created_at"),
    _moment("expires_at"),
)

# ---------------------------------------------------------------- voices and conversations

voices = Table(
    "voices",
    metadata,
    _id(),
    _string("name"),
    _string("system_prompt"),
    _string("base_model"),
    _moment("created_at"),
    _string("short_prompt"),
    UniqueConstraint("name"),
)

conversations = Table(
    "conversations",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    _string("platform"),
    _string("external_id"),
    _moment("created_at"),
    UniqueConstraint("platform", "external_id"),
)

turns = Table(
    "turns",
    metadata,
    _id(),
    _reference("conversation_id", "conversations.id"),
    _reference("voice_id", "voices.id"),
    _string("platform"),
    _string("key"),
    _string("question"),
    _reference("asked_by", "actors.id"),
    _moment("asked_at"),
    *_word("state", TurnState),
    _string("lease_owner", nullable=True),
    _moment("lease_until", nullable=True),
    Column("attempts", Integer, nullable=False),
    _moment("edited_at", nullable=True),
    _moment("withdrawn_at", nullable=True),
    UniqueConstraint("platform", "key"),
    Index("ix_turns_conversation_id_asked_at_id", "conversation_id", "asked_at", "id"),
)
_IS_ASKED = text("state = 'asked'")
Index("ix_turns_asked", turns.c.asked_at, sqlite_where=_IS_ASKED, postgresql_where=_IS_ASKED)

replies = Table(
    "replies",
    metadata,
    _id(),
    _reference("turn_id", "turns.id"),
    _reference("conversation_id", "conversations.id"),
    _reference("voice_id", "voices.id"),
    _string("text"),
    *_word("source", ReplySource),
    _string("model_name", nullable=True),
    _reference("deployment_id", "deployments.id", nullable=True),
    _string("prompt_hash", nullable=True),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    _moment("created_at"),
    _string("corrected_text", nullable=True),
    UniqueConstraint("turn_id"),
    Index("ix_replies_voice_id_created_at", "voice_id", "created_at"),
)

# ---------------------------------------------------------------- platforms

inbound_events = Table(
    "inbound_events",
    metadata,
    _id(),
    _string("platform"),
    _string("key"),
    _string("kind"),
    Column("payload", Document, nullable=False),
    _moment("received_at"),
    _string("lease_owner", nullable=True),
    _moment("lease_until", nullable=True),
    Column("attempts", Integer, nullable=False),
    _moment("done_at", nullable=True),
    _string("outcome"),
    UniqueConstraint("platform", "key"),
)
_IS_TO_DO = text("done_at IS NULL")
Index(
    "ix_inbound_events_to_do",
    inbound_events.c.platform,
    inbound_events.c.received_at,
    sqlite_where=_IS_TO_DO,
    postgresql_where=_IS_TO_DO,
)
Index("ix_inbound_events_done_at", inbound_events.c.done_at)

postings = Table(
    "postings",
    metadata,
    _id(),
    _string("platform"),
    *_word("kind", PostingKind),
    _string("subject"),
    Column("part", Integer, nullable=False),
    _string("place"),
    _string("message_key", nullable=True),
    _moment("created_at"),
    _moment("removed_at", nullable=True),
    _string("shown"),
    UniqueConstraint("platform", "kind", "subject", "part"),
    UniqueConstraint("platform", "place", "message_key"),
)

channels = Table(
    "channels",
    metadata,
    Column("platform", String, primary_key=True),
    Column("place", String, primary_key=True),
    *_word("mode", ChannelMode),
    Column("is_training_allowed", Boolean, nullable=False),
    _reference("set_by", "actors.id"),
    _moment("set_at"),
    Column("rules", Document, nullable=False),  # ChannelRules by name
)

channel_days = Table(
    "channel_days",
    metadata,
    Column("platform", String, primary_key=True),
    Column("place", String, primary_key=True),
    Column("day", String, primary_key=True),  # "2026-11-21", in the channel's own time zone
    Column("questions", Integer, nullable=False),  # taken on that day
)

listening = Table(
    "listening",
    metadata,
    Column("platform", String, primary_key=True),
    Column("part", String, primary_key=True),  # what was heard: a connection, or a direct conversation
    _moment("until"),  # when it was last known to be up
)

installations = Table(
    "installations",
    metadata,
    Column("platform", String, primary_key=True),
    Column("team", String, primary_key=True),
    _string("sealed"),
    _moment("installed_at"),
)

hand_overs = Table(
    "hand_overs",
    metadata,
    _id(),
    _reference("conversation_id", "conversations.id"),
    _string("reason"),
    _reference("asked_by", "actors.id"),
    _moment("asked_at"),
    _reference("taken_by", "actors.id", nullable=True),
    _moment("taken_at", nullable=True),
    _reference("released_by", "actors.id", nullable=True),
    _moment("released_at", nullable=True),
)
_IS_UNRELEASED = text("released_at IS NULL")
Index(
    "uq_hand_overs_open_per_conversation",
    hand_overs.c.conversation_id,
    unique=True,
    sqlite_where=_IS_UNRELEASED,
    postgresql_where=_IS_UNRELEASED,
)

# ---------------------------------------------------------------- judgement

feedback = Table(
    "feedback",
    metadata,
    _id(),
    _reference("reply_id", "replies.id"),
    _reference("actor_id", "actors.id"),
    *_word("judgement", Judgement),
    _string("note"),
    Column("flagged", Boolean, nullable=False),
    _moment("given_at"),
    UniqueConstraint("reply_id", "actor_id"),
)

corrections = Table(
    "corrections",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    _reference("reply_id", "replies.id", nullable=True),
    _reference("conversation_id", "conversations.id", nullable=True),
    _string("origin"),
    _string("key"),
    Column("history", Document, nullable=False),  # [{"role": …, "content": …}, …]
    _string("question"),
    _string("served_text", nullable=True),
    _string("corrected_text"),
    *_word("reason", Judgement),
    _string("note"),
    *_word("state", CorrectionState),
    _reference("proposed_by", "actors.id"),
    _moment("proposed_at"),
    _reference("decided_by", "actors.id", nullable=True),
    _moment("decided_at", nullable=True),
    _string("decision_note"),
    _reference("superseded_by", "corrections.id", nullable=True),
    *_word("scope", Scope),
    Column("is_for_training", Boolean, nullable=False),
    _moment("superseded_at", nullable=True),
    _moment("expires_at", nullable=True),
    UniqueConstraint("voice_id", "key"),  # the same thing proposed twice is one correction
    Index("ix_corrections_voice_id_state_proposed_at", "voice_id", "state", "proposed_at"),
    Index("ix_corrections_reply_id", "reply_id"),
)
_IS_APPROVED = text("state = 'approved'")
Index(
    "uq_corrections_approved_per_reply",  # one reply should have been one thing
    corrections.c.reply_id,
    unique=True,
    sqlite_where=_IS_APPROVED,
    postgresql_where=_IS_APPROVED,
)

# ---------------------------------------------------------------- review

disputes = Table(
    "disputes",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    *_word("kind", DisputeKind),
    _reference("first", "corrections.id"),
    _string("second"),  # a correction's id, or ""
    Column("detail", Document, nullable=False),
    _moment("opened_at"),
    _moment("settled_at", nullable=True),
    _reference("settled_by", "actors.id", nullable=True),
    *_word("settlement", Settlement, nullable=True),
    UniqueConstraint("first", "second"),
)
_IS_UNSETTLED = text("settled_at IS NULL")
Index("ix_disputes_open", disputes.c.voice_id, sqlite_where=_IS_UNSETTLED, postgresql_where=_IS_UNSETTLED)

assignments = Table(
    "assignments",
    metadata,
    _reference("correction_id", "corrections.id", primary_key=True),
    _reference("actor_id", "actors.id"),
    _moment("until"),
)

opinions = Table(
    "opinions",
    metadata,
    _reference("correction_id", "corrections.id", primary_key=True),
    _reference("actor_id", "actors.id", primary_key=True),
    Column("is_approval", Boolean, nullable=False),
    *_word("reason", Judgement),
    _moment("given_at"),
)

holds = Table(
    "holds",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    *_word("held", Held),
    _moment("since"),
    _string("why"),
    _moment("released_at", nullable=True),
    _reference("released_by", "actors.id", nullable=True),
)
_IS_HELD = text("released_at IS NULL")
Index(
    "uq_holds_open",
    holds.c.voice_id,
    holds.c.held,
    unique=True,
    sqlite_where=_IS_HELD,
    postgresql_where=_IS_HELD,
)

# ---------------------------------------------------------------- datasets

dataset_versions = Table(
    "dataset_versions",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    _moment("created_at"),
    _reference("created_by", "actors.id"),
    Column("train_count", Integer, nullable=False),
    Column("held_out_count", Integer, nullable=False),
    Column("train_tokens", Integer, nullable=False),
    Column("card", Document, nullable=False),
    _moment("erased_at", nullable=True),
    *_word("prompt", PromptKind),
    Index("ix_dataset_versions_voice_id_created_at", "voice_id", "created_at"),
)

dataset_files = Table(
    "dataset_files",
    metadata,
    _reference("version_id", "dataset_versions.id", primary_key=True),
    Column("name", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

dataset_lines = Table(
    "dataset_lines",
    metadata,
    _reference("version_id", "dataset_versions.id", primary_key=True),
    *_word("part", Part, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("source", Integer, primary_key=True, autoincrement=False),
    *_word("role", Role),
    _string("group_key"),
    _reference("correction_id", "corrections.id", nullable=True),
    _reference("reply_id", "replies.id", nullable=True),
    CheckConstraint("(correction_id IS NULL) <> (reply_id IS NULL)", name="one_source"),
    Index("ix_dataset_lines_correction_id", "correction_id"),
    Index("ix_dataset_lines_reply_id", "reply_id"),
)

split_sides = Table(
    "split_sides",
    metadata,
    _reference("voice_id", "voices.id", primary_key=True),
    Column("group_key", String, primary_key=True),
    *_word("side", Side),
    _moment("since"),
)

erasures = Table(
    "erasures",
    metadata,
    _id(),
    _moment("at"),
    _reference("by", "actors.id"),
    _string("person_hash"),
    Column("detail", Document, nullable=False),
)

# ---------------------------------------------------------------- runs

runs = Table(
    "runs",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    *_word("state", RunState),
    *_word("trigger", Trigger),
    _reference("requested_by", "actors.id"),
    _moment("requested_at"),
    _moment("updated_at"),
    Column("epoch", Integer, nullable=False),
    _string("lease_owner", nullable=True),
    _moment("lease_until", nullable=True),
    _string("base_model"),
    _reference("dataset_version_id", "dataset_versions.id", nullable=True),
    _string("training_file_id", nullable=True),
    _string("job_id", nullable=True),
    _string("candidate_name", nullable=True),
    _string("end_reason"),
    _reference("cancel_requested_by", "actors.id", nullable=True),
    Index("ix_runs_voice_id_requested_at", "voice_id", "requested_at"),
)
_IS_OPEN = text(f"state IN ({_quoted(state.value for state in OPEN_RUN_STATES)})")
Index(
    "uq_runs_open_per_voice",
    runs.c.voice_id,
    unique=True,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)

run_events = Table(
    "run_events",
    metadata,
    _sequence("seq"),
    _reference("run_id", "runs.id"),
    _string("key"),
    _moment("at"),
    _string("level"),
    _string("text"),
    Column("numbers", Document, nullable=False),
    CheckConstraint("level IN ('error', 'info', 'warn')", name="level"),
    UniqueConstraint("run_id", "key"),
    Index("ix_run_events_run_id_seq", "run_id", "seq"),
)

evaluations = Table(
    "evaluations",
    metadata,
    _reference("run_id", "runs.id", primary_key=True),
    _string("incumbent_name"),
    _string("candidate_name"),
    Column("samples", Document, nullable=False),
    Column("margin", Float, nullable=False),
    Column("passed", Boolean, nullable=False),
    _string("reason"),
    _moment("evaluated_at"),
)

# ---------------------------------------------------------------- models and deployments

models = Table(
    "models",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    Column("number", Integer, nullable=False),
    _string("name"),
    _string("base_model"),
    _reference("run_id", "runs.id", nullable=True),
    _reference("dataset_version_id", "dataset_versions.id", nullable=True),
    _moment("created_at"),
    _moment("erased_at", nullable=True),
    *_word("prompt", PromptKind),
    UniqueConstraint("voice_id", "number"),
    UniqueConstraint("run_id"),
)
_IS_BASE = text("run_id IS NULL")
Index(
    "uq_models_base_name",
    models.c.voice_id,
    models.c.name,
    unique=True,
    sqlite_where=_IS_BASE,
    postgresql_where=_IS_BASE,
)

# Append-only: the migration adds triggers that refuse UPDATE and DELETE.
deployments = Table(
    "deployments",
    metadata,
    _id(),
    _reference("voice_id", "voices.id"),
    Column("seq", Integer, nullable=False),
    *_word("kind", DeploymentKind),
    _reference("model_id", "models.id"),
    _reference("run_id", "runs.id", nullable=True),
    _moment("since"),
    _reference("by", "actors.id"),
    _string("why"),
    UniqueConstraint("voice_id", "seq"),
)
_IS_PROMOTION = text("kind = 'promotion'")
Index(
    "uq_deployments_promotion_per_run",
    deployments.c.run_id,
    unique=True,
    sqlite_where=_IS_PROMOTION,
    postgresql_where=_IS_PROMOTION,
)

# ---------------------------------------------------------------- audit

# Append-only, as deployments are.
audit = Table(
    "audit",
    metadata,
    _sequence("id"),
    _moment("at"),
    _reference("actor_id", "actors.id"),
    _string("verb"),
    _string("subject"),
    Column("detail", Document, nullable=False),
    Index("ix_audit_subject_id", "subject", "id"),
)

# Append-only as well. Seal 0 is before all entries; `entry_id` is no reference, so that a missing entry can be told.
seals = Table(
    "seals",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("entry_id", BigInteger().with_variant(Integer, "sqlite"), nullable=True),
    _string("hash"),
    UniqueConstraint("entry_id"),
)
