"""Commands about questions, replies and corrections: ask, mark, correct, queue, approve, reject, import, forget."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.table import Column, Table

from bot import answering, moderation
from bot.chat import Question
from bot.disputing import first_moment
from bot.importing import LAYOUTS, place_of, source_for, summary
from bot.program import Program, utc_now
from bot.settings import Settings
from bot.terminal import PLATFORM, report, say, with_model, with_records
from bot.text import excerpt
from bot.wording import counted
from curation.imports import read_answers
from curation.suspicion import suspicions_in
from storage.erasing import as_json
from storage.errors import NotFound
from storage.ids import new_id
from storage.records import Actor, CorrectionState, Judgement, Voice
from storage.store import Store

REFUSALS_SHOWN = 20  # rows of an import's report
SAMPLES_SHOWN = 3  # answers that a dry run shows

app = typer.Typer()

# ---------------------------------------------------------------- asking and judging


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What a customer would type.")],
    conversation: Annotated[str, typer.Option(help="A name; the same name goes on with the same conversation.")] = "",
) -> None:
    """Ask the serving model, and keep question and reply."""

    async def action(program: Program, actor: Actor) -> None:
        key = new_id("ask", utc_now())
        asked = Question(PLATFORM, conversation or key, key, question, actor)
        turn, _ = await answering.record(program.store, program.voice, asked, now=utc_now())
        reply = await answering.answer(program.desk, turn, _nowhere)
        if reply is None:
            say("Another process is answering that question.")
            return
        say(reply.text)
        report(f"{reply.model_name or 'no model'} · {reply.seconds:.1f} s · reply {reply.id}")

    with_model(action)


async def _nowhere(_: str) -> None:
    return


@app.command()
def mark(
    reply: Annotated[str, typer.Argument(help="The reply's id.")],
    judgement: Annotated[Judgement, typer.Argument(help="What you think of it.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    flag: Annotated[bool, typer.Option(help="Ask a moderator to look.")] = False,
) -> None:
    """Judge a reply: good, wrong, tone, unsafe, outdated, off_topic."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        outcome = await moderation.mark(store, actor, reply, judgement, note=note, flag=flag, now=utc_now())
        say(outcome.said)

    with_records(action)


@app.command()
def correct(
    reply: Annotated[str, typer.Argument(help="The reply's id.")],
    text: Annotated[str, typer.Argument(help="What the reply should have been.")],
    reason: Annotated[Judgement, typer.Option(help="What was wrong with it.")] = Judgement.WRONG,
    note: Annotated[str, typer.Option(help="For the approver.")] = "",
) -> None:
    """Say what a reply should have been."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        draft = moderation.Draft(text, reason, note)
        outcome = await moderation.correct(store, actor, reply, draft, now=utc_now())
        say(f"{outcome.said} ({outcome.record.id})")

    with_records(action)


@app.command()
def queue(limit: Annotated[int, typer.Option(help="How many to show.")] = 20) -> None:
    """List corrections that wait for approval, oldest first."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        waiting = await store.corrections.list(voice.id, [CorrectionState.PROPOSED], limit=limit)
        total = (await store.corrections.count(voice.id)).get(CorrectionState.PROPOSED, 0)
        if not waiting:
            say("Nothing waits for approval.")
            return
        table = Table(Column("correction", no_wrap=True, min_width=31), "question", "should have been", "by", box=None)
        people = await store.people.actors([c.proposed_by for c in waiting])
        for c in waiting:
            table.add_row(c.id, excerpt(c.question, 40), excerpt(c.corrected_text, 60), people[c.proposed_by].name)
        Terminal().print(table)
        for c in waiting:
            for odd in suspicions_in(c):
                say(f"Look twice at {c.id}. {odd}")
        say(f"{len(waiting)} of {total} shown. `finetone approve ID …` or `finetone approve --all`.")

    with_records(action)


@app.command()
def approve(
    correction: Annotated[list[str] | None, typer.Argument(help="Ids of corrections.")] = None,
    all_waiting: Annotated[bool, typer.Option("--all", help="Approve everything that waits.")] = False,
) -> None:
    """Let corrections into the next dataset."""

    async def action(store: Store, voice: Voice, actor: Actor, settings: Settings) -> None:
        team_of_one = settings.team_of_one
        if all_waiting:
            waiting = await store.corrections.list(voice.id, [CorrectionState.PROPOSED], limit=1_000_000)
            outcome = await moderation.approve_all(
                store, actor, waiting, team_of_one=team_of_one, keep=settings.kept, now=utc_now()
            )
            say(outcome.said)
            return
        for correction_id in correction or []:
            decided = await moderation.approve(
                store, actor, correction_id, team_of_one=team_of_one, keep=settings.kept, now=utc_now()
            )
            say(f"{correction_id}: {decided.said}")

    if not correction and not all_waiting:
        raise typer.BadParameter("Name at least one correction, or --all. `finetone queue` lists them.")
    with_records(action)


