"""The nouns of scrubbing: what can be found, where it stands, and what a scan goes by. No record here holds or shows a value."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What was found. The value is the word in the placeholder: `[email 1]`."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"  # a payment card's number
    IBAN = "iban"
    IP = "ip"
    SECRET = "secret"  # a key, token, password or private key
    LOGIN = "login"  # credentials inside a URL
    NAME = "name"  # a participant of the conversation, or a platform's mention of one
    ADDRESS = "address"  # perhaps a street address; a person decides
    POSSIBLE_NAME = "possible name"  # somebody introduces themselves or signs; a person decides


FOR_A_PERSON = frozenset({Kind.ADDRESS, Kind.POSSIBLE_NAME})
"""Kinds that are shown to a person and never replaced: rules for them are wrong too often to cut by."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found, without its value: `text[start:end]` of the text that was scanned."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Person:
    """A participant, from the platform's cache. `ids` are the platform's own, as they stand in mentions (`U07QK2M4XR`)."""

    names: tuple[str, ...]  # display name, real name: each as it would be written
    handles: tuple[str, ...] = ()  # without the @
    ids: tuple[str, ...] = ()


# Where a number without a country code is tried. Each costs a parse (27 µs, measured 2026-11) per number-like run.
DEFAULT_REGIONS = ("US", "GB", "DE", "FR", "ES")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a scan goes by.

    `regions` are the countries (ISO 3166, "GB") whose national phone numbers are expected. `keep` is what the brand itself
    publishes and its answers need: `support@puffin.example`, every address of a domain as `@puffin.example`, a hotline, an IP.
    """

    regions: tuple[str, ...] = DEFAULT_REGIONS
    people: tuple[Person, ...] = ()
    keep: frozenset[str] = frozenset()


USUAL = Rules()
"""The default: five countries' phone numbers, no participants, nothing kept."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a rule found in a folded text. `key` is equal for two spellings of one value, and stays inside this package."""

    kind: Kind
    start: int
    end: int
    key: str = field(repr=False)


Finder = Callable[[str, Rules], Iterator[Span]]
"""Looks through a folded text for its kinds; may yield spans that overlap an earlier finder's, which then win."""
