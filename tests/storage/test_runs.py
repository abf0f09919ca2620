import asyncio
import math
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from storage.errors import DeploymentMoved, NotFound, RunMoved
from storage.records import (
    OPEN_RUN_STATES,
    PROGRAM_ACTOR_ID,
    Deployment,
    DeploymentKind,
    Evidence,
    Purpose,
    RunEvent,
    RunState,
    Trigger,
    Verdict,
)
from storage.store import Store
from tests.storage.scenes import Scene, a_claimed_run, a_run, an_evaluated_run, an_evaluation


async def _verbs(scene: Scene, subject: str) -> list[str]:
    return [entry.verb for entry in reversed(await scene.store.audit.entries(99, subject=subject))]


async def test_a_second_retrain_joins_the_open_run(scene: Scene) -> None:
    first = await scene.store.runs.request(
        scene.voice.id, "smol-135m", Trigger.PERSON, scene.moderator.id, at=scene.clock()
    )
    second = await scene.store.runs.request(
        scene.voice.id, "smol-135m", Trigger.COUNT, PROGRAM_ACTOR_ID, at=scene.clock()
    )
    assert first[1] is True
    assert second == (first[0], False)
    assert await _verbs(scene, first[0].id) == ["retrain"]


async def test_ten_retrains_at_once_open_one_run(scene: Scene, other_store: Store) -> None:
    at = scene.clock()
    found = await asyncio.gather(
        *(
            store.runs.request(scene.voice.id, "smol-135m", Trigger.PERSON, scene.moderator.id, at=at)
            for store in [scene.store, other_store] * 5
        )
    )
    assert sum(is_new for _, is_new in found) == 1
    assert len({run.id for run, _ in found}) == 1
    assert len(await scene.store.runs.recent(scene.voice.id, 20)) == 1


async def test_a_search_is_open_beside_a_retrain_and_a_second_search_joins_it(scene: Scene) -> None:
    runs, voice_id, at = scene.store.runs, scene.voice.id, scene.clock()
    retrain, _ = await runs.request(voice_id, "base", Trigger.PERSON, scene.moderator.id, at=at)
    plan = {"trials": [{"n_epochs": 2}], "minutes": 5.0}
    search, is_new = await runs.request(
        voice_id, "base", Trigger.PERSON, scene.moderator.id, at=at, purpose=Purpose.SEARCH, plan=plan
    )
    joined = await runs.request(voice_id, "base", Trigger.PERSON, scene.moderator.id, at=at, purpose=Purpose.SEARCH)
    assert (is_new, joined) == (True, (search, False))
    assert search.plan == plan
    assert await runs.open_run(voice_id) == retrain
    assert await runs.open_run(voice_id, Purpose.SEARCH) == search
    assert await runs.recent(voice_id, 9) == [retrain]
    assert {run.id for run in await runs.recent(voice_id, 9, Purpose)} == {retrain.id, search.id}
    assert await _verbs(scene, search.id) == ["search"]


async def test_the_next_job_of_a_plan_may_be_asked_for_once_the_last_is_over(scene: Scene) -> None:
    run = await a_claimed_run(scene)
    run = await scene.store.runs.intend(run.id, run.epoch, at=scene.clock())
    run = await scene.store.runs.advance(
        run.id, run.epoch, run.state, run.state, at=scene.clock(), training_file_id="file-1", job_id="job-1"
    )
    kept = await scene.store.runs.plan_on(run, {"trial": 1}, at=scene.clock())
    assert (kept.plan, kept.job_id, kept.creates) == ({"trial": 1}, "job-1", 1)
    freed = await scene.store.runs.plan_on(run, {"trial": 2}, at=scene.clock(), is_next_job=True)
    assert (freed.plan, freed.job_id, freed.training_file_id, freed.creates) == ({"trial": 2}, None, None, 0)
    anew = await scene.store.runs.claim(run.id, str(run.lease_owner), now=scene.clock(), lease_s=60)
    assert anew is not None
    with pytest.raises(RunMoved):
        await scene.store.runs.plan_on(run, {"trial": 3}, at=scene.clock())


