"""The questions of tests/curation/recall, asked of a retriever and counted; and the gate's weights fitted. README.md there says
how they were written."""

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from curation.recall import Fix, Place, RecallIndex, gate
from curation.recall.gate import Candidate, Meaning
from curation.recall.index import continues
from curation.recall.meaning import Embedder
from curation.recall.words import in_context, is_asking, read
from storage.records import Message, Scope

CORPUS = Path(__file__).parent.parent / "tests" / "curation" / "recall"
OPEN, HELD_BACK = "open", "held_back"
PARAPHRASES = ("near", "far", "follow_up")
NEIGHBOURS = ("opposite", "other_thing", "other_number", "other_matter")
OFF_TOPIC = ("off_topic", "uncovered")
HERE = Place("voice", "channel")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
LIMIT = 3


class Remembering:
    """An embedder that embeds each text once: the questions are asked again and again."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._rows: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """As the embedder is called."""
        return self._embedder.name

    def embed(self, texts: Sequence[str]) -> Any:
        """One row per text."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if missing:
            self._rows.update(zip(missing, self._embedder.embed(missing), strict=True))
        return np.stack([self._rows[text] for text in texts])


Retrieve = Callable[[str, Sequence[Message]], Sequence[str]]
"""Question and history in, ids of at most LIMIT corrections out, best first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the set. `expects` is the correction that answers it; "" where nothing may come."""

    id: str
    kind: str
    question: str
    history: tuple[Message, ...]
    expects: str


