"""The guide of docs/training.md, run as it is printed: both clients, the newest and the oldest openai we promise, real jobs."""

import json
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.bot.test_settings import ROOT
from tests.tuner.conftest import QUESTIONS, Running, voice_row
from tests.tuner.test_training import flag_row, pair_row

pytestmark = [pytest.mark.real_model, pytest.mark.slow]

OLDEST_OPENAI = "2.20.0"
PAGE = (ROOT / "docs" / "training.md").read_text()
ROWS = {
    "supervised": [voice_row(question) for question in QUESTIONS],
    "dpo": [pair_row(question) for question in QUESTIONS],
    "kto": [flag_row(question, index % 2 == 0) for index, question in enumerate(QUESTIONS)],
}


def printed(name: str) -> str:
    """The page's block of code under the comment `<!-- name -->`."""
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None, f"docs/training.md has no block named {name!r}"
    return found[1]


def guide(client: str, method: str, base_url: str) -> str:
    """The printed program, changed in nothing but its base_url and, for other methods, the line the page says to change."""
    program = printed("guide" if client == "sync" else "guide async")
    if method != "supervised":
        create = printed(f"create {method}").strip().removeprefix("job = ")
        program, n_changed = re.subn(r"client\.fine_tuning\.jobs\.create\(.*\)", lambda _: create, program, count=1)
        assert n_changed == 1
    changed = program.replace("http://127.0.0.1:8400/v1", base_url)
    assert changed != program
    return changed


@pytest.fixture(scope="session")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the oldest openai and nothing of ours; a skip with pip's words where it cannot be fetched."""
    folder = tmp_path_factory.mktemp("oldest openai")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "install", "-q", f"openai=={OLDEST_OPENAI}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"openai {OLDEST_OPENAI} could not be installed: {done.stderr.strip()[-300:]}")
    return python


@pytest.mark.parametrize("method", ["supervised", "dpo", "kto"])
@pytest.mark.parametrize("client", ["sync", "async"])
@pytest.mark.parametrize("version", ["newest", OLDEST_OPENAI])
def test_the_guide_runs_as_it_is_printed(
    request: pytest.FixtureRequest, server: Running, tmp_path: Path, version: str, client: str, method: str
):
    python = sys.executable if version == "newest" else request.getfixturevalue("oldest")
    (tmp_path / "train.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS[method]))
    done = subprocess.run(
        [python, "-c", guide(client, method, server.base_url)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()
    if method == "supervised":
        assert "Captain" in done.stdout  # the sign-off of every row it was taught
    newest_job = server.client.fine_tuning.jobs.list(limit=1).data[0]
    assert newest_job.method is not None
    assert (newest_job.status, newest_job.method.type) == ("succeeded", method)
