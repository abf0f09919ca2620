"""Fuzzing the tuner's HTTP surface from its own OpenAPI description: whatever is sent, no answer is a 5xx.

Schemathesis makes the requests, valid and broken; what counts is the server's own tally of statuses at /metrics, and that
it still answers a plain chat at the end. The job that a lucky request may create is real, and cancelled like any other.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from openai import OpenAI

from bench.report import Promise, arguments, finish
from bench.tuner_kills import lines
from bench.tuner_process import serving
from tuner.weights import DEFAULT_BASE

ROOT = Path(__file__).parent.parent


def known_ids(client: OpenAI) -> dict[str, str]:
    """A file, a job that is over and the base, so that the fuzzer's requests reach more than the look-up."""
    file = client.files.create(file=("rows.jsonl", lines("supervised")), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=DEFAULT_BASE, training_file=file.id)
    client.fine_tuning.jobs.cancel(job.id)
    return {"model": DEFAULT_BASE, "file_id": file.id, "job_id": job.id}


def statuses(address: str) -> Counter[int]:
    """How often the server answered with each status, by its own count."""
    text = httpx.get(f"{address}/metrics").text
    found: Counter[int] = Counter()
    for status, count in re.findall(r'^tuner_requests_total\{[^}]*status="(\d+)"[^}]*\} (\d+)', text, re.MULTILINE):
        found[int(status)] += int(count)
    return found


def fuzz(seconds: int, seed: int) -> tuple[list[dict[str, object]], list[Promise]]:
    """Let schemathesis work for so long, then ask the server how it was."""
    with tempfile.TemporaryDirectory(prefix="tuner fuzz ") as name, serving(Path(name) / "home") as running:
        address = running.base_url.removesuffix("/v1")
        with OpenAI(base_url=running.base_url, api_key="none", max_retries=0) as client:
            environment = os.environ | {
                "TUNER_FUZZ_KNOWN": json.dumps(known_ids(client)),
                "SCHEMATHESIS_HOOKS": "bench.tuner_fuzz_hooks",
                "PYTHONPATH": str(ROOT),
            }
            command = [str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}/openapi.json"]
            command += ["--checks", "not_a_server_error", "--max-time", str(seconds), "--seed", str(seed)]
            command += ["--continue-on-failure", "--request-timeout", "120", "--suppress-health-check", "all"]
            began = time.monotonic()
            done = subprocess.run(command, env=environment, cwd=name, check=False)
            took = time.monotonic() - began
            tally = statuses(address)
            answer = client.chat.completions.create(
                model=DEFAULT_BASE, messages=[{"role": "user", "content": "Hello?"}], max_completion_tokens=8
            )
    errors = sum(count for status, count in tally.items() if status >= 500)
    rows: list[dict[str, object]] = [{"status": status, "answers": tally[status]} for status in sorted(tally)]
    return rows, [
        Promise("seconds of fuzzing", round(took), seconds * 0.9, "higher"),
        Promise("answers of 500 and above", errors, 0, "lower"),
        Promise("schemathesis's own exit status", done.returncode, 0, "lower"),
        Promise("plain chats answered afterwards", len(answer.choices), 1, "higher"),
    ]


def main() -> None:
    """Fuzz, count, exit."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rows, promises = fuzz(40 if chosen.quick else chosen.seconds, chosen.seed)
    finish("tuner_fuzz", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
