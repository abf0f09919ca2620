"""Pure: was a correction learned? What is right, how a question is put again, whose turn it is, and the verdict.

"In the weights" is right with an empty fix list; "in the system" is right as served. Only the first lets a fix leave recall.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from statistics import fmean

from curation.nearness import score
from curation.recall.common_words import COURTESY, ENGLISH, OTHERS
from curation.recall.words import read as read_words
from curation.stated import read
from storage.records import AskedAs, Correction, LearnedAnswer, LearnedVerdict

RIGHT_FROM = (
    0.7  # nearness: of the bench's brands, answers with the same fact have .88 and more, with another .62 at most
)
NEARER_BY = 0.02  # than what the bot had said, from where a difference is no tie
DRAWS = 3  # of one question, the first of them greedy; a case counts by the majority of its draws (evidence.md 10)
TEMPERATURE = 0.7  # of the others
PARAPHRASES = 2
PARAPHRASES_RIGHT = 0.5  # share of them that has to be right
NEIGHBOURS = 2
MOST_ANSWERS = DRAWS + PARAPHRASES + NEIGHBOURS + 1  # that one correction may take; the last is as it is served
LEDGER_PART = 0.5  # of the answers of one run, at most, for what no model may forget, while something else waits
_SMALL = ENGLISH | COURTESY | OTHERS


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is asked in one run, and how much of the ledger a candidate may forget."""

    answers: int = 0  # of the candidate, beside the comparison; 0: nothing is judged, and no fix ever leaves recall
    forgotten_share: float = 0.1  # of what was asked of the ledger; a critical one is always too much


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near an answer is to the correction, and to what the bot had said; None where it had said nothing."""

    after: float
    before: float | None

    @property
    def margin(self) -> float:
        """In [-1, 1]."""
        return self.after - (self.before or 0.0)


def nearness(answer: str, correction: Correction) -> Nearness:
    """How near an answer is."""
    before = score(answer, correction.served_text) if correction.served_text else None
    return Nearness(score(answer, correction.corrected_text), before)


def is_right(answer: str, correction: Correction) -> bool:
    """Whether an answer says what the correction says: near to it, nearer than what the bot had said, and with the same facts.

    Facts are numbers, dates and web addresses: all of the correction's, and none but those of the question beside them.
    """
    near = nearness(answer, correction)
    if near.after < RIGHT_FROM or (near.before is not None and near.margin < NEARER_BY):
        return False
    given, wanted, asked = read(answer), read(correction.corrected_text), read(correction.question)
    return all(
        want <= have <= want | known
        for have, want, known in (
            (given.numbers, wanted.numbers, asked.numbers),
            (given.dates, wanted.dates, asked.dates),
            (given.urls, wanted.urls, asked.urls),
        )
    )


def is_reached(answer: str, correction: Correction, neighbour: Correction) -> bool:
    """Whether a neighbour's question was answered as the correction says, and not as the neighbour does."""
    return is_right(answer, correction) and score(answer, correction.corrected_text) > score(
        answer, neighbour.corrected_text
    )


# ---------------------------------------------------------------- what is asked


def paraphrases(question: str, others: Sequence[str] = ()) -> tuple[str, ...]:
    """The question in other words, at most PARAPHRASES: those people found, then as typed in haste, then its telling words alone.

    `others` are questions that the dataset holds for the same. The rewritings keep the words that tell questions apart, in
    any language; where nothing is left to leave out, there are fewer.
    """
    words = question.casefold().split()
    bare = [kept for word in words if (kept := word.strip(".,;:!?¡¿\"'()…"))]
    telling = [word for word in bare if word.replace("'", "").replace("’", "") not in _SMALL]
    found = [*others, " ".join(bare), " ".join(telling) if len(telling) > 1 else ""]
    return tuple(dict.fromkeys(each for each in found if each and each != question))[:PARAPHRASES]


class Neighbourhood:
    """Corrections that may be each other's neighbours. Their questions' words are read once."""

    def __init__(self, corrections: Sequence[Correction]) -> None:
        self._words = [(each, _telling(each)) for each in corrections]
        self._of = {each.id: words for each, words in self._words}

    def near(self, correction: Correction) -> tuple[Correction, ...]:
        """Whose questions share most of their telling words with this one's and whose answers say something else; nearest first.

        Of those without a history, since they are asked by themselves.
        """
        mine = self._of[correction.id] if correction.id in self._of else _telling(correction)
        others = [(each, words) for each, words in self._words if each.id != correction.id and not each.history]
        others.sort(key=lambda each: (-_alike(mine, each[1]), each[0].id))
        said = (each for each, _ in others if score(each.corrected_text, correction.corrected_text) < RIGHT_FROM)
        return tuple(islice(said, NEIGHBOURS))


