"""Pure: in which order proposals are looked at, which of them a filter shows, and which decisions get a second look.

The order that people start with is by use: a proposal is worth the questions it would have answered lately, and a day of
waiting counts as one more question. So what many customers ask comes first, and nothing waits for ever.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from curation.agreeing import prompts_agree
from curation.agreement import Rating
from curation.normal import key_of
from curation.similar import THRESHOLD, Asked
from curation.sketches import shingles
from storage.records import CorrectionState, Judgement, Opinion
from storage.reviews import Decided, Waiting

ASKED_DAYS = 30  # how far back questions are counted
ASKED_LIMIT = 10_000  # questions that are counted, the newest; a busy channel's month
_SHARED_EARLY = 8  # shingles that two must share among their rarest to be compared; measured fastest between 1 and 12
WAITED_DAY_COUNTS = 1.0  # questions that one day of waiting is worth


class Order(StrEnum):
    """How a queue is sorted."""

    USEFUL = "useful"
    OLDEST = "oldest"
    NEWEST = "newest"


def in_order(waiting: Iterable[Waiting], order: Order, times_asked: Mapping[str, int], now: datetime) -> list[Waiting]:
    """The queue, the next one first. Of two that are worth the same, the older is the next."""
    by_age = sorted(waiting, key=lambda each: (each.proposed_at, each.id))
    match order:
        case Order.USEFUL:
            return sorted(by_age, key=lambda each: -_use(each, times_asked.get(each.id, 0), now))
        case Order.OLDEST:
            return by_age
        case Order.NEWEST:
            return by_age[::-1]


def _use(waiting: Waiting, times_asked: int, now: datetime) -> float:
    return times_asked + WAITED_DAY_COUNTS * ((now - waiting.proposed_at) / timedelta(days=1))


# ---------------------------------------------------------------- how often it was asked


def times_asked(pending: Sequence[Asked], questions: Iterable[str]) -> dict[str, int]:
    """How many of `questions` ask the same as each pending one, or nearly: id → number, 0 where none does.

    Nearly the same is what `similar.cluster` says it is: shingles at least THRESHOLD alike, and no other number, negation or
    word. `similar.Search` would stop at its first look-alikes, which are fewest where most is asked, so this compares by
    prefixes (Bayardo, Ma, Srikant: Scaling Up All Pairs Similarity Search, 2007): exact, however many there are.
    """
    sets = [shingles(each.question) for each in pending]
    frequency = Counter(shingle for own in sets for shingle in own)
    rank = {shingle: place for place, shingle in enumerate(sorted(frequency, key=lambda s: (frequency[s], s)))}
    index: dict[str, list[int]] = defaultdict(list)
    for position, own in enumerate(sets):
        for shingle in sorted(own, key=rank.__getitem__)[: _prefix(len(own))]:
            index[shingle].append(position)
    found = dict.fromkeys((each.id for each in pending), 0)
    for question, times in _distinct(questions):
        asked = shingles(question)
        for position in _candidates(asked, rank, index):
            if _is_alike(asked, sets[position]) and prompts_agree(pending[position].question, question):
                found[pending[position].id] += times
    return found


def _distinct(questions: Iterable[str]) -> Iterable[tuple[str, int]]:
    """Each question once, as it was first written, with how often it was asked in those letters and digits."""
    first: dict[str, str] = {}
    times: Counter[str] = Counter()
    for question in questions:
        key = key_of(question)
        first.setdefault(key, question)
        times[key] += 1
    return ((first[key], number) for key, number in times.items() if key)


def _needed(size: int) -> int:
    """How many of so many shingles another text must have to be alike."""
    return ceil(THRESHOLD * size)


def _prefix(size: int) -> int:
    """Of so many shingles in one order for all, the first among which two alike texts share _SHARED_EARLY."""
    return min(size, size - _needed(size) + _SHARED_EARLY)


def _candidates(asked: frozenset[str], rank: Mapping[str, int], index: Mapping[str, list[int]]) -> Iterable[int]:
    known = [shingle for shingle in asked if shingle in rank]
    if len(known) < _needed(len(asked)):
        return ()
    known.sort(key=rank.__getitem__)
    beginning = _prefix(len(asked)) - (len(asked) - len(known))  # what nobody has is the rarest, and comes first
    shared: Counter[int] = Counter()
    for shingle in known[:beginning]:
        shared.update(index.get(shingle, ()))
    enough = min(_SHARED_EARLY, _needed(len(asked)))
    return [position for position, number in shared.items() if number >= enough]


def _is_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    smaller, larger = sorted((len(one), len(other)))
    if smaller < THRESHOLD * larger:
        return False
    shared = len(one & other)
    return shared >= THRESHOLD * (len(one) + len(other) - shared)


# ---------------------------------------------------------------- filters


class Origin(StrEnum):
    """Where a proposal came from."""

    REPLY = "reply"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a queue is narrowed to. None and "" narrow nothing."""

    reason: Judgement | None = None
    moderator: str = ""  # actor id
    origin: Origin | None = None
    place: str = ""  # as `place_of` says it, or a platform
    has_hint: bool = False  # only those that may hold personal data
    words: str = ""  # each of which stands in the question or the answer


