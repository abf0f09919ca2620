"""The instant fix: approved corrections in memory, and those of them that fit a question. Pure but for its own content: no clock,
no database, no network. Words and meaning propose; curation.recall.gate decides.

Adding, removing and superseding touch one correction (and, every so often, make room: constant work on average).
Not for several threads at once: it belongs to one event loop.
"""

import heapq
import math
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from curation.recall import gate
from curation.recall.companies import Companies
from curation.recall.fix import Fix, Place, Recalled, holds, order
from curation.recall.gate import Candidate, Meaning, Veto
from curation.recall.meaning import Embedder
from curation.recall.vectors import Vectors
from curation.recall.weights import THRESHOLDS
from curation.recall.words import Reading, in_context, is_asking, leans_on_history, read, read_answer
from storage.records import Message

RECALL = "recall-2"  # raise when what is found or its order changes: a model trained with another recall must be known as such

PROPOSED = 12  # candidates from words, and as many from meaning, that the gate looks at
VISITED = 3000  # postings one question may visit, rarest terms first: what keeps the slowest question fast
# Nats that the mean cosine of a company with the question is worth: chosen among 0, 3, 5, 10, 15 and 20 on the open part of
# tests/curation/recall/crowded.jsonl; docs/decisions/0008-recall.md.
COMPANY = 10.0
# So many fixes that say the same of different items, and whose questions are so near on the mean, vouch for each other where the
# gate by itself would not show one of another item (chosen on the same open part).
FELLOWS, VOUCHED_NEARNESS, VOUCHED_CHANCE = 3, 0.35, 0.05
BESIDE = 0.5  # a fix less than half as likely as the best one stays away: a small model copies whichever it is shown
IN_ANSWER = 0.4  # weight of a term found only in the answer
# wordllama was trained so that the first numbers of a vector are a vector by themselves (its README, "Matryoshka
# Representations": 64, 128 and 256 are among the sizes). Among 2,295 texts as fixes, all 667 questions of the committed set were
# answered as without it.
FIRST_LOOK = {"wordllama": 64}
PRIOR = 20  # corrections we pretend to have besides, so that in an index of three a term's rarity still means something


@dataclass(frozen=True, slots=True)
class _Entry:
    fix: Fix
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class _Company:
    """Fixes that say the same: how many, and the mean cosine of their questions with the one that is asked."""

    members: int
    nearness: float

    @property
    def vouches(self) -> bool:
        return self.members >= FELLOWS and self.nearness >= VOUCHED_NEARNESS


ALONE = _Company(1, 0.0)