async def test_each_voice_has_its_own_open_run(scene: Scene) -> None:
    other = await scene.store.voices.ensure("Other", "You are Other.", "smol", at=scene.clock())
    first = await a_run(scene)
    second, is_new = await scene.store.runs.request(
        other.id, "smol", Trigger.SCHEDULE, PROGRAM_ACTOR_ID, at=scene.clock()
    )
    assert is_new
    assert await scene.store.runs.open_runs() == [first, second]
    assert await scene.store.runs.open_run(other.id) == second


async def test_a_retrain_on_a_base_is_known_from_its_moment_on_and_a_drill_is_none(scene: Scene) -> None:
    runs, at, voice = scene.store.runs, scene.clock(), scene.voice.id
    await runs.request(voice, "next", Trigger.PERSON, scene.moderator.id, at=at, purpose=Purpose.DRILL)
    assert not await runs.has_run_on(voice, "next", since=at)
    await runs.request(voice, "next", Trigger.SHUTDOWN, PROGRAM_ACTOR_ID, at=at)
    assert await runs.has_run_on(voice, "next", since=at)
    assert not await runs.has_run_on(voice, "next", since=at + timedelta(seconds=1))
    assert not await runs.has_run_on(voice, "smol", since=at)


@pytest.mark.parametrize("end", [RunState.STOPPED, RunState.FAILED, RunState.CANCELLED], ids=str)
async def test_a_run_that_ended_makes_room_for_the_next(scene: Scene, end: RunState) -> None:
    run = await a_claimed_run(scene)
    ended = await scene.store.runs.advance(
        run.id, run.epoch, run.state, end, at=scene.clock(), end_reason="The vendor said no."
    )
    assert (ended.is_open, ended.end_reason, ended.lease_owner, ended.lease_until) == (
        False,
        "The vendor said no.",
        None,
        None,
    )
    assert await scene.store.runs.open_run(scene.voice.id) is None
    following = await a_run(scene)
    assert await scene.store.runs.recent(scene.voice.id, 9) == [following, ended]
    assert await scene.store.runs.recent(scene.voice.id, 1) == [following]


async def test_one_worker_at_a_time_holds_a_run(scene: Scene, other_store: Store) -> None:
    run = await a_run(scene)
    now = scene.clock()
    claims = await asyncio.gather(
        *(
            store.runs.claim(run.id, f"worker-{number}", now=now, lease_s=60)
            for number, store in enumerate([scene.store, other_store] * 3)
        )
    )
    assert [claim.epoch for claim in claims if claim is not None] == [1]


async def test_every_claim_raises_the_epoch_and_fences_off_the_one_before(scene: Scene) -> None:
    runs = scene.store.runs
    first = await a_claimed_run(scene, "worker-1", lease_s=60)
    assert await runs.claim(first.id, "worker-2", now=scene.clock(), lease_s=60) is None
    again = await runs.claim(first.id, "worker-1", now=scene.clock(), lease_s=0)
    taken_over = await runs.claim(first.id, "worker-2", now=scene.clock(), lease_s=60)
    assert again is not None
    assert taken_over is not None
    assert (first.epoch, again.epoch, taken_over.epoch) == (1, 2, 3)
    with pytest.raises(RunMoved, match=f"Run {first.id} has moved on: it is requested at epoch 3, held by worker-2"):
        await runs.renew(first.id, again.epoch, now=scene.clock(), lease_s=60)
    with pytest.raises(RunMoved):
        await runs.advance(first.id, again.epoch, RunState.REQUESTED, RunState.FAILED, at=scene.clock())
    await runs.release(first.id, again.epoch)
    assert await runs.get(first.id) == taken_over


