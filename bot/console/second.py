"""A second look at a share of the decisions, without seeing them; and how far the two agree, with what the numbers mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response

from bot import second_looks
from bot.console.review import frame_values
from bot.console.visit import Here
from bot.flags import name_in
from bot.moderation import require
from bot.second_looks import Team
from bot.wording import REASONS
from curation.agreement import RELIABLE, TENTATIVE, Alpha
from storage.records import Judgement, Right

FEW = 20  # things looked at twice, below which an alpha swings with each one more

router = APIRouter()


@router.get("/review/second")
async def second_look(visit: Here, id: str = "") -> Response:
    """The next decision to look at again: the question, what was said, what is proposed; not what was decided."""
    require(visit.actor, Right.APPROVER, "look at decisions again")
    console = visit.console
    offered = await second_looks.second_looks(
        visit.store, visit.actor, console.voice_id, share=console.second_review, now=console.now()
    )
    ids = [each.id for each in offered]
    chosen = id if id in ids else next(iter(ids), "")
    after = ids[(ids.index(chosen) + 1) % len(ids)] if len(ids) > 1 else ""
    return await visit.page(
        "second.html",
        correction=await visit.store.corrections.get(chosen) if chosen else None,
        after=after,
        to_look_at=len(ids),
        share=console.second_review,
        reasons=REASONS,
        **await frame_values(visit, "second"),
    )


@router.post("/review/second")
async def give_opinion(visit: Here) -> Response:
    """What this reviewer would have decided, and why."""
    reason, console = visit.text("reason"), visit.console
    outcome = await second_looks.give_opinion(
        visit.store,
        visit.actor,
        visit.text("id"),
        is_approval=visit.text("verdict") == "approve",
        reason=Judgement(reason) if reason in set(REASONS) else None,
        share=console.second_review,
        now=console.now(),
    )
    return visit.go("/review/second", outcome.said)


# ---------------------------------------------------------------- how far people agree


@dataclass(frozen=True, slots=True)
class ShownAlpha:
    """Agreement on one thing, and what its number says."""

    about: str
    alpha: Alpha
    meaning: str


@router.get("/review/agreement")
async def agreement_page(visit: Here) -> Response:
    """Krippendorff's alpha by reason, what each person did, and where a second reviewer decided otherwise."""
    visit.require_team("the agreement")
    team = await second_looks.team_of(visit.store, visit.console.voice_id, now=visit.console.now())
    people = await visit.store.people.actors(
        {*(each.actor_id for each in team.people), *(o.actor_id for _, o in team.otherwise)}
    )
    return await visit.page(
        "agreement.html",
        verdicts=_shown("The decision: taken or not", team.verdicts.overall),
        reasons=_by_reason(team),
        opinions=team.opinions,
        people=[(name_in(people, each.actor_id), each) for each in team.people],
        otherwise=[(decided, opinion, name_in(people, opinion.actor_id)) for decided, opinion in team.otherwise],
        questions=await _questions(visit, team),
        **await frame_values(visit, "agreement"),
    )


async def _questions(visit: Here, team: Team) -> Mapping[str, str]:
    found = await visit.store.corrections.many(decided.id for decided, _ in team.otherwise)
    return {each.id: each.question for each in found}


def _by_reason(team: Team) -> Sequence[ShownAlpha]:
    found = [_shown("What was wrong, all reasons", team.reasons.overall)]
    by_value = team.reasons.by_value
    return found + [_shown(words, by_value[reason]) for reason, words in REASONS.items() if reason in by_value]


def _shown(about: str, alpha: Alpha) -> ShownAlpha:
    return ShownAlpha(about, alpha, meaning_of(alpha))


def meaning_of(alpha: Alpha) -> str:
    """What an alpha says, as one sentence; the bounds are Krippendorff's own. Pure."""
    if alpha.value is None:
        if not alpha.units:
            return "Nobody has looked at anything twice yet."
        return "Everybody said the same, so that there is nothing to tell agreement from chance by."
    if alpha.units < FEW:
        return f"From {alpha.units} only, which is too few to tell: {FEW} say something."
    if alpha.value >= RELIABLE:
        return "People see the same: rely on it."
    if alpha.value >= TENTATIVE:
        return "People mostly see the same: rely on it with care."
    if alpha.value > 0:
        return "People see different things more often than is good: this wants a page in the guidelines."
    return "No more agreement than chance would give: talk about it before it is trained on."
