"""The commands as a person types them: what they print, and one sentence for everything a person can mend."""

import asyncio
import os
from typing import cast

import pytest

from storage.store import open_store
from tests.bot.terminal import Terminal
from tests.bot.test_settings import ROOT
from tuner.weights import Base

LESSONS = ROOT / "bot" / "demo" / "puffin.jsonl"


def test_answers_are_imported_approved_and_recorded(terminal: Terminal):
    assert terminal.run("queue").stdout == "Nothing waits for approval.\n"
    done = terminal.run("import", str(LESSONS))
    assert "48 answers can be taken, none refused." in done.stdout
    assert "48 proposed, waiting for approval." in done.stdout
    assert "48 were already in." in terminal.run("import", str(LESSONS)).stdout
    listed = terminal.run("queue", "--limit", "1").stdout
    assert "Where is my parcel?" in listed
    correction = next(word for word in listed.split() if word.startswith("corr_"))
    assert len(correction) == 31
    assert "only an approved correction can be critical" in terminal.run("critical", correction).stderr
    assert "Approved." in terminal.run("approve", correction).stdout
    assert terminal.run("critical", correction).stdout.startswith("Critical now: once a model has learned it,")
    assert terminal.run("critical", correction, "--no-longer").stdout.startswith("No longer critical:")
    assert terminal.run("reject", correction).returncode == 1
    assert "It holds until 1 December 2999;" in terminal.run("expire", correction, "2999-12-01").stdout
    assert "It holds until somebody says otherwise." in terminal.run("expire", correction, "--never").stdout
    assert terminal.run("expire", correction).returncode == 2
    assert terminal.run("approve", "--all").stdout == "Approved 47.\n"
    assert "approve" in terminal.run("history", "--limit", "3").stdout
    assert "smollm2-135m-instruct" in terminal.run("models").stdout


def test_a_base_of_ones_own_is_known_by_its_name_from_the_first_command_on(terminal: Terminal, weights: Base):
    own = terminal.folder / "my shop's model.gguf"
    os.link(weights.gguf, own)
    environment = {"FINETONE_BASE_MODEL": str(own), "TUNER_WEIGHTS_DIR": str(terminal.folder / "weights")}
    assert "48 proposed" in terminal.run("import", str(LESSONS), **environment).stdout
    listed = terminal.run("models", **environment).stdout
    assert "my-shop-s-model" in listed
    assert ".gguf" not in listed


def test_a_dry_run_of_an_import_keeps_nothing(terminal: Terminal):
    assert "48 answers can be taken" in terminal.run("import", "--dry-run", str(LESSONS)).stdout
    assert terminal.run("queue").stdout == "Nothing waits for approval.\n"


def named(value: object) -> str:
    """The command itself, as a case's name."""
    return " ".join(cast(list[str], value)) if isinstance(value, list) else ""


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["approve", "corr_nope"], {}, "NotFound: There is no correction 'corr_nope'."),
        (["rollback"], {}, "NothingToRollBackTo: Model 0 was the first to serve"),
        (["rollback", "--to", "7"], {}, "NothingToRollBackTo: Model 7 has never served"),
        (["release", "--why", "We read them."], {}, "NothingToRelease: No model was compared yet. Train one first."),
        (["import", "none.csv"], {}, "ImportRefused: none.csv cannot be read: No such file or directory."),
        (
            ["ask", "hi"],
            {"FINETONE_PROVIDER": "openai"},
            "SettingsMissing: FINETONE_API_KEY, FINETONE_BASE_MODEL are not set.",
        ),
        (["queue"], {"FINETONE_MARGIN": "x"}, "SettingsWrong: FINETONE_MARGIN is 'x'"),
        (["queue"], {"FINETONE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:9/x"}, "DatabaseUnavailable:"),
        (["mark", "reply_x", "good"], {}, "NotFound: There is no reply 'reply_x'."),
    ],
    ids=named,
)
def test_what_a_person_can_mend_is_one_sentence(
    terminal: Terminal, arguments: list[str], environment: dict[str, str], said: str
):
    done = terminal.run(*arguments, **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_in_use_is_named_with_its_holder(terminal: Terminal):
    import fcntl

    data = terminal.folder / "data"
    data.mkdir()
    with (data / "finetone.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("4711")
        held.flush()
        done = terminal.run("run", "--port", "0")
    assert done.returncode == 1
    assert "DataDirBusy: data is in use by another finetone program (process 4711)." in done.stderr


def test_a_port_in_use_is_named_with_the_setting_that_changes_it(terminal: Terminal):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = terminal.run("run", "--port", str(port))
    assert done.returncode == 1
    assert f"PortInUse: Port {port} on 127.0.0.1 is in use" in done.stderr
    assert "FINETONE_CONSOLE_PORT" in done.stderr


def test_a_colleagues_link_carries_only_the_rights_given(terminal: Terminal):
    printed = terminal.run("link", "--name", "Mia", "--right", "moderator").stdout
    assert printed.startswith("http://127.0.0.1:8321/sign-in?token=")

    async def rights() -> set[str]:
        url = f"sqlite+aiosqlite:///{terminal.folder / 'data' / 'app.sqlite'}"
        async with await open_store(url) as store:
            found = await store.people.ensure_actor(
                "console", "Mia", "Mia", at=(await store.voices.all())[0].created_at
            )
            return {str(right) for right in found.rights}

    assert asyncio.run(rights()) == {"moderator"}
