"""Frozen datasets, where each line came from, and what was erased of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.records.talk import PromptKind


class Side(StrEnum):
    """Which side of the split a group is on, for ever."""

    TRAIN = "train"
    HELD_OUT = "held_out"


class Part(StrEnum):
    """A file of a version."""

    TRAIN = "train"
    HELD_OUT = "held_out"
    FLAGGED = "flagged"  # replies that were marked as not right and not corrected: what not to say


class Role(StrEnum):
    """What a source gave a line."""

    ANSWER = "answer"  # the question and the answer; each line has exactly one
    MERGED = "merged"  # it says nearly the same, and stands in no line of its own
    FIX = "fix"  # an exchange that was shown before the question


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """A source of line `position` (from 0) of a part of a version: the lineage, both ways.

    A correction, or a reply that was only marked: one of the two ids is set. `source` counts a line's sources from 0, which
    is the answer's.
    """

    version_id: str
    part: Part
    position: int
    source: int
    role: Role
    group_key: str
    correction_id: str | None = None
    reply_id: str | None = None

    @property
    def source_id(self) -> str:
        """The correction or the marked reply."""
        return self.correction_id or self.reply_id or ""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A frozen dataset. `id` is "ds_" and the first 32 hex digits of SHA-256 over its files' names and bytes."""

    id: str
    voice_id: str
    created_at: datetime
    created_by: str  # actor id
    train_count: int
    held_out_count: int
    train_tokens: int
    card: Mapping[str, Any]  # counts, tokens, what was left out and why
    erased_at: datetime | None = None  # when lines of it were erased, because somebody asked to be forgotten
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts its lines begin with


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased because somebody asked to be forgotten: counts, ids and hashes, never words.

    `person_hash` is SHA-256 of their platform and id. `detail` holds questions, judgements, corrections, versions (with the
    hashes of their files before and after), models trained on them, and what vendors may still hold.
    """

    id: str
    at: datetime
    by: str  # actor id
    person_hash: str
    detail: Mapping[str, Any]
