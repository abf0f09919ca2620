"""What scrubbing finds and falsely finds in the corpus, how fast the last look at a dataset is, and that no text can stall it.

Promised: ≥ 20,000 short texts a second when a dataset's final bytes are scanned again (processor time; the clock's
is a row). Recall and false alarms are promised for both halves of tests/curation/corpus as its tests hold them.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.report import Promise, arguments, finish
from bench.scrub_corpus import HELD_BACK, HOSTILE, OPEN, REGIONS, Line, read, score
from curation.scrub import FOR_A_PERSON, Placeholders, Rules, findings, findings_in_lines, scrub_conversation

TEXTS_PER_S = 20_000.0
HOSTILE_CHARACTERS = 20_000  # five times this, too; the longest text that is taken has 12,000
GROWTH = 10.0  # at most, in processor time, for five times the text: quadratic would be 25
FLOOR_S = 0.005  # below this a ratio of times means nothing


def scored(half: str) -> tuple[list[dict[str, Any]], list[Promise]]:
    """A row per kind of a half, and two promises: everything that is replaced, taken together."""
    scores = score(read(half))
    rows = [
        {"half": half, "kind": str(kind), "items": s.items, "found": s.found, "false alarms": s.false_alarms}
        for kind, s in scores.items()
    ]
    sure = [s for kind, s in scores.items() if kind not in FOR_A_PERSON]
    recall = sum(s.found for s in sure) / sum(s.items for s in sure)
    alarms = sum(s.false_alarms for s in sure) / len(read(half))
    return rows, [
        Promise(f"{half}: recall of what is replaced", round(recall, 4), 0.98, "higher"),
        Promise(f"{half}: false alarms per message", round(alarms, 4), 0.01, "lower"),
    ]


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Processor and clock seconds."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - processor, time.perf_counter() - clock


def speeds(lines: list[Line], repeats: int) -> tuple[list[dict[str, Any]], list[Promise]]:
    """Texts a second: the final bytes of a dataset, messages as they come in, and scrubbing them."""
    rules = Rules(regions=REGIONS)
    raw = [line.text for line in lines]
    scrubbed = [scrub_conversation([text], Placeholders(b"salt"), rules)[0].text for text in raw]
    content = b"".join(
        json.dumps(
            {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]},
            ensure_ascii=False,
        ).encode()
        + b"\n"
        for question, answer in zip(scrubbed[::2], scrubbed[1::2], strict=False)
    )
    work: dict[str, Callable[[], object]] = {
        "final bytes, scanned again": lambda: list(findings_in_lines(content, rules)),
        "scrubbed messages": lambda: [findings(text, rules) for text in scrubbed],
        "messages as they come in": lambda: [findings(text, rules) for text in raw],
        "scrubbing, with hints": lambda: [scrub_conversation([text], Placeholders(b"salt"), rules) for text in raw],
    }
    rows: list[dict[str, Any]] = []
    for name, once in work.items():
        once()
        processor, clock = seconds(lambda once=once: [once() for _ in range(repeats)])
        texts = repeats * (len(scrubbed) // 2 * 2 if name.startswith("final") else len(raw))
        rows.append(
            {"texts": name, "per processor second": round(texts / processor), "per second": round(texts / clock)}
        )
    characters = sum(map(len, scrubbed)) / len(scrubbed)
    rows.append({"characters per text": round(characters)})
    return rows, [
        Promise("texts scanned again per processor second", rows[0]["per processor second"], TEXTS_PER_S, "higher")
    ]


def growth() -> tuple[list[dict[str, Any]], list[Promise]]:
    """How much longer five times a hostile text takes, the worst of all."""
    rows: list[dict[str, Any]] = []
    for name, make in HOSTILE.items():
        took: list[float] = []
        for length in (HOSTILE_CHARACTERS, 5 * HOSTILE_CHARACTERS):
            once = partial(scrub_conversation, [make(length)], Placeholders(b"salt"))
            took.append(min(seconds(once)[0] for _ in range(2)))
        rows.append(
            {
                "hostile": name,
                "ms": round(took[0] * 1000, 1),
                "growth": round(max(took[1], FLOOR_S) / max(took[0], FLOOR_S), 1),
            }
        )
    worst = max(rows, key=lambda row: row["growth"])
    slowest = max(rows, key=lambda row: row["ms"])
    return rows, [
        Promise(f"growth with five times the text ({worst['hostile']})", worst["growth"], GROWTH, "lower"),
        Promise(f"ms for {HOSTILE_CHARACTERS:,} characters ({slowest['hostile']})", slowest["ms"], 1000.0, "lower"),
    ]


def main() -> None:
    """Score, time, print, exit."""
    chosen = arguments(__doc__ or "").parse_args()
    rows: list[dict[str, Any]] = []
    promises: list[Promise] = []
    for part in (
        scored(OPEN),
        scored(HELD_BACK),
        speeds(read(OPEN) + read(HELD_BACK), 5 if chosen.quick else 40),
        growth(),
    ):
        rows += part[0]
        promises += part[1]
    finish("scrub", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