@dataclass(frozen=True, slots=True)
class Half:
    """One half of the set: its corrections, which share no brand with the other half's, and its questions."""

    fixes: tuple[Fix, ...]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`, with Wilson's 95 % interval."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson (1927), z = 1.96."""
        if not self.of:
            return 0.0, 1.0
        z, n, p = 1.96, self.of, self.value
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2f} [{low:.2f}, {high:.2f}]"


def read_half(name: str) -> Half:
    """The corrections and questions of a half, in file order."""
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    started = datetime(2026, 1, 1, tzinfo=UTC)
    fixes = tuple(
        Fix(row["id"], row["question"], row["answer"], Scope.VOICE, HERE.voice_id, HERE.channel, started)
        for row in rows
        if row["kind"] == "correction"
    )
    answers = {fix.question: fix.answer for fix in fixes}
    return Half(fixes, tuple(_asked(row, answers) for row in rows if row["kind"] != "correction"))


def _asked(row: Mapping[str, Any], answers: Mapping[str, str]) -> Asked:
    after = row.get("after", "")
    history = (Message("user", after), Message("assistant", answers[after])) if after else ()
    return Asked(row["id"], row["kind"], row["question"], history, row.get("expects", ""))


def index_of(half: Half, embedder: Embedder | None) -> RecallIndex:
    """All corrections of a half in one index: three brands at once, which is harder than a voice of its own."""
    index = RecallIndex(embedder)
    index.add_all(half.fixes)
    return index


def retrieve_from(index: RecallIndex) -> Retrieve:
    """The index as the bench asks it."""
    return lambda question, history: [
        recalled.fix.id for recalled in index.recall(question, HERE, NOW, LIMIT, history=history)
    ]


# ---------------------------------------------------------------- many fixes of one matter

CROWD = 50  # corrections of one brand, its matters in turn


@dataclass(frozen=True, slots=True)
class Crowd:
    """A brand whose corrections share matters and items: `matters` by the fix's id, `asked` as (kind, matter, question)."""

    brand: str
    fixes: tuple[Fix, ...]
    matters: Mapping[str, str]
    asked: tuple[tuple[str, str, str], ...]


def crowds(half: str) -> list[Crowd]:
    """The brands of a half of crowded.jsonl, always with the same corrections."""
    rows = [json.loads(line) for line in (CORPUS / "crowded.jsonl").read_text(encoding="utf-8").splitlines()]
    by_brand: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["half"] == half:
            by_brand.setdefault(row["brand"], []).append(row)
    return [_crowd(brand, matters) for brand, matters in by_brand.items()]


def _crowd(brand: str, matters: Sequence[Mapping[str, Any]]) -> Crowd:
    rng = random.Random(brand)
    by_matter: list[list[tuple[Mapping[str, Any], str, str]]] = []
    for row in matters:
        pairs = [(row, frame, item) for frame in row["asked"] for item in row["items"]]
        rng.shuffle(pairs)
        by_matter.append(pairs)
    taught = [pairs.pop() for _ in range(CROWD // len(by_matter)) for pairs in by_matter]
    fixes = tuple(
        Fix(f"c{n}", frame.format(item=item), row["answer"].format(item=item), Scope.VOICE, HERE.voice_id, "", NOW)
        for n, (row, frame, item) in enumerate(taught)
    )
    asked = dict.fromkeys(
        (kind, row["topic"], frame.format(item=item))
        for row, _, item in taught
        for kind in ("near", "far")
        for frame in row[kind]
    )
    return Crowd(brand, fixes, {f"c{n}": row["topic"] for n, (row, _, _) in enumerate(taught)}, tuple(asked))


def first_shares(those: Sequence[Crowd], embedder: Embedder | None, shown: int = 2) -> dict[str, Share]:
    """Of each kind's questions: how many get a fix of their matter first, of `shown` only such, only others, and none."""
    counted: dict[str, list[bool]] = {}
    for crowd in those:
        index = RecallIndex(embedder)
        index.add_all(crowd.fixes)
        for kind, matter, question in crowd.asked:
            found = [crowd.matters[each.fix.id] == matter for each in index.recall(question, HERE, NOW)[:shown]]
            counted.setdefault(kind, []).append(found[:1] == [True])
            counted.setdefault(f"{kind}, all right", []).append(bool(found) and all(found))
            counted.setdefault(f"{kind}, all wrong", []).append(bool(found) and not any(found))
            counted.setdefault(f"{kind}, none", []).append(not found)
    return {name: Share(sum(each), len(each)) for name, each in counted.items()}


# ---------------------------------------------------------------- scores


def score(half: Half, retrieve: Retrieve) -> dict[str, Share]:
    """Per kind and per group: the share of paraphrases whose correction came among LIMIT, and of the others that got any fix.

    `first` is the share of paraphrases whose correction came first; `company` of those that got a wrong one as well or instead.
    """
    counted: dict[str, list[bool]] = {}
    for asked in half.asked:
        got = list(retrieve(asked.question, asked.history))[:LIMIT]
        came = asked.expects in got if asked.expects else bool(got)
        counted.setdefault(asked.kind, []).append(came)
        if asked.expects:
            counted.setdefault("paraphrases", []).append(came)
            counted.setdefault("first", []).append(got[:1] == [asked.expects])
            counted.setdefault("company", []).append(bool(set(got) - {asked.expects}))
        else:
            counted.setdefault("neighbours" if asked.kind in NEIGHBOURS else "off topic", []).append(came)
    return {name: Share(sum(each), len(each)) for name, each in counted.items()}


# ---------------------------------------------------------------- fitting the gate

FOLDS = 3
BESIDE = 3.0  # a close neighbour counts this often among the wrong ones: there are few, and each does harm
RIDGE = 2.0
PAIRS = 48  # fixes weighed per question: all that are proposed


def fit(half: Half, embedder: Embedder | None) -> tuple[tuple[float, ...], dict[float, dict[str, Share]]]:
    """Weights of the gate from one half, and what each threshold gave on brands that were left out of the fit."""
    embedder = None if embedder is None else Remembering(embedder)
    index = RecallIndex(embedder, threshold=-1.0, beside=0.0)  # everything that no word forbids
    index.add_all(half.fixes)
    values, right, group, ids, weight = _pairs(half, index, embedder)
    fold = np.array([_fold(half.asked[at], half) for at in group])
    chances = np.zeros(len(values))
    for left_out in range(FOLDS):
        train = fold != left_out
        chances[~train] = _chance(_solve(values[train], right[train], weight[train]), values[~train])
    curve = {
        threshold: score(half, _from_chances(half, group, ids, chances, threshold))
        for threshold in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
    }
    return tuple(float(f"{number:.4g}") for number in _solve(values, right, weight)), curve


def _pairs(half: Half, index: RecallIndex, embedder: Embedder | None) -> Any:
    candidates = {fix.id: Candidate(read(fix.question), read(fix.answer)) for fix in half.fixes}
    values, right, group, ids, weight = [], [], [], [], []
    for at, asked in enumerate(half.asked):
        for text in dict.fromkeys((asked.question, in_context(asked.question, asked.history))):
            reading = read(text)
            if not is_asking(read(asked.question)) or (embedder is not None and not reading.is_english):
                continue
            for place, recalled in enumerate(index.recall(text, HERE, NOW, PAIRS)):
                fix, candidate = recalled.fix, candidates[recalled.fix.id]
                if text != asked.question and not continues(read(asked.question), candidate):
                    continue
                meaning = None
                if embedder is not None:
                    one, question, answer = embedder.embed([text, fix.question, fix.answer])
                    meaning = Meaning(float(one @ question), float(one @ answer))
                values.append(gate.features(reading, candidate, meaning, index.weight))
                right.append(fix.id == asked.expects)
                group.append(at)
                ids.append(fix.id)
                weight.append(BESIDE if asked.kind in NEIGHBOURS and place == 0 else 1.0)
    return np.array(values), np.array(right, float), np.array(group), ids, np.array(weight)


def _fold(asked: Asked, half: Half) -> int:
    """Brands apart, as far as a question belongs to one: its correction's place in the file; the rest by number."""
    if asked.expects:
        return [fix.id for fix in half.fixes].index(asked.expects) * FOLDS // len(half.fixes)
    return int(asked.id[2:]) % FOLDS


def _solve(values: Any, right: Any, weight: Any) -> Any:
    """Ridge logistic regression by Newton's method, on standardised features; weights for the plain ones come back."""
    mean, deviation = values.mean(0), values.std(0) + 1e-9
    design = np.c_[np.ones(len(values)), (values - mean) / deviation]
    found = np.zeros(design.shape[1])
    penalty = np.eye(design.shape[1]) * RIDGE
    penalty[0, 0] = 0
    for _ in range(60):
        chance = 1 / (1 + np.exp(-design @ found))
        slope = design.T @ (weight * (chance - right)) + penalty @ found
        curve = (design * (weight * chance * (1 - chance))[:, None]).T @ design + penalty
        found = found - np.linalg.solve(curve, slope)
    plain = found[1:] / deviation
    return np.r_[found[0] - plain @ mean, plain]


def _chance(weights: Any, values: Any) -> Any:
    return 1 / (1 + np.exp(-(weights[0] + values @ weights[1:])))


def _from_chances(half: Half, group: Any, ids: Sequence[str], chances: Any, threshold: float) -> Retrieve:
    found: dict[str, list[tuple[float, str]]] = {}
    for at, fix_id, chance in zip(group, ids, chances, strict=True):
        if chance >= threshold:
            found.setdefault(half.asked[at].question, []).append((-chance, fix_id))
    return lambda question, _: list(dict.fromkeys(fix_id for _, fix_id in sorted(found.get(question, []))))
