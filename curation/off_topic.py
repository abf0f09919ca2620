"""Pure: questions that no correction is about, answered shortly and truly in the voice's own opening and sign-off.

A model that is trained on corrections alone learns that every answer states a fact of the brand. These keep the habit of
answering without one. The questions are shipped beside this file: JSON lines of `{"id", "kind", "question", "answer"}`, in
English but for those of the kind "language", which are answered in the language they are asked in.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice, zip_longest

from curation.checks import Check, failures
from curation.examples import Example, Kind, Provenance
from curation.languages import language_of
from curation.recall.common_words import ENGLISH

LANGUAGE = "en"  # of the shipped questions
PREFIX = "off_topic:"  # of the ids of examples made of them
LEAST_SHARED = 0.5  # share of answers that begin, or end, with the same words before those are the voice's
LONGEST = 12  # words of an opening or a sign-off
ENDS = ".,!?:;…—–"  # an opening ends with one of these, and so does what stands before a sign-off
# An opening that ends so begins the sentence, so small words behind it are written small; names and nouns keep their capital.
GOES_ON = (",", ";", ":", "—", "–")
ANSWERS = frozenset(("yes", "no", "of", "not", "tell", "most", "some", "somebody", "hello", "goodbye", "good", "thank"))

Beside = Callable[[Sequence[Example]], Sequence[Example]]
"""What to train on beside these examples, which are to be trained on."""


@dataclass(frozen=True, slots=True)
class OffTopic:
    """A question that no brand's corrections are about, the kind of question it is, and a short true answer."""

    id: str
    kind: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Manner:
    """The words most answers of a voice begin and end with, each "" where they share none; and whose they are.

    `shown_by` are the ids of the oldest examples that show the opening and the sign-off.
    """

    opening: str
    sign_off: str
    shown_by: tuple[str, ...]

    def said(self, answer: str) -> str:
        """The answer as the voice would give it; behind an opening that goes on, "The" and "Yes" are written small."""
        first, space, rest = answer.partition(" ")
        word = first.rstrip(",.!")
        is_small = word == "A" or (len(word) > 1 and word != "May" and word.casefold() in ENGLISH | ANSWERS)
        if is_small and self.opening.endswith(GOES_ON):
            answer = f"{first[0].lower()}{first[1:]}{space}{rest}"
        return " ".join(part for part in (self.opening, answer, self.sign_off) if part)


@cache
def shipped() -> tuple[OffTopic, ...]:
    """What comes with Finetone, in the order it is taken: one of each kind in turn, so that a few are of every kind."""
    rows = files("curation").joinpath("off_topic.jsonl").read_text("utf-8").splitlines()
    of_kind: dict[str, list[OffTopic]] = defaultdict(list)
    for one in sorted((OffTopic(**json.loads(row)) for row in rows), key=lambda one: _hash(one.id)):
        of_kind[one.kind].append(one)
    turns = zip_longest(*(of_kind[kind] for kind in sorted(of_kind)))
    return tuple(one for turn in turns for one in turn if one is not None)


def beside(share: float, is_about_the_brand: Callable[[str], bool], checks: Sequence[Check] = ()) -> Beside:
    """What adds so many off-topic examples that they make up `share`, in [0, 0.5], of all, as far as there are any.

    None where the voice writes another language, or where most of its answers share neither an opening nor a sign-off: plain
    answers would train its tone away. A question that `is_about_the_brand`, because a fix would be shown for it, is passed over;
    so is an answer that does not keep to the voice's `checks`: one in French, where English is declared.
    """

    def added(examples: Sequence[Example]) -> Sequence[Example]:
        answers = [example.answer for example in examples]
        manner = manner_of(examples)
        if not manner.shown_by or not is_in_english(answers):
            return ()
        wanted = round(len(examples) * share / (1 - share))
        asked = (_example(one, manner) for one in shipped() if not is_about_the_brand(one.question))
        return list(islice((one for one in asked if not failures(one.answer, checks)), wanted))

    return added


def is_in_english(answers: Sequence[str]) -> bool:
    """Whether those answers whose language can be told are mostly in the language of the shipped questions."""
    told = Counter(code for answer in answers if (code := language_of(answer)))
    return told[LANGUAGE] * 2 > told.total()


def manner_of(examples: Sequence[Example]) -> Manner:
    """The longest opening and the longest sign-off that at least LEAST_SHARED of the answers have, as written."""
    opening, opened_by = _most_shared([(one.source_id, _openings(one.answer)) for one in examples])
    sign_off, signed_by = _most_shared([(one.source_id, _sign_offs(one.answer)) for one in examples])
    return Manner(opening, sign_off, tuple(dict.fromkeys(id for id in (opened_by, signed_by) if id)))


def _most_shared(found: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, str]:
    """The longest words that enough have, and the smallest id of those that have them; ("", "") for none."""
    counts = Counter(words for _, choices in found for words in choices)
    shared = [words for words, count in counts.items() if count >= max(2, LEAST_SHARED * len(found))]
    longest = max(shared, key=lambda words: (len(words), words), default="")
    return longest, min((id for id, choices in found if longest in choices), default="") if longest else ""


def _openings(answer: str) -> list[str]:
    """What the answer may begin with as a manner: its first words up to a mark, with more words behind."""
    words = answer.split()
    return [
        " ".join(words[:count]) for count in range(1, min(LONGEST, len(words) - 1) + 1) if words[count - 1][-1] in ENDS
    ]


def _sign_offs(answer: str) -> list[str]:
    """What it may end with: its last words, behind the end of a sentence."""
    words = answer.split()
    return [
        " ".join(words[-count:])
        for count in range(1, min(LONGEST, len(words) - 1) + 1)
        if words[-count - 1][-1] in ENDS and words[-count - 1][-1] not in ",;:"
    ]


def _example(one: OffTopic, manner: Manner) -> Example:
    id = PREFIX + one.id
    provenance = Provenance(Kind.OFF_TOPIC)
    return Example(id, id, (), one.question, manner.said(one.answer), provenance=provenance, manner_of=manner.shown_by)


def _hash(id: str) -> str:
    return hashlib.sha256(f"off topic:{id}".encode()).hexdigest()
