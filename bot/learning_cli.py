"""`finetone learning`: what the models learned of the corrections, what it took, and when the next run pays."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.learning import corrections_named, read_learning
from bot.program import Program
from bot.report_cli import written_to
from bot.terminal import with_model
from curation.report.learning import learning_markdown
from curation.report.markdown import inlined
from storage.records import Actor

app = typer.Typer()


@app.command()
def learning(
    plots: Annotated[
        Path | None, typer.Option(help="A folder to write the plots to as SVG; left out: they are within the page.")
    ] = None,
) -> None:
    """Print what was learned run by run, as Markdown: `finetone learning > learning.md`."""

    async def action(program: Program, _: Actor) -> None:
        found = await read_learning(program.workshop, program.voice)
        named = await corrections_named(program.workshop, found)
        if plots is not None:
            plots.mkdir(parents=True, exist_ok=True)
        keep = inlined if plots is None else written_to(plots)
        sys.stdout.write(learning_markdown(found, named, program.voice.name, keep))

    with_model(action)
