"""`finetone …`: reads settings, opens what a command needs, calls one function and prints its sentence."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from bot import (
    audit_cli,
    dataset_cli,
    learning_cli,
    migrate_cli,
    moderation,
    records_cli,
    report_cli,
    search_cli,
    training_cli,
    voice_cli,
)
from bot.console.sign_in import one_time_link
from bot.demo.story import play
from bot.discord_app import cli as discord_cli
from bot.discord_app.doctor import check_discord
from bot.discord_app.serve import DiscordRefused
from bot.doctor import Check, check_program
from bot.embedded import DataDirBusy, TunerFailed
from bot.program import Program, local_actor, utc_now
from bot.reporting import NothingCompared
from bot.retrieving import RetrieverMissing
from bot.sealing import CannotUnseal
from bot.serving import PortInUse, listening, serve_console, serve_worker, together, until_stopped
from bot.settings import Settings, SettingsMissing, SettingsWrong, load_settings
from bot.slack_app import cli as slack_cli
from bot.slack_app.doctor import check_slack
from bot.slack_app.workspaces import SlackRefused
from bot.terminal import report, say, with_program, with_records
from bot.text import TextRefused
from curation.checks import ChecksWrong
from curation.cleaning import PersonalDataLeft
from curation.dataset import TooFewExamples
from curation.export import MethodUnsupported
from curation.imports import ImportRefused
from curation.jury import SameFamily
from curation.migration import DrillFailed
from curation.prices import PriceUnreadable
from curation.promotion import NothingToRelease, NothingToRollBackTo
from curation.recipes import RecipeUnfit
from curation.requesting import NothingNew
from curation.search import SearchRefused
from curation.shutdowns import BaseDies
from curation.suites import SuiteUnreadable
from curation.versions import PartlyErased
from providers.base import ProviderError
from storage.errors import StorageError
from storage.records import Actor, Right, Voice
from storage.store import Store

app = typer.Typer(
    help="A support bot that learns a brand's voice from the people who already guard it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(records_cli.app)
app.add_typer(training_cli.app)
app.add_typer(migrate_cli.app)
app.add_typer(search_cli.app)
app.add_typer(report_cli.app)
app.add_typer(learning_cli.app)
app.add_typer(voice_cli.voice_app, name="voice")
app.add_typer(dataset_cli.app, name="dataset")
app.add_typer(audit_cli.app, name="audit")
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
    BaseDies,
    RecipeUnfit,
    DrillFailed,
    SearchRefused,
    NothingToRelease,
    NothingToRollBackTo,
    ProviderError,
    StorageError,
    SlackRefused,
    DiscordRefused,
    CannotUnseal,
    RetrieverMissing,
    moderation.NotAllowed,
    PartlyErased,
    PersonalDataLeft,
    MethodUnsupported,
    PriceUnreadable,
    SuiteUnreadable,
    NothingCompared,
    SameFamily,
    ChecksWrong,
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

        with_program(serve, settings)


async def _greet(program: Program, port: int, also: str = "") -> None:
    actor = await local_actor(program.store, "console", utc_now)
    url = f"http://{program.settings.console_host}:{port}"
    link = await one_time_link(program.store, actor, url, now=utc_now())
    serving = await program.store.models.current(program.voice.id)
    say(f"\nModel {serving.model.number} answers for “{program.voice.name}” ({serving.model.name}).")
    say(f"Open  {link}")
    say("The link signs you in once, within 15 minutes; `finetone link` prints another.")
    if also:
        say(also)
    say("Ctrl+C stops everything.\n")


@app.command()
def console() -> None:
    """Serve only the console, where a worker and the model run elsewhere (needs PostgreSQL and a model's address)."""
    _apart(lambda program, bound, stop: serve_console(program, bound, stop))


@app.command()
def worker() -> None:
    """Run only training runs and left-behind questions, where the console runs elsewhere."""

    async def serve(program: Program, _: Actor) -> None:
        async with until_stopped() as stop:
            say(f"Worker {program.desk.owner} is at work. Ctrl+C stops it.")
            await serve_worker(program, stop)

    with_program(serve, load_settings())


def _apart(part: Callable[[Program, Any, asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    settings = load_settings()
    with listening(settings.console_host, settings.console_port) as bound:

        async def serve(program: Program, _: Actor) -> None:
            async with until_stopped() as stop:
                await _greet(program, bound.getsockname()[1])
                await part(program, bound, stop)

        with_program(serve, settings)


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
                say(f"{slack.greeting} Ctrl+C stops it.")
                await together(slack.serve(program, stop), *([serve_worker(program, stop)] if with_worker else []))

        with_program(serve, settings)


@serving.command("discord")
def serve_discord(
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Train here as well.")] = True,
) -> None:
    """Answer in Discord. Needs the token that docs/discord.md tells how to get."""
    settings = load_settings()
    discord = discord_cli.receiver(settings)

    async def serve(program: Program, _: Actor) -> None:
        async with until_stopped() as stop:
            say(f"{discord.greeting} Ctrl+C stops it.")
            await together(discord.serve(program, stop), *([serve_worker(program, stop)] if with_worker else []))

    with_program(serve, settings)


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
        say(await one_time_link(store, actor, url, now=utc_now()))

    with_records(action)


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
        say(check.line())
    if not all(check.is_ok for check in found):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Play the whole story unattended on the real embedded model: ask, correct, approve, retrain, ask again."""
    play(load_settings(), report)
