"""What a training item is, and why an approved correction may not be one: nothing disappears in silence."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from sys import intern

from curation.normal import normalised
from storage.records import Correction, Message


class LeftOut(StrEnum):
    """Why an approved correction, or a marked reply, is not in a dataset."""

    DUPLICATE = "the same question and answer is already in"
    NEAR_DUPLICATE = "nearly the same question and answer is already in"
    OUTVOTED = "a newer approved correction answers the same question"
    DISPUTED = "it contradicts another one, and nobody has decided yet"
    EXPIRED = "its time is over"
    NOT_YET = "it holds only from a later date"
    TOO_LONG = "longer than the model's training context"
    EMPTY = "its question or answer is empty"
    NOT_FOR_TRAINING = "whoever wrote it kept it out of training"
    CORRECTED = "it was marked as good, and a correction answers nearly the same question"
    BESIDE_HELD_OUT = "it asks nearly what an example asks that is kept back to judge by"
    MODERATOR_CAP = "one moderator would have more than their share"
    TOPIC_CAP = "one question would have more than its share"
    DAY_CAP = "one day would have more than its share"


MERGING = frozenset({LeftOut.DUPLICATE, LeftOut.NEAR_DUPLICATE, LeftOut.OUTVOTED})
"""Reasons that leave the lineage in a line: of the example that says it instead."""


class Kind(StrEnum):
    """What an example was made from."""

    CORRECTION = "correction"
    MARK = "mark"  # a reply that was marked as good
    IMPORT = "import"
    OFF_TOPIC = "off_topic"  # a shipped question, answered in the manner of the corrections
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an example came from, for counts and caps. "" is unknown."""

    kind: Kind = Kind.UNKNOWN
    channel: str = ""  # the platform and its id of the place
    reason: str = ""
    moderator: str = ""  # actor id of who wrote the answer
    topic: str = ""  # the oldest of several examples that ask nearly the same, by its question
    day: str = ""  # of the approval: "2026-11-21"


@dataclass(frozen=True, slots=True)
class Example:
    """A training item: what was asked, in which conversation, and the answer to learn.

    `fixes` are exchanges shown before the conversation, oldest first, as they would be when serving.
    """

    source_id: str  # the correction's id, or that of a reply marked as good
    group_key: str  # examples with the same key stay on one side of the split for ever
    history: tuple[Message, ...]
    question: str
    answer: str
    own_keys: tuple[str, ...] = ()  # the keys its conversation, and those of what it speaks for, would have alone
    served: str | None = None  # what the bot had said instead
    merged: tuple[str, ...] = ()  # ids of corrections that say the same, or nearly, or said otherwise before
    fixes: tuple[Message, ...] = ()
    fix_ids: tuple[str, ...] = ()  # of the corrections the fixes are made of
    provenance: Provenance = Provenance()
    manner_of: tuple[str, ...] = ()  # off topic: ids of the corrections whose opening and sign-off its answer has


@dataclass(frozen=True, slots=True)
class Selection:
    """What became of the approved corrections: `examples` in id order, and (correction id, reason) for the rest.

    `marked` are examples made of marks alone: learned, but never judged by, because a model would be judged by its own words.
    """

    examples: tuple[Example, ...]
    left_out: tuple[tuple[str, LeftOut], ...]
    marked: tuple[Example, ...] = ()


def group_key(correction: Correction) -> str:
    """The group a correction belongs to: its conversation, or (imported, no conversation) its normalised question."""
    return key_of_group(correction.conversation_id or f"q:{normalised(correction.question)}")


def key_of_group(basis: str) -> str:
    """24 hex digits: the same for ever."""
    return intern(hashlib.sha256(basis.encode()).hexdigest()[:24])
