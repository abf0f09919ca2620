"""The review queue as a page shows it: what an address asks for, the rows it gives, and what is known of each.

Two things about all that waits cost more than a page may: how often each was asked, and whether it may hold personal data.
Both are worked out in a thread and kept; a page waits for the first a moment and then goes by what is known.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from curation.cleaning import cleaned, rules_for
from curation.queueing import (
    ASKED_DAYS,
    ASKED_LIMIT,
    Facets,
    Order,
    Origin,
    Wanted,
    facets,
    fitting,
    in_order,
    times_asked,
)
from curation.scrub import Kind
from curation.similar import Asked
from curation.suspicion import suspicions_in
from storage.records import Correction, Judgement, Voice
from storage.reviews import Waiting
from storage.store import Store

log = logging.getLogger(__name__)

W = TypeVar("W", bound=StrEnum)

ROWS = 50  # on one page
KEPT = 20_000  # corrections whose search for personal data is remembered
COUNTED_FOR = timedelta(minutes=2)  # how long counts of questions are good
PATIENCE_S = 1.0  # how long a page waits for them


@dataclass(frozen=True, slots=True)
class View:
    """What an address shows of the queue; the same address shows the same to everybody."""

    wanted: Wanted = field(default_factory=Wanted)
    order: Order = Order.USEFUL
    page: int = 1
    open_id: str = ""  # the correction that is looked at

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> "View":
        """Read an address; what it says wrong is passed over."""
        page = asked.get("page", "")
        return cls(
            Wanted(
                reason=_word(Judgement, asked.get("reason", "")),
                moderator=asked.get("by", ""),
                origin=_word(Origin, asked.get("from", "")),
                place=asked.get("where", ""),
                has_hint=asked.get("hint", "") == "1",
                words=asked.get("q", "").strip()[:200],
            ),
            _word(Order, asked.get("sort", "")) or Order.USEFUL,
            max(1, int(page)) if page.isdecimal() and len(page) < 9 else 1,
            asked.get("open", ""),
        )

    @classmethod
    def of_query(cls, query: str) -> "View":
        """Read the part of an address behind "?"."""
        return cls.of(QueryParams(query))

    @property
    def url(self) -> str:
        """The address of this view."""
        wanted = self.wanted
        said = {
            "reason": wanted.reason or "",
            "by": wanted.moderator,
            "from": wanted.origin or "",
            "where": wanted.place,
            "hint": "1" if wanted.has_hint else "",
            "q": wanted.words,
            "sort": self.order if self.order is not Order.USEFUL else "",
            "page": str(self.page) if self.page > 1 else "",
            "open": self.open_id,
        }
        query = urlencode({name: str(value) for name, value in said.items() if value})
        return f"/review?{query}" if query else "/review"

    @property
    def query(self) -> str:
        """Its address behind "?", to be sent along with a decision."""
        return self.url.partition("?")[2]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is left out."""
        return self.wanted != Wanted()

    def opening(self, correction_id: str) -> "View":
        """The same, looking at this one; "" for none."""
        return replace(self, open_id=correction_id)

    def at_page(self, page: int) -> "View":
        """Another page of the same."""
        return replace(self, page=page, open_id="")


def _word(words: type[W], said: str) -> W | None:
    return words(said) if said in set(words) else None


@dataclass(frozen=True, slots=True)
class Findings:
    """What in a correction is personal data, and goes when it is approved (`taken_out`), or may be (`hints`); what is odd."""

    taken_out: Mapping[Kind, int]
    hints: Mapping[Kind, int]
    oddities: Sequence[str] = ()  # sentences: words meant for a model rather than for people


