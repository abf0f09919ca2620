import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from storage.errors import AlreadyDecided, NotFound
from storage.records import Correction, CorrectionState
from storage.store import Store
from tests.storage.scenes import Scene, a_proposal, a_reply, an_approved_correction

APPROVED, REJECTED, RETRACTED = CorrectionState.APPROVED, CorrectionState.REJECTED, CorrectionState.RETRACTED


async def _propose(scene: Scene, *proposals: Correction) -> list[Correction]:
    return [(await scene.store.corrections.propose(proposal))[0] for proposal in proposals]


async def _decide(scene: Scene, correction: Correction, state: CorrectionState, note: str = "") -> Correction:
    by = scene.moderator.id
    return await scene.store.corrections.decide(correction.id, state, by, note, at=scene.clock())


async def _verbs(scene: Scene, correction: Correction) -> list[str]:
    return [entry.verb for entry in reversed(await scene.store.audit.entries(99, subject=correction.id))]


async def test_a_proposal_comes_back_as_it_was_made(scene: Scene) -> None:
    proposal = a_proposal(scene, await a_reply(scene))
    assert await scene.store.corrections.propose(proposal) == (proposal, True)
    assert await scene.store.corrections.get(proposal.id) == proposal
    assert await _verbs(scene, proposal) == ["correct"]


async def test_the_same_proposal_twice_is_one(scene: Scene) -> None:
    proposal = a_proposal(scene, await a_reply(scene))
    await scene.store.corrections.propose(proposal)
    assert await scene.store.corrections.propose(proposal) == (proposal, False)
    assert await _verbs(scene, proposal) == ["correct"]


async def test_a_reply_may_be_corrected_by_several_people(scene: Scene) -> None:
    reply = await a_reply(scene)
    proposals = await _propose(scene, a_proposal(scene, reply), a_proposal(scene, reply))
    assert await scene.store.corrections.for_reply(reply.id) == proposals


async def test_a_line_of_a_file_is_imported_once_per_voice(scene: Scene) -> None:
    corrections = scene.store.corrections
    first = a_proposal(scene, origin="import:faq.csv:1")
    await corrections.propose(first)
    assert await corrections.propose(a_proposal(scene, origin="import:faq.csv:1")) == (first, False)
    other_voice = await scene.store.voices.ensure("Other", "You are Other.", "smol", at=scene.clock())
    elsewhere = replace(a_proposal(scene, origin="import:faq.csv:1"), voice_id=other_voice.id)
    assert await corrections.propose(elsewhere) == (elsewhere, True)


async def test_importing_a_file_twice_adds_nothing(scene: Scene) -> None:
    def rows(number: int) -> Iterator[Correction]:
        return (a_proposal(scene, origin=f"import:faq.csv:{line}") for line in range(number))

    assert await scene.store.corrections.propose_many(list(rows(40))) == 40
    assert await scene.store.corrections.propose_many(list(rows(50))) == 10
    assert await scene.store.corrections.propose_many([]) == 0
    assert (await scene.store.corrections.count(scene.voice.id))[CorrectionState.PROPOSED] == 50
    audited = [entry for entry in await scene.store.audit.entries(999) if entry.verb == "correct"]
    assert len(audited) == 50


async def test_two_imports_of_one_file_at_once_add_each_line_once(scene: Scene, other_store: Store) -> None:
    files = [[a_proposal(scene, origin=f"import:faq.csv:{line}") for line in range(200)] for _ in range(2)]
    added = await asyncio.gather(
        scene.store.corrections.propose_many(files[0]), other_store.corrections.propose_many(list(reversed(files[1])))
    )
    assert sum(added) == 200


async def test_ten_thousand_lines_are_imported_and_approved_in_seconds(scene: Scene) -> None:
    proposals = [a_proposal(scene, origin=f"import:faq.csv:{line}") for line in range(10_000)]
    assert await scene.store.corrections.propose_many(proposals) == 10_000
    ids = [proposal.id for proposal in proposals]
    assert await scene.store.corrections.approve_many(ids, scene.moderator.id, "", at=scene.clock()) == 10_000
    assert len(await scene.store.corrections.approved(scene.voice.id)) == 10_000


