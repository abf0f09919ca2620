"""What a run may decide by is written down before its first question, and a run whose numbers moved decides nothing."""

from dataclasses import replace

from curation.advancing import advance
from curation.evidence import Rules
from curation.sealing import SEALS
from storage.records import Evaluation, Run, RunState
from tests.conftest import JUDGED
from tests.curation.conftest import House


def with_rules(house: House, rules: Rules) -> None:
    house.workshop = replace(house.workshop, recipe=replace(house.workshop.recipe, evidence=rules))


async def run_until(house: House, run: Run, state: RunState) -> Run:
    """Advance until the run has come to `state`."""
    for _ in range(30):
        claimed = await house.store.runs.claim(run.id, "worker-1", now=house.workshop.now(), lease_s=1)
        assert claimed is not None
        run = await advance(house.workshop, claimed)
        if run.state is state:
            return run
    raise AssertionError(run.state)


async def test_the_rules_are_sealed_before_the_first_question(house: House):
    await house.approve(*range(14))
    run = await run_until(house, await house.request(), RunState.SERVABLE)
    assert await house.store.audit.first(run.id, SEALS) is None
    run = await run_until(house, run, RunState.EVALUATED)
    entry = await house.store.audit.first(run.id, SEALS)
    evaluation = await house.store.runs.evaluation(run.id)
    assert entry is not None
    assert evaluation is not None
    assert entry.at < evaluation.evaluated_at
    compared = [event for _, event in await house.store.runs.events(run.id) if "to_evaluate" in event.numbers]
    assert entry.at < min(event.at for event in compared)
    assert entry.detail["alpha"] == JUDGED.alpha
    assert entry.detail["decisive"] == evaluation.margin == JUDGED.decisive
    assert [one.split(":")[0] for one in entry.detail["sets"]] == ["target"]
    assert entry.detail["seal"] == replace(JUDGED, sets=tuple(entry.detail["sets"])).seal()


async def test_a_run_whose_numbers_were_changed_after_its_answers_came_refuses_to_decide(house: House):
    await house.approve(*range(14))
    run = await run_until(house, await house.request(), RunState.EVALUATED)
    with_rules(house, replace(JUDGED, alpha=0.6))
    run = await house.finish(run)
    assert run.state is RunState.STOPPED
    assert "are not those written down before its first" in run.end_reason
    assert (await house.store.models.current(house.voice.id)).model.number == 0


async def test_a_run_whose_numbers_were_changed_asks_no_second_time(house: House):
    await house.approve(*range(14))
    run = await run_until(house, await house.request(), RunState.EVALUATED)
    run = await house.store.runs.advance(run.id, run.epoch, run.state, RunState.SERVABLE, at=house.workshop.now())
    asked = len(house.provider.asked)
    with_rules(house, replace(JUDGED, decisive=0.0))
    run = await house.finish(run)
    assert run.state is RunState.STOPPED
    assert len(house.provider.asked) == asked


async def test_how_often_the_held_out_set_judged_is_told(house: House):
    await house.approve(*range(14))
    first = await house.finish(await house.request())
    assert first.state is RunState.PROMOTED
    assert "judged" not in first.end_reason
    await house.approve(14)
    second = await house.finish(await house.request())
    assert "Most of these questions judged 1 candidate before" in second.end_reason
    evaluation: Evaluation | None = await house.store.runs.evaluation(second.id)
    assert evaluation is not None
    assert evaluation.evidence[0].rule == "better on the held-out questions"
