"""Buttons that outlive the process: what they do stands in their custom id, `ft1:VERB:ABOUT`, and nowhere else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import discord
from discord import ui

from storage.records import Reply

VERSION = "ft1"  # ids of another shape get another version, so that buttons under old messages go on working
CUSTOM_ID = rf"{VERSION}:(?P<verb>[a-z_]{{1,32}}):(?P<about>[^:\s]{{0,60}})"
_PATTERN = re.compile(CUSTOM_ID)


@dataclass(frozen=True, slots=True)
class Label:
    """A button before it is Discord's."""

    verb: str
    about: str
    words: str
    style: discord.ButtonStyle = discord.ButtonStyle.secondary


class Presses(Protocol):
    """What a client of ours does with a press."""

    async def asked(self, interaction: discord.Interaction[Any]) -> None: ...


class VerbButton(ui.DynamicItem[ui.Button[ui.View]], template=CUSTOM_ID):
    """Any button of ours, whoever's message it is under and whichever process sent it."""

    def __init__(self, label: Label) -> None:
        super().__init__(ui.Button(label=label.words, style=label.style, custom_id=custom_id(label.verb, label.about)))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button that was pressed."""
        return cls(Label(match["verb"], match["about"], getattr(item, "label", None) or "…"))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what every interaction does: it is kept, answered within three seconds, and worked on."""
        await cast(Presses, interaction.client).asked(interaction)


def custom_id(verb: str, about: str) -> str:
    """The custom id of a button or form."""
    return f"{VERSION}:{verb}:{about}"


def read_custom_id(text: str) -> tuple[str, str] | None:
    """The verb and what it is about; None for an id that is not ours."""
    match = _PATTERN.fullmatch(text)
    return (match["verb"], match["about"]) if match else None


def row(labels: Sequence[Label]) -> ui.View:
    """A message's buttons."""
    view = ui.View(timeout=None)
    for label in labels:
        view.add_item(VerbButton(label))
    return view


def controls(reply: Reply) -> ui.View:
    """What stands under a reply's last part."""
    return row(
        [
            Label("good", reply.id, "Helpful"),
            Label("wrong", reply.id, "Not right"),
            Label("human", reply.id, "Get a human"),
        ]
    )
