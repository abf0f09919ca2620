"""Fixes that say the same thing, each of its own item: "a parcel to Norway costs 7.50 euros" and "a parcel to Spain …".

A question that shares its item with one fix and its matter with nine others is about the matter: how near all ten are together
says more than how near the nearest is.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from heapq import nsmallest
from itertools import islice

from curation.recall.words import read_answer

ALIKE = 0.75  # F1 of two answers' words from which they say the same; what one item and a greeting leave free
MOST = 64  # members whose questions are looked at: enough for a mean
VISITED = 300  # companies that one answer is compared with by its rarest terms
READ = 3  # of them that are read whole, those that share most terms

Words = tuple[str, ...]


class Companies:
    """Which slots' answers say nearly the same as which others'. A slot is in one company, of itself alone at least."""

    def __init__(self) -> None:
        self._of_slot: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}  # company → slots; the first one's answer speaks for all
        self._answers: dict[int, tuple[Words, Words]] = {}  # company → words and terms of that answer
        self._by_term: dict[str, dict[int, None]] = {}  # term of such an answer → companies
        self._next = 0

    def join(self, slot: int, words: Words, terms: Words) -> None:
        """Put a slot into the company that its answer is most alike, or into a new one."""
        company = self._likeliest(words, terms)
        if company is None:
            company, self._next = self._next, self._next + 1
            self._members[company] = []
            self._speak(company, words, terms)
        self._members[company].append(slot)
        self._of_slot[slot] = company

    def leave(self, slot: int) -> int | None:
        """Take a slot out; the slot whose answer is to `speak` for the others now, where it was this one's that did."""
        company = self._of_slot.pop(slot)
        members = self._members[company]
        spoke = members[0] == slot
        members.remove(slot)
        if spoke:
            self._fall_silent(company)
        if not members:
            del self._members[company]
            return None
        return members[0] if spoke else None

    def speak(self, slot: int, words: Words, terms: Words) -> None:
        """Let a slot's answer speak for its company from now on."""
        self._speak(self._of_slot[slot], words, terms)

    def of(self, slot: int) -> Sequence[int]:
        """The newest slots of the slot's company, at most MOST, with itself unless they are too many."""
        return self._members[self._of_slot[slot]][-MOST:]

    def name_of(self, slot: int) -> int:
        """The number of the slot's company, never given twice."""
        return self._of_slot[slot]

    def _speak(self, company: int, words: Words, terms: Words) -> None:
        self._answers[company] = words, terms
        for term in terms:
            self._by_term.setdefault(term, {})[company] = None

    def _fall_silent(self, company: int) -> None:
        for term in self._answers.pop(company)[1]:
            del self._by_term[term][company]
            if not self._by_term[term]:
                del self._by_term[term]

    def _likeliest(self, words: Words, terms: Words) -> int | None:
        """The company whose answer shares most words with these, if that is enough; the oldest of equals."""
        shared: dict[int, int] = {}
        left = VISITED
        known = [(len(self._by_term[term]), term) for term in terms if term in self._by_term]
        for count, term in sorted(known):
            for company in islice(self._by_term[term], left):
                shared[company] = shared.get(company, 0) + 1
            left -= count
            if left <= 0:
                break
        likeliest = nsmallest(READ, shared, key=lambda company: (-shared[company], company))
        scored = [(_likeness(words, self._answers[company][0]), -company) for company in likeliest]
        best, company = max(scored, default=(0.0, 0))
        return -company if best >= ALIKE else None


def says_the_same_as(answer: str) -> Callable[[str], bool]:
    """Whether another answer would be in one company with this one, which is read once."""
    words = read_answer(answer).words
    return lambda other: _likeness(words, read_answer(other).words) >= ALIKE


def _likeness(one: Words, other: Words) -> float:
    """Harmonic mean of precision and recall over the words two answers share, in [0, 1]; 0 where one has none."""
    shared = sum((Counter(one) & Counter(other)).values())
    return 2 * shared / (len(one) + len(other)) if shared else 0.0
