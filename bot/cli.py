"""`finetone …`: reads settings, opens what a command needs, calls one function and prints its sentence."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console as Terminal
from rich.table import Column, Table

from bot import answering, moderation
from bot.chat import Question
from bot.console.sign_in import one_time_link
from bot.demo.story import play
from bot.discord_app import cli as discord_cli
from bot.discord_app.doctor import check_discord
from bot.discord_app.serve import DiscordRefused
from bot.doctor import Check, check_program
from bot.embedded import DataDirBusy, TunerFailed, data_dir_lock
from bot.importing import LAYOUTS, place_of, source_for, summary
from bot.program import Program, local_actor, lock_dir, open_program, open_store, utc_now
from bot.sealing import CannotUnseal
from bot.serving import PortInUse, listening, serve_console, serve_worker, together, until_stopped
from bot.settings import Settings, SettingsMissing, SettingsWrong, load_settings
from bot.slack_app import cli as slack_cli
from bot.slack_app.doctor import check_slack
from bot.slack_app.workspaces import SlackRefused
from bot.text import TextRefused, excerpt
from bot.watching import follow_run, show_preview
from curation.dataset import TooFewExamples
from curation.imports import ImportRefused, read_answers
from curation.promotion import NothingToRollBackTo
from curation.retrain import NothingNew, preview
from providers.base import ProviderError
from storage.errors import StorageError
from storage.ids import new_id
from storage.records import Actor, CorrectionState, Judgement, Right, Run, RunState, Voice
from storage.store import Store

REFUSALS_SHOWN = 20  # rows of an import's report
SAMPLES_SHOWN = 3  # answers that a dry run shows

app = typer.Typer(
    help="A support bot that learns a brand's voice from the people who already guard it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
PLATFORM = "cli"
# What a person can fix: shown as one sentence, exit code 1. Anything else is a bug and keeps its traceback.
FOR_PEOPLE = (
    SettingsMissing,
    SettingsWrong,
    DataDirBusy,
    TunerFailed,
    PortInUse,
    TextRefused,
    ImportRefused,
    TooFewExamples,
    NothingNew,
    NothingToRollBackTo,
    ProviderError,
    StorageError,
    SlackRefused,
    DiscordRefused,
    CannotUnseal,
    moderation.NotAllowed,
)


def main() -> None:
    """The console script's entry."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx2").setLevel(logging.ERROR)
    try:
        app()
    except BaseExceptionGroup as group:
        raise SystemExit(_explain(group)) from None
    except FOR_PEOPLE as error:
        raise SystemExit(_explain(error)) from None


def _explain(error: BaseException) -> str:
    """The sentence of an error for people; one inside a group of tasks counts as itself. Raises what is a bug."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]  # type: ignore[assignment]
    if not isinstance(error, FOR_PEOPLE):
        raise error
    return f"{type(error).__name__}: {error}"


def _say(text: str) -> None:
    Terminal(highlight=False, soft_wrap=True).print(text, markup=False)


def _report(line: str) -> None:
    Terminal(stderr=True, highlight=False, soft_wrap=True).print(line, markup=False, style="dim")


# ---------------------------------------------------------------- ways to run


def _with_records(action: Callable[[Store, Voice, Actor, Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a command that only needs records. Works beside a running program, and with every model down."""

    async def run() -> None:
        settings = load_settings()
        async with open_store(settings, _report) as (store, voice):
            await action(store, voice, await local_actor(store, PLATFORM, utc_now), settings)

    asyncio.run(run())


def _with_program(action: Callable[[Program, Actor], Coroutine[Any, Any, None]], settings: Settings) -> None:
    """Run a part of the program in a data folder of its own. Raises DataDirBusy when another one works there."""

    async def run() -> None:
        with contextlib.ExitStack() as stack:
            if (folder := lock_dir(settings)) is not None:
                stack.enter_context(data_dir_lock(folder))
            async with open_program(settings, _report) as program:
                await action(program, await local_actor(program.store, PLATFORM, utc_now))

    asyncio.run(run())


