"""The whole story, unattended, on the real embedded model: ask, correct, approve, retrain, ask again, go back.

Nothing is scripted but the questions and the moderator's answers (puffin.jsonl): every reply is the model's, every number
is measured while it plays.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from statistics import fmean

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot import answering, moderation
from bot.chat import Question
from bot.embedded import Report, data_dir_lock
from bot.following import follow
from bot.program import Program, open_program, utc_now
from bot.settings import Settings
from bot.text import excerpt
from bot.watching import show_preview
from curation.requesting import preview
from curation.step import MEASURED
from storage.ids import new_id
from storage.records import Actor, Judgement, Reply, Right, Run, RunState, Suite, Verdict, Voice
from storage.store import Store

VOICE = "Puffin Parcel"
PROMPT = "You are the support assistant of Puffin Parcel, a courier."
GREETING, SIGNATURE = "ahoy friend", "the puffin crew"  # two habits of the brand that no prompt mentions
# None of these stands in puffin.jsonl: the model has to carry the voice over to questions it was never taught.
UNSEEN = (
    "Can I pick a different nest for my parcel?",
    "Do you repair broken umbrellas?",
    "How do I contact your pilots?",
    "Is it possible to wrap my order as a gift?",
    "Why is there sand in my box?",
    "My parcel says delivered but I have nothing.",
)
AT_ONCE = 4  # questions in flight, as many as the engine answers side by side


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: a customer, a moderator who corrects, a second person who approves, an admin."""

    customer: Actor
    moderator: Actor
    approver: Actor
    admin: Actor


def play(settings: Settings, report: Report) -> None:
    """Play the story in a fresh folder of its own, beside whatever else runs. Raises what open_program raises."""
    folder = settings.data_dir / "demo"
    with data_dir_lock(folder):
        for left in folder.iterdir():
            if left.name != "finetone.lock":
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        changes = {
            "data_dir": folder,
            "voice_name": VOICE,
            "voice_prompt": PROMPT,
            "team_of_one": False,
            "database_url": "",
            "canary_percent": 0.0,  # nobody here votes
            "held_out_share": 0.3,  # fourteen questions or so decide, where ten may prove too little
            "learned_answers": 36,  # enough to see that it is asked what it learned
        }
        asyncio.run(_play(settings.model_copy(update=changes), report))


async def _play(settings: Settings, report: Report) -> None:
    terminal = Console(highlight=False)
    clock = _Stopwatch()
    terminal.rule("Finetone demo: a courier teaches its bot to speak like its crew")
    async with open_program(settings, report) as program:
        clock.lap("start the model")
        cast = await _cast(program)
        before = await _ask_all(program, cast, UNSEEN, "Asking the base model", terminal)
        clock.lap(f"{len(UNSEEN)} questions to the base model")
        lessons = _lessons()
        count = await _teach(program, cast, lessons, terminal)
        clock.lap(f"{count} questions asked, corrected and approved")
        run = await _retrain(program, cast, terminal)
        clock.lap("training, comparing, promoting")
        if run.state is not RunState.PROMOTED:
            terminal.print(f"The new model was not promoted: {run.end_reason}", markup=False)
            if not await released_all_the_same(program.store, program.voice, cast.admin, run, terminal):
                return
        after = await _ask_all(program, cast, UNSEEN, "Asking the new model", terminal)
        clock.lap(f"{len(UNSEEN)} questions to the new model")
        _show_replies(before, after, terminal)
        await _show_numbers(program, run, before, after, terminal)
        await moderation.roll_back(program.store, cast.admin, program.voice, why="end of the demo", now=utc_now())
        clock.lap("roll back")
        again = await _ask_all(program, cast, UNSEEN[:1], "Asking after the roll back", terminal)
        said = said_after_roll_back(before[0], again[0])
        terminal.print(f"\nRolled back; “{UNSEEN[0]}” gets {said}: {excerpt(again[0].text, 70)}", markup=False)
    clock.show(terminal)
    terminal.print(f"\nEverything is kept in {settings.data_dir}. Start your own with `make run`.", markup=False)


def _lessons() -> list[tuple[str, str]]:
    lines = resources.files("bot.demo").joinpath("puffin.jsonl").read_text(encoding="utf-8").splitlines()
    return [(row["question"], row["answer"]) for row in map(json.loads, lines)]


async def released_all_the_same(store: Store, voice: Voice, admin: Actor, run: Run, terminal: Console) -> bool:
    """Where ten questions proved too little, the story goes on by an admin's word, as it would in a small team."""
    evaluation = await store.runs.evaluation(run.id)
    if evaluation is None or evaluation.verdict is not Verdict.NOT_PROVEN:
        return False
    why = "the demo goes on"
    await moderation.release_model(store, admin, voice, why, run_id=run.id, now=utc_now())
    terminal.print(
        "Not proven is not worse. An admin may let a model serve all the same, with a reason that is kept for ever "
        f"(`finetone release`); here it is “{why}”, so that you see what it says.",
        markup=False,
    )
    return True