@pytest.mark.parametrize(
    ("state", "verb"), [(APPROVED, "approve"), (REJECTED, "reject"), (RETRACTED, "retract")], ids=str
)
async def test_a_decision_says_who_when_and_why(scene: Scene, state: CorrectionState, verb: str) -> None:
    (proposal,) = await _propose(scene, a_proposal(scene, await a_reply(scene)))
    decided = await _decide(scene, proposal, state, "so it is")
    assert decided == replace(
        proposal, state=state, decided_by=scene.moderator.id, decided_at=scene.clock.now, decision_note="so it is"
    )
    assert await scene.store.corrections.get(proposal.id) == decided
    assert await _verbs(scene, proposal) == ["correct", verb]


async def test_a_correction_is_decided_once(scene: Scene) -> None:
    (proposal,) = await _propose(scene, a_proposal(scene, await a_reply(scene)))
    approved = await _decide(scene, proposal, APPROVED)
    with pytest.raises(AlreadyDecided, match=f"{proposal.id} is already approved, by {scene.moderator.id}") as caught:
        await _decide(scene, proposal, REJECTED)
    assert caught.value.correction == approved
    with pytest.raises(AlreadyDecided, match="is already approved"):
        await _decide(scene, proposal, APPROVED)
    assert await scene.store.corrections.get(proposal.id) == approved
    assert await _verbs(scene, proposal) == ["correct", "approve"]


async def test_of_two_decisions_at_once_one_counts(scene: Scene, other_store: Store) -> None:
    (proposal,) = await _propose(scene, a_proposal(scene, await a_reply(scene)))
    outcomes = await asyncio.gather(
        *(
            store.corrections.decide(proposal.id, state, scene.moderator.id, "", at=scene.clock())
            for store, state in [(scene.store, APPROVED), (other_store, REJECTED)] * 4
        ),
        return_exceptions=True,
    )
    decided = [outcome for outcome in outcomes if isinstance(outcome, Correction)]
    assert len(decided) == 1
    assert all(isinstance(outcome, Correction | AlreadyDecided) for outcome in outcomes)
    assert len(await _verbs(scene, proposal)) == 2


async def test_approving_supersedes_what_was_approved_for_the_reply_before(scene: Scene) -> None:
    reply = await a_reply(scene)
    first, second = await _propose(scene, a_proposal(scene, reply), a_proposal(scene, reply))
    await _decide(scene, first, APPROVED)
    await _decide(scene, second, APPROVED)
    superseded = await scene.store.corrections.get(first.id)
    assert (superseded.state, superseded.superseded_by) == (CorrectionState.SUPERSEDED, second.id)
    assert [each.id for each in await scene.store.corrections.approved(scene.voice.id)] == [second.id]
    assert await _verbs(scene, first) == ["correct", "approve", "supersede"]


async def test_a_refused_approval_supersedes_nothing(scene: Scene) -> None:
    reply = await a_reply(scene)
    first, second = await _propose(scene, a_proposal(scene, reply), a_proposal(scene, reply))
    await _decide(scene, second, REJECTED)
    await _decide(scene, first, APPROVED)
    with pytest.raises(AlreadyDecided):
        await _decide(scene, second, APPROVED)
    assert (await scene.store.corrections.get(first.id)).state is APPROVED


async def test_approving_rivals_at_once_leaves_one_approved(scene: Scene, other_store: Store) -> None:
    reply = await a_reply(scene)
    rivals = await _propose(scene, *(a_proposal(scene, reply) for _ in range(6)))
    await asyncio.gather(
        *(
            store.corrections.decide(rival.id, APPROVED, scene.moderator.id, "", at=scene.clock())
            for rival, store in zip(rivals, [scene.store, other_store] * 3, strict=True)
        )
    )
    states = [each.state for each in await scene.store.corrections.for_reply(reply.id)]
    assert sorted(states) == [APPROVED] + [CorrectionState.SUPERSEDED] * 5


async def test_approving_many_takes_the_proposed_ones_and_the_newest_per_reply(scene: Scene) -> None:
    reply = await a_reply(scene)
    older, newer = await _propose(scene, a_proposal(scene, reply), a_proposal(scene, reply))
    imported, rejected = await _propose(scene, *(a_proposal(scene, origin=f"import:f:{line}") for line in (1, 2)))
    await _decide(scene, rejected, REJECTED)
    ids = [newer.id, older.id, imported.id, rejected.id, "corr_nothing", newer.id]
    assert await scene.store.corrections.approve_many(ids, scene.moderator.id, "all", at=scene.clock()) == 3
    assert [each.id for each in await scene.store.corrections.approved(scene.voice.id)] == sorted(
        [newer.id, imported.id]
    )
    assert (await scene.store.corrections.get(older.id)).superseded_by == newer.id


