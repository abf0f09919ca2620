"""Corrections of mixed length for bench/dataset.py, the same every time: languages, follow-ups, near-duplicates, contradictions.

A quarter comes from ten templates, so that each has thousands of instances; a tenth are near-duplicates of an earlier one, a
twentieth contradict an earlier one in a number, a sixth follow a conversation. Nothing in them is personal data.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from storage.records import Correction, CorrectionState, Judgement, Message

SYSTEM_PROMPT = (
    "You are the support crew of Puffin, a shop for umbrellas and rain coats. Be warm and brief, call the customer by no "
    "name, give one next step, and say so when you do not know. Prices are in euro. Sign as the Puffin crew."
)
SMALL_WORDS = {  # the language's own, so that it is recognised; what they stand between is invented
    "en": "the of and to a in is you that it for on are with can we your if",
    "de": "der die das und in zu den ist nicht von mit sich auf für ein eine wir",
    "fr": "de la le et les des en un du une que est pour qui dans vous nous",
    "es": "de la que el en y a los se del las un por con una su para",
    "pl": "i w z na do się nie to że jest o jak po za od ale czy",
    "ru": "и в не на что с как это по но из у за для от мы вы бы ли",
}
SYLLABLES = {
    "ru": "ба ве ги до жу за ки ла мо не по ра си ту фо хе ця ша",
    "": "ba be bi da de di fa fe ga ge ka ke ki la le li ma me mi na ne ni pa pe ra re ri sa se si ta te ti va ve za ze",
}
LANGUAGES = ("en", "en", "en", "de", "de", "fr", "es", "pl", "ru")
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
MODERATORS = 25
PER_DAY = 400
TEMPLATES = 10
SENTENCES = 6_000  # of each language; answers are made of them


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language: what questions and answers in it are made of."""

    vocabulary: list[str]
    cumulative: list[float]  # of how often each word is said, by rank (Zipf)
    sentences: list[str]


def corpus(count: int) -> list[Correction]:
    """So many approved corrections, oldest first."""
    chance = random.Random(7)
    tongues = {code: _tongue(code, chance) for code in sorted(set(LANGUAGES))}
    templates = [_asked(tongues["en"], chance, 12, 12) for _ in range(TEMPLATES)]
    made: list[Correction] = []
    for number, kind in zip(range(count), _kinds(), strict=False):
        tongue = tongues[LANGUAGES[number * 7 % len(LANGUAGES)]]
        earlier = made[chance.randrange(len(made))] if made else None
        if kind == "template":
            slots = " ".join(chance.choices(tongues["en"].vocabulary, k=2))
            one = _correction(number, f"{chance.choice(templates)} {slots}?", _answer(tongues["en"], chance))
        elif kind == "near" and earlier is not None:
            one = replace(
                _correction(number, _mistyped(earlier.question, chance), _mistyped(earlier.corrected_text, chance)),
                history=earlier.history,
            )
        elif kind == "contradiction" and earlier is not None:
            answer = f"It takes {chance.randint(31, 60)} days. {earlier.corrected_text}"
            one = replace(_correction(number, earlier.question.upper(), answer), history=earlier.history)
        else:
            said = _said(tongue, chance) if kind == "follow_up" else ()
            one = replace(
                _correction(number, _asked(tongue, chance, 8, 22) + "?", _answer(tongue, chance)), history=said
            )
        made.append(one)
    return made


def _kinds() -> Iterator[str]:
    """What the next correction is, over and over; sixty make the shares."""
    shares = {"template": 15, "near": 6, "contradiction": 3, "follow_up": 10, "alone": 26}
    kinds = [kind for kind, share in shares.items() for _ in range(share)]
    random.Random(7).shuffle(kinds)
    while True:
        yield from kinds


def _tongue(code: str, chance: random.Random) -> Tongue:
    syllables = SYLLABLES.get(code, SYLLABLES[""]).split()
    invented = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(8_000)]
    vocabulary = SMALL_WORDS[code].split() + invented
    total, cumulative = 0.0, list[float]()
    for rank in range(len(vocabulary)):
        total += 1 / (rank + 10)
        cumulative.append(total)
    tongue = Tongue(vocabulary, cumulative, [])
    tongue.sentences.extend(_sentence(tongue, chance) for _ in range(SENTENCES))
    return tongue


def _asked(tongue: Tongue, chance: random.Random, shortest: int, longest: int) -> str:
    return " ".join(
        chance.choices(tongue.vocabulary, cum_weights=tongue.cumulative, k=chance.randint(shortest, longest))
    )


def _sentence(tongue: Tongue, chance: random.Random) -> str:
    """One in four states a number, one in sixteen names a placeholder or a page."""
    said = _asked(tongue, chance, 6, 18).capitalize()
    match chance.randrange(16):
        case 0:
            return f"{said}: https://puffin.example/help/{chance.randint(1, 90)}."
        case 1:
            return f"{said} [email 1]."
        case 2 | 3 | 4:
            return f"{said} {chance.randint(2, 30)} {chance.choice(('days', '€', '%', 'items'))}."
        case _:
            return f"{said}."


def _answer(tongue: Tongue, chance: random.Random) -> str:
    """Three in four are one or two sentences, the others eight to twenty."""
    count = chance.randint(8, 20) if chance.randrange(4) == 0 else chance.randint(1, 2)
    return " ".join(chance.choices(tongue.sentences, k=count))


def _said(tongue: Tongue, chance: random.Random) -> tuple[Message, ...]:
    """One to three exchanges before a question."""
    return tuple(
        message
        for _ in range(chance.randint(1, 3))
        for message in (
            Message("user", _asked(tongue, chance, 5, 14)),
            Message("assistant", chance.choice(tongue.sentences)),
        )
    )


def _mistyped(text: str, chance: random.Random) -> str:
    """With two letters of one word the other way round, or the text itself where that word has none to spare."""
    words = text.split(" ")
    position = chance.randrange(len(words))
    word = words[position]
    if len(word) > 5 and word.isalpha():
        words[position] = f"{word[:2]}{word[3]}{word[2]}{word[4:]}"
    return " ".join(words)


def _correction(number: int, question: str, answer: str) -> Correction:
    at = BEGAN + timedelta(days=number // PER_DAY, seconds=number % PER_DAY * 60)
    return Correction(
        id=f"corr_{number:08}",
        voice_id="voice_1",
        reply_id=f"reply_{number:08}",
        conversation_id=f"conv_{number:08}",
        origin="reply",
        key=f"key_{number:08}",
        history=(),
        question=question,
        served_text="I am not sure." if number % 2 else None,
        corrected_text=answer,
        reason=list(Judgement)[1 + number % 5],
        note="",
        state=CorrectionState.APPROVED,
        proposed_by=f"actor_{number % MODERATORS}",
        proposed_at=at,
        decided_by="actor_approver",
        decided_at=at,
    )
