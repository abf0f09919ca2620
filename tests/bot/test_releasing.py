"""An admin's own word for a model that proved nothing: with a reason, kept for ever, nobody else's."""

from dataclasses import replace

import pytest

from bot import moderation
from bot.moderation import NotAllowed
from bot.office.progress import progress_of
from curation.promotion import NothingToRelease
from storage.records import DeploymentKind, Right, Run, RunState
from tests.conftest import JUDGED
from tests.curation.conftest import House, house, learned_nothing
from tests.curation.test_sealing import run_until, with_rules

__all__ = ["house"]
WHY = "We read all of its answers."


async def not_proven(house: House) -> Run:
    house.provider.script = learned_nothing
    await house.approve(*range(12))
    run = await house.finish(await house.request())
    assert run.state is RunState.STOPPED
    return run


async def test_an_admin_may_release_what_is_not_proven_and_the_audit_says_so(house: House):
    run = await not_proven(house)
    outcome = await moderation.release_model(house.store, house.admin, house.voice, WHY, now=house.workshop.now())
    assert outcome.said == "Model 1 serves everything now, on your word."
    current = await house.store.models.current(house.voice.id)
    assert (current.model.number, current.kind, current.by) == (1, DeploymentKind.PROMOTION, house.admin.id)
    assert current.why == f"Released by Ada, whatever the verdict: {WHY}"
    assert (await house.store.runs.get(run.id)).state is RunState.PROMOTED
    [entry] = [one for one in await house.store.audit.entries(20) if one.verb == "overrule"]
    assert (entry.actor_id, entry.detail["why"]) == (house.admin.id, current.why)
    with pytest.raises(NothingToRelease, match="promoted already"):
        await moderation.release_model(house.store, house.admin, house.voice, WHY, now=house.workshop.now())


async def test_a_release_needs_the_right_and_a_reason(house: House):
    run = await not_proven(house)
    mo = await house.store.people.ensure_actor("cli", "mo", "Mo", frozenset({Right.APPROVER}), at=house.workshop.now())
    with pytest.raises(NotAllowed, match="Only an admin can release a model"):
        await moderation.release_model(house.store, mo, house.voice, WHY, now=house.workshop.now())
    with pytest.raises(NothingToRelease, match="Say why"):
        await moderation.release_model(house.store, house.admin, house.voice, "  ", now=house.workshop.now())
    assert (await house.store.runs.get(run.id)).state is RunState.STOPPED
    lines, _ = await progress_of(house.store, await house.store.runs.get(run.id))
    assert "`/retrain release`" in lines[-1].words


async def test_there_may_be_nothing_to_release(house: House):
    with pytest.raises(NothingToRelease, match="No model was compared yet"):
        await moderation.release_model(house.store, house.admin, house.voice, WHY, now=house.workshop.now())
    await not_proven(house)
    with pytest.raises(NothingToRelease, match="Run run_7 made no model"):
        await moderation.release_model(
            house.store, house.admin, house.voice, WHY, run_id="run_7", now=house.workshop.now()
        )
    elsewhere = replace(house.voice, base_model="other")
    with pytest.raises(NothingToRelease, match="of the base base, and other is served now"):
        await moderation.release_model(house.store, house.admin, elsewhere, WHY, now=house.workshop.now())


async def test_an_admin_ends_a_canary_either_way(house: House):
    with_rules(house, replace(JUDGED, candidate_share=0.5))
    await house.approve(*range(14))
    run = await run_until(house, await house.request(), RunState.CANARY)
    lines, _ = await progress_of(house.store, run)
    assert any("It answers 50% of the conversations" in line.words for line in lines)
    await moderation.release_model(house.store, house.admin, house.voice, WHY, now=house.workshop.now())
    current = await house.store.models.current(house.voice.id)
    assert (current.model.number, current.canary) == (1, None)
    assert (await house.store.runs.get(run.id)).state is RunState.PROMOTED


async def test_taking_a_canary_back_leaves_the_model_of_before(house: House):
    with_rules(house, replace(JUDGED, candidate_share=0.5))
    await house.approve(*range(14))
    run = await run_until(house, await house.request(), RunState.CANARY)
    said = (await moderation.roll_back(house.store, house.admin, house.voice, now=house.workshop.now())).said
    assert said == "Model 0 serves now."
    assert (await run_until(house, run, RunState.STOPPED)).end_reason == "The canary was ended: Rolled back by Ada."