def _with_model(action: Callable[[Program, Actor], Coroutine[Any, Any, None]]) -> None:
    """Run a command that asks the model: beside a running program with that one's tuner, else with one of its own."""
    settings = load_settings()

    async def run() -> None:
        async with open_program(settings, _report, attach=True) as program:
            await action(program, await local_actor(program.store, PLATFORM, utc_now))

    try:
        _with_program(action, settings)
    except DataDirBusy:
        asyncio.run(run())


# ---------------------------------------------------------------- serving


@app.command()
def run(port: Annotated[int | None, typer.Option(help="TCP port of the console; 0 takes a free one.")] = None) -> None:
    """Start everything here: model, console, worker, and Slack and Discord if their tokens are set. Prints one link to open."""
    settings = load_settings() if port is None else load_settings(console_port=port)
    with contextlib.ExitStack() as bindings:
        bound = bindings.enter_context(listening(settings.console_host, settings.console_port))
        way = slack_cli.way_of(settings)
        slack = None if way is None else bindings.enter_context(slack_cli.receiver(settings, way))
        discord = discord_cli.receiver(settings) if discord_cli.is_wanted(settings) else None
        platforms = [platform for platform in (slack, discord) if platform is not None]
        greetings = [slack_cli.why_not(settings), *(platform.greeting for platform in platforms)]

        async def serve(program: Program, _: Actor) -> None:
            async with until_stopped() as stop:
                await _greet(program, bound.getsockname()[1], " ".join(filter(None, greetings)))
                parts = [serve_console(program, bound, stop), serve_worker(program, stop)]
                await together(*parts, *(platform.serve(program, stop) for platform in platforms))

        _with_program(serve, settings)


async def _greet(program: Program, port: int, also: str = "") -> None:
    actor = await local_actor(program.store, "console", utc_now)
    url = f"http://{program.settings.console_host}:{port}"
    link = await one_time_link(program.store, actor, url, now=utc_now())
    serving = await program.store.models.current(program.voice.id)
    _say(f"\nModel {serving.model.number} answers for “{program.voice.name}” ({serving.model.name}).")
    _say(f"Open  {link}")
    _say("The link signs you in once, within 15 minutes; `finetone link` prints another.")
    if also:
        _say(also)
    _say("Ctrl+C stops everything.\n")


@app.command()
def console() -> None:
    """Serve only the console, where a worker and the model run elsewhere (needs PostgreSQL and a model's address)."""
    _apart(lambda program, bound, stop: serve_console(program, bound, stop))


@app.command()
def worker() -> None:
    """Run only training runs and left-behind questions, where the console runs elsewhere."""

    async def serve(program: Program, _: Actor) -> None:
        async with until_stopped() as stop:
            _say(f"Worker {program.desk.owner} is at work. Ctrl+C stops it.")
            await serve_worker(program, stop)

    _with_program(serve, load_settings())


