"""The doctor's lines: what was found, and the next step where something is missing."""

from pathlib import Path

import pytest

from tests.tuner.conftest import Running
from tuner import doctor
from tuner.cli import main
from tuner.doctor import Check
from tuner.paths import Home, held_lock
from tuner.weights import DEFAULT_BASE, DEFAULT_FILE


def meminfo(folder: Path, kilobytes: int) -> Path:
    path = folder / "meminfo"
    path.write_text(f"MemTotal: 9 kB\nMemAvailable:   {kilobytes} kB\n")
    return path


def damaged(cache: Path) -> Path:
    (cache / DEFAULT_BASE).mkdir()
    (cache / DEFAULT_BASE / DEFAULT_FILE).write_bytes(b"GGUF, but not this one")
    return cache


@pytest.mark.parametrize(
    ("look", "says"),
    [
        pytest.param(lambda tmp: doctor.python((3, 10)), "Install 3.11 or newer", id="python"),
        pytest.param(lambda tmp: doctor.weights(tmp), "python -m tuner weights", id="no weights"),
        pytest.param(lambda tmp: doctor.weights(damaged(tmp)), "is damaged", id="damaged weights"),
        pytest.param(lambda tmp: doctor.disk(tmp, 10**18), "Free some space", id="disk"),
        pytest.param(lambda tmp: doctor.memory(meminfo(tmp, 1_000_000)), "1.0 GB available, 3.0", id="memory"),
        pytest.param(lambda tmp: doctor.writable(Path("/proc/none/home")), "cannot be written", id="home"),
    ],
)
def test_what_is_missing_is_said_with_the_next_step(tmp_path: Path, look: object, says: str):
    found = look(tmp_path)  # pyright: ignore
    assert not found.is_ok
    assert says in found.line()
    assert found.line().startswith("not ok")


def test_a_running_server_is_seen_by_its_lock(tmp_path: Path):
    home = Home(tmp_path)
    assert "none runs" in doctor.server(home).said
    with held_lock(home.lock):
        assert not doctor.server(home).is_ok
        assert "one runs on this home and does not answer" in doctor.server(home).said
    assert "none runs" in doctor.server(home).said


@pytest.mark.parametrize(("is_needed", "status"), [(True, 1), (False, 0)], ids=["needed", "not needed"])
def test_only_what_is_needed_makes_the_status_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_needed: bool,
    status: int,
):
    found = [Check("Python", True, "3.11"), Check("disk", False, "full. Free some space.", is_needed)]
    monkeypatch.setattr(doctor, "checks", lambda home, cache, base: found)
    assert main(["doctor", "--home", str(tmp_path)]) == status
    assert capsys.readouterr().out == "ok      Python: 3.11\nnot ok  disk: full. Free some space.\n"


def test_a_running_server_is_asked_whether_it_answers(server: Running):
    assert (
        doctor.server(Home(server.home)).said == f"answers at {server.base_url.removesuffix('/v1')} with {DEFAULT_BASE}"
    )


@pytest.mark.parametrize(
    ("content", "is_ok", "says"),
    [
        pytest.param(b"GGUF and so on", True, "has the right shape", id="a GGUF file"),
        pytest.param(b"PK and so on", False, "is not a GGUF file", id="another file"),
        pytest.param(None, False, "config.json, tokenizer.json, *.safetensors not found there", id="an empty folder"),
    ],
)
def test_a_base_of_ones_own_is_looked_at(tmp_path: Path, content: bytes | None, is_ok: bool, says: str):
    own = tmp_path / "own model"
    if content is None:
        own.mkdir()
    else:
        own.write_bytes(content)
    found = doctor.own_weights(str(own))
    assert found.is_ok is is_ok
    assert says in found.said


def test_a_base_that_is_not_here_is_missing_unless_it_may_be_a_hub_id():
    assert doctor.own_weights("owner/name").is_ok
    assert not doctor.own_weights("./gone.gguf").is_ok


def test_a_home_that_is_not_there_yet_is_looked_at_and_not_made(tmp_path: Path):
    home = Home(tmp_path / "a" / "b")
    assert doctor.writable(home.root).is_ok
    assert not home.root.exists()
