"""Commands about runs and models: retrain, runs, cancel, models, rollback, release, history."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.table import Column, Table

from bot import moderation
from bot.following import follow
from bot.program import Program, utc_now
from bot.settings import Settings
from bot.terminal import say, with_model, with_records
from bot.watching import show_preview
from bot.wording import step_of
from curation.requesting import preview
from storage.records import Actor, Purpose, RunState, Voice
from storage.store import Store

app = typer.Typer()

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
        say(outcome.said)
        ended = await follow(program, outcome.record, Terminal())
        if ended.state not in (RunState.PROMOTED, RunState.CANARY):
            raise typer.Exit(1)

    with_model(action)


@app.command()
def runs(limit: Annotated[int, typer.Option(help="How many to show.")] = 10) -> None:
    """List training runs, newest first."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        run = Column("run", no_wrap=True, min_width=30)
        table = Table(run, "what for", "state", "asked for", "what came of it", box=None)
        for r in await store.runs.recent(voice.id, limit, Purpose):
            state = f"{r.state}{step_of(r)}{', paused' if r.is_paused else ''}"
            table.add_row(r.id, r.purpose, state, _minute(r.requested_at), r.end_reason or r.paused_why)
        Terminal().print(table)

    with_records(action)


@app.command()
def cancel(run_id: Annotated[str, typer.Argument(help="The run's id; `finetone runs` lists them.")]) -> None:
    """Stop an open training run, at the provider first."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        say((await moderation.cancel_run(store, actor, run_id, now=utc_now())).said)

    with_records(action)


@app.command()
def pause(run_id: Annotated[str, typer.Argument(help="The run's id; `finetone runs` lists them.")]) -> None:
    """Let an open training run stand still where it is; `finetone resume` lets it go on."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        say((await moderation.pause_run(store, actor, run_id, now=utc_now())).said)

    with_records(action)


@app.command()
def resume(run_id: Annotated[str, typer.Argument(help="The run's id; `finetone runs` lists them.")]) -> None:
    """Let a paused training run go on from where it stood."""

    async def action(store: Store, _: Voice, actor: Actor, __: Settings) -> None:
        say((await moderation.resume_run(store, actor, run_id, now=utc_now())).said)

    with_records(action)


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

    with_records(action)


@app.command()
def rollback(
    to: Annotated[int | None, typer.Option(help="A model's number; left out: the one that served before.")] = None,
    why: Annotated[str, typer.Option(help="Kept on record.")] = "",
) -> None:
    """Serve an earlier model again. Works with every model and vendor down."""

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        say((await moderation.roll_back(store, actor, voice, why=why, to_number=to, now=utc_now())).said)

    with_records(action)


@app.command()
def release(
    run_id: Annotated[str, typer.Argument(help="The run's id; left out: the newest that was compared.")] = "",
    why: Annotated[str, typer.Option(help="Kept on record; asked for where it is left out.")] = "",
) -> None:
    """Let the newest model serve although it is not proven better, or end its canary, on your word."""

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        said = why or typer.prompt("Why should it serve although that is not proven?")
        say((await moderation.release_model(store, actor, voice, said, run_id=run_id, now=utc_now())).said)

    with_records(action)


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

    with_records(action)


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
