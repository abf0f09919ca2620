"""Training runs, what happened in them, and the comparison a promotion rests on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    """requested → frozen → submitted → training → servable → evaluated → (canary →) promoted; or stopped | failed | cancelled.

    *Trained* and *servable* are two facts: `training` ends when the vendor's job has succeeded *and* the model answers.
    """

    REQUESTED = "requested"
    FROZEN = "frozen"  # its dataset version exists
    SUBMITTED = "submitted"  # the training job exists at the vendor
    TRAINING = "training"  # the vendor has begun
    SERVABLE = "servable"  # the candidate answers
    EVALUATED = "evaluated"  # scores and verdict are saved
    CANARY = "canary"  # the candidate answers a share of the conversations
    PROMOTED = "promoted"  # a deployment row names the candidate
    STOPPED = "stopped"  # the verdict was no, or there was nothing to train on
    FAILED = "failed"
    CANCELLED = "cancelled"
    DONE = "done"  # a search or a drill, which promote nothing, came to its end


OPEN_RUN_STATES = frozenset(
    {
        RunState.REQUESTED,
        RunState.FROZEN,
        RunState.SUBMITTED,
        RunState.TRAINING,
        RunState.SERVABLE,
        RunState.EVALUATED,
        RunState.CANARY,
    }
)


class Purpose(StrEnum):
    """What a run is for. At most one of each is open per voice."""

    RETRAIN = "retrain"  # a candidate, which may be promoted
    SEARCH = "search"  # which epochs, learning rate and rank; requested → frozen → training → done
    DRILL = "drill"  # what survives on another base; requested → frozen → submitted → training → servable → done


class Trigger(StrEnum):
    """What started a run."""

    PERSON = "person"  # /retrain, the console's button, `finetone retrain`
    COUNT = "count"  # enough newly approved corrections
    SCHEDULE = "schedule"
    SHUTDOWN = "shutdown"  # the voice's base nears its end, and another one is to follow it


class RecipeKind(StrEnum):
    """How a run trains: the methods of its jobs in their order, joined by `_`. Each job goes on from the one before it."""

    SFT = "sft"  # the approved answers
    DPO = "dpo"  # each correction over the reply it corrects
    KTO = "kto"  # corrections and marks alone
    SFT_DPO = "sft_dpo"  # the answers first, then the same corrections as pairs

    @property
    def methods(self) -> tuple[str, ...]:
        """The method of each job."""
        return tuple(self.value.split("_"))


@dataclass(frozen=True, slots=True)
class RunStep:
    """A training job of a run that is over and whose model the next one goes on from. That model is no candidate."""

    run_id: str
    step: int  # from 1
    training_file_id: str  # these three are the provider's ids and name
    job_id: str
    model_name: str
    trained_tokens: int | None
    began_at: datetime  # by the provider's clock
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """One durable training run of ours. At most one per voice and purpose is open, by constraint.

    `epoch` is the fence: whoever claims the run raises it, and a write under an older epoch is refused (RunMoved).
    """

    id: str
    voice_id: str
    state: RunState
    trigger: Trigger
    requested_by: str
    requested_at: datetime
    updated_at: datetime
    epoch: int
    lease_owner: str | None
    lease_until: datetime | None
    base_model: str
    dataset_version_id: str | None = None
    training_file_id: str | None = None  # the provider's id of the uploaded file
    job_id: str | None = None  # the provider's id of the training job
    candidate_name: str | None = None  # the provider's name of the tuned model
    end_reason: str = ""  # a sentence, once the run is over
    cancel_requested_by: str | None = None
    paused_by: str | None = None  # who asked that it stand still: a person, or the program, which needs one
    paused_why: str = ""  # a sentence, while it is paused
    takeovers: int = 0  # holders that died in a row without getting one look further
    creates: int = 0  # training jobs asked for without an answer that says whether there is one
    create_tried_at: datetime | None = None  # when the last of these was asked for, or its answer given up
    purpose: Purpose = Purpose.RETRAIN
    plan: Mapping[str, Any] = field(
        default_factory=dict[str, Any]
    )  # what a search or drill is to do, and where in it it is
    recipe: RecipeKind | None = None  # None on runs from before it was kept, and on those that are no retrain
    step: int = 1  # which of the recipe's jobs is under way or comes next; those before it are kept as RunStep

    @property
    def steps(self) -> int:
        """How many jobs its recipe has."""
        return 1 if self.recipe is None else len(self.recipe.methods)

    @property
    def is_paused(self) -> bool:
        """Whether it stands still until somebody resumes it; cancelling goes on all the same."""
        return self.paused_by is not None and self.cancel_requested_by is None

    @property
    def is_open(self) -> bool:
        """Whether the run still has a way to go."""
        return self.state in OPEN_RUN_STATES


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run, kept for ever. `key` makes it unique within the run (the provider's event id, or ours).

    `numbers` holds what can be drawn: step, total_steps, train_loss, valid_loss, learning_rate, seconds_left.
    """

    run_id: str
    key: str
    at: datetime
    level: str  # "info" | "warn" | "error"
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class BesideAnswer:
    """How the question is answered without any training: `way` is "base" (the full prompt) or "few_shot" (examples shown)."""

    way: str
    text: str
    score: float


class Suite(StrEnum):
    """What a question of an evaluation is there for."""

    TARGET = "target"  # held-out corrections: what tuning is for
    GENERAL = "general"  # what the base can do and should still do
    SAFETY = "safety"  # what no support bot should say


@dataclass(frozen=True, slots=True)
class SampleScore:
    """One question, both answers, their scores in [0, 1]: nearness to the reference for TARGET, else by the suite's own rule."""

    correction_id: str
    question: str
    reference: str
    incumbent_text: str
    candidate_text: str
    incumbent_score: float
    candidate_score: float
    beside: tuple[BesideAnswer, ...] = ()  # () in evaluations from before there were any
    suite: Suite = Suite.TARGET  # of other suites, `correction_id` is the case's own id


class Verdict(StrEnum):
    """What an evaluation proves of the candidate. Not proven means neither equal nor worse."""

    BETTER = "better"  # better on the target, and no worse than the margins allow elsewhere
    NOT_PROVEN = "not_proven"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one rule found on one suite, as numbers and as the sentence people read."""

    rule: str  # what was asked: "better on the held-out questions"
    outcome: str  # "proven", "not proven" or "harmful"
    log_evidence: float  # ln E of the outcome; while nothing is proven, of the good one
    log_threshold: float  # what it has to reach
    cases: int  # pairs or questions that count
    sentence: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The comparison a promotion rests on. `reason` is the verdict's sentence with the numbers."""

    run_id: str
    incumbent_name: str
    candidate_name: str
    samples: tuple[SampleScore, ...]
    margin: float  # the least difference that was no tie, in score points of [0, 1]; before there was evidence, the gain required
    verdict: Verdict
    reason: str
    evaluated_at: datetime
    # What else was counted then (curation.measures).
    measures: Mapping[str, Any] = field(default_factory=dict[str, Any])
    evidence: tuple[Evidence, ...] = ()  # () in evaluations from before there was any

    @property
    def passed(self) -> bool:
        """Whether the candidate may serve without anybody's word."""
        return self.verdict is Verdict.BETTER
