"""The voice card: rules that approved corrections show, each with its evidence, approved or rejected by an approver."""

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.review import frame_values
from bot.console.visit import Here
from bot.moderation import NotAllowed
from bot.voice_card import decide_rule
from curation.voice_card import evidence_of, prompt_lines, voice_card
from storage.records import RuleState

CITED = 5  # corrections named on the page; finetone voice card prints all

router = APIRouter()


@router.get("/review/voice")
async def card(visit: Here) -> Response:
    """What is proposed, and what was decided."""
    visit.require_team("the voice card")
    rules = await voice_card(visit.store, visit.console.voice_id)
    people = await visit.store.people.actors(each.decision.decided_by for each in rules if each.decision)
    return await visit.page(
        "voice_card.html",
        rules=[(each, evidence_of(each.found)) for each in rules],
        people={id: actor.name for id, actor in people.items()},
        lines=prompt_lines(rules),
        cited=CITED,
        **await frame_values(visit, "voice"),
    )


@router.post("/review/voice")
async def decide(visit: Here) -> Response:
    """Approve or reject one."""
    state = visit.text("state")
    if state not in set(RuleState):
        raise NotAllowed(f"A rule cannot be made {state[:40]!r}. Press one of its buttons.")
    outcome = await decide_rule(
        visit.store,
        visit.actor,
        await visit.voice(),
        visit.text("rule"),
        RuleState(state),
        now=visit.console.now(),
    )
    return visit.go("/review/voice", outcome.said)