NOTHING_FOUND = Findings({}, {})


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of the queue. `ids` are all that fit, in order; `total` is what waits in all."""

    view: View
    rows: Sequence[Waiting]
    ids: Sequence[str]
    total: int
    pages: int
    facets: Facets
    times_asked: Mapping[str, int]
    is_counted: bool  # whether every row's question was counted

    def beside(self, correction_id: str) -> tuple[str, str]:
        """The ids before and after this one in the whole queue; "" where there is none."""
        if correction_id not in self.ids:
            return "", self.ids[0] if self.ids else ""
        at = self.ids.index(correction_id)
        return self.ids[at - 1] if at else "", self.ids[at + 1] if at + 1 < len(self.ids) else ""


class Queue:
    """Reads the queue of one voice, and keeps what is dear to work out. Leaving it lets the counting end."""

    def __init__(self, store: Store, voice_id: str, keep: frozenset[str], now: Callable[[], datetime]) -> None:
        self._store = store
        self._voice_id = voice_id
        self._keep = keep
        self._now = now
        self._times: dict[str, int] = {}  # correction id → how often it was asked
        self._counted_at: datetime | None = None
        self._counting: asyncio.Task[None] | None = None
        self._found: dict[tuple[str, str], Findings] = {}  # by correction id and its answer

    async def __aenter__(self) -> "Queue":
        return self

    async def __aexit__(self, *error: object) -> None:
        """Let the counting that goes on end."""
        if self._counting is not None:
            await asyncio.gather(self._counting, return_exceptions=True)

    async def read(self, view: View) -> Slice:
        """The page that the view shows; a page behind the last is the last."""
        waiting = await self._store.reviews.waiting(self._voice_id)
        await self._count(waiting)
        hinted: Iterable[str] = ()
        if view.wanted.has_hint:
            found = await self.findings([each.id for each in waiting])
            hinted = {id for id, one in found.items() if one.hints}
        kept = in_order(fitting(waiting, view.wanted, set(hinted)), view.order, self._times, self._now())
        pages = max(1, ceil(len(kept) / ROWS))
        page = min(view.page, pages)
        return Slice(
            replace(view, page=page),
            kept[(page - 1) * ROWS : page * ROWS],
            [each.id for each in kept],
            len(waiting),
            pages,
            facets(waiting),
            self._times,
            all(each.id in self._times for each in kept),
        )

    # ------------------------------------------------------------ how often it was asked

    async def _count(self, waiting: Sequence[Waiting]) -> None:
        """See to it that what waits is counted, or is being counted when this has waited long enough."""
        is_old = self._counted_at is None or self._now() - self._counted_at > COUNTED_FOR
        is_new = any(each.id not in self._times for each in waiting)
        if self._counting is None and waiting and (is_old or is_new):
            self._counting = asyncio.create_task(self._recount(waiting))
            self._counting.add_done_callback(self._counted)
        if self._counting is not None:
            await asyncio.wait([self._counting], timeout=PATIENCE_S)

    async def _recount(self, waiting: Sequence[Waiting]) -> None:
        now = self._now()
        since = now - timedelta(days=ASKED_DAYS)
        questions = await self._store.reviews.asked(self._voice_id, since, ASKED_LIMIT)
        pending = [Asked(each.id, each.question) for each in waiting]
        self._times = await asyncio.to_thread(times_asked, pending, questions)
        self._counted_at = now

    def _counted(self, task: asyncio.Task[None]) -> None:
        self._counting = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("counting how often questions were asked broke off", exc_info=error)

    # ------------------------------------------------------------ what an approver should see

    async def findings(self, ids: Iterable[str]) -> dict[str, Findings]:
        """What a search of these corrections found, by correction id."""
        corrections = await self._store.corrections.many(ids)
        new = [each for each in corrections if _key(each) not in self._found]
        if new:
            voice = await self._store.voices.get(self._voice_id)
            if len(self._found) > KEPT:
                self._found.clear()
            self._found |= await asyncio.to_thread(_searched, new, voice, self._keep)
        return {each.id: self._found[_key(each)] for each in corrections if _key(each) in self._found}


def _key(correction: Correction) -> tuple[str, str]:
    return correction.id, correction.corrected_text


def _searched(corrections: Sequence[Correction], voice: Voice, keep: frozenset[str]) -> dict[tuple[str, str], Findings]:
    rules = rules_for(voice.system_prompt, keep)
    found: dict[tuple[str, str], Findings] = {}
    for each in corrections:
        one = cleaned(each, rules)
        found[_key(each)] = Findings(one.taken_out, one.hints, suspicions_in(each))
    return found