async def test_a_lease_is_renewed_and_released_by_its_holder(scene: Scene) -> None:
    runs = scene.store.runs
    run = await a_claimed_run(scene, lease_s=10)
    renewed = await runs.renew(run.id, run.epoch, now=scene.clock(), lease_s=100)
    assert renewed.lease_until is not None
    assert run.lease_until is not None
    assert 90 <= (renewed.lease_until - run.lease_until).total_seconds() < 100
    await runs.release(run.id, run.epoch)
    released = await runs.claim(run.id, "worker-2", now=scene.clock(), lease_s=60)
    assert released is not None
    assert released.epoch == run.epoch + 1


async def test_a_run_that_is_over_cannot_be_claimed_renewed_or_moved(scene: Scene) -> None:
    runs = scene.store.runs
    run = await a_claimed_run(scene)
    await runs.advance(run.id, run.epoch, run.state, RunState.FAILED, at=scene.clock())
    assert await runs.claim(run.id, "worker-1", now=scene.clock(), lease_s=60) is None
    with pytest.raises(RunMoved):
        await runs.renew(run.id, run.epoch, now=scene.clock(), lease_s=60)
    with pytest.raises(RunMoved):
        await runs.advance(run.id, run.epoch, RunState.FAILED, RunState.REQUESTED, at=scene.clock())


async def test_a_run_moves_step_by_step_and_each_step_is_audited(scene: Scene) -> None:
    run, _ = await an_evaluated_run(scene)
    assert run.state is RunState.EVALUATED
    assert await _verbs(scene, run.id) == [
        "retrain",
        "run_frozen",
        "run_submitted",
        "run_training",
        "run_servable",
        "run_evaluated",
    ]


async def test_a_field_is_saved_without_a_step_and_stays_when_not_given(scene: Scene) -> None:
    runs = scene.store.runs
    run = await a_claimed_run(scene)
    await runs.advance(run.id, run.epoch, run.state, run.state, at=scene.clock(), training_file_id="file-1")
    saved = await runs.advance(
        run.id, run.epoch, run.state, run.state, at=scene.clock(), job_id="job-1", candidate_name="ft:1"
    )
    assert (saved.training_file_id, saved.job_id, saved.candidate_name) == ("file-1", "job-1", "ft:1")
    assert saved.updated_at == scene.clock.now
    assert await runs.get(run.id) == saved
    assert await _verbs(scene, run.id) == ["retrain"]


async def test_a_step_from_where_the_run_is_not_is_refused(scene: Scene) -> None:
    run = await a_claimed_run(scene)
    with pytest.raises(RunMoved) as caught:
        await scene.store.runs.advance(
            run.id, run.epoch, RunState.TRAINING, RunState.SERVABLE, at=scene.clock(), job_id="job-1"
        )
    assert caught.value.run == run
    assert await scene.store.runs.get(run.id) == run


async def test_a_run_is_promoted_only_together_with_its_deployment(scene: Scene) -> None:
    run, _ = await an_evaluated_run(scene)
    with pytest.raises(ValueError, match=r"Runs\.promote"):
        await scene.store.runs.advance(run.id, run.epoch, run.state, RunState.PROMOTED, at=scene.clock())


async def test_a_promotion_deploys_the_runs_model_and_ends_the_run(scene: Scene) -> None:
    run, model = await an_evaluated_run(scene)
    deployment = await scene.store.runs.promote(
        run.id, run.epoch, 0, by=PROGRAM_ACTOR_ID, why="Mean gain 0.90.", at=scene.clock()
    )
    assert deployment == await scene.store.models.current(scene.voice.id)
    assert (deployment.seq, deployment.kind, deployment.model, deployment.run_id, deployment.why) == (
        1,
        DeploymentKind.PROMOTION,
        model,
        run.id,
        "Mean gain 0.90.",
    )
    promoted = await scene.store.runs.get(run.id)
    assert (promoted.state, promoted.lease_owner, promoted.end_reason) == (
        RunState.PROMOTED,
        None,
        "Mean gain 0.90.",
    )
    assert await _verbs(scene, model.id) == ["promote"]


