"""Going back: which model served before, and what happens when there is none or somebody is faster."""

import pytest

from curation.promotion import NothingToRollBackTo, follow_base, model_before, roll_back
from storage.records import PROGRAM_ACTOR_ID, Deployment, DeploymentKind, Model, RunState
from tests.conftest import Clock
from tests.curation.conftest import House


def served(*numbers: int) -> list[Deployment]:
    """Deployments of these models in this order, newest first as the store gives them."""
    moment = Clock()
    models = {
        n: Model(f"model_{n}", "voice", n, f"name-{n}", "base", None, None, moment()) for n in sorted(set(numbers))
    }
    rows = [
        Deployment(f"dep_{seq}", "voice", seq, DeploymentKind.PROMOTION, models[n], None, moment(), "ada", "")
        for seq, n in enumerate(numbers)
    ]
    return rows[::-1]


@pytest.mark.parametrize(
    ("numbers", "before"),
    [
        pytest.param((0,), None, id="only the base ever served"),
        pytest.param((0, 1), 0, id="after a promotion: the base"),
        pytest.param((0, 1, 2), 1, id="after two: the first of them"),
        pytest.param((0, 1, 2, 1), 0, id="after a roll back: further back, never forward"),
        pytest.param((0, 1, 2, 1, 0), None, id="all the way back: nothing more"),
        pytest.param((0, 1, 0, 2), 0, id="after a roll back and a promotion: what it replaced"),
    ],
)
def test_the_model_before(numbers: tuple[int, ...], before: int | None):
    history = served(*numbers)
    found = model_before(history[0], history)
    assert (found.number if found else None) == before


async def test_the_first_model_has_nothing_before_it(house: House):
    with pytest.raises(NothingToRollBackTo, match="Model 0 was the first to serve, so there is nothing before it"):
        await roll_back(house.store, house.voice.id, by=house.admin, why="", at=house.workshop.now())


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (1, "Model 1 is the one that serves now."),
        (7, "Model 7 has never served, so it cannot be gone back to. Models that have: model 0."),
    ],
)
async def test_a_model_that_cannot_be_gone_back_to_says_which_could(house: House, number: int, sentence: str):
    await house.approve(*range(12))
    await house.finish(await house.request())
    with pytest.raises(NothingToRollBackTo) as refused:
        await roll_back(house.store, house.voice.id, by=house.admin, why="", at=house.workshop.now(), to_number=number)
    assert str(refused.value) == sentence


async def test_a_named_model_serves_again_with_who_and_why(house: House):
    await house.approve(*range(12))
    await house.finish(await house.request())
    back = await roll_back(
        house.store, house.voice.id, by=house.admin, why="it swears", at=house.workshop.now(), to_number=0
    )
    assert (back.kind, back.model.number, back.by, back.why) == (
        DeploymentKind.ROLLBACK,
        0,
        house.admin.id,
        "it swears",
    )
    assert (await house.store.models.current(house.voice.id)).model.is_base


async def test_a_voice_moved_to_another_base_serves_it_and_comes_back_to_what_it_had(house: House):
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    store, now = house.store, house.workshop.now
    moved = await store.voices.ensure(house.voice.name, house.voice.system_prompt, "other", at=now())
    there = await follow_base(store, moved, at=now())
    assert there is not None
    assert (there.model.name, there.model.is_base, there.by) == ("other", True, PROGRAM_ACTOR_ID)
    assert there.why == "The base model changed from base to other; one base is served at a time."
    assert await follow_base(store, moved, at=now()) is None
    home = await store.voices.ensure(house.voice.name, house.voice.system_prompt, "base", at=now())
    back = await follow_base(store, home, at=now())
    assert back is not None
    assert back.model.run_id == run.id
