"""`finetone search`: which epochs, learning rate and rank suit the corrections there are, within a cap of time and money."""

from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.table import Table

from bot import moderation
from bot.following import follow
from bot.program import Program
from bot.terminal import say, with_model
from curation.search import MOST_MINUTES, MOST_TRIALS, Plan, caps_of, plan_of
from curation.searching import Preview, preview_search
from storage.records import Actor, Purpose, RunState

app = typer.Typer()


@app.command("search")
def search_settings(
    trials: Annotated[
        int, typer.Option(min=1, max=MOST_TRIALS, help="Settings to try at most; the first is what runs take now.")
    ] = 6,
    minutes: Annotated[
        float, typer.Option(max=MOST_MINUTES, help="No trial begins after, and the last one is cancelled.")
    ] = 60,
    max_cost: Annotated[
        str, typer.Option(help="No trial begins that would exceed it, in the price's currency; empty: no cap.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False,
) -> None:
    """Train several times on the corrections there are and compare by validation loss. Promotes nothing.

    A search that was cut off, or that runs already, is followed instead of started.
    """
    caps = caps_of(str(trials), str(minutes), max_cost)

    async def action(program: Program, actor: Actor) -> None:
        workshop, voice = program.workshop, program.voice
        if await program.store.runs.open_run(voice.id, Purpose.SEARCH) is None:
            shown = await preview_search(workshop, voice, caps)
            say(preview_text(shown))
            if not (yes or typer.confirm("Start?")):
                return
        outcome = await moderation.start_search(workshop, actor, voice, caps)
        say(outcome.said)
        ended = await follow(program, outcome.record, Terminal())
        _show(plan_of(ended))
        if ended.state is not RunState.DONE:
            raise typer.Exit(1)

    with_model(action)


def preview_text(shown: Preview) -> str:
    """What a search would do, in lines."""
    return "\n".join(line for line in (str(shown), shown.cost, shown.warning) if line)


def _show(plan: Plan) -> None:
    table = Table("setting", "validation loss", box=None)
    for one in plan.best_first:
        table.add_row(str(one.trial), one.said if one.loss is None else f"{one.loss:.4f}")
    Terminal().print(table)