def _apart(part: Callable[[Program, Any, asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    settings = load_settings()
    with listening(settings.console_host, settings.console_port) as bound:

        async def serve(program: Program, _: Actor) -> None:
            async with until_stopped() as stop:
                await _greet(program, bound.getsockname()[1])
                await part(program, bound, stop)

        _with_program(serve, settings)


serving = typer.Typer(help="Serve one platform.", no_args_is_help=True)
app.add_typer(serving, name="serve")
app.add_typer(slack_cli.slack, name="slack")
app.add_typer(discord_cli.discord, name="discord")


@serving.command("slack")
def serve_slack(
    http: Annotated[bool, typer.Option(help="Signed HTTP behind a public address, instead of Socket Mode.")] = False,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Train here as well.")] = True,
) -> None:
    """Answer in Slack. Needs the tokens that docs/slack.md tells how to get."""
    settings = load_settings()
    with slack_cli.receiver(settings, slack_cli.Way.HTTP if http else slack_cli.Way.SOCKET_MODE) as slack:

        async def serve(program: Program, _: Actor) -> None:
            async with until_stopped() as stop:
                _say(f"{slack.greeting} Ctrl+C stops it.")
                await together(slack.serve(program, stop), *([serve_worker(program, stop)] if with_worker else []))

        _with_program(serve, settings)


@serving.command("discord")
def serve_discord(
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Train here as well.")] = True,
) -> None:
    """Answer in Discord. Needs the token that docs/discord.md tells how to get."""
    settings = load_settings()
    discord = discord_cli.receiver(settings)

    async def serve(program: Program, _: Actor) -> None:
        async with until_stopped() as stop:
            _say(f"{discord.greeting} Ctrl+C stops it.")
            await together(discord.serve(program, stop), *([serve_worker(program, stop)] if with_worker else []))

    _with_program(serve, settings)


@app.command()
def link(
    name: Annotated[str, typer.Option(help="Who the link is for; empty: you.")] = "",
    right: Annotated[list[Right] | None, typer.Option(help="A right the person gets; may be repeated.")] = None,
) -> None:
    """Print a one-time link into the running console, for yourself or for a colleague with fewer rights."""

    async def action(store: Store, _: Voice, __: Actor, settings: Settings) -> None:
        if name:
            rights = frozenset(right or [Right.MODERATOR])
            actor = await store.people.ensure_actor("console", name, name, rights, at=utc_now())
        else:
            actor = await local_actor(store, "console", utc_now)
        url = f"http://{settings.console_host}:{settings.console_port}"
        _say(await one_time_link(store, actor, url, now=utc_now()))

    _with_records(action)


@app.command()
def doctor() -> None:
    """Say what is missing here and the next step: settings, database, model, and what Slack and Discord are to allow."""

    async def look() -> list[Check]:
        settings = load_settings()
        return [
            Check("settings", True, "understood"),
            *await check_program(settings),
            *await check_slack(settings),
            *await check_discord(settings),
        ]

    try:
        found = asyncio.run(look())
    except (SettingsMissing, SettingsWrong) as error:
        found = [Check("settings", False, str(error))]
    for check in found:
        _say(check.line())
    if not all(check.is_ok for check in found):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Play the whole story unattended on the real embedded model: ask, correct, approve, retrain, ask again."""
    play(load_settings(), _report)


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
            _say("Another process is answering that question.")
            return
        _say(reply.text)
        _report(f"{reply.model_name or 'no model'} · {reply.seconds:.1f} s · reply {reply.id}")

    _with_model(action)


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
        _say(outcome.said)

    _with_records(action)


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
        _say(f"{outcome.said} ({outcome.record.id})")

    _with_records(action)


@app.command()
def queue(limit: Annotated[int, typer.Option(help="How many to show.")] = 20) -> None:
    """List corrections that wait for approval, oldest first."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        waiting = await store.corrections.list(voice.id, [CorrectionState.PROPOSED], limit=limit)
        total = (await store.corrections.count(voice.id)).get(CorrectionState.PROPOSED, 0)
        if not waiting:
            _say("Nothing waits for approval.")
            return
        table = Table(Column("correction", no_wrap=True, min_width=31), "question", "should have been", "by", box=None)
        people = await store.people.actors([c.proposed_by for c in waiting])
        for c in waiting:
            table.add_row(c.id, excerpt(c.question, 40), excerpt(c.corrected_text, 60), people[c.proposed_by].name)
        Terminal().print(table)
        _say(f"{len(waiting)} of {total} shown. `finetone approve ID …` or `finetone approve --all`.")

    _with_records(action)


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
            outcome = await moderation.approve_all(store, actor, waiting, team_of_one=team_of_one, now=utc_now())
            _say(outcome.said)
            return
        for correction_id in correction or []:
            decided = await moderation.approve(store, actor, correction_id, team_of_one=team_of_one, now=utc_now())
            _say(f"{correction_id}: {decided.said}")

    if not correction and not all_waiting:
        raise typer.BadParameter("Name at least one correction, or --all. `finetone queue` lists them.")
    _with_records(action)


@app.command()
def reject(
    correction: Annotated[str, typer.Argument(help="The correction's id.")],
    note: Annotated[str, typer.Option(help="Why; kept on record.")] = "",
) -> None:
    """Keep a correction out of every dataset."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        _say((await moderation.reject(store, actor, correction, note=note, now=utc_now())).said)

    _with_records(action)


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
        _say(f"{place_of(file.name, refusal)}: {refusal.reason}")
    if len(read.refusals) > REFUSALS_SHOWN:
        _say(f"… and {len(read.refusals) - REFUSALS_SHOWN} more refused.")
    _say(summary(read))
    if dry_run:
        for answer in read.answers[:SAMPLES_SHOWN]:
            _say(f"{place_of(file.name, answer)}: {excerpt(answer.question, 90)} → {excerpt(answer.answer, 120)}")
    if dry_run or not read.answers:
        return

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        outcome = await moderation.propose_answers(store, actor, voice, file.name, read.answers, now=utc_now())
        _say(f"{outcome.said} `finetone queue` lists them.")

    _with_records(action)


# ---------------------------------------------------------------- training and serving


@app.command()
def retrain(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Only show what would be trained.")] = False,
) -> None:
    """Show what a training run would do, start it, and follow it to its end."""

    async def action(program: Program, actor: Actor) -> None:
        shown = await preview(program.workshop, program.voice)
        show_preview(shown, Terminal())
        if dry_run or shown.refusal or not (yes or typer.confirm("Start?")):
            return
        outcome = await moderation.start_retrain(program.workshop, actor, program.voice)
        _say(outcome.said)
        ended = await _follow(program, outcome.record)
        if ended.state is not RunState.PROMOTED:
            raise typer.Exit(1)

    _with_model(action)


async def _follow(program: Program, run: Run) -> Run:
    """Show a run's progress to its end; do its work too, unless a running program does."""
    if program.is_attached:
        return await follow_run(program.store, run.id, Terminal())
    stop = asyncio.Event()
    worker = asyncio.create_task(serve_worker(program, stop))
    try:
        return await follow_run(program.store, run.id, Terminal())
    finally:
        stop.set()
        await worker


@app.command()
def runs(limit: Annotated[int, typer.Option(help="How many to show.")] = 10) -> None:
    """List training runs, newest first."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        table = Table(Column("run", no_wrap=True, min_width=30), "state", "asked for", "what came of it", box=None)
        for r in await store.runs.recent(voice.id, limit=limit):
            table.add_row(r.id, r.state, _minute(r.requested_at), r.end_reason)
        Terminal().print(table)

    _with_records(action)


@app.command()
def cancel(run_id: Annotated[str, typer.Argument(help="The run's id; `finetone runs` lists them.")]) -> None:
    """Stop an open training run, at the provider first."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        _say((await moderation.cancel_run(store, actor, run_id, now=utc_now())).said)

    _with_records(action)


@app.command()
def models() -> None:
    """List models and which one serves since when, by whom and why."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        history = await store.models.deployments(voice.id, limit=20)
        people = await store.people.actors([d.by for d in history])
        table = Table("model", "name", "served since", "by", "why", box=None)
        for index, d in enumerate(history):
            mark = "→ " if index == 0 else "  "
            table.add_row(f"{mark}{d.model.number}", d.model.name, _minute(d.since), people[d.by].name, d.why)
        Terminal().print(table)

    _with_records(action)


@app.command()
def rollback(
    to: Annotated[int | None, typer.Option(help="A model's number; left out: the one that served before.")] = None,
    why: Annotated[str, typer.Option(help="Kept on record.")] = "",
) -> None:
    """Serve an earlier model again. Works with every model and vendor down."""

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        _say((await moderation.roll_back(store, actor, voice, why=why, to_number=to, now=utc_now())).said)

    _with_records(action)


@app.command()
def history(limit: Annotated[int, typer.Option(help="How many to show.")] = 20) -> None:
    """Who did what, newest first."""

    async def action(store: Store, _: Voice, __: Actor, ___: Settings) -> None:
        entries = await store.audit.entries(limit)
        people = await store.people.actors([e.actor_id for e in entries])
        table = Table("when", "who", "did", "to", box=None)
        for e in entries:
            table.add_row(_minute(e.at), people[e.actor_id].name, e.verb, e.subject)
        Terminal().print(table)

    _with_records(action)


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
