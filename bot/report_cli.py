"""`finetone report` and `finetone voice checks`: what a run proved, and what answers have to keep to."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from bot.moderation.comparing import set_checks
from bot.program import tariff_of, utc_now
from bot.reporting import read_run_report, run_to_report
from bot.retrieving import retriever
from bot.settings import Settings
from bot.terminal import report as tell
from bot.terminal import say, with_records
from curation.checks import ChecksWrong
from curation.fixes import shape
from curation.recall import RecallIndex
from curation.report import markdown
from curation.report.markdown import Keep
from storage.records import Actor, Voice
from storage.store import Store

app = typer.Typer()
voice_app = typer.Typer(help="What is asked of a voice's answers.", no_args_is_help=True)


@app.command()
def report(
    run_id: Annotated[
        str, typer.Argument(help="A run's id or its beginning; left out: the newest that compared.")
    ] = "",
    plots: Annotated[
        Path | None, typer.Option(help="A folder to write the plots to as SVG; left out: they are within the report.")
    ] = None,
) -> None:
    """Print what a run proved, as Markdown: `finetone report > report.md`."""

    async def action(store: Store, voice: Voice, _: Actor, settings: Settings) -> None:
        run = await run_to_report(store, voice, run_id)
        served = shape(RecallIndex(await asyncio.to_thread(retriever, settings)).shape)
        found = await read_run_report(store, run, tariff_of(settings, utc_now().date()), served=served)
        if plots is None:
            sys.stdout.write(markdown(found))
            return
        plots.mkdir(parents=True, exist_ok=True)
        sys.stdout.write(markdown(found, written_to(plots)))

    with_records(action)


def written_to(folder: Path) -> Keep:
    """Keeps each plot as a file of its own; its address is the path."""

    def keep(name: str, svg: str) -> str:
        path = folder / f"{name}.svg"
        path.write_text(svg, "utf-8")
        return path.as_posix()

    return keep


@voice_app.command()
def checks(
    file: Annotated[
        Path | None,
        typer.Option("--set", help='A JSON file, such as {"language": "de", "length": {"most_words": 80}}.'),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Ask nothing any more.")] = False,
) -> None:
    """Show what every answer has to keep to, or set it from a file, or ask nothing any more."""

    async def action(store: Store, voice: Voice, actor: Actor, _: Settings) -> None:
        if file is None and not clear:
            declared = await store.voices.checks(voice.id)
            sys.stdout.write(json.dumps(declared, ensure_ascii=False, indent=2) + "\n")
            if not declared:
                tell(
                    "No checks are declared. `finetone voice checks --set FILE` declares some; docs/evaluation.md says how."
                )
            return
        said = (await set_checks(store, actor, voice, {} if clear or file is None else _read(file), now=utc_now())).said
        say(said)

    with_records(action)


def _read(file: Path) -> dict[str, Any]:
    """The checks of a file. Raises ChecksWrong, which names it."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise ChecksWrong(f"{file} cannot be read as JSON: {wrong}.") from wrong
    if not isinstance(value, dict):
        raise ChecksWrong(f'{file} holds no JSON object; one such as {{"language": "de"}} is wanted.')
    return cast(dict[str, Any], value)
