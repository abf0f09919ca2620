"""What went wrong, as a sentence for people: the same words in the console, in Slack and everywhere else."""

from bot.disputing import settled_told
from bot.moderation import NotAllowed
from bot.text import TextRefused
from curation.cleaning import PersonalDataLeft
from curation.dataset import TooFewExamples
from curation.imports import ImportRefused
from curation.promotion import NothingToRelease, NothingToRollBackTo
from curation.recipes import RecipeUnfit
from curation.requesting import NothingNew
from curation.search import SearchRefused
from curation.shutdowns import BaseDies
from storage.errors import (
    AlreadyDecided,
    AlreadySettled,
    DatabaseUnavailable,
    DeploymentMoved,
    NotFound,
    RunMoved,
    UnstorableText,
)
from storage.records import CorrectionState
from storage.store import Store

FOR_PEOPLE = (
    NotAllowed,
    TooFewExamples,
    PersonalDataLeft,
    NothingNew,
    SearchRefused,
    BaseDies,
    RecipeUnfit,
    NothingToRelease,
    NothingToRollBackTo,
    AlreadyDecided,
    AlreadySettled,
    DeploymentMoved,
    RunMoved,
    TextRefused,
    ImportRefused,
    UnstorableText,
    NotFound,
    DatabaseUnavailable,
)
"""Errors a person can do something about; every other one is a bug."""

_DECIDED = {
    CorrectionState.APPROVED: "approved",
    CorrectionState.REJECTED: "rejected",
    CorrectionState.RETRACTED: "retracted",
    CorrectionState.SUPERSEDED: "replaced by a newer correction",
    CorrectionState.ERASED: "erased",
}


async def sentence_of(store: Store, error: Exception) -> str:
    """The error's sentence, with names instead of ids."""
    match error:
        case AlreadyDecided():
            return await _who_was_faster(store, error)
        case AlreadySettled():
            return await settled_told(store, error)
        case NotFound():
            return f"There is no such {error.kind} any more, or there never was."
        case DeploymentMoved():
            return f"Model {error.current.model.number} has taken over meanwhile. Look at it, then decide again."
        case RunMoved():
            return "The training run has moved on meanwhile. Look at it again, then decide."
        case _:
            return str(error)


async def _who_was_faster(store: Store, error: AlreadyDecided) -> str:
    correction = error.correction
    people = await store.people.actors([correction.decided_by or ""])
    name = people[correction.decided_by].name if correction.decided_by in people else "Somebody"
    when = f" on {correction.decided_at:%-d %B at %H:%M} UTC" if correction.decided_at else ""
    note = f" Their note: “{correction.decision_note}”" if correction.decision_note else ""
    return f"{name} was faster: this correction was {_DECIDED.get(correction.state, 'decided')}{when}.{note}"
