"""`finetone dataset …`: versions built, shown, compared, exported for a vendor, and any training file checked."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console as Terminal
from rich.table import Column, Table

from bot import moderation
from bot.program import open_press, prices_of, utc_now, vendor_of
from bot.settings import Settings, SettingsMissing
from bot.terminal import report, say, with_records
from bot.wording import counted
from curation import versions
from curation.card import Basis
from curation.card_text import card_markdown, prompts_sentence
from curation.cleaning import told
from curation.cost import Traffic, monthly_traffic
from curation.export import Limits
from curation.formats import check_file, method_of
from curation.gathering import Press
from curation.tariff import ASSUMED_EPOCHS
from curation.version_diff import diff_markdown
from providers.quirks import VENDORS, Method, Quirks
from storage.records import Actor, PromptKind, Side, Voice
from storage.store import Store

app = typer.Typer(help="Dataset versions: build, list, show, diff, export, validate.", no_args_is_help=True)

TRAFFIC_DAYS = 30  # that a month's traffic is worked out from

Version = Annotated[str, typer.Argument(help="The version's id, or its beginning; `finetone dataset list` shows them.")]
Vendor = Annotated[str, typer.Option(help=f"Whose rules: {', '.join(VENDORS)}.")]
How = Annotated[Method | None, typer.Option(help="sft, dpo or kto.")]


@app.command()
def build(
    short: Annotated[bool, typer.Option("--short-prompt", help="Begin its lines with FINETONE_SHORT_PROMPT.")] = False,
) -> None:
    """Freeze a version of what is approved now. The same corrections give the same version."""

    async def action(store: Store, voice: Voice, actor: Actor, settings: Settings) -> None:
        if short and not voice.short_prompt:
            raise SettingsMissing(
                "FINETONE_SHORT_PROMPT is not set, so there is no short prompt to build with. Set it, then say this again."
            )
        press = await open_press(settings, voice, report)
        press = replace(press, prompt=PromptKind.SHORT) if short else press
        version = await versions.freeze(store, voice, press, by=actor.id, at=utc_now())
        say(f"{version.id}: {version.train_count} to train on, {version.held_out_count} kept back.")
        disputes = len(await store.disputes.open(voice.id))
        if disputes:
            say(f"{counted(disputes, 'dispute')} open: neither side is in it. The console lists them.")

    with_records(action)


@app.command()
def scrub() -> None:
    """Take personal data out of what is approved already: corrections from before it was done on approval."""

    async def action(store: Store, voice: Voice, actor: Actor, settings: Settings) -> None:
        n_changed = 0
        for correction in await store.corrections.approved(voice.id):
            found = await moderation.scrub(store, actor, correction, settings.kept, now=utc_now())
            if found.is_changed:
                n_changed += 1
                say(f"{correction.id}: {told(found.taken_out, {})}")
        say(f"{counted(n_changed, 'correction')} changed.")

    with_records(action)


@app.command("list")
def list_versions(limit: Annotated[int, typer.Option(help="How many to show.")] = 20) -> None:
    """The newest versions."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        found = await store.datasets.list(voice.id, limit)
        if not found:
            say("There is no version yet. `finetone dataset build` makes one.")
            return
        table = Table(
            Column("version", no_wrap=True, min_width=35), "built", "to train on", "kept back", "tokens", "", box=None
        )
        for one in found:
            erased = "" if one.erased_at is None else f"erased in part {one.erased_at:%Y-%m-%d}"
            counts = (str(one.train_count), str(one.held_out_count), f"{one.train_tokens:,}")
            table.add_row(one.id, f"{one.created_at.astimezone():%Y-%m-%d %H:%M}", *counts, erased)
        Terminal().print(table)

    with_records(action)


