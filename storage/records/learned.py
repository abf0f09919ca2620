"""Whether a model learned a correction, and what it said when it was asked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LearnedVerdict(StrEnum):
    """What a model made of a correction it was trained on."""

    LEARNED = "learned"  # right with an empty fix list, in other words as well, and nowhere else
    NOT_YET = "not_yet"
    OVER_GENERALISED = "over_generalised"  # right, and also said where another correction holds


class AskedAs(StrEnum):
    """How a question was put."""

    ALONE = "alone"  # the correction's own question, with an empty fix list
    PARAPHRASE = "paraphrase"  # the same in other words, with an empty fix list
    NEIGHBOUR = "neighbour"  # another correction's question, near by meaning, with an empty fix list
    SERVED = "served"  # the correction's own question, as it is served: with the fixes that recall shows


@dataclass(frozen=True, slots=True)
class LearnedAnswer:
    """What a model said to one question, and whether that is right: for a neighbour, not what the correction says."""

    position: int  # from 0, as they were asked
    asked_as: AskedAs
    about: str  # the id of the correction whose question it is, or a rewriting of it
    question: str  # "" once it is erased, as `answer` is
    answer: str
    is_right: bool
    nearness: float  # to the corrected answer, in [0, 1] (curation.nearness)
    nearness_before: float | None  # to what the bot had said; None where it had said nothing


@dataclass(frozen=True, slots=True)
class Learned:
    """Whether one model learned one correction. One per (correction, model), by constraint; only `told_*` is ever changed.

    Two readings, which may differ: `in_weights` is right with an empty fix list, `in_system` right as served.
    """

    correction_id: str
    model_id: str
    run_id: str
    verdict: LearnedVerdict
    in_weights: bool
    in_system: bool | None  # None where it was not asked
    margin: (
        float  # mean nearness to the correction less that to what the bot had said, of the answers ALONE; in [-1, 1]
    )
    log_margin: (
        float | None
    )  # mean log-probability of the correction's tokens less that of what was said, in nats; None: unscored
    paraphrases: int  # asked
    paraphrases_right: int
    neighbours: int  # asked
    neighbours_reached: int  # answered as the correction says, wrongly
    judged_at: datetime
    told_at: datetime | None = None  # when who wrote it heard that it is learned: once, of one model
    told_in: str | None = None  # the id of the posting