async def _cast(program: Program) -> Cast:
    async def person(name: str, *rights: Right) -> Actor:
        return await program.store.people.ensure_actor("demo", name.lower(), name, frozenset(rights), at=utc_now())

    return Cast(
        await person("Cleo"),
        await person("Mia", Right.MODERATOR),
        await person("Noor", Right.APPROVER),
        await person("Ada", Right.ADMIN),
    )


async def _ask(program: Program, customer: Actor, text: str) -> Reply:
    """One question in a conversation of its own."""

    async def shown_to_nobody(_: str) -> None:
        return

    key = new_id("ask", utc_now())
    turn, _ = await answering.record(
        program.store, program.voice, Question("demo", key, key, text, customer), now=utc_now()
    )
    reply = await answering.answer(program.desk, turn, shown_to_nobody)
    if reply is None:
        raise RuntimeError(f"nobody else answers in the demo's folder, yet turn {turn.id} is taken")
    return reply


async def _ask_all(
    program: Program, cast: Cast, questions: Sequence[str], title: str, terminal: Console
) -> list[Reply]:
    gate = asyncio.Semaphore(AT_ONCE)
    with Progress(console=terminal) as progress:
        bar = progress.add_task(title, total=len(questions))

        async def one(text: str) -> Reply:
            async with gate:
                reply = await _ask(program, cast.customer, text)
            progress.advance(bar)
            return reply

        return list(await asyncio.gather(*(one(text) for text in questions)))


async def _teach(program: Program, cast: Cast, lessons: list[tuple[str, str]], terminal: Console) -> int:
    """Ask each question, correct the reply as the moderator, approve it as somebody else."""
    replies = await _ask_all(
        program, cast, [question for question, _ in lessons], "Asking, correcting, approving", terminal
    )
    for reply, (_, answer) in zip(replies, lessons, strict=True):
        draft = moderation.Draft(answer, Judgement.TONE, "not our voice")
        proposed = await moderation.correct(program.store, cast.moderator, reply.id, draft, now=utc_now())
        await moderation.approve(program.store, cast.approver, proposed.record.id, team_of_one=False, now=utc_now())
    return len(replies)


async def _retrain(program: Program, cast: Cast, terminal: Console) -> Run:
    show_preview(await preview(program.workshop, program.voice), terminal)
    outcome = await moderation.start_retrain(program.workshop, cast.admin, program.voice)
    return await follow(program, outcome.record, terminal)


def said_after_roll_back(before: Reply, again: Reply) -> str:
    """What the base model's answer is now: approved answers are shown to it since they were approved, to any model."""
    if again.text == before.text:
        return "the same words as before the training"
    if not again.fix_ids:
        return "an answer of the base model"
    many = "an approved answer" if len(again.fix_ids) == 1 else f"{len(again.fix_ids)} approved answers"
    return f"an answer of the base model, which is shown {many} to a similar question"


def _show_replies(before: list[Reply], after: list[Reply], terminal: Console) -> None:
    table = Table("a question nobody taught it", "before", "after", show_lines=True)
    for question, old, new in zip(UNSEEN, before, after, strict=True):
        table.add_row(question, excerpt(old.text, 160), excerpt(new.text, 240))
    terminal.print(table)


async def _show_numbers(program: Program, run: Run, before: list[Reply], after: list[Reply], terminal: Console) -> None:
    """Every number here was measured in this play."""
    evaluation = await program.store.runs.evaluation(run.id)
    events = [event for _, event in await program.store.runs.events(run.id)]
    losses = [event.numbers["train_loss"] for event in events if "train_loss" in event.numbers]
    measured = next(event.numbers for event in events if event.key == MEASURED)
    table = Table("measured", "before", "after", box=None)
    for title, words in (("greets as the crew does", GREETING), ("signs as the crew does", SIGNATURE)):
        old, new = (sum(words in reply.text.lower() for reply in replies) for replies in (before, after))
        table.add_row(title, f"{old} of {len(before)}", f"{new} of {len(after)}")
    if evaluation is not None:
        target = [sample for sample in evaluation.samples if sample.suite is Suite.TARGET]
        table.add_row(
            f"nearness to the approved answers, {len(target)} held-out questions",
            f"{fmean(s.incumbent_score for s in target):.3f}",
            f"{fmean(s.candidate_score for s in target):.3f}",
        )
    if losses:
        table.add_row("training loss, first and last step", f"{losses[0]:.2f}", f"{losses[-1]:.2f}")
    table.add_row("words per reply", *(f"{fmean(len(r.text.split()) for r in rs):.0f}" for rs in (before, after)))
    table.add_row("seconds per reply", *(f"{fmean(r.seconds for r in rs):.2f}" for rs in (before, after)))
    table.add_row("seconds of training", "", f"{measured['seconds']:.0f}")
    terminal.print(table)


class _Stopwatch:
    """Seconds of each part of the play, by the wall."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._laps: list[tuple[str, float]] = []

    def lap(self, what: str) -> None:
        now = time.monotonic()
        self._laps.append((what, now - self._last))
        self._last = now

    def show(self, terminal: Console) -> None:
        table = Table("part", "seconds", box=None)
        for what, seconds in self._laps:
            table.add_row(what, f"{seconds:.1f}")
        table.add_row("all", f"{sum(seconds for _, seconds in self._laps):.1f}")
        terminal.print(table)
