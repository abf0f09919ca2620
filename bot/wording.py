"""Pure: how moments, durations, states and reasons are said, on every surface. The console's templates get these as filters."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.text import excerpt
from curation.evidence import shown
from storage.records import (
    Correction,
    CorrectionState,
    DeploymentKind,
    Judgement,
    Purpose,
    Run,
    RunState,
    Scope,
    Side,
    Trigger,
)

REASONS: Mapping[Judgement, str] = {
    Judgement.WRONG: "Wrong or misleading",
    Judgement.TONE: "Not how we sound",
    Judgement.OUTDATED: "Out of date",
    Judgement.UNSAFE: "Unsafe",
    Judgement.OFF_TOPIC: "Off topic",
}
"""The reasons for a correction, in the order a form offers them."""

WHY_REJECTED = "Why? Who proposed it reads this."
"""What a form asks an approver who rejects a correction; it has to be filled in."""

NO_LONGER = "From that day on it is neither shown nor trained on. Empty: it holds until somebody says otherwise."
"""What a form says that asks until when a correction holds."""

SCOPES: Mapping[Scope, str] = {
    Scope.VOICE: "Everywhere this brand answers",
    Scope.CHANNEL: "Only in this channel",
    Scope.EVERYONE: "Every brand here",
}
"""Where a correction holds, in the order a form offers them."""

_WORDS: Mapping[str, str] = {
    **REASONS,
    Judgement.GOOD: "Good",
    CorrectionState.PROPOSED: "Waits for approval",
    CorrectionState.APPROVED: "Approved",
    CorrectionState.REJECTED: "Rejected",
    CorrectionState.RETRACTED: "Retracted",
    CorrectionState.SUPERSEDED: "Replaced by a newer one",
    CorrectionState.ERASED: "Erased",
    RunState.REQUESTED: "Requested",
    RunState.FROZEN: "Dataset frozen",
    RunState.SUBMITTED: "Waiting for the trainer",
    RunState.TRAINING: "Training",
    RunState.SERVABLE: "Comparing with the current model",
    RunState.EVALUATED: "Deciding",
    RunState.CANARY: "Canary: a share of the conversations",  # a deployment's kind as well
    RunState.PROMOTED: "Promoted",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.CANCELLED: "Cancelled",
    RunState.DONE: "Done",
    Trigger.PERSON: "by hand",
    Trigger.COUNT: "after enough new approvals",
    Trigger.SCHEDULE: "on schedule",
    Trigger.SHUTDOWN: "because the base model nears its end",
    Side.TRAIN: "To train on",
    Side.HELD_OUT: "Kept back",
    DeploymentKind.FIRST: "First",
    DeploymentKind.PROMOTION: "Promotion",
    DeploymentKind.ROLLBACK: "Rollback",
}


def moment(at: datetime) -> str:
    """A moment in UTC; the page's script shows it in the reader's own time zone."""
    return f"{at:%-d %b %Y, %H:%M} UTC"


def day(at: datetime) -> str:
    """The first day on which something holds, or no longer does, as people write it; days are UTC's."""
    return f"{at:%-d %B %Y}"


def holds_told(correction: Correction) -> str:
    """When a correction holds, where that has a date: "Holds from 1 December 2026 until 1 March 2027"; "" where it has none."""
    said = [f"from {day(correction.holds_from)}"] if correction.holds_from else []
    said += [f"until {day(correction.expires_at)}"] if correction.expires_at else []
    return f"Holds {' '.join(said)}" if said else ""


def critical_told(correction: Correction) -> str:
    """ "critical" for a correction in force that no later model may forget; "" for others."""
    return "critical" if correction.is_critical and correction.state is CorrectionState.APPROVED else ""


def duration(seconds: float) -> str:
    """How long, to the precision people plan with: seconds below a minute, then minutes, then hours."""
    if seconds < 60:
        return counted(max(1, round(seconds)), "second")
    if seconds < 3600:
        return counted(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 example", "1,200 examples"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def points(score: float) -> str:
    """A score in [0, 1] as it is compared: three decimals."""
    return f"{score:.3f}"


def evidence(log_evidence: float) -> str:
    """An evidence number as people read it."""
    return shown(log_evidence)


def words_of(state: str) -> str:
    """What people call a state, a reason, a trigger or a side; no two of them share a value."""
    return _WORDS[state]


RUNS: Mapping[Purpose, str] = {
    Purpose.RETRAIN: "Training run",
    Purpose.SEARCH: "Search for settings",
    Purpose.DRILL: "Migration drill",
}
"""What a run is called, by what it is for."""


def words_of_run(run: Run) -> str:
    """Where a run stands, at which of several steps, and whether it stands still there."""
    return f"{words_of(run.state)}{step_of(run)}{', paused' if run.is_paused else ''}"


def step_of(run: Run) -> str:
    """ ", step 1 of 2" while a job of several is under way or comes next; "" otherwise."""
    is_at_one = run.steps > 1 and run.state in (RunState.FROZEN, RunState.SUBMITTED, RunState.TRAINING)
    return f", step {run.step} of {run.steps}" if is_at_one else ""


def name_of(run: Run) -> str:
    """What a run is called."""
    return RUNS[run.purpose]


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "duration": duration,
    "counted": counted,
    "points": points,
    "holds": holds_told,
    "critical": critical_told,
    "evidence": evidence,
    "words": words_of,
    "step": step_of,
    "kind": name_of,
    "excerpt": excerpt,
}