@app.command()
def show(version: Version) -> None:
    """The version's card, as Markdown."""

    async def action(store: Store, voice: Voice, _: Actor, settings: Settings) -> None:
        press = await open_press(settings, voice, report)
        basis = await basis_for(store, voice, settings, press)
        found = await store.datasets.get(await _id_of(store, voice, version))
        card = await versions.card_of(store, found.id, basis, press.count_tokens)
        people = await store.people.actors(card.numbers.counts["moderator"])
        prompts = prompts_sentence(str(found.card.get("shape", "")), press.shape)
        say(card_markdown(card, {id: actor.name for id, actor in people.items()}, prompts=prompts).rstrip())

    with_records(action)


@app.command()
def diff(before: Version, after: Version) -> None:
    """What changed from one version to another, line by line, as Markdown."""

    async def action(store: Store, voice: Voice, _: Actor, __: Settings) -> None:
        ids = [await _id_of(store, voice, each) for each in (before, after)]
        say(diff_markdown(await versions.diff(store, *ids)).rstrip())

    with_records(action)


@app.command()
def export(
    version: Version,
    to: Annotated[Path, typer.Argument(help="The file to write.")],
    vendor: Vendor = "openai",
    method: How = Method.SFT,
    side: Annotated[Side, typer.Option(help="Which side of the split.")] = Side.TRAIN,
) -> None:
    """Write a version as a training file that a vendor takes; says what was left out and why."""

    async def action(store: Store, voice: Voice, _: Actor, settings: Settings) -> None:
        press = await open_press(settings, voice, report)
        row, chosen = _vendor(vendor), method or Method.SFT
        longest = min(row.max_example_tokens or settings.example_tokens, settings.example_tokens)
        limits = Limits(longest, press.count_tokens)
        id = await _id_of(store, voice, version)
        made = await versions.export_for(store, id, side, row, chosen, limits=limits)
        to.write_bytes(made.content)
        for sentence in made.sentences():
            say(sentence)
        checked = check_file(
            made.content, to.name, row, chosen, count_tokens=press.count_tokens, max_tokens=settings.example_tokens
        )
        for sentence in checked.sentences():
            say(sentence)

    with_records(action)


@app.command()
def validate(
    file: Annotated[Path, typer.Argument(help="A training file of any origin.", exists=True, dir_okay=False)],
    vendor: Vendor = "openai",
    method: How = None,
) -> None:
    """Check a training file against a vendor's published rules; every problem with its line and the next step."""
    content = file.read_bytes()
    chosen = method or method_of(content) or Method.SFT
    checked = check_file(content, file.name, _vendor(vendor), chosen)
    for sentence in checked.sentences():
        say(sentence)
    if not checked.is_fit:
        raise typer.Exit(1)


async def basis_for(store: Store, voice: Voice, settings: Settings, press: Press) -> Basis:
    """What a card is worked out with here: the settings' prices and epochs, and the traffic of the last month."""
    targets = [(vendor_of(settings), voice.base_model), *settings.cost_targets]
    return Basis(
        press.counter_name,
        settings.epochs or ASSUMED_EPOCHS,
        voice.system_prompt,
        prices_of(settings, utc_now().date()),
        caps=press.rules.caps.shares,
        targets=tuple(dict.fromkeys(targets)),
        traffic=await _traffic(store, voice),
    )


async def _traffic(store: Store, voice: Voice) -> Traffic | None:
    """A month of serving at the last month's traffic; None where nothing was asked."""
    n_replies, asked, said = await store.conversations.spent(voice.id, utc_now() - timedelta(days=TRAFFIC_DAYS))
    return monthly_traffic(n_replies, asked, said, days=TRAFFIC_DAYS) if n_replies else None


def _vendor(name: str) -> Quirks:
    if name not in VENDORS:
        raise typer.BadParameter(f"{name!r} is not known; known are {', '.join(VENDORS)}.", param_hint="--vendor")
    return VENDORS[name]


async def _id_of(store: Store, voice: Voice, beginning: str) -> str:
    """The one version whose id begins like this; an id that none or several have is left as it is, to be told as unknown."""
    found = [each.id for each in await store.datasets.list(voice.id, 1_000) if each.id.startswith(beginning)]
    return found[0] if len(found) == 1 else beginning
