"""Blind pairs in chat: two answers without names, and which one is better. The same words on every platform."""

from collections.abc import Callable

from bot import moderation
from bot.moderation.comparing import SIDES, choose_answer
from bot.office.office import Office
from bot.office.telling import Line, Told, told
from bot.reporting import NothingCompared, asking_of, run_to_report
from bot.text import excerpt
from bot.wording import counted
from storage.records import Actor, Right, Run

QUESTION_SHOWN, ANSWER_SHOWN = 400, 900  # characters: both answers and the rest fit every platform's message

HowTo = Callable[[int], str]
"""How a choice on the pair of this number is given on the platform, as a sentence."""


async def pairs(office: Office, actor: Actor, number: int | None, side: str, how_to: HowTo) -> Told:
    """Keep a choice on pair `number` where one is given, then show the next pair of the newest comparison. Raises NotAllowed.

    A pair is chosen by its number, so that a command that arrives twice, or late, changes no other pair.
    """
    moderation.require(actor, Right.MODERATOR, "judge pairs")
    try:
        run = await run_to_report(office.store, office.voice, "")
    except NothingCompared:
        return told("No new model has been compared yet, so there are no pairs.")
    if side and side not in SIDES:
        return told(f"“{excerpt(side, 30)}” is no choice here; there are {', '.join(SIDES)}.")
    kept = [Line(await _keep(office, actor, run, number, side))] if side else []
    return Told([*kept, *await _next(office, actor, run, how_to)], "Which answer is better?")


async def _keep(office: Office, actor: Actor, run: Run, number: int | None, side: str) -> str:
    """What became of the choice, as a sentence."""
    waiting = await _number(office, actor, run)
    asking = await asking_of(office.store, actor, run, office.workshop.recipe.evidence)
    if asking.pair is None or number != waiting:
        return f"Pair {number} does not wait for you, so nothing was kept."
    sample_id = asking.pair.sample.correction_id
    return (await choose_answer(office.store, actor, run.id, sample_id, side, now=office.now())).said


async def _next(office: Office, actor: Actor, run: Run, how_to: HowTo) -> list[Line]:
    asking = await asking_of(office.store, actor, run, office.workshop.recipe.evidence)
    so_far = f"{counted(asking.judged.total, 'pair')} judged by the team. " if asking.judged.total else ""
    if asking.pair is None:
        return [Line("Nothing is left for you here."), Line(f"{so_far}{asking.needed}")]
    left, right = asking.pair.texts
    return [
        Line(excerpt(asking.pair.sample.question, QUESTION_SHOWN), "Question"),
        Line(excerpt(left, ANSWER_SHOWN) or "(nothing)", "Left"),
        Line(excerpt(right, ANSWER_SHOWN) or "(nothing)", "Right"),
        Line(how_to(await _number(office, actor, run))),
        Line(f"{counted(asking.left, 'pair')} left for you. {so_far}{asking.needed}"),
    ]


async def _number(office: Office, actor: Actor, run: Run) -> int:
    """The number of the pair that waits for this person, counted from 1 by their own choices."""
    return sum(vote.actor_id == actor.id for vote in await office.store.blind_pairs.of_run(run.id)) + 1
