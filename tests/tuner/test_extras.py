import pytest

from tests.tuner.conftest import Bench
from tests.tuner.test_http import refused
from tests.tuner.test_jobs import submit
from tuner import extras
from tuner.extras import lack


def test_nothing_is_said_where_everything_is_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(extras.PACKAGES, "serve", ("json", "asyncio"))
    assert lack("serve", "Serving") == ""


def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(extras.PACKAGES, "train", ("json", "no_such_torch", "no_such_peft"))
    assert lack("train", "Training") == (
        "Training needs packages that are not installed here: no_such_torch, no_such_peft. "
        "Install them with: pip install 'finetone[train]'"
    )


async def test_a_server_that_cannot_train_says_so_when_a_job_is_made(bench: Bench):
    bench.server.intake.unable = "Training needs packages that are not installed here: torch."
    found = await refused(submit(bench.client))
    assert found[:2] == (400, "training_unavailable")
    assert "torch" in found[3]
