"""Pure: how moments, durations, states and reasons are said, on every surface. The console's templates get these as filters."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.text import excerpt
from curation.evidence import shown
from storage.records import CorrectionState, DeploymentKind, Judgement, Run, RunState, Scope, Side, Trigger

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
    Trigger.PERSON: "by hand",
    Trigger.COUNT: "after enough new approvals",
    Trigger.SCHEDULE: "on schedule",
    Side.TRAIN: "To train on",
    Side.HELD_OUT: "Kept back",
    DeploymentKind.FIRST: "First",
    DeploymentKind.PROMOTION: "Promotion",
    DeploymentKind.ROLLBACK: "Rollback",
}


def moment(at: datetime) -> str:
    """A moment in UTC; the page's script shows it in the reader's own time zone."""
    return f"{at:%-d %b %Y, %H:%M} UTC"


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


def words_of_run(run: Run) -> str:
    """Where a run stands, and whether it stands still there."""
    return f"{words_of(run.state)}, paused" if run.is_paused else words_of(run.state)


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "duration": duration,
    "counted": counted,
    "points": points,
    "evidence": evidence,
    "words": words_of,
    "excerpt": excerpt,
}
