"""Pure: approved corrections → examples. Each one left out carries its reason, so that nothing disappears in silence."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from storage.records import Correction, CorrectionState, Message


class LeftOut(StrEnum):
    """Why an approved correction is not in a dataset."""

    DUPLICATE = "the same question and answer is already in"
    OUTVOTED = "a newer approved correction answers the same question"
    TOO_LONG = "longer than the model's training context"
    EMPTY = "its question or answer is empty"
    NOT_FOR_TRAINING = "whoever wrote it kept it out of training"


@dataclass(frozen=True, slots=True)
class Example:
    """A training item: what was asked, in which conversation, and the answer to learn."""

    correction_id: str
    group_key: str  # examples with the same key stay on one side of the split for ever
    history: tuple[Message, ...]
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What became of the approved corrections: `examples` in id order, and (correction id, reason) for the rest."""

    examples: tuple[Example, ...]
    left_out: tuple[tuple[str, LeftOut], ...]


def normalised(text: str) -> str:
    """A text's key for comparison: NFKC, case folded, only letters and digits, single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def group_key(correction: Correction) -> str:
    """The group a correction belongs to: its conversation, or (imported, no conversation) its normalised question."""
    basis = correction.conversation_id or f"q:{normalised(correction.question)}"
    return hashlib.sha256(basis.encode()).hexdigest()[:24]


def select_examples(corrections: Sequence[Correction]) -> Selection:
    """Turn approved corrections (ordered by id, so oldest first) into examples.

    Two that ask the same in the same history: the newest wins and the other is left out with its reason; the same question
    asked after another history is another example. Anything not approved is ignored. Groups that share a normalised question
    are joined, so that a question never stands on both sides of the split; so are imported answers whose conversations
    begin with the same two messages, because they are one conversation.
    """
    left_out: list[tuple[str, LeftOut]] = []
    newest: dict[tuple[str, ...], Correction] = {}
    for correction in corrections:
        if correction.state is not CorrectionState.APPROVED:
            continue
        if (
            not normalised(correction.question) and not correction.question.strip()
        ) or not correction.corrected_text.strip():
            left_out.append((correction.id, LeftOut.EMPTY))
            continue
        if not correction.is_for_training:
            left_out.append((correction.id, LeftOut.NOT_FOR_TRAINING))
            continue
        key = (*(normalised(message.content) for message in correction.history), _question_key(correction.question))
        if (older := newest.get(key)) is not None:
            same = older.corrected_text.strip() == correction.corrected_text.strip()
            left_out.append((older.id, LeftOut.DUPLICATE if same else LeftOut.OUTVOTED))
        newest[key] = correction
    chosen = sorted(newest.values(), key=lambda correction: correction.id)
    keys = _joined_groups(chosen)
    examples = tuple(Example(c.id, keys[c.id], c.history, c.question.strip(), c.corrected_text.strip()) for c in chosen)
    return Selection(examples, tuple(sorted(left_out)))


def _question_key(question: str) -> str:
    """Normalised, or the bare text for a question of only emoji or signs (which normalises to nothing)."""
    return normalised(question) or question.strip()


def _shared_keys(correction: Correction) -> tuple[str, ...]:
    """What joins a correction to others: the same question; and, imported without a conversation's id, the same opening."""
    question = "q:" + _question_key(correction.question)
    if correction.conversation_id is not None:
        return (question,)
    said = [*(message.content for message in correction.history), correction.question, correction.corrected_text]
    return question, "o:" + "\n".join(normalised(text) for text in said[:2])


def _joined_groups(corrections: Sequence[Correction]) -> dict[str, str]:
    """Connected components over (own group) and what is shared: correction id → the component's smallest group key."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for correction in corrections:
        for shared in _shared_keys(correction):
            own, other = root(group_key(correction)), root(shared)
            parent[max(own, other)] = min(
                own, other
            )  # hexadecimal digits sort before "o" and "q": a group key is the root
    return {correction.id: root(group_key(correction)) for correction in corrections}
