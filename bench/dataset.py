"""A dataset version from 100,000 corrections, stage by stage: seconds, peak memory, and how both grow.

Each size runs in a process of its own, so that its memory is its own, and measures its floor in the same process: the same
lines, only tokenised and written, by the same tokenizer. Times are of the processor, because the machine has other work.
Promised: no more than three times the floor and 500 MB at 100,000 corrections, seconds that grow with them from 10,000 to
1,000,000 (that many in a full run only, which gives them ten minutes), and 20,000 short texts a second in the last look for
personal data.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.dataset_corpus import SYSTEM_PROMPT, corpus
from bench.report import Promise, arguments, finish
from bench.scrub import speeds
from bench.scrub_corpus import HELD_BACK, OPEN, read
from curation.card import Basis, Origin, lineage_files, recompute
from curation.cleaning import require_clean, rules_for
from curation.dataset import FILE_OF_SIDE, Dataset, Rules, build_dataset, counting_once
from curation.disputes import disputes_among
from curation.languages import language_of
from curation.prices import PRICES
from curation.prompting import CountTokens
from curation.selecting import Circumstances, select_examples
from curation.sketches import Sketches
from providers.tokens import token_counter
from storage.disputes import blocked
from storage.records import Correction, Side

MODEL = "gpt-4o-mini"  # whose tokenizer counts
TIMES_THE_FLOOR = 3.0
MEGABYTES = 500.0
GROWTH = 1.5  # of the seconds per 1,000 corrections, from the smallest size to any larger
LONGEST_S = 600.0  # of one size, by the clock
RULES = Rules(10, 10, 0.1, context_tokens=4_096)
AT = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass
class Stopwatch:
    """Processor seconds by name."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        before = time.process_time()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - before


def measure(count: int) -> dict[str, Any]:
    """In this process: the seconds of each stage, the floor's, megabytes and what came out."""
    corrections = corpus(count)
    alone = _megabytes()
    watch = Stopwatch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count_tokens = token_counter(MODEL, None, folder).count_messages
        count_tokens([""])  # reads the vocabulary
        dataset, files = made(corrections, count_tokens, watch, folder)
        megabytes, pipeline_s = _megabytes(), sum(watch.seconds.values())
        with watch.stage("card, worked out again"):
            recompute(dataset.id, files, Basis(MODEL, 3, SYSTEM_PROMPT, PRICES), count_tokens)
        with_card = _megabytes()
        floor = floor_s(dataset.files, count_tokens, folder)  # last, because it holds all lines at once
    return {
        "corrections": count,
        **{f"{name}, s": round(seconds, 2) for name, seconds in watch.seconds.items()},
        "all but the card, s": round(pipeline_s, 2),
        "floor, s": round(floor, 2),
        "times the floor": round(pipeline_s / floor, 2),
        "s per 1,000": round(1_000 * pipeline_s / count, 4),
        "MB": round(megabytes),
        "MB of the corrections": round(alone),
        "MB with the card": round(with_card),
        "lines": len(dataset.train) + len(dataset.held_out),
        "tokens": dataset.train_tokens,
        "left out": sum(dataset.card["left_out"].values()),
        "version": dataset.id,
    }


def made(
    corrections: list[Correction], count_tokens: CountTokens, watch: Stopwatch, folder: Path
) -> tuple[Dataset, Mapping[str, bytes]]:
    """What `finetone dataset build` does between reading and keeping, a stage at a time: the dataset and all its files."""
    with watch.stage("contradictions"):
        sketches = Sketches()
        found = disputes_among(corrections, {}, frozenset(), at=AT, sketches=sketches)
    with watch.stage("near-duplicates and groups"):
        selection = select_examples(corrections, Circumstances(blocked(found), at=AT), sketches)
        del sketches
    with watch.stage("split, tokens, lines"):
        dataset = build_dataset(
            selection, {}, system_prompt=SYSTEM_PROMPT, rules=RULES, count_tokens=count_tokens, counter_name=MODEL
        )
    with watch.stage("lineage"):
        left_out = list(dataset.card["left_out_corrections"].items())
        files = {**dataset.files, **lineage_files(_origins(dataset), left_out, [])}
    with watch.stage("writing"):
        _write(files, folder)
    with watch.stage("looking for personal data again"):
        require_clean(dataset.files, rules_for(SYSTEM_PROMPT, RULES.keep))
    return dataset, files


def floor_s(files: Mapping[str, bytes], count_tokens: CountTokens, folder: Path) -> float:
    """Processor seconds to tokenise and write the same lines, and nothing else; the system prompt once."""
    lines = {name: [json.loads(row) for row in files[name].splitlines()] for name in FILE_OF_SIDE.values()}
    before = time.process_time()
    once = counting_once(count_tokens)
    for rows in lines.values():
        for row in rows:
            once([message["content"] for message in row["messages"]])
    _write(
        {
            name: b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
            for name, rows in lines.items()
        },
        folder,
    )
    return time.process_time() - before


def _origins(dataset: Dataset) -> list[Origin]:
    """Where each line came from, as a version keeps it."""
    return [
        Origin(
            side,
            position,
            example.source_id,
            example.group_key,
            example.provenance.kind,
            reason=example.provenance.reason,
            language=language_of(example.answer) or "",
            moderator=example.provenance.moderator,
            topic=example.provenance.topic,
            day=example.provenance.day,
            merged=example.merged,
        )
        for side, examples in ((Side.TRAIN, dataset.train), (Side.HELD_OUT, dataset.held_out))
        for position, example in enumerate(examples)
    ]


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _megabytes() -> float:
    """The most this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(count: int) -> dict[str, Any] | None:
    """`measure` in a process of its own; None where it takes longer than anybody should wait."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.dataset", "--measure", str(count)],
            capture_output=True,
            text=True,
            check=True,
            timeout=LONGEST_S,
        )
    except subprocess.TimeoutExpired:
        print(f"  {count:,} corrections take longer than {LONGEST_S:.0f} s here", flush=True)
        return None
    row: dict[str, Any] = json.loads(done.stdout)
    print("  ", row, flush=True)
    return row


def main() -> None:
    """Measure each size, print, exit."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--measure", type=int, help="this many corrections, in this process")
    chosen = parser.parse_args()
    if chosen.measure:
        print(json.dumps(measure(chosen.measure)))
        return
    sizes = (1_000, 10_000) if chosen.quick else (10_000, 100_000, 1_000_000)
    rows = [row for size in sizes if (row := measured(size)) is not None]
    first, promised = rows[0], rows[1]
    promises = [
        Promise(f"times the floor, {sizes[1]:,} corrections", promised["times the floor"], TIMES_THE_FLOOR, "lower"),
        Promise(f"MB, {sizes[1]:,} corrections", promised["MB"], MEGABYTES, "lower"),
    ]
    for row in rows[1:]:
        growth = round(row["s per 1,000"] / first["s per 1,000"], 2)
        name = f"seconds per 1,000 corrections, of {row['corrections']:,} over {sizes[0]:,}"
        promises.append(Promise(name, growth, GROWTH, "lower"))
    promises.append(Promise(f"of {len(sizes)} sizes measured", len(rows), len(sizes), "higher"))
    speed_rows, speed_promises = speeds(read(OPEN) + read(HELD_BACK), 5 if chosen.quick else 40)
    finish("dataset", promises + speed_promises, rows + speed_rows, chosen.json)


if __name__ == "__main__":
    main()
