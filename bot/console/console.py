"""What the console is built from. Everything is handed in; nothing is read from the environment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from jinja2 import Environment

from bot.answering import Desk
from bot.console.cards import Cards
from bot.console.live import LiveReplies
from bot.console.queue import Queue
from curation.workshop import Workshop
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Console:
    """One voice's console: where it remembers, who answers, what trains, and which rules its people chose."""

    store: Store
    voice_id: str
    desk: Desk
    workshop: Workshop
    team_of_one: bool  # whether a person may approve their own correction
    now: Callable[[], datetime]
    keep: frozenset[str] = frozenset()  # what is not taken out of corrections
    guidelines: str = ""  # Markdown, or the path of a file of it, shown where decisions are taken
    second_review: float = 0.1  # share of decisions that a second reviewer is shown, in [0, 1]
    dispute_votes: int = 1  # approvers who have to agree before a dispute is settled
    cost_targets: Sequence[tuple[str, str]] = ()  # (vendor, model) that a dataset's card reckons beside who trains


@dataclass(frozen=True, slots=True)
class Parts:
    """What every route may use: the console, its templates, the replies being written, the review queue, datasets' cards."""

    console: Console
    templates: Environment
    live: LiveReplies
    queue: Queue
    cards: Cards


def parts_of(request: Request) -> Parts:
    """The parts of the app that serves this request."""
    return request.app.state.parts
