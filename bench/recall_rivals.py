"""The plain retrievers that recall is measured against: a score and a threshold each, without a gate, and
without the conversation, because with it small talk looks like the question before."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bench.recall_corpus import LIMIT, Half, Retrieve
from curation.recall.meaning import Embedder
from curation.recall.words import folded, read
from storage.records import Message

ALLOWED = 0.05  # of the open half's off-topic questions may get a fix: that sets each rival's threshold

Scores = Callable[[str], Sequence[float]]
"""A question in, one score per correction out, in file order."""
Build = Callable[[Half], Scores]


def rivals(open_half: Half, models: Mapping[str, Embedder | str | None]) -> dict[str, Callable[[Half], Retrieve]]:
    """Each rival by name; given a half, it indexes that half's corrections."""
    builds: dict[str, Build] = {"verbatim": _verbatim, "BM25": _bm25, "character n-grams": _grams}
    for name in ("wordllama", "minilm"):
        model = models[name]
        if model is not None and not isinstance(model, str):
            builds[name] = _cosine(model)
            builds[f"{name} + n-grams"] = _sum(_cosine(model), _grams)
    found: dict[str, Callable[[Half], Retrieve]] = {}
    for name, build in builds.items():
        threshold = _threshold(build, open_half)
        found[name] = _retriever(build, threshold)
        found[f"{name}, no threshold"] = _retriever(build, 0.0)
    return found


def _retriever(build: Build, threshold: float) -> Callable[[Half], Retrieve]:
    def of(half: Half) -> Retrieve:
        scores_of = build(half)

        def retrieve(question: str, _: Sequence[Message]) -> list[str]:
            scores = scores_of(question)
            best = sorted(range(len(scores)), key=lambda at: (-scores[at], at))[:LIMIT]
            return [half.fixes[at].id for at in best if scores[at] > threshold]

        return retrieve

    return of


def _threshold(build: Build, half: Half) -> float:
    """The smallest that lets at most ALLOWED of the off-topic questions through."""
    scores_of = build(half)
    highest = sorted(
        (max(scores_of(a.question)) for a in half.asked if a.kind in ("off_topic", "uncovered")),
        reverse=True,
    )
    return highest[int(len(highest) * ALLOWED)]


def _verbatim(half: Half) -> Scores:
    return lambda question: [float(folded(fix.question) == folded(question)) for fix in half.fixes]


def _bm25(half: Half) -> Scores:
    """Over the stems of question and answer. Robertson and Zaragoza (2009), k1 = 1.2, b = 0.5."""
    texts = [Counter((*read(fix.question).terms, *read(fix.answer).terms)) for fix in half.fixes]
    counts = Counter(term for text in texts for term in text)
    mean = sum(text.total() for text in texts) / len(texts)

    def score(question: str) -> list[float]:
        terms = read(question).terms
        return [
            sum(
                math.log(1 + (len(texts) - counts[term] + 0.5) / (counts[term] + 0.5))
                * (text[term] * 2.2 / (text[term] + 1.2 * (0.5 + 0.5 * text.total() / mean)))
                for term in terms
                if term in text
            )
            for text in texts
        ]

    return score


def _grams(half: Half) -> Scores:
    """Cosine of three and four characters each, weighed by rarity."""
    texts = [_counted(fix.question) for fix in half.fixes]
    counts = Counter(gram for text in texts for gram in text)

    def weighed(text: Counter[str]) -> dict[str, float]:
        plain = {
            gram: (1 + math.log(n)) * math.log(1 + (len(texts) - counts[gram] + 0.5) / (counts[gram] + 0.5))
            for gram, n in text.items()
        }
        length = math.sqrt(sum(value * value for value in plain.values())) or 1.0
        return {gram: value / length for gram, value in plain.items()}

    known = [weighed(text) for text in texts]

    def score(question: str) -> list[float]:
        asked = weighed(_counted(question))
        return [sum(value * text.get(gram, 0.0) for gram, value in asked.items()) for text in known]

    return score


def _counted(text: str) -> Counter[str]:
    flat = f" {re.sub(' +', ' ', folded(text))} "
    return Counter(flat[at : at + size] for size in (3, 4) for at in range(len(flat) - size + 1))


def _cosine(model: Embedder) -> Build:
    """Seven parts the question's, three parts the answer's."""

    def build(half: Half) -> Scores:
        questions: Any = model.embed([fix.question for fix in half.fixes])
        answers: Any = model.embed([fix.answer for fix in half.fixes])
        together = 0.7 * questions + 0.3 * answers
        return lambda question: [float(value) for value in np.asarray(together @ model.embed([question])[0])]

    return build


def _sum(one: Build, other: Build) -> Build:
    def build(half: Half) -> Scores:
        first, second = one(half), other(half)
        return lambda question: [a + b for a, b in zip(first(question), second(question), strict=True)]

    return build