def _telling(correction: Correction) -> frozenset[str]:
    return frozenset(read_words(correction.question).terms)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of all their words that both have."""
    return len(one & other) / len(one | other) if one or other else 0.0


@dataclass(frozen=True, slots=True)
class Turns:
    """Who is asked about, in order: the ledger up to its part of the answers, then what is new, then the rest of the ledger, then
    what was judged before."""

    ledger: tuple[str, ...]
    new: tuple[str, ...]
    again: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Everybody."""
        return (*self.ledger, *self.new, *self.again)


def turns(
    train: Sequence[Correction],
    ledger: Mapping[str, Correction],
    judged: Mapping[str, datetime],
    done: Collection[str],
) -> Turns:
    """Order the corrections, without those that are `done`.

    Of the ledger, whose corrections were all judged before, the critical ones come first, then those judged longest ago. Of the
    others those on which no model was ever judged, the newest first, then those judged longest ago.
    """
    kept = sorted(ledger.values(), key=lambda each: (not each.is_critical, judged[each.id], each.id))
    rest = [each for each in train if each.id not in ledger]
    new = sorted((each for each in rest if each.id not in judged), key=lambda each: each.id, reverse=True)
    again = sorted((each for each in rest if each.id in judged), key=lambda each: (judged[each.id], each.id))
    return Turns(*(tuple(each.id for each in those if each.id not in done) for those in (kept, new, again)))


def next_asked(said: Sequence[LearnedAnswer], neighbours: int, paraphrases: int) -> AskedAs | None:
    """How to ask about a correction next; None once no answer that is left could change the verdict.

    Its own question until the majority is known; where that is right, the neighbours until one is reached; then the other
    wordings until enough of them are right, or too many wrong. `neighbours` and `paraphrases` are how many there are to ask.
    """
    alone, again, near = (_right(said, way) for way in (AskedAs.ALONE, AskedAs.PARAPHRASE, AskedAs.NEIGHBOUR))
    if not is_settled(alone):
        return AskedAs.ALONE
    if not in_weights(alone) or False in near:
        return None
    if len(near) < neighbours:
        return AskedAs.NEIGHBOUR
    enough = PARAPHRASES_RIGHT * paraphrases
    is_open = again.count(True) < enough <= paraphrases - again.count(False)
    return AskedAs.PARAPHRASE if is_open else None


# ---------------------------------------------------------------- the verdict


@dataclass(frozen=True, slots=True)
class Found:
    """What the answers come to."""

    verdict: LearnedVerdict
    in_weights: bool
    in_system: bool | None
    margin: float
    paraphrases: int
    paraphrases_right: int
    neighbours: int
    neighbours_reached: int


def is_settled(right: Sequence[bool]) -> bool:
    """Whether more draws of one question cannot change their majority."""
    return max(right.count(True), right.count(False)) > DRAWS // 2


def in_weights(right: Sequence[bool]) -> bool:
    """Whether the majority of all draws is right."""
    return right.count(True) > DRAWS // 2


def found(answers: Sequence[LearnedAnswer]) -> Found:
    """The verdict on a correction. Raises ValueError where its own question was not asked.

    Learned is right by majority with an empty fix list, in at least half of the paraphrases as well, and at no neighbour.
    """

    ways = (AskedAs.ALONE, AskedAs.PARAPHRASE, AskedAs.NEIGHBOUR, AskedAs.SERVED)
    alone, again, near, served = (_right(answers, way) for way in ways)
    if not alone:
        raise ValueError("a correction is judged by its own question, which was not asked")
    is_known = in_weights(alone)
    reached = near.count(False)
    if is_known and reached:
        verdict = LearnedVerdict.OVER_GENERALISED
    elif is_known and again.count(True) >= PARAPHRASES_RIGHT * len(again):
        verdict = LearnedVerdict.LEARNED
    else:
        verdict = LearnedVerdict.NOT_YET
    margins = [
        answer.nearness - (answer.nearness_before or 0.0) for answer in answers if answer.asked_as is AskedAs.ALONE
    ]
    in_system = served[0] if served else None
    return Found(verdict, is_known, in_system, fmean(margins), len(again), again.count(True), len(near), reached)


def _right(answers: Sequence[LearnedAnswer], asked_as: AskedAs) -> list[bool]:
    return [answer.is_right for answer in answers if answer.asked_as is asked_as]


def too_much_forgotten(
    asked: Collection[str], known: Collection[str], is_critical: Callable[[str], bool], share: float
) -> tuple[str, ...]:
    """What stops a candidate: the corrections of the ledger it forgot, where one is critical or they are more than `share`.

    `asked` of the ledger, of which `known` are in its weights. () where it forgot no more than it may.
    """
    forgotten = sorted(set(asked) - set(known), key=lambda id: (not is_critical(id), id))
    if any(map(is_critical, forgotten)) or len(forgotten) > share * len(asked):
        return tuple(forgotten)
    return ()