@app.command()
def expire(
    correction: Annotated[str, typer.Argument(help="The correction's id.")],
    day: Annotated[str, typer.Argument(help="The first day it no longer holds, as 2026-12-01 (UTC).")] = "",
    never: Annotated[bool, typer.Option("--never", help="Let it hold until somebody says otherwise.")] = False,
) -> None:
    """Say until when a correction holds: from that day on it is neither shown nor trained on."""
    if never == bool(day):
        raise typer.BadParameter("Name a day as 2026-12-01, or --never.")

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        outcome = await moderation.let_expire(store, actor, correction, first_moment(day), now=utc_now())
        say(outcome.said)

    with_records(action)


@app.command()
def critical(
    correction: Annotated[str, typer.Argument(help="The correction's id.")],
    no_longer: Annotated[
        bool, typer.Option("--no-longer", help="Let forgetting it count like forgetting any other.")
    ] = False,
) -> None:
    """Mark an approved correction as one that no new model may forget, once a model has learned it."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        outcome = await moderation.set_critical(store, actor, correction, not no_longer, now=utc_now())
        say(outcome.said)

    with_records(action)


@app.command()
def reject(
    correction: Annotated[str, typer.Argument(help="The correction's id.")],
    note: Annotated[str, typer.Option(help="Why; who proposed it reads this.")] = "",
) -> None:
    """Keep a correction out of every dataset."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        say((await moderation.reject(store, actor, correction, note=note, now=utc_now())).said)

    with_records(action)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help=f"A .csv, .json, .jsonl or .zip file, or a folder: {LAYOUTS}.")],
    dry_run: Annotated[bool, typer.Option(help="Only report what would be taken and refused.")] = False,
    staff: Annotated[
        str,
        typer.Option(
            help="Whose answers count in an export of chats: ids or names, apart by commas. Empty: who answers."
        ),
    ] = "",
) -> None:
    """Propose answers that people have written already as corrections; each still needs approval."""
    read = read_answers(file, source_for(staff))
    for refusal in read.refusals[:REFUSALS_SHOWN]:
        say(f"{place_of(file.name, refusal)}: {refusal.reason}")
    if len(read.refusals) > REFUSALS_SHOWN:
        say(f"… and {len(read.refusals) - REFUSALS_SHOWN} more refused.")
    say(summary(read))
    if dry_run:
        for answer in read.answers[:SAMPLES_SHOWN]:
            say(f"{place_of(file.name, answer)}: {excerpt(answer.question, 90)} → {excerpt(answer.answer, 120)}")
    if dry_run or not read.answers:
        return

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        outcome = await moderation.propose_answers(store, actor, voice, file.name, read.answers, now=utc_now())
        say(f"{outcome.said} `finetone queue` lists them.")

    with_records(action)


# ---------------------------------------------------------------- forgetting


@app.command()
def forget(
    user: Annotated[str, typer.Option(help="Whom: PLATFORM/ID, for example slack/T0123/U0456 or discord/1234567890.")],
    yes: Annotated[bool, typer.Option(help="Do it; without this, only say what would be deleted.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="Where to write the certificate, as JSON.")] = None,
) -> None:
    """Erase what a person asked and said, in records, datasets and evaluations; mark what was made from it."""
    platform, _, id = user.partition("/")

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        whose = await store.people.find(platform, id)
        if whose is None:
            raise NotFound("person", user)
        asked = await store.conversations.asked_by(whose.id)
        questions = counted(len(asked), "question")
        if not yes:
            say(f"{whose.name}: {questions}, with the answers and every correction made from them.")
            say("Nothing brings them back. To do it, add --yes.")
            return
        outcome = await moderation.forget_person(store, actor, whose, now=utc_now())
        say(f"Erased: {questions}. Messages on the platform go as soon as it is served.\n{outcome.said}".strip())
        text = as_json(outcome.record)
        if certificate is None:
            say(text)
        else:
            certificate.write_text(f"{text}\n", encoding="utf-8")
            report(f"The certificate is in {certificate}.")

    with_records(action)
