"""`finetone report` and `finetone voice checks` as a person types them."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from storage.records import PROGRAM_ACTOR_ID, Trigger
from storage.store import open_store
from tests.bot.terminal import Terminal
from tests.curation.report.scenes import NOW, an_evaluation, sample

ELSEWHERE = {"FINETONE_API_URL": "http://127.0.0.1:9/v1", "FINETONE_BASE_MODEL": "base"}


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    terminal.environment = ELSEWHERE
    return terminal


async def compared(folder: Path) -> str:
    """A run of the terminal's voice that was compared; its id."""
    async with await open_store(f"sqlite+aiosqlite:///{folder / 'data' / 'app.sqlite'}") as store:
        (voice,) = await store.voices.all()
        run, _ = await store.runs.request(voice.id, "base", Trigger.PERSON, PROGRAM_ACTOR_ID, at=NOW)
        await store.runs.save_evaluation(replace(an_evaluation(sample(1, 0.25, 0.75)), run_id=run.id))
        return run.id


def test_a_report_is_printed_whole_and_for_the_newest_run(terminal: Terminal):
    none = terminal.run("report")
    assert none.returncode == 1
    assert "NothingCompared: No run has compared a new model yet." in none.stderr
    run_id = asyncio.run(compared(terminal.folder))
    newest = terminal.run("report").stdout
    assert newest.startswith("# Ft:1 is better than model 0\n")
    assert f"Run {run_id}, compared 21 Nov 2026, 09:30 UTC." in newest
    assert "![arms](data:image/svg+xml;base64," in newest
    assert terminal.run("report", run_id[:24]).stdout == newest


def test_plots_are_written_beside_where_a_folder_is_named(terminal: Terminal):
    terminal.run("voice", "checks")
    asyncio.run(compared(terminal.folder))
    folder = terminal.folder / "plots"
    said = terminal.run("report", "--plots", str(folder)).stdout
    assert f"![arms]({(folder / 'arms.svg').as_posix()})" in said
    assert (folder / "arms.svg").read_text().startswith("<svg")
    assert (folder / "suites.svg").exists()


def test_checks_are_set_shown_and_cleared(terminal: Terminal):
    assert terminal.run("voice", "checks").stdout.strip() == "{}"
    file = terminal.folder / "checks.json"
    file.write_text('{"length": {"most_words": 80}, "forbidden": ["guarantee"]}')
    kept = terminal.run("voice", "checks", "--set", str(file)).stdout
    assert "From the next comparison on every answer is checked: length, forbidden." in kept
    assert '"most_words": 80' in terminal.run("voice", "checks").stdout
    assert "No checks are declared any more." in terminal.run("voice", "checks", "--clear").stdout
    assert terminal.run("voice", "checks").stdout.strip() == "{}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds no JSON object"),
        ('{"lenght": {}}', "Unknown checks: “lenght”."),
        ('{"length": {"most_words": "many"}}', "A length of 'most_words': 'many' cannot be used"),
    ],
)
def test_checks_that_cannot_be_used_are_named_and_change_nothing(terminal: Terminal, text: str, said: str):
    file = terminal.folder / "checks.json"
    file.write_text(text)
    refused = terminal.run("voice", "checks", "--set", str(file))
    assert refused.returncode == 1
    assert said in refused.stderr
    assert terminal.run("voice", "checks").stdout.strip() == "{}"
