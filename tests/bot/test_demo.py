"""What the demo says of an answer after the roll back; the play itself runs on the real model."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from bot.demo.story import released_all_the_same, said_after_roll_back
from storage.records import Reply, ReplySource, Right, RunState, Verdict
from storage.store import Store
from tests.conftest import Clock
from tests.storage.scenes import a_scene, an_evaluated_run, an_evaluation

BEFORE = Reply(
    "reply_1", "turn_1", "conv_1", "voice_1", "Somewhere.", ReplySource.BASE, "base", "dep_1", None, 9, 2, 1.0,
    datetime(2026, 11, 1, tzinfo=UTC),
)  # fmt: skip


@pytest.mark.parametrize(
    ("again", "said"),
    [
        (BEFORE, "the same words as before the training"),
        (replace(BEFORE, text="Elsewhere."), "an answer of the base model"),
        (
            replace(BEFORE, text="Ahoy!", fix_ids=("corr_1",)),
            "an answer of the base model, which is shown an approved answer to a similar question",
        ),
        (
            replace(BEFORE, text="Ahoy!", fix_ids=("corr_1", "corr_2")),
            "an answer of the base model, which is shown 2 approved answers to a similar question",
        ),
    ],
)
def test_an_answer_that_rests_on_an_approved_one_is_not_told_as_the_base_models_alone(again: Reply, said: str):
    assert said_after_roll_back(BEFORE, again) == said


@pytest.mark.parametrize(("verdict", "released"), [(Verdict.NOT_PROVEN, True), (Verdict.WORSE, False)])
async def test_only_what_is_not_proven_goes_on_by_an_admins_word(store: Store, verdict: Verdict, released: bool):
    scene = await a_scene(store, Clock())
    run, model = await an_evaluated_run(scene)
    await store.runs.save_evaluation(an_evaluation(run, scene.clock(), verdict=verdict))
    run = await store.runs.advance(
        run.id, run.epoch, run.state, RunState.STOPPED, at=scene.clock(), candidate_name=model.name
    )
    admin = await store.people.ensure_actor("console", "ada", "Ada", frozenset(Right), at=scene.clock())
    terminal = Console(record=True, width=200)
    assert await released_all_the_same(store, scene.voice, admin, run, terminal) is released
    serving = (await store.models.current(scene.voice.id)).model
    assert (serving.id == model.id) is released
    assert ("Not proven is not worse." in terminal.export_text()) is released
