"""`finetone search`: which epochs, learning rate and rank suit the corrections there are, within a cap of time and money."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.table import Table

from bot.program import Program, utc_now
from bot.terminal import report, say, with_model
from curation.gathering import build_now
from curation.search import Caps, SearchRefused, Tried, plan, search
from storage.records import Actor

app = typer.Typer()


@app.command("search")
def search_settings(
    trials: Annotated[
        int, typer.Option(min=1, max=100, help="Settings to try at most; the first leaves all to the trainer.")
    ] = 6,
    minutes: Annotated[float, typer.Option(min=0.1, help="No trial begins after, and the last one is cancelled.")] = 60,
    max_cost: Annotated[
        str, typer.Option(help="No trial begins that would exceed it, in the price's currency; empty: no cap.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False,
) -> None:
    """Train several times on the corrections there are and compare by validation loss. Promotes nothing."""
    caps = Caps(trials, minutes, _cost(max_cost))

    async def action(program: Program, _: Actor) -> None:
        workshop, voice = program.workshop, program.voice
        dataset = await build_now(program.store, voice, workshop.press, at=utc_now())
        wanted = plan(workshop.vendor, workshop.recipe.seed, trials)
        say(f"{len(wanted)} trials on {len(dataset.train)} examples at most, in {minutes:g} minutes at most.")
        if not (yes or typer.confirm("Start?")):
            return
        poll_s = program.settings.poll_seconds
        found = await search(workshop, voice, dataset, wanted, caps, poll_s=poll_s, tell=report)
        _show(found)

    with_model(action)


def _cost(text: str) -> Decimal | None:
    try:
        amount = Decimal(text) if text else None
    except InvalidOperation:
        raise SearchRefused(f"--max-cost is {text!r}, which is no amount. Write it like 2.50.") from None
    if amount is not None and (not amount.is_finite() or amount < 0):
        raise SearchRefused(f"--max-cost is {text}: give an amount from 0 on.")
    return amount


def _show(found: list[Tried]) -> None:
    table = Table("setting", "validation loss", box=None)
    for one in found:
        table.add_row(str(one.trial), "" if one.loss is None else f"{one.loss:.4f}")
    Terminal().print(table)
    if not found or found[0].loss is None:
        say("No trial told a validation loss, so nothing can be chosen.")
        return
    best = found[0].trial
    given = {
        "FINETONE_EPOCHS": best.n_epochs,
        "FINETONE_LEARNING_RATE": best.learning_rate_multiplier,
        "FINETONE_LORA_R": best.lora_r,
    }
    settings = " ".join(f"{name}={number:g}" for name, number in given.items() if number is not None)
    say(
        f"Best: {best}. To train runs so, set {settings}."
        if settings
        else f"Best: {best}; leave the settings as they are."
    )
