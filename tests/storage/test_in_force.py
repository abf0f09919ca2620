"""What may answer a question of a voice, and what of it a reply and a model remember."""

from dataclasses import replace

from storage.records import (
    Correction,
    CorrectionState,
    Dispute,
    DisputeKind,
    ReplySource,
    Scope,
    Settlement,
)
from tests.storage.scenes import Scene, a_proposal, a_reply_to, a_turn, an_approved_correction


async def approved(scene: Scene, origin: str, scope: Scope, voice_id: str) -> Correction:
    proposal = replace(a_proposal(scene, origin=origin), scope=scope, voice_id=voice_id)
    saved, _ = await scene.store.corrections.propose(proposal)
    return await scene.store.corrections.decide(
        saved.id, CorrectionState.APPROVED, scene.moderator.id, "", at=scene.clock()
    )


async def in_force(scene: Scene) -> list[str]:
    return [one.id for one in await scene.store.corrections.in_force(scene.voice.id)]


async def test_what_is_approved_here_and_what_holds_everywhere_is_in_force(scene: Scene):
    other = await scene.store.voices.ensure("Other", "You are Other.", "smol-135m", at=scene.clock())
    ours = await approved(scene, "import:a:1", Scope.VOICE, scene.voice.id)
    everywhere = await approved(scene, "import:a:2", Scope.EVERYONE, other.id)
    await approved(scene, "import:a:3", Scope.VOICE, other.id)
    await scene.store.corrections.propose(a_proposal(scene, origin="import:a:4"))
    assert await in_force(scene) == [ours.id, everywhere.id]


async def test_both_sides_of_an_open_dispute_are_not_in_force_until_it_is_settled(scene: Scene):
    one, other = await an_approved_correction(scene, "import:a:1"), await an_approved_correction(scene, "import:a:2")
    doubted = await an_approved_correction(scene, "import:a:3")
    third = await an_approved_correction(scene, "import:a:4")
    at = scene.clock()
    pair = Dispute("disp_1", scene.voice.id, DisputeKind.CONTRADICTION, one.id, other.id, {}, at)
    opinion = Dispute("disp_2", scene.voice.id, DisputeKind.OPINION, doubted.id, "", {}, at)
    await scene.store.disputes.raise_([pair, opinion], scene.moderator.id)
    assert await in_force(scene) == [third.id]
    await scene.store.disputes.settle(pair.id, Settlement.FIRST, scene.moderator.id, at=scene.clock())
    await scene.store.disputes.settle(opinion.id, Settlement.NEITHER, scene.moderator.id, at=scene.clock())
    assert await in_force(scene) == [one.id, third.id]


async def test_a_reply_keeps_which_fixes_it_rests_on_in_their_order(scene: Scene):
    at = scene.clock()
    reply = replace(a_reply_to(await a_turn(scene), at), source=ReplySource.FIX, fix_ids=("corr_b", "corr_a"))
    saved, _ = await scene.store.conversations.save_reply(reply, owner="worker-1")
    assert await scene.store.conversations.reply(saved.id) == reply
    ((_, kept),) = await scene.store.conversations.recent_turns(reply.conversation_id, 5)
    assert kept is not None
    assert kept.fix_ids == ("corr_b", "corr_a")


async def test_the_newest_verbs_are_told_by_their_numbers(scene: Scene):
    await an_approved_correction(scene)
    verbs = await scene.store.audit.verbs(limit=2)
    assert [verbs[number] for number in sorted(verbs)] == ["correct", "approve"]
