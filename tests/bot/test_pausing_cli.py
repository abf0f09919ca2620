"""`finetone pause`, `resume` and `cancel`: a run stands still, goes on and ends by its id."""

import asyncio
from datetime import UTC, datetime

from storage.records import PROGRAM_ACTOR_ID, Trigger
from storage.store import open_store
from tests.bot.terminal import Terminal


def an_open_run(terminal: Terminal) -> str:
    """The id of a run in the terminal's own database, with a voice that a command has made."""
    terminal.run("queue")

    async def made() -> str:
        async with await open_store(f"sqlite+aiosqlite:///{terminal.folder}/data/app.sqlite") as store:
            (voice,) = await store.voices.all()
            at = datetime.now(UTC)
            run, _ = await store.runs.request(voice.id, voice.base_model, Trigger.PERSON, PROGRAM_ACTOR_ID, at=at)
            return run.id

    return asyncio.run(made())


def test_a_run_is_paused_listed_as_such_resumed_and_cancelled(terminal: Terminal):
    run_id = an_open_run(terminal)
    assert terminal.run("resume", run_id).stdout == "That run is not paused.\n"
    assert terminal.run("pause", run_id).stdout.startswith("Paused. A training job that is under way goes on")
    assert "requested, paused" in terminal.run("runs").stdout
    assert terminal.run("pause", run_id).stdout == "That run is already paused.\n"
    assert terminal.run("resume", run_id).stdout == "Resumed. It goes on from where it stood.\n"
    assert "paused" not in terminal.run("runs").stdout
    assert terminal.run("cancel", run_id).stdout.startswith("Cancelling.")
    assert terminal.run("pause", run_id).stdout == "That run cannot be paused any more.\n"
    verbs = terminal.run("history").stdout
    assert "pause" in verbs
    assert "resume" in verbs


def test_a_run_there_is_not_is_one_sentence(terminal: Terminal):
    for verb in ("pause", "resume"):
        done = terminal.run(verb, "run_nope")
        assert done.returncode == 1
        assert "NotFound: There is no run 'run_nope'." in done.stderr