class RecallIndex:
    """Approved corrections, findable by what is asked."""

    def __init__(
        self, embedder: Embedder | None = None, *, threshold: float | None = None, beside: float = BESIDE
    ) -> None:
        """`threshold`: the smallest chance at which a fix is shown; as measured for the embedder when None."""
        self._embedder = embedder
        self._beside = beside
        self._threshold = threshold
        self._clear()

    def _clear(self) -> None:
        self._entries: list[_Entry | None] = []  # by slot
        self._slots: dict[str, int] = {}  # fix id → slot
        self._postings: dict[str, array[int]] = {}  # term → slot * 2, + 1 where it is only in the answer
        self._counts: dict[str, int] = {}  # term → living questions with it
        self._weights: dict[int, float] = {}  # such a count → what its term says, as long as nothing comes or goes
        self._same: dict[str, array[int]] = {}  # folded text, and terms in order of the alphabet → slots
        self._vectors = Vectors(FIRST_LOOK.get(self._embedder.name, 0) if self._embedder is not None else 0)
        self._companies = Companies()  # of what an embedder compares

    @property
    def shape(self) -> str:
        """What finds, by name: a dataset built under one shape is not to be served under another."""
        return f"{RECALL}:{self._embedder.name if self._embedder else 'words'}"

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, fix_id: object) -> bool:
        return fix_id in self._slots

    # ------------------------------------------------------------ content

    def add(self, fix: Fix) -> None:
        """Make a fix findable from now on; one with the same id is replaced."""
        self.add_all((fix,))

    def add_all(self, fixes: Iterable[Fix]) -> None:
        """Add many; the embedder is asked once."""
        newest = {fix.id: fix for fix in fixes}
        texts: list[str] = []
        for fix in newest.values():
            self.remove(fix.id)
            asked = in_context(fix.question, fix.history)
            slot = len(self._entries)
            candidate = Candidate(read(asked), read_answer(fix.answer))
            self._entries.append(_Entry(fix, candidate))
            self._slots[fix.id] = slot
            self._weights.clear()
            self._post(slot, candidate)
            texts += [asked, fix.answer]
        if self._embedder is not None and texts:
            rows = self._embedder.embed(texts)
            self._vectors.extend(rows[0::2], rows[1::2])

    def supersede(self, old_id: str, fix: Fix) -> None:
        """Put a newer correction in an older one's place; the older one need not be there."""
        self.remove(old_id)
        self.add(fix)

    def remove(self, fix_id: str) -> bool:
        """Forget a fix at once; False when it is not there. Its text, words and vectors are gone with the call."""
        slot = self._slots.pop(fix_id, None)
        if slot is None:
            return False
        self._weights.clear()
        entry = self._entries[slot]
        self._entries[slot] = None
        if entry is not None:
            self._unpost(slot, entry.candidate)
        if self._embedder is not None:
            self._vectors.forget(slot)
            self._leave_company(slot)
        if len(self._entries) > 64 and len(self._slots) * 2 < len(self._entries):
            self._make_room()
        return True

    def _post(self, slot: int, candidate: Candidate) -> None:
        asked = candidate.question
        for term in asked.terms:
            self._postings.setdefault(term, array("Q")).append(slot * 2)
            self._counts[term] = self._counts.get(term, 0) + 1
        for term in candidate.answer.terms:
            if term not in asked.terms:
                self._postings.setdefault(term, array("Q")).append(slot * 2 + 1)
        for key in _same_keys(asked):
            self._same.setdefault(key, array("Q")).append(slot)
        if self._embedder is not None:
            self._companies.join(slot, candidate.answer.words, candidate.answer.terms)

    def _leave_company(self, slot: int) -> None:
        """Nothing of the fix is kept: another one's answer speaks for what said the same."""
        heir = self._companies.leave(slot)
        if heir is not None and (entry := self._entries[heir]) is not None:
            self._companies.speak(heir, entry.candidate.answer.words, entry.candidate.answer.terms)

    def _unpost(self, slot: int, candidate: Candidate) -> None:
        asked = candidate.question
        for term in asked.terms:
            _leave(self._postings, term, slot * 2)
            self._counts[term] -= 1
            if not self._counts[term]:
                del self._counts[term]
        for term in candidate.answer.terms:
            if term not in asked.terms:
                _leave(self._postings, term, slot * 2 + 1)
        for key in _same_keys(asked):
            _leave(self._same, key, slot)

    def _make_room(self) -> None:
        """Number the living anew; half were dead, so each removal has paid for two."""
        living = [(slot, entry) for slot, entry in enumerate(self._entries) if entry is not None]
        vectors = self._vectors.only([slot for slot, _ in living]) if self._embedder is not None else Vectors()
        self._clear()
        self._vectors = vectors
        for slot, (_, entry) in enumerate(living):
            self._entries.append(entry)
            self._slots[entry.fix.id] = slot
            self._post(slot, entry.candidate)

    # ------------------------------------------------------------ asking

    def recall(
        self,
        question: str,
        place: Place,
        now: datetime,
        limit: int = 3,
        *,
        history: Sequence[Message] = (),
        without: Collection[str] = (),
        learned: Collection[str] = (),
    ) -> tuple[Recalled, ...]:
        """The fixes that fit, best first, at most `limit`; () when none does.

        Fixes that do not hold at this place or time, and those whose ids are in `without` (the example's own, when a dataset is
        built), are never among them; nor are those `learned` by the serving model and what fits less well than one of them. Of
        fixes with the very same question only one comes: the narrowest scope, then the newest.
        """
        asked = read(question)
        if limit <= 0 or not self._slots:
            return ()
        found = self._found(question, asked, place, now, without)
        composed = in_context(question, history)
        if composed != question and is_asking(asked):
            found += [
                r
                for r in self._found(composed, read(composed), place, now, without)
                if continues(asked, self._read(r.fix))
            ]
        elif composed != question:
            text = read(composed).text  # "why?" after the very question that it was corrected after
            found += [
                r for r in self._repeats(read(composed), place, now, without) if self._read(r.fix).question.text == text
            ]
        found.sort(key=order)
        if found and self._beside:
            least = found[0].likelihood + math.log(self._beside)
            found = [recalled for recalled in found if recalled.likelihood >= least]
        chosen: dict[str, Recalled] = {}
        for recalled in found:
            chosen.setdefault(self._read(recalled.fix).question.text, recalled)
        return above_learned(tuple(chosen.values()), learned)[:limit]

    def _found(
        self, text: str, asked: Reading, place: Place, now: datetime, without: Collection[str]
    ) -> list[Recalled]:
        """Every fix that the gate lets through for one wording of the question."""
        repeats = self._repeats(asked, place, now, without)
        if not is_asking(asked):
            return repeats  # only emoji, signs or courtesy: nothing but the very same text
        vector = None
        if self._embedder is not None and asked.is_english:
            vector = self._embedder.embed([text])[0]
        model = self._embedder.name if self._embedder is not None and vector is not None else "words"
        threshold = THRESHOLDS[model] if self._threshold is None else self._threshold
        slots = self._proposed(asked, place, now, without)
        is_open = self._is_open(place, now, without)
        if vector is not None:
            slots |= dict.fromkeys(self._vectors.nearest(vector, PROPOSED, is_open))
        seen = {recalled.fix.id for recalled in repeats}
        found = repeats
        companies: dict[int, _Company] = {}
        for slot in slots:
            entry = self._entries[slot]
            if entry is None or entry.fix.id in seen:
                continue
            refused = gate.veto(asked, entry.candidate)
            if refused not in (None, Veto.NAME):
                continue
            meaning = Meaning(*self._vectors.cosines(slot, vector)) if vector is not None else None
            score = gate.chance(model, asked, entry.candidate, meaning, self.weight)
            company = ALONE
            if meaning is not None and score >= min(threshold, VOUCHED_CHANCE):
                company = self._company(slot, vector, meaning.question, is_open, companies)
            if (refused is None and score >= threshold) or company.vouches:
                found.append(Recalled(entry.fix, score, is_repeat=False, company=COMPANY * company.nearness))
        return found

    def _company(
        self, slot: int, vector: Any, own: float, is_open: Callable[[int], bool], known: "dict[int, _Company]"
    ) -> "_Company":
        """How those of the slot's company that hold here stand to the question; `own`: the slot's cosine; `known`: by company."""
        name = self._companies.name_of(slot)
        if name not in known:
            members = {slot, *filter(is_open, self._companies.of(slot))}
            nearness = own if len(members) == 1 else self._vectors.together(sorted(members), vector)
            known[name] = _Company(len(members), nearness)
        return known[name]

    def _repeats(self, asked: Reading, place: Place, now: datetime, without: Collection[str]) -> list[Recalled]:
        """Near-exact repeats, which need no weighing. Newest first where there are many."""
        found: dict[str, Recalled] = {}
        is_open = self._is_open(place, now, without)
        for key in _same_keys(asked):
            slots = self._same.get(key, array("Q"))
            for slot in reversed(slots[-VISITED:]):
                entry = self._entries[slot]
                if entry is None or not is_open(slot) or not gate.is_repeat(asked, entry.candidate):
                    continue
                if not gate.is_opposite(asked, entry.candidate.question):
                    found.setdefault(entry.fix.id, Recalled(entry.fix, 1.0, is_repeat=True, company=COMPANY))
        return list(found.values())

    def _proposed(self, asked: Reading, place: Place, now: datetime, without: Collection[str]) -> dict[int, None]:
        """Slots of the corrections that share the weightiest terms. Common terms are left out once VISITED are seen."""
        scores: dict[int, float] = {}
        score_of = scores.get
        left = VISITED
        terms = [term for term in asked.terms if term in self._postings]
        for term in sorted(terms, key=lambda term: (len(self._postings[term]), term)):
            postings = self._postings[term]
            weight = self.weight(term)
            weights = (weight, weight * IN_ANSWER)
            for posting in postings[-left:] if len(postings) > left else postings:
                slot = posting >> 1
                scores[slot] = score_of(slot, 0.0) + weights[posting & 1]
            left -= len(postings)
            if left <= 0:
                break
        is_open = self._is_open(place, now, without)

        def by_score(slot: int) -> tuple[float, int]:
            return -scores[slot], slot

        looked_at = heapq.nlargest(PROPOSED * 4, scores.values())  # the scores alone: comparing them costs a tenth
        heads = [slot for slot, score in scores.items() if score >= looked_at[-1]] if looked_at else []
        best = [slot for slot in sorted(heads, key=by_score)[: PROPOSED * 4] if is_open(slot)]
        if len(best) < PROPOSED < len(scores):  # most of what is alike does not hold here or now
            best = [slot for slot in sorted(scores, key=by_score) if is_open(slot)]
        return dict.fromkeys(best[:PROPOSED])

    def _is_open(self, place: Place, now: datetime, without: Collection[str]) -> Callable[[int], bool]:
        def is_open(slot: int) -> bool:
            entry = self._entries[slot]
            return entry is not None and entry.fix.id not in without and holds(entry.fix, place, now)

        return is_open

    def _read(self, fix: Fix) -> Candidate:
        entry = self._entries[self._slots[fix.id]]
        return entry.candidate if entry is not None else Candidate(read(fix.question), read_answer(fix.answer))

    def weight(self, term: str) -> float:
        """How much a term says here: the logarithm of its rarity among the living questions."""
        count = self._counts.get(term, 0)
        if (known := self._weights.get(count)) is None:
            living = len(self._slots) + PRIOR
            known = self._weights[count] = math.log(1 + (living - count + 0.5) / (count + 0.5))
        return known


def above_learned(found: Sequence[Recalled], learned: Collection[str]) -> tuple[Recalled, ...]:
    """The fixes, best first, up to the first that the model has learned.

    A model that knows the answer is asked as it was examined, with nothing beside: a weaker fix in the learned one's place would
    be another's answer next to the question.
    """
    return tuple(takewhile(lambda recalled: recalled.fix.id not in learned, found))


def continues(asked: Reading, candidate: Candidate) -> bool:
    """Whether a follow-up's own words are in a fix, and not only those of the question before it."""
    said = {*candidate.question.terms, *candidate.answer.terms}
    return leans_on_history(asked) and any(term in said for term in asked.terms)


def _leave(lists: "dict[str, array[int]]", key: str, value: int) -> None:
    """Take a value out of its list, and the key with the last one."""
    lists[key].remove(value)
    if not lists[key]:
        del lists[key]


def _same_keys(asked: Reading) -> tuple[str, ...]:
    """What near-exact repeats share: the text, or the terms in any order."""
    terms = (" ".join(sorted(asked.terms)),) if asked.terms else ()
    return tuple(dict.fromkeys((f"text {asked.text}", *(f"terms {key}" for key in terms))))
