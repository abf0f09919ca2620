"""Recall: is the right correction among three, does a wrong question get one, and how long does it take.

Each retriever that was tried runs over both halves of tests/curation/recall; the rivals' thresholds, like the gate's weights,
come from the open half. `--fit` prints the gate's weights instead (curation/recall/weights.py).

Time is the thread's own, so that a neighbour on the machine does not count. A BLAS of several threads counts its waiting as
work, so run it with OPENBLAS_NUM_THREADS=1.
"""

import random
import statistics
import time
import tracemalloc
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bench.recall_corpus import (
    HELD_BACK,
    HERE,
    LIMIT,
    NOW,
    OPEN,
    Half,
    Remembering,
    Share,
    crowds,
    first_shares,
    fit,
    index_of,
    read_half,
    retrieve_from,
    score,
)
from bench.recall_rivals import rivals
from bench.report import Promise, arguments, finish
from curation.recall import Fix, RecallIndex
from curation.recall.meaning import Embedder, load
from storage.records import Scope

P99_MS = 5.0  # at 10,000 corrections, for the retriever that the extra `recall` installs
SIZES = (1_000, 10_000, 100_000)
MEMORY, MEMORY_QUICK = (1_000, 10_000, 100_000), (1_000, 4_000)  # sizes at which the memory is traced
LINEAR = 1.5  # bytes a correction at the largest size may be this many times those at the smallest
FALSE_FIXES = 0.08  # of off-topic questions on the held-back half, at the most
HITS = {"words": 0.40, "wordllama": 0.45, "minilm": 0.60}  # of paraphrases on the held-back half, at the least
_SYLLABLES = tuple(consonant + vowel for consonant in "bdklmnr" for vowel in "aeiou")


def main() -> None:
    """Print the table; exit 1 when a promise is missed."""
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--fit", action="store_true", help="print the gate's weights, and what each threshold gave, instead"
    )
    parser.add_argument("--heaviest", action="store_true", help="time MiniLM at 10,000 as well, which takes minutes")
    options = parser.parse_args()
    models = {name: _there(name) for name in ("words", "wordllama", "minilm")}
    open_half, held_back = read_half(OPEN), read_half(HELD_BACK)
    if options.fit:
        _print_fit(open_half, models)
        return
    rows: list[dict[str, Any]] = []
    promises: list[Promise] = []
    for name, retrieve_of in rivals(open_half, models).items():
        for half_name, half in ((OPEN, open_half), (HELD_BACK, held_back)):
            rows.append({"retriever": name, "half": half_name, **_shown(score(half, retrieve_of(half)))})
    for name, model in models.items():
        if isinstance(model, str):
            print(f"NOT MEASURED  {name}: {model}")
            continue
        for half_name, half in ((OPEN, open_half), (HELD_BACK, held_back)):
            scores = score(half, retrieve_from(index_of(half, model)))
            rows.append({"retriever": f"gated {name}", "half": half_name, **_shown(scores)})
        promises += [
            Promise(
                f"{name}: hit rate at {LIMIT}, paraphrases held back", scores["paraphrases"].value, HITS[name], "higher"
            ),
            Promise(f"{name}: false fixes off topic, held back", scores["off topic"].value, FALSE_FIXES, "lower"),
        ]
        for half_name in (OPEN, HELD_BACK):
            shares = {name: str(share) for name, share in first_shares(crowds(half_name), model).items()}
            rows.append({"retriever": f"gated {name}", "crowded": half_name, **shares})
    sizes = SIZES[:2] if options.quick else SIZES
    for name in ("words", "wordllama"):
        model = models[name]
        if isinstance(model, str):
            continue
        timed = [_timed(size, model, 300 if options.quick else 1000) for size in sizes]
        rows += [{"retriever": f"gated {name}", **row} for row in timed]
        promises.append(Promise(f"{name}: p99 at 10,000, ms", timed[1]["p99 ms"], P99_MS, "lower"))
        each = [_bytes_each(size, model) for size in (MEMORY_QUICK if options.quick else MEMORY)]
        rows.append({"retriever": f"gated {name}", "bytes a correction, by size": each})
        growth = each[-1] / each[0]
        promises.append(Promise(f"{name}: growth of bytes per correction", round(growth, 2), LINEAR, "lower"))
    if options.heaviest and not isinstance(minilm := models["minilm"], str):
        rows.append({"retriever": "gated minilm", **_timed(1_000, minilm, 200)})
    finish("recall", promises, rows, options.json)