def place_of(waiting: Waiting) -> str:
    """The channel it was made in: its platform, and the platform's key where it has channels; "" for an imported one."""
    channel, _, _ = (waiting.place or "").rpartition("/")
    return f"{waiting.platform}/{channel}" if channel else waiting.platform or ""


def fitting(waiting: Iterable[Waiting], wanted: Wanted, hinted: Collection[str] = ()) -> list[Waiting]:
    """Those that are wanted; `hinted` are the ids of those that may hold personal data."""
    words = wanted.words.casefold().split()
    return [
        each
        for each in waiting
        if (wanted.reason is None or (each.reason is wanted.reason and not each.is_imported))
        and wanted.moderator in ("", each.proposed_by)
        and (wanted.origin is None or each.is_imported is (wanted.origin is Origin.IMPORT))
        and wanted.place in ("", place_of(each), each.platform)
        and (not wanted.has_hint or each.id in hinted)
        and _says(each, words)
    ]


def _says(waiting: Waiting, words: Sequence[str]) -> bool:
    if not words:
        return True
    said = f"{waiting.question}\n{waiting.corrected_text}".casefold()
    return all(word in said for word in words)


@dataclass(frozen=True, slots=True)
class Facets:
    """What a queue can be narrowed to, and how many that would leave of the whole."""

    reasons: Mapping[Judgement, int]
    moderators: Mapping[str, int]  # actor id
    origins: Mapping[Origin, int]
    places: Mapping[str, int]


def facets(waiting: Iterable[Waiting]) -> Facets:
    """Count each value, the most frequent first. An imported answer has no reason and no place."""
    reasons: Counter[Judgement] = Counter()
    moderators: Counter[str] = Counter()
    origins: Counter[Origin] = Counter()
    places: Counter[str] = Counter()
    for each in waiting:
        moderators[each.proposed_by] += 1
        origins[Origin.IMPORT if each.is_imported else Origin.REPLY] += 1
        if not each.is_imported:
            reasons[each.reason] += 1
        if place := place_of(each):
            places[place] += 1
    return Facets(*(dict(counter.most_common()) for counter in (reasons, moderators, origins, places)))  # type: ignore[arg-type]


# ---------------------------------------------------------------- a second look


def is_sampled(correction_id: str, share: float) -> bool:
    """Whether a decision on it gets a second reviewer; `share` in [0, 1] of all do, the same ones whenever asked."""
    digest = hashlib.sha256(f"second:{correction_id}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def may_review(decided: Decided, actor_id: str) -> bool:
    """Whether this person can look at it with fresh eyes."""
    return actor_id not in (decided.proposed_by, decided.decided_by)


def reason_ratings(decided: Iterable[Decided], opinions: Iterable[Opinion]) -> list[Rating]:
    """What each said was wrong with the reply: who corrected it, and who looked again. An imported answer had no reply."""
    judged = {each.id: each for each in decided if not each.is_imported}
    first = [Rating(each.id, each.proposed_by, str(each.reason)) for each in judged.values()]
    return first + [Rating(o.correction_id, o.actor_id, str(o.reason)) for o in opinions if o.correction_id in judged]


def verdict_ratings(decided: Iterable[Decided], opinions: Iterable[Opinion]) -> list[Rating]:
    """What each decided: who decided first, and who looked again."""
    known = {each.id: each for each in decided}
    first = [
        Rating(each.id, each.decided_by, _verdict(each.state is CorrectionState.APPROVED)) for each in known.values()
    ]
    return first + [
        Rating(o.correction_id, o.actor_id, _verdict(o.is_approval)) for o in opinions if o.correction_id in known
    ]


def _verdict(is_approval: bool) -> str:
    return "approved" if is_approval else "rejected"
