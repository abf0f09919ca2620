"""The history: who did what to which thing, when, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here
from bot.flags import name_in
from bot.text import excerpt
from storage.records import AuditEntry

SHOWN = 200
MOST_SHOWN = 2_000

_VERBS: Mapping[str, str] = {
    "feedback": "judged a reply",
    "withdraw_feedback": "took a judgement back",
    "correct": "proposed a correction",
    "edit_correction": "changed a correction’s wording",
    "approve": "approved a correction",
    "reject": "rejected a correction",
    "retract": "retracted a correction",
    "let_expire": "said until when a correction holds",
    "supersede": "replaced a correction by a newer one",
    "take_back": "took a decision back",
    "restore": "let an earlier correction hold again",
    "second_opinion": "looked at a decision as a second reviewer",
    "dispute": "asked which of two can be right",
    "ask": "asked moderators about a reply",
    "vote_dispute": "voted on a dispute",
    "settle": "settled a dispute",
    "approve_rule": "approved a rule of the voice card",
    "reject_rule": "rejected a rule of the voice card",
    "edit_reply": "changed a posted reply",
    "retrain": "started a training run",
    "search": "started a search for settings",
    "drill": "started a migration drill",
    "cancel": "cancelled a training run",
    "pause": "paused a training run",
    "resume": "resumed a training run",
    "freeze": "froze a dataset",
    "promote": "promoted a model",
    "rollback": "rolled back to an earlier model",
    "set_voice": "set the voice",
    "set_rights": "set somebody’s rights",
    "run_frozen": "run: dataset frozen",
    "run_submitted": "run: handed to the trainer",
    "run_step": "run: first job done, the next goes on from it",
    "run_training": "run: training began",
    "run_servable": "run: the new model answers",
    "run_evaluated": "run: compared",
    "run_done": "run: done",
    "run_promoted": "run: promoted",
    "run_stopped": "run: stopped",
    "run_failed": "run: failed",
    "run_cancelled": "run: cancelled",
}
_PAGES = {"corr": "/corrections/", "run": "/training/", "ds": "/datasets/", "disp": "/review/disputes#"}
_TOLD = ("note", "why", "end_reason", "name")  # the details that are words

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An audit entry in words."""

    at: datetime
    who: str
    did: str
    link: str  # "" where the thing has no page of its own
    detail: str


@router.get("/history")
async def history(visit: Here, show: int = SHOWN) -> Response:
    """The newest entries, newest first."""
    visit.require_team("the history")
    show = min(max(show, 1), MOST_SHOWN)
    entries = await visit.store.audit.entries(show)
    people = await visit.store.people.actors(entry.actor_id for entry in entries)
    return await visit.page(
        "history.html",
        entries=[_shown(entry, name_in(people, entry.actor_id)) for entry in entries],
        more=min(show * 5, MOST_SHOWN) if len(entries) == show < MOST_SHOWN else 0,
    )


def _shown(entry: AuditEntry, who: str) -> ShownEntry:
    page = _PAGES.get(entry.subject.split("_")[0], "")
    judged = {"good": "good", "wrong": "not right"}.get(str(entry.detail.get("judgement", "")), "")
    words = [judged, *(str(entry.detail[name]) for name in _TOLD if entry.detail.get(name))]
    did = _VERBS.get(entry.verb, entry.verb.replace("_", " "))
    return ShownEntry(
        entry.at, who, did, page + entry.subject if page else "", excerpt(" · ".join(filter(None, words)), 160)
    )