def _there(name: str) -> Embedder | str | None:
    """The model, None for words alone, or why it is not there."""
    try:
        model = load(name)
    except ImportError as error:
        return str(error)
    return Remembering(model) if name == "minilm" and model is not None else model


def _print_fit(half: Half, models: dict[str, Embedder | str | None]) -> None:
    for name, model in models.items():
        if isinstance(model, str):
            print(f"NOT FITTED  {name}: {model}")
            continue
        weights, curve = fit(half, model)
        print(f'    "{name}": {weights},')
        for threshold, scores in curve.items():
            print(f"        at {threshold:g}: {_shown(scores)}")


def _shown(scores: dict[str, Share]) -> dict[str, str]:
    names = ("paraphrases", "near", "far", "first", "company", "off topic", "neighbours", "opposite")
    return {name: str(scores[name]) for name in names if name in scores}


# ---------------------------------------------------------------- time and memory


def synthetic(count: int, now: datetime) -> list[Fix]:
    """Invented corrections whose words are as unevenly common as a language's (Zipf), always the same for a count."""
    rng = random.Random(20260101)
    size = 4000
    words = ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(size)]
    weights = [1 / (rank + 10) for rank in range(size)]
    openings = ("how do I", "can I", "why does my", "where is the", "what is the", "is there a")
    return [
        Fix(
            f"c{number}",
            f"{rng.choice(openings)} {' '.join(rng.choices(words, weights, k=rng.randint(3, 8)))}?",
            " ".join(rng.choices(words, weights, k=rng.randint(8, 25))) + ".",
            rng.choices((Scope.VOICE, Scope.EVERYONE, Scope.CHANNEL), (8, 1, 1))[0],
            HERE.voice_id,
            rng.choice((HERE.channel, "another")),
            now - timedelta(days=number % 300),
            now + timedelta(days=1) if number % 20 else now,
        )
        for number in range(count)
    ]


def _timed(count: int, embedder: Embedder | None, questions: int) -> dict[str, Any]:
    """Milliseconds per question, over repeats, parts of known questions, and strange ones."""
    fixes = synthetic(count, NOW)
    index = RecallIndex(embedder)
    began = time.perf_counter()
    index.add_all(fixes)
    added_s = time.perf_counter() - began
    took = [_took_ms(index, text) for text in _questions(fixes, questions)]
    return {
        "corrections": count,
        "p50 ms": round(statistics.median(took), 2),
        "p99 ms": round(sorted(took)[int(len(took) * 0.99)], 2),
        "added in s": round(added_s, 1),
    }


def _bytes_each(count: int, embedder: Embedder | None) -> int:
    """Bytes that the index holds per correction, the correction's own text left out. Tracing makes adding slow."""
    fixes = synthetic(count, NOW)
    tracemalloc.start()
    index = RecallIndex(embedder)
    index.add_all(fixes)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return round(held / len(index))


def _questions(fixes: Sequence[Fix], count: int) -> list[str]:
    rng = random.Random(7)
    asked: list[str] = []
    for number in range(count):
        words = rng.choice(fixes).question.split()
        if number % 3 == 0:
            asked.append(" ".join(words))
        elif number % 3 == 1:
            asked.append(" ".join(rng.sample(words, len(words))[:-1]))
        else:
            asked.append(" ".join([*words[:3], *rng.choice(fixes).answer.split()[:6]]))
    return asked


def _took_ms(index: RecallIndex, question: str) -> float:
    began = time.thread_time()  # of this thread: what a neighbour on the machine takes is not ours
    index.recall(question, HERE, NOW)
    return (time.thread_time() - began) * 1000


if __name__ == "__main__":
    main()
