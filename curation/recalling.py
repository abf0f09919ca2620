"""The instant fix, kept ready in this process: what is in force for each voice, as an index brought up to date when it is asked.

The audit tells that something changed: each change of a correction is written there in its own transaction. So no reply
rests on what was in force more than FRESH ago, in whichever process it was changed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from curation.gathering import places_of
from curation.recall import Fix, Place, Recalled, RecallIndex, fix_of
from curation.recall.meaning import Embedder
from curation.recall.words import stem
from storage.errors import DatabaseUnavailable
from storage.records import Message
from storage.store import Store

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=0.5)
LOOKED_AT = 500  # newest entries of the audit; one whose transaction stays open while as many others end is overlooked
SLOW = frozenset({"minilm"})  # models of meaning that take longer than a reply should wait on the loop
JUDGED = "judge_learned"  # after which a model may have learned more
QUIET = frozenset(
    {
        "correct",
        "edit_correction",
        "edit_reply",
        "feedback",
        "withdraw_feedback",
        "freeze",
        "hold",
        "release_hold",
        "ask_hand_over",
        "take_hand_over",
        "release_hand_over",
        "set_channel",
        "set_rights",
        "retrain",
        "promote",
        "rollback",
        JUDGED,
        "tell_learned",
        "mark_critical",
        "unmark_critical",
        "install",
        "uninstall",
    }
)
"""Verbs after which the same corrections are in force. Any other has everything looked at anew."""


@dataclass(eq=False, slots=True)
class _Book:
    """A voice's corrections in force, as they were at the state of things numbered `state`."""

    index: RecallIndex
    state: int = -1
    fixes: dict[str, Fix] = field(default_factory=dict[str, Fix])
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Recall:
    """Finds approved corrections that fit a question. Belongs to one event loop."""

    def __init__(self, store: Store, embedder: Embedder | None = None) -> None:
        self._store = store
        self.embedder = embedder
        self._books: dict[str, _Book] = {}
        self._learned: dict[str, frozenset[str]] = {}  # model id → the corrections in its weights
        self._seen: set[int] = set()
        self._state = 0  # goes up with each look that found a change
        self._looked_at: datetime | None = None
        self._looking = asyncio.Lock()

    @property
    def finder(self) -> str:
        """What finds, by name."""
        return RecallIndex(self.embedder).shape

    async def fixes_for(
        self,
        question: str,
        place: Place,
        *,
        history: Sequence[Message] = (),
        learned: Collection[str] = (),
        now: datetime,
    ) -> tuple[Recalled, ...]:
        """The fixes in force that fit, best first, up to the first of those `learned`; () where none does.

        Raises DatabaseUnavailable.
        """
        book = await self._fresh(place.voice_id, now)
        async with book.lock:
            if self._is_slow:
                return await asyncio.to_thread(
                    book.index.recall, question, place, now, history=history, learned=learned
                )
            return book.index.recall(question, place, now, history=history, learned=learned)

    async def learned_by(self, model_id: str, now: datetime) -> frozenset[str]:
        """The corrections that are in a model's weights, and so are no fixes for it. Raises DatabaseUnavailable."""
        await self._look(now)
        if model_id not in self._learned:
            known = self._learned  # another one by the time of the answer, where something was learned meanwhile
            known[model_id] = await self._store.learned.learned_by(model_id)
            return known[model_id]
        return self._learned[model_id]

    async def follow(
        self, voice_id: str, stop: asyncio.Event, now: Callable[[], datetime], *, every_s: float = 1.0
    ) -> None:
        """Have a voice's fixes ready before it is asked, and forget what is erased also where nobody asks, until `stop`."""
        while not stop.is_set():
            try:
                for known in {voice_id, *self._books}:
                    await self._fresh(known, now())
            except DatabaseUnavailable as error:
                log.warning("fixes are as they were: %s", error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    @property
    def _is_slow(self) -> bool:
        return self.embedder is not None and self.embedder.name in SLOW

    async def _fresh(self, voice_id: str, now: datetime) -> _Book:
        await self._look(now)
        book = self._books.setdefault(voice_id, _Book(RecallIndex(self.embedder)))
        if book.state != self._state:
            async with book.lock:
                if book.state != (state := self._state):
                    await self._bring_up(book, voice_id)
                    book.state = state
        return book

    async def _look(self, now: datetime) -> None:
        """See in the audit whether anything changed, unless that was seen a moment ago."""
        async with self._looking:
            if self._looked_at is not None and timedelta(0) <= now - self._looked_at < FRESH:
                return
            verbs = await self._store.audit.verbs(LOOKED_AT)
            new = verbs.keys() - self._seen
            if any(not _is_quiet(verbs[number]) for number in new) or len(new) == LOOKED_AT:
                self._state += 1
            if any(verbs[number] == JUDGED for number in new) or len(new) == LOOKED_AT:
                self._learned = {}
            self._seen = set(verbs)
            self._looked_at = now

    async def _bring_up(self, book: _Book, voice_id: str) -> None:
        in_force = await self._store.corrections.in_force(voice_id)
        places = await places_of(self._store, in_force)
        fixes = {
            c.id: fix_of(c, channel=places.get(c.conversation_id or "", ""), expires_at=c.expires_at) for c in in_force
        }
        gone = [id for id in book.fixes if id not in fixes]
        changed = [fix for id, fix in fixes.items() if book.fixes.get(id) != fix]
        await asyncio.to_thread(_change, book.index, gone, changed)
        book.fixes = fixes
        if gone:
            stem.cache_clear()  # it remembers words, also those that were only in what is gone


def _change(index: RecallIndex, gone: Collection[str], changed: Collection[Fix]) -> None:
    for id in gone:
        index.remove(id)
    index.add_all(changed)


def _is_quiet(verb: str) -> bool:
    return verb in QUIET or verb.startswith("run_")