async def test_approving_many_twice_at_once_approves_each_once(scene: Scene, other_store: Store) -> None:
    proposals = await _propose(
        scene,
        *(a_proposal(scene, origin=f"import:f:{line}") for line in range(20)),
        *[a_proposal(scene, await a_reply(scene, str(number))) for number in range(20)],
    )
    ids = [proposal.id for proposal in proposals]
    approved = await asyncio.gather(
        scene.store.corrections.approve_many(ids, scene.moderator.id, "", at=scene.clock()),
        other_store.corrections.approve_many(list(reversed(ids)), scene.moderator.id, "", at=scene.clock()),
    )
    assert sum(approved) == 40
    verbs = [entry.verb for entry in await scene.store.audit.entries(999)]
    assert verbs.count("approve") == 40


async def test_a_proposal_can_be_reworded_until_it_is_decided(scene: Scene) -> None:
    (proposal,) = await _propose(scene, a_proposal(scene, await a_reply(scene), text="On it!"))
    by = scene.moderator.id
    edited = await scene.store.corrections.edit_text(proposal.id, "We are on it!", by, at=scene.clock())
    assert edited == replace(proposal, corrected_text="We are on it!")
    entry = (await scene.store.audit.entries(1, subject=proposal.id))[0]
    assert (entry.verb, entry.detail) == (
        "edit_correction",
        {},
    )  # what was said lies in the correction, and can be erased there
    await _decide(scene, proposal, APPROVED)
    with pytest.raises(AlreadyDecided):
        await scene.store.corrections.edit_text(proposal.id, "Too late", by, at=scene.clock())
    assert (await scene.store.corrections.get(proposal.id)).corrected_text == "We are on it!"


async def test_corrections_are_listed_by_state_oldest_first_in_pages(scene: Scene) -> None:
    proposals = await _propose(scene, *(a_proposal(scene, origin=f"import:f:{line}") for line in range(5)))
    await _decide(scene, proposals[1], REJECTED)
    corrections, voice_id = scene.store.corrections, scene.voice.id
    proposed = [proposals[0], *proposals[2:]]
    assert await corrections.list(voice_id, [CorrectionState.PROPOSED], limit=9) == proposed
    assert await corrections.list(voice_id, [CorrectionState.PROPOSED], limit=2, offset=1) == proposed[1:3]
    everything = await corrections.list(voice_id, CorrectionState, limit=9)
    assert [each.id for each in everything] == [each.id for each in proposals]
    assert await corrections.list(voice_id, [], limit=9) == []
    assert await corrections.list("voice_nothing", CorrectionState, limit=9) == []
    counted = await corrections.count(voice_id)
    assert (counted[CorrectionState.PROPOSED], counted[REJECTED], counted[APPROVED]) == (4, 1, 0)


async def test_approvals_are_counted_since_a_moment(scene: Scene) -> None:
    await an_approved_correction(scene, "import:f:1")
    moment = scene.clock.now
    await an_approved_correction(scene, "import:f:2")
    assert await scene.store.corrections.approved_since(scene.voice.id, moment) == 1


async def test_an_unknown_correction_is_a_sentence(scene: Scene) -> None:
    corrections, by = scene.store.corrections, scene.moderator.id
    for attempt in (
        corrections.get("corr_nothing"),
        corrections.decide("corr_nothing", APPROVED, by, "", at=scene.clock()),
        corrections.edit_text("corr_nothing", "x", by, at=scene.clock()),
    ):
        with pytest.raises(NotFound, match="There is no correction 'corr_nothing'"):
            await attempt


async def test_what_is_not_a_decision_or_not_a_proposal_is_refused(scene: Scene) -> None:
    (proposal,) = await _propose(scene, a_proposal(scene))
    with pytest.raises(ValueError, match="not erased"):
        await _decide(scene, proposal, CorrectionState.ERASED)
    with pytest.raises(ValueError, match="only proposals"):
        await scene.store.corrections.propose(replace(a_proposal(scene), state=APPROVED))
