"""Near-duplicates and contradictions among many questions: seconds, memory, growth, and what is found of what was planted.

Questions are made of words with the frequencies of language, a tenth of them near-duplicates of another (a typo, a word more,
another case); a second kind is made from fifty templates, where nearly everything looks like something else. Each measurement
runs in a process of its own, so that its memory is its own. Promised: 100,000 questions within 500 MB, in time that grows
with them and half as much again, and of the planted duplicates at the threshold no more than 1 in 100 missed.
"""

import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.report import Promise, arguments, finish
from curation.contradictions import Answered, contradictions
from curation.similar import THRESHOLD, Asked, cluster
from curation.sketches import jaccard, shingles

MEGABYTES = 500.0
GROWTH = 15.0  # at most, in processor time, for ten times the questions
SYLLABLES = (
    "ba be bi da de di fa fe ga ge ka ke ki la le li ma me mi na ne ni pa pe ra re ri sa se si ta te ti va ve za ze"
)


def words(chance: random.Random, count: int) -> list[str]:
    """Invented words of two to four syllables."""
    syllables = SYLLABLES.split()
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(count)]


def natural(count: int, chance: random.Random) -> tuple[list[str], list[tuple[int, int]]]:
    """Questions of about fifteen words, and which were planted as near-duplicates of which."""
    vocabulary = words(chance, 8_000)
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]  # Zipf
    questions = [" ".join(chance.choices(vocabulary, weights, k=chance.randint(8, 22))) for _ in range(count * 9 // 10)]
    planted: list[tuple[int, int]] = []
    for original in range(count - len(questions)):
        text = questions[original].split()
        match original % 3:
            case 0:
                changed = chance.randrange(len(text))
                text[changed] = text[changed][:-2] + text[changed][:-3:-1]
            case 1:
                text.insert(chance.randrange(len(text)), "ok")
            case _:
                text = [word.upper() + "!" for word in text]
        planted.append((original, len(questions)))
        questions.append(" ".join(text))
    return questions, planted


def templated(count: int, chance: random.Random) -> tuple[list[str], list[tuple[int, int]]]:
    """Questions from fifty templates with two words put in."""
    templates = [" ".join(words(chance, 12)) for _ in range(50)]
    slots = words(chance, 3_000)
    return [f"{chance.choice(templates)} {chance.choice(slots)} {chance.choice(slots)}" for _ in range(count)], []


def measure(kind: str, count: int) -> None:
    """In this process: print seconds, megabytes and what was found."""
    questions, planted = (natural if kind == "natural" else templated)(count, random.Random(7))
    items = [Asked(f"{position:07}", question) for position, question in enumerate(questions)]
    before = time.process_time()
    found = cluster(items, THRESHOLD)
    clustering = time.process_time() - before
    of = found.of
    due = [(i, j) for i, j in planted if jaccard(shingles(questions[i]), shingles(questions[j])) >= THRESHOLD]
    missed = sum(of[items[i].id] != of[items[j].id] for i, j in due)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    answered = [
        Answered(item.id, item.question, f"It takes {position % 7} days.", start + timedelta(minutes=position))
        for position, item in enumerate(items)
    ]
    before = time.process_time()
    contradicting = len(contradictions(answered))
    comparing = time.process_time() - before
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(clustering, comparing, megabytes, len(found.clusters), found.cut_short, len(due), missed, contradicting)


def measured(kind: str, count: int) -> dict[str, Any]:
    """`measure` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.similar", "--measure", kind, "--count", str(count)],
        capture_output=True,
        text=True,
        check=True,
    )
    values = done.stdout.split()
    row: dict[str, Any] = {
        "kind": kind,
        "questions": count,
        "clustering, s": round(float(values[0]), 2),
        "contradictions, s": round(float(values[1]), 2),
        "MB": round(float(values[2])),
        **dict(
            zip(("clusters", "cut short", "planted", "missed", "contradictions"), map(int, values[3:]), strict=True)
        ),
    }
    print("  ", row, flush=True)
    return row


def main() -> None:
    """Measure a tenth and the whole of both kinds, print, exit."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--measure", choices=("natural", "templated"), help="one kind, in this process")
    parser.add_argument("--count", type=int, default=10_000)
    chosen = parser.parse_args()
    if chosen.measure:
        measure(chosen.measure, chosen.count)
        return
    most = 20_000 if chosen.quick else 100_000
    rows = [measured(kind, count) for kind in ("natural", "templated") for count in (most // 10, most)]
    missed = sum(row["missed"] for row in rows) / sum(row["planted"] for row in rows)
    promises = [Promise("planted near-duplicates missed, share", round(missed, 4), 0.01, "lower")]
    for small, large in (rows[:2], rows[2:]):
        name = large["kind"]
        promises.append(Promise(f"{name}: MB for {most:,} questions", large["MB"], MEGABYTES, "lower"))
        for what in ("clustering, s", "contradictions, s"):
            growth = round(large[what] / max(small[what], 0.05), 1)
            promises.append(
                Promise(f"{name}: growth of {what[:-3]} for ten times the questions", growth, GROWTH, "lower")
            )
    finish("similar", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