async def test_a_run_is_promoted_once_however_often_it_is_tried(scene: Scene, other_store: Store) -> None:
    run, _ = await an_evaluated_run(scene)
    outcomes = await asyncio.gather(
        *(
            store.runs.promote(run.id, run.epoch, 0, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock())
            for store in [scene.store, other_store] * 3
        ),
        return_exceptions=True,
    )
    kinds = sorted(type(outcome).__name__ for outcome in outcomes)
    assert kinds == ["Deployment"] + ["RunMoved"] * 5
    assert len(await scene.store.models.deployments(scene.voice.id, 9)) == 2


async def test_a_promotion_and_a_rollback_at_once_leave_one_of_them(scene: Scene, other_store: Store) -> None:
    run, _ = await an_evaluated_run(scene)
    base = (await scene.store.models.current(scene.voice.id)).model
    outcomes = await asyncio.gather(
        scene.store.runs.promote(run.id, run.epoch, 0, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock()),
        other_store.models.roll_back(
            scene.voice.id, 0, base.id, by=scene.moderator.id, why="To be sure.", at=scene.clock()
        ),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Deployment", "DeploymentMoved"]
    won = next(outcome for outcome in outcomes if isinstance(outcome, Deployment))
    lost = next(outcome for outcome in outcomes if isinstance(outcome, DeploymentMoved))
    assert lost.current == won == await scene.store.models.current(scene.voice.id)
    is_promoted = won.kind is DeploymentKind.PROMOTION
    assert (await scene.store.runs.get(run.id)).state is (RunState.PROMOTED if is_promoted else RunState.EVALUATED)


async def test_a_promotion_over_an_unseen_deployment_is_refused_and_changes_nothing(scene: Scene) -> None:
    run, model = await an_evaluated_run(scene)
    base = (await scene.store.models.current(scene.voice.id)).model
    rollback = await scene.store.models.roll_back(
        scene.voice.id, 0, base.id, by=scene.moderator.id, why="To be sure.", at=scene.clock()
    )
    for seen_seq in (0, 7):
        with pytest.raises(DeploymentMoved, match=r"as deployment 1: To be sure\. Look at it") as caught:
            await scene.store.runs.promote(
                run.id, run.epoch, seen_seq, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock()
            )
        assert caught.value.current == rollback
    assert await scene.store.runs.get(run.id) == run
    assert await _verbs(scene, model.id) == []


async def test_a_run_without_a_model_cannot_be_promoted(scene: Scene) -> None:
    run = await a_claimed_run(scene)
    for state in (RunState.FROZEN, RunState.EVALUATED):
        run = await scene.store.runs.advance(run.id, run.epoch, run.state, state, at=scene.clock())
    with pytest.raises(NotFound, match=f"There is no model of run '{run.id}'"):
        await scene.store.runs.promote(run.id, run.epoch, 0, by=PROGRAM_ACTOR_ID, why="Better.", at=scene.clock())
    assert await scene.store.runs.get(run.id) == run


async def test_the_first_to_cancel_is_remembered(scene: Scene) -> None:
    run = await a_run(scene)
    asked = await scene.store.runs.request_cancel(run.id, scene.moderator.id, at=scene.clock())
    again = await scene.store.runs.request_cancel(run.id, PROGRAM_ACTOR_ID, at=scene.clock())
    assert asked.cancel_requested_by == again.cancel_requested_by == scene.moderator.id
    assert await _verbs(scene, run.id) == ["retrain", "cancel"]


async def test_a_run_that_is_over_cannot_be_cancelled(scene: Scene) -> None:
    run = await a_claimed_run(scene)
    ended = await scene.store.runs.advance(run.id, run.epoch, run.state, RunState.FAILED, at=scene.clock())
    assert await scene.store.runs.request_cancel(run.id, scene.moderator.id, at=scene.clock()) == ended


def _event(scene: Scene, run_id: str, key: str, numbers: dict[str, float] | None = None) -> RunEvent:
    return RunEvent(run_id, key, scene.clock(), "info", f"Event {key}", MappingProxyType(numbers or {}))


async def test_events_are_kept_once_and_polled_from_the_last_one_seen(scene: Scene) -> None:
    runs = scene.store.runs
    run = await a_run(scene)
    events = [_event(scene, run.id, key, {"step": 1, "train_loss": 2.5}) for key in "abc"]
    assert await runs.add_events(run.id, events[:2]) == 2
    assert await runs.add_events(run.id, events) == 1
    assert await runs.add_events(run.id, []) == 0
    found = await runs.events(run.id)
    assert [event for _, event in found] == events
    assert await runs.events(run.id, after=found[1][0]) == found[2:]
    assert await runs.events("run_nothing") == []


async def test_two_pollers_of_the_vendor_keep_each_event_once(scene: Scene, other_store: Store) -> None:
    run = await a_run(scene)
    events = [_event(scene, run.id, str(number)) for number in range(50)]
    added = await asyncio.gather(*(store.runs.add_events(run.id, events) for store in [scene.store, other_store] * 2))
    assert sum(added) == 50
    numbers = [seq for seq, _ in await scene.store.runs.events(run.id)]
    assert numbers == sorted(numbers)
    assert len(numbers) == 50


async def test_a_loss_that_is_not_a_number_is_left_out(scene: Scene) -> None:
    run = await a_run(scene)
    await scene.store.runs.add_events(
        run.id, [_event(scene, run.id, "a", {"step": 3, "train_loss": math.nan, "valid_loss": math.inf})]
    )
    (_, event), *_ = await scene.store.runs.events(run.id)
    assert event.numbers == {"step": 3}


async def test_an_evaluation_comes_back_whole_and_is_replaced_by_the_next(scene: Scene) -> None:
    runs = scene.store.runs
    run = await a_run(scene)
    assert await runs.evaluation(run.id) is None
    first = an_evaluation(run, scene.clock())
    await runs.save_evaluation(first)
    assert await runs.evaluation(run.id) == first
    second = replace(
        first,
        verdict=Verdict.WORSE,
        reason="It lost 7 of 7 decisive pairs.",
        evidence=(Evidence("better on x", "harmful", 3.4, 3.0, 7, "It lost."),),
    )
    await runs.save_evaluation(second)
    assert await runs.evaluation(run.id) == second


async def test_an_unknown_run_or_voice_is_a_sentence(scene: Scene) -> None:
    runs, at = scene.store.runs, scene.clock()
    nothing = replace(await a_run(scene), id="run_nothing")
    for attempt in (
        runs.get("run_nothing"),
        runs.claim("run_nothing", "worker-1", now=at, lease_s=60),
        runs.renew("run_nothing", 1, now=at, lease_s=60),
        runs.advance("run_nothing", 1, RunState.REQUESTED, RunState.FAILED, at=at),
        runs.request_cancel("run_nothing", scene.moderator.id, at=at),
        runs.promote("run_nothing", 1, 0, by=PROGRAM_ACTOR_ID, why="Better.", at=at),
        runs.add_events("run_nothing", []),
        runs.save_evaluation(an_evaluation(nothing, at)),
    ):
        with pytest.raises(NotFound, match="There is no run 'run_nothing'"):
            await attempt
    with pytest.raises(NotFound, match="There is no voice 'voice_nothing'"):
        await runs.request("voice_nothing", "smol", Trigger.PERSON, scene.moderator.id, at=at)


async def test_every_open_state_counts_as_open(scene: Scene) -> None:
    run = await a_claimed_run(scene)
    for state in sorted(OPEN_RUN_STATES - {RunState.REQUESTED}):
        run = await scene.store.runs.advance(run.id, run.epoch, run.state, state, at=scene.clock())
        assert await scene.store.runs.open_run(scene.voice.id) == run
        assert (await a_run(scene)).id == run.id
