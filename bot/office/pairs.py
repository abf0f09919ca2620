"""Blind pairs in chat: two answers without names, and which one is better. The same words and buttons on every platform."""

import hashlib

from bot import moderation
from bot.moderation.comparing import SAID, SIDES, choose_answer
from bot.office.office import Office
from bot.office.telling import Line, Offer, Told, told
from bot.reporting import NothingCompared, asking_of, run_to_report
from bot.text import excerpt
from bot.wording import counted
from curation.blind import BlindPair
from storage.records import Actor, Right, Run

QUESTION_SHOWN, ANSWER_SHOWN = 300, 650  # characters: both answers and the rest fit every platform's message
PICK = "pick_"  # what the buttons' actions begin with; a side follows
NONE_YET = "No new model has been compared yet, so there are no pairs."
HEADING = "Which answer is better?"


async def pairs(office: Office, actor: Actor, number: int | None, side: str) -> Told:
    """Keep a choice on pair `number` where one is given, then show the next pair of the newest comparison. Raises NotAllowed.

    A pair is chosen by its number, so that a command that arrives twice, or late, changes no other pair.
    """
    moderation.require(actor, Right.MODERATOR, "judge pairs")
    try:
        run = await run_to_report(office.store, office.voice, "")
    except NothingCompared:
        return told(NONE_YET)
    if side and side not in SIDES:
        return told(f"“{excerpt(side, 30)}” is no choice here; there are {', '.join(SIDES)}.")
    pair = await _waiting(office, actor, run)
    if side and (pair is None or number != await _number(office, actor, run)):
        kept = [Line(f"Pair {number} does not wait for you, so nothing was kept.")]
    else:
        kept = [Line(await _keep(office, actor, pair, side))] if side and pair is not None else []
    return await _shown(office, actor, run, kept)


async def pick(office: Office, actor: Actor, about: str, side: str) -> Told:
    """Keep the choice of a button, and show the next pair of the newest comparison. Raises NotAllowed, NotFound.

    `about` is the pair that the button stood under: one that another has taken the place of is left as it is.
    """
    moderation.require(actor, Right.MODERATOR, "judge pairs")
    try:
        newest = await run_to_report(office.store, office.voice, "")
    except NothingCompared:
        return told(NONE_YET)
    pair = await _waiting(office, actor, await office.store.runs.get(about.partition("/")[0]))
    if pair is None or about_of(pair) != about:
        kept = "That pair does not wait for you any more, so nothing was kept."
    else:
        kept = await _keep(office, actor, pair, side)
    return await _shown(office, actor, newest, [Line(kept)])


def about_of(pair: BlindPair) -> str:
    """What a button carries of its pair: the run, and 8 hexadecimal digits of the question and both answers as shown."""
    shown = "\0".join([pair.sample.correction_id, pair.sample.question, *pair.texts])
    return f"{pair.run_id}/{hashlib.sha256(shown.encode()).hexdigest()[:8]}"


async def _waiting(office: Office, actor: Actor, run: Run) -> BlindPair | None:
    return (await asking_of(office.store, actor, run, office.workshop.recipe.evidence)).pair


async def _keep(office: Office, actor: Actor, pair: BlindPair, side: str) -> str:
    """What became of the choice, as a sentence."""
    sample_id = pair.sample.correction_id
    return (await choose_answer(office.store, actor, pair.run_id, sample_id, side, now=office.now())).said


async def _shown(office: Office, actor: Actor, run: Run, kept: list[Line]) -> Told:
    """The next pair with its buttons, after what became of a choice."""
    asking = await asking_of(office.store, actor, run, office.workshop.recipe.evidence)
    so_far = f"{counted(asking.judged.total, 'pair')} judged by the team. " if asking.judged.total else ""
    if asking.pair is None:
        lines = [Line("Nothing is left for you here."), Line(f"{so_far}{asking.needed} {asking.counts}")]
        return Told([*kept, *lines], HEADING)
    number = await _number(office, actor, run)
    first, second = asking.pair.texts
    lines = [
        Line(excerpt(asking.pair.sample.question, QUESTION_SHOWN), f"Pair {number}"),
        Line(excerpt(first, ANSWER_SHOWN) or "(nothing)", "A"),
        Line(excerpt(second, ANSWER_SHOWN) or "(nothing)", "B"),
        Line(f"{counted(asking.left, 'pair')} left for you. {so_far}{asking.needed} {asking.counts}"),
    ]
    about = about_of(asking.pair)
    return Told([*kept, *lines], HEADING, tuple(Offer(said, f"{PICK}{side}", about) for side, said in SAID.items()))


async def _number(office: Office, actor: Actor, run: Run) -> int:
    """The number of the pair that waits for this person, counted from 1 by their own choices."""
    return sum(vote.actor_id == actor.id for vote in await office.store.blind_pairs.of_run(run.id)) + 1
