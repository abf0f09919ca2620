"""What replies took by model, how often fixes were shown, and when people decided: of real rows, in both databases."""

from dataclasses import replace
from datetime import timedelta

from storage.records import CorrectionState
from storage.upkeep import RepliesOf
from tests.storage.scenes import Scene, a_proposal, a_reply_to, an_approved_correction


async def answered(scene: Scene, number: int, model: str | None, tokens: int, fixes: tuple[str, ...] = ()) -> None:
    now = scene.clock()
    thread = await scene.store.conversations.ensure(scene.voice.id, "cli", f"upkeep {number}", at=now)
    turn, _ = await scene.store.conversations.record_turn(thread, f"k{number}", "Where?", scene.moderator.id, at=now)
    reply = replace(a_reply_to(turn, now), model_name=model, prompt_tokens=tokens, fix_ids=fixes)
    await scene.store.conversations.save_reply(reply, owner="w")


async def test_replies_are_added_up_by_the_model_that_gave_them(scene: Scene) -> None:
    await answered(scene, 1, "base", 100, ("corr_1", "corr_2"))
    await answered(scene, 2, "base", 40)
    await answered(scene, 3, "ft:1", 30, ("corr_1",))
    await answered(scene, 4, None, 0, ("corr_1",))
    assert await scene.store.upkeep.by_model(scene.voice.id) == [
        RepliesOf("base", 2, 140, 1),
        RepliesOf("ft:1", 1, 30, 1),
    ]
    assert await scene.store.upkeep.by_model("voice_other") == []


async def test_a_fix_is_counted_in_each_reply_of_a_model_that_had_it_since_then(scene: Scene) -> None:
    await answered(scene, 1, "base", 100, ("corr_1", "corr_2"))
    await answered(scene, 2, "base", 100, ("corr_1",))
    await answered(scene, 3, None, 0, ("corr_1",))
    since = scene.clock() - timedelta(days=30)
    assert await scene.store.upkeep.fixes_shown(scene.voice.id, since) == {"corr_1": 2, "corr_2": 1}
    later = scene.clock() + timedelta(seconds=1)
    assert await scene.store.upkeep.fixes_shown(scene.voice.id, later) == {}


async def test_decisions_are_told_by_who_and_when_also_those_that_rejected(scene: Scene) -> None:
    approved = await an_approved_correction(scene)
    proposal, _ = await scene.store.corrections.propose(a_proposal(scene, None, origin="import:a.csv:2"))
    at = scene.clock() + timedelta(minutes=1)
    await scene.store.corrections.decide(proposal.id, CorrectionState.REJECTED, scene.moderator.id, "no", at=at)
    await scene.store.corrections.propose(a_proposal(scene, None, origin="import:a.csv:3"))
    assert approved.decided_by is not None
    assert await scene.store.upkeep.decided(scene.voice.id) == [
        (approved.decided_by, approved.decided_at),
        (scene.moderator.id, at),
    ]
