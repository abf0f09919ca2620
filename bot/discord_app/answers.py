"""What one person reads and nobody else, as Discord shows it: a sentence or lines, what they may do next, a file."""

from collections.abc import Callable
from dataclasses import dataclass

import discord

from bot.discord_app.buttons import Label, row
from bot.discord_app.markup import words
from bot.discord_app.outgoing import Shown
from bot.office.telling import Line, Told
from bot.office.verbs import Offer, Said

ANSWER_LIMIT = 1_900  # characters of an answer to one person
CONFIRMING = "ask_"  # a verb that asks before its namesake is done: Discord's buttons cannot ask by themselves
CALLED_HERE = {
    "/retrain status": "/model status",
    "/retrain rollback": "/model rollback",
    "/retrain release": "/model release",
}
"""The office's names of commands, by what they are called on Discord."""

STYLES = {
    "": discord.ButtonStyle.secondary,
    "primary": discord.ButtonStyle.primary,
    "danger": discord.ButtonStyle.danger,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer longer than a sentence."""

    told: Told
    offers: tuple[Offer, ...] = ()
    file: tuple[str, bytes] | None = None  # name and bytes


def shown(answer: Said | Reading, can: Callable[[str], bool]) -> Shown:
    """The message; without buttons for what nobody here `can` do."""
    text = words_of(answer.text) if isinstance(answer, Said) else told_text(answer.told)
    offers = answer.offers if isinstance(answer, Said) else (*answer.told.offers, *answer.offers)
    labels = [label for offer in offers if can((label := label_of(offer)).verb)]
    file = answer.file if isinstance(answer, Reading) else None
    return Shown(shortened(text), row(labels) if labels else None, file)


def label_of(offer: Offer) -> Label:
    """An offer as a button; one that is to be confirmed asks first."""
    verb = f"{CONFIRMING}{offer.action}" if offer.confirm else offer.action
    return Label(verb, offer.value, offer.label, STYLES.get(offer.style, STYLES[""]))


def told_text(told: Told) -> str:
    """An answer's lines in Discord's own markup."""
    heading = [f"**{words_of(told.heading)}**"] if told.heading else []
    return "\n".join([*heading, *(line_text(line) for line in told.lines)])


def line_text(line: Line) -> str:
    """A line, its label set off."""
    if not line.label:
        return words_of(line.words)
    label = words_of(line.label)
    return f"**{f'[{label}]({line.link})' if line.link else label}**  {words_of(line.words)}"


def words_of(text: str) -> str:
    """A sentence of the office's, its commands called as they are here."""
    for theirs, ours in CALLED_HERE.items():
        text = text.replace(f"`{theirs}`", f"`{ours}`")
    return words(text)


def shortened(text: str, limit: int = ANSWER_LIMIT) -> str:
    """At most `limit` characters of text in Discord's markup, cut between lines where it has some."""
    if len(text) <= limit:
        return text
    at = text.rfind("\n", limit // 2, limit - 1)
    kept = text[: at if at > 0 else limit - 2].rstrip("\\").rstrip()
    return f"{kept}\n…"
