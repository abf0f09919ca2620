"""Three invented brands with a voice nobody tells the model: tone rules that hold in every answer, facts that hold by topic.

The moderator corrects by these rules alone and the judge reads by them alone, so both are the same whatever is measured.
"""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from pathlib import Path

TAUGHT = 8  # items of a fact that corrections are made of; the others are asked unseen


class Group(StrEnum):
    """What a question shows."""

    CORRECTED = "corrected"
    NEAR = "near"  # a correction's question in nearly its words
    FAR = "far"  # the same in other words
    UNSEEN = "unseen"  # another item under the same rule
    OFF_TOPIC = "off topic"


@dataclass(frozen=True, slots=True)
class Tone:
    """A rule of every answer: it has the pattern, or must not have it."""

    name: str
    pattern: str
    wanted: bool = True

    def holds(self, answer: str) -> bool:
        return bool(re.search(self.pattern, answer, re.IGNORECASE)) is self.wanted


@dataclass(frozen=True, slots=True)
class Fact:
    """A rule of one topic. Frames hold `{item}`; `patterns` are what a right answer has, each."""

    name: str
    items: tuple[str, ...]
    asked: tuple[str, ...]
    near: tuple[str, ...]
    far: tuple[str, ...]
    answer: str
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand: what its prompt says, and what only its moderators know."""

    name: str
    prompt: str
    opening: str
    closing: str
    tones: tuple[Tone, ...]
    facts: tuple[Fact, ...]

    def answer(self, fact: Fact, item: str) -> str:
        """What the moderator writes."""
        return f"{self.opening} {fact.answer.format(item=item)} {self.closing}"

    def kept_tones(self, answer: str) -> float:
        """The share of tone rules that an answer keeps, in [0, 1]."""
        return sum(tone.holds(answer) for tone in self.tones) / len(self.tones)

    def is_right(self, answer: str, fact: Fact) -> bool:
        """Every fact of the topic, and all tone rules but one."""
        has_facts = all(re.search(pattern, answer, re.IGNORECASE) for pattern in fact.patterns)
        return has_facts and self.kept_tones(answer) >= 0.75

    def states_a_fact(self, answer: str) -> bool:
        """Whether any topic's facts are all in an answer: off topic, a false one."""
        return any(all(re.search(p, answer, re.IGNORECASE) for p in fact.patterns) for fact in self.facts)


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the measurement. `fact` is None off topic; `of` is the number of the correction it repeats."""

    group: Group
    text: str
    fact: Fact | None = None
    item: str = ""
    of: int | None = None


def corrections(brand: Brand, seed: int, count: int) -> list[Question]:
    """The questions that are corrected, the topics in turn. Those of a smaller count are the first of a larger one."""
    rng = random.Random(f"{brand.name}:{seed}")
    by_fact: list[list[Question]] = []
    for fact in brand.facts:
        pairs = [(frame, item) for frame in fact.asked for item in fact.items[:TAUGHT]]
        rng.shuffle(pairs)
        by_fact.append([Question(Group.CORRECTED, frame.format(item=item), fact, item) for frame, item in pairs])
    turns = cycle(by_fact)
    most = min(count, sum(map(len, by_fact)))
    found: list[Question] = []
    while len(found) < most:
        if questions := next(turns):
            found.append(questions.pop())
    return found


def asked_of(brand: Brand, seed: int, taught: Sequence[Question], most: int) -> list[Question]:
    """What is asked after `taught` was: its questions, each in nearly the same and in other words, unseen ones, off topic.

    At most `most` of the corrected ones, and half as many of each other group.
    """
    rng = random.Random(f"asked:{brand.name}:{seed}")
    corrected = [Question(q.group, q.text, q.fact, q.item, n) for n, q in enumerate(taught)]
    rng.shuffle(corrected)
    corrected = corrected[:most]
    half = max(1, most // 2)
    near = [_again(Group.NEAR, q, rng) for q in corrected[:half]]
    far = [_again(Group.FAR, q, rng) for q in corrected[:half]]
    unseen = [
        Question(Group.UNSEEN, frame.format(item=item), fact, item)
        for fact in brand.facts
        for item in fact.items[TAUGHT:]
        for frame in (*fact.asked, *fact.near)
    ]
    rng.shuffle(unseen)
    off_topic = [Question(Group.OFF_TOPIC, text) for text in OFF_TOPIC]
    return [*corrected, *near, *far, *unseen[:half], *off_topic[:half]]


def _again(group: Group, question: Question, rng: random.Random) -> Question:
    assert question.fact is not None
    frames = question.fact.near if group is Group.NEAR else question.fact.far
    return Question(group, rng.choice(frames).format(item=question.item), question.fact, question.item, question.of)


OFF_TOPIC = (
    "Which mountain is the highest in the world?",
    "Can you tell me a joke about cats?",
    "How many legs does a spider have?",
    "Who painted the Mona Lisa?",
    "What is the capital of Portugal?",
    "How do I boil an egg?",
    "Why is the sky blue?",
    "Are you a robot?",
    "What is seven times eight?",
    "Which language is spoken in Brazil?",
    "Do you like football?",
    "How far is the moon?",
    "Can you write me a poem about rain?",
    "What did you have for breakfast?",
    "When did the first people walk on the moon?",
    "Is a tomato a fruit?",
    "How do birds find their way?",
    "What should I name my dog?",
    "Can you sing?",
    "What does photosynthesis mean?",
    "Who wrote Hamlet?",
    "How do I learn to swim?",
    "Which planet has rings?",
    "Tell me something about volcanoes.",
    "What is the speed of light?",
)


def read_brand(name: str) -> Brand:
    """The brand of this name, from its file. Raises KeyError for a name that none has."""
    path = BRANDS.get(name)
    if path is None:
        raise KeyError(f"{name} is no brand; there are {', '.join(BRANDS)}")
    written = json.loads(path.read_text("utf-8"))
    tones = tuple(Tone(**tone) for tone in written.pop("tones"))
    facts = tuple(
        Fact(**{key: tuple(value) if isinstance(value, list) else value for key, value in fact.items()})
        for fact in written.pop("facts")
    )
    return Brand(**written, tones=tones, facts=facts)


BRANDS = {path.stem: path for path in sorted((Path(__file__).parent / "brands").glob("*.json"))}
