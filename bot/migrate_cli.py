"""`finetone migrate`: tries the corrections on another base, or at another vendor, before anybody switches."""

import contextlib
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal

from bot.embedded import EmbeddedTuner, Report, Weights, prepare_weights
from bot.program import Program, access_of, quirks_of, rules_of, tariff_of, utc_now
from bot.settings import PREFIX, Settings, SettingsMissing, SettingsWrong
from bot.terminal import report as reported
from bot.terminal import say, with_model
from curation.migration import Destination, drill, prepared
from curation.survival import markdown
from curation.tariff import charge
from providers.quirks import VENDORS
from providers.tokens import token_counter
from providers.vendor import Access, open_vendor
from storage.records import Actor

HOME = "drill"  # the folder, beside the serving tuner's, of a tuner that tries another base

app = typer.Typer()


@app.command()
def migrate(
    base: Annotated[str, typer.Option(help="The base to try, as FINETONE_BASE_MODEL would name it.")],
    provider: Annotated[str, typer.Option(help="The vendor to try; left out: the one that trains now.")] = "",
    trained: Annotated[int, typer.Option(min=0, help="How many of those trained on are asked as well.")] = 40,
    out: Annotated[Path | None, typer.Option(help="A file for the report; left out: it is printed.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Start without asking.")] = False,
) -> None:
    """Train every approved correction on another base and say, one by one, what survives. Switches nothing."""

    async def action(program: Program, _: Actor) -> None:
        away = settings_there(program.settings, provider, base)
        async with open_destination(away, reported) as there:
            dataset = await prepared(program.workshop, program.voice, there)
            cost = charge(there.tariff, there.base_model, dataset.train_tokens, program.workshop.recipe.n_epochs)
            n_asked = len(dataset.held_out) + min(trained, len(dataset.train))
            line = f"{len(dataset.train)} examples on {there.base_model} at {there.tariff.vendor}; {n_asked} questions asked."
            Terminal(stderr=True).print(f"{line}\nCost of training: {cost}", markup=False)
            if not (yes or typer.confirm("Start?", err=True)):
                return
            found = await drill(program.workshop, program.voice, there, dataset, trained_asked=trained, tell=reported)
        if out is None:
            sys.stdout.write(markdown(found))
            return
        out.write_text(markdown(found), encoding="utf-8")
        say(f"{found.sentence()} The report: {out}")

    with_model(action)


def settings_there(settings: Settings, provider: str, base: str) -> Settings:
    """The settings as they would be after the move. Raises SettingsWrong and SettingsMissing."""
    name = provider or settings.provider
    if name not in VENDORS:
        raise SettingsWrong(f"--provider is {name!r}: choose one of {', '.join(VENDORS)}.")
    is_elsewhere = name != settings.provider
    changed: dict[str, object] = {
        "provider": name,
        "base_model": base,
        "api_url": settings.migrate_url or ("" if is_elsewhere else settings.api_url),
        "hosting": settings.migrate_hosting or ("" if is_elsewhere else settings.hosting),
    }
    if is_elsewhere or settings.migrate_key.get_secret_value():
        changed["api_key"] = settings.migrate_key
    if is_elsewhere or settings.migrate_hosting_key.get_secret_value():
        changed["hosting_key"] = settings.migrate_hosting_key
    there = settings.model_copy(update=changed)
    needs_key = name != "tuner" and not there.api_key.get_secret_value()
    needs_url = name == "azure" and not there.api_url
    missing = [f"{PREFIX}MIGRATE_{what}" for what, lacks in (("KEY", needs_key), ("URL", needs_url)) if lacks]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise SettingsMissing(f"{', '.join(missing)} {are} not set, and {name} needs it. .env.example describes each.")
    return there


@contextlib.asynccontextmanager
async def open_destination(settings: Settings, report: Report) -> AsyncGenerator[Destination]:
    """Where the corrections are tried; with the embedded tuner, a second one beside that which serves. Raises TunerFailed."""
    row = quirks_of(settings)
    async with contextlib.AsyncExitStack() as stack:
        if settings.is_embedded:
            home = settings.data_dir / HOME
            weights = await prepare_weights(home, settings.base_model, report)
            vendor = open_vendor(row, Access("embedded", "http://127.0.0.1:9/v1"))  # until the tuner says its own port
            stack.push_async_callback(vendor.aclose)
            await stack.enter_async_context(EmbeddedTuner(home, settings.base_model, vendor.move_to))
        else:
            weights = Weights(settings.base_model, None)
            vendor = open_vendor(row, access_of(settings))
            stack.push_async_callback(vendor.aclose)
        counter = token_counter(weights.base_model, weights.tokenizer_file, settings.data_dir / "tiktoken")
        yield Destination(
            weights.base_model,
            vendor,
            vendor.trainer,
            vendor.host,
            vendor,
            rules_of(settings, row),
            counter.count_messages,
            counter.name,
            tariff_of(settings, utc_now().date()),
            settings.poll_seconds,
        )
