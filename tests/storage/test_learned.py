"""What models learned: one verdict for each correction and model, told once, and without anybody's words once they are erased."""

from dataclasses import replace

import pytest

from storage.errors import ConstraintBroken
from storage.learned import told_to
from storage.postings import LAST
from storage.records import (
    AskedAs,
    Correction,
    Learned,
    LearnedAnswer,
    LearnedVerdict,
    Model,
    PostingKind,
    Run,
    RunState,
)
from tests.storage.scenes import Scene, a_proposal, a_reply, an_approved_correction, an_evaluated_run


def a_verdict(
    scene: Scene, correction: Correction, model: Model, verdict: LearnedVerdict = LearnedVerdict.LEARNED
) -> Learned:
    return Learned(
        correction.id,
        model.id,
        model.run_id or "",
        verdict,
        in_weights=verdict is not LearnedVerdict.NOT_YET,
        in_system=True,
        margin=0.6,
        log_margin=None,
        paraphrases=2,
        paraphrases_right=2,
        neighbours=1,
        neighbours_reached=0,
        judged_at=scene.clock(),
    )


def an_answer(correction: Correction, position: int = 0, asked_as: AskedAs = AskedAs.ALONE) -> LearnedAnswer:
    return LearnedAnswer(position, asked_as, correction.id, "Where is my parcel?", "On it!", True, 1.0, 0.1)


async def promoted(scene: Scene) -> tuple[Run, Model]:
    run, model = await an_evaluated_run(scene)
    current = await scene.store.models.current(scene.voice.id)
    await scene.store.runs.promote(run.id, run.epoch, current.seq, by="actor_finetone", why="w", at=scene.clock())
    return run, model


async def test_the_first_verdict_on_a_correction_and_a_model_stands(scene: Scene) -> None:
    correction = await an_approved_correction(scene)
    run, model = await an_evaluated_run(scene)
    first = a_verdict(scene, correction, model)
    assert await scene.store.learned.add(first, [an_answer(correction), an_answer(correction, 1, AskedAs.SERVED)])
    assert not await scene.store.learned.add(
        replace(first, verdict=LearnedVerdict.NOT_YET, in_weights=False), [an_answer(correction, 7)]
    )
    for found in (
        await scene.store.learned.of_run(run.id),
        await scene.store.learned.of_model(model.id),
        await scene.store.learned.of_correction(correction.id),
        await scene.store.learned.of_voice(scene.voice.id),
    ):
        assert found == [first]
    said = await scene.store.learned.answers(correction.id, model.id)
    assert [(answer.position, answer.asked_as) for answer in said] == [(0, AskedAs.ALONE), (1, AskedAs.SERVED)]
    assert await scene.store.learned.judged(scene.voice.id) == {correction.id: first.judged_at}
    [written] = await scene.store.audit.entries(1, subject=correction.id)
    assert (written.verb, written.detail) == ("judge_learned", {"model_id": model.id, "verdict": "learned"})


async def test_a_verdict_on_no_correction_or_no_model_is_refused(scene: Scene) -> None:
    correction = await an_approved_correction(scene)
    _, model = await an_evaluated_run(scene)
    for broken in (
        replace(a_verdict(scene, correction, model), correction_id="corr_none"),
        replace(a_verdict(scene, correction, model), model_id="model_none"),
    ):
        with pytest.raises(ConstraintBroken):
            await scene.store.learned.add(broken, [])


async def test_only_what_is_learned_and_nowhere_else_leaves_recall(scene: Scene) -> None:
    _, model = await an_evaluated_run(scene)
    ids: dict[LearnedVerdict, str] = {}
    for number, verdict in enumerate(LearnedVerdict):
        correction = await an_approved_correction(scene, f"import:a.csv:{number}")
        ids[verdict] = correction.id
        await scene.store.learned.add(a_verdict(scene, correction, model, verdict), [])
    assert await scene.store.learned.learned_by(model.id) == {ids[LearnedVerdict.LEARNED]}
    assert await scene.store.learned.learned_by("model_other") == frozenset()


async def test_the_ledger_holds_what_a_promoted_model_learned_and_is_still_in_force(scene: Scene) -> None:
    kept = await an_approved_correction(scene, "import:a.csv:1")
    replaced = await _approved_of_a_reply(scene, "On it!")
    _, candidate = await an_evaluated_run(scene)
    for correction in (kept, replaced):
        await scene.store.learned.add(a_verdict(scene, correction, candidate), [])
    assert await scene.store.learned.ledger(scene.voice.id) == frozenset()  # nobody lost what a candidate knew
    run = await scene.store.runs.get(candidate.run_id or "")
    current = await scene.store.models.current(scene.voice.id)
    await scene.store.runs.promote(run.id, run.epoch, current.seq, by="actor_finetone", why="w", at=scene.clock())
    assert await scene.store.learned.ledger(scene.voice.id) == {kept.id, replaced.id}
    await _approved_of_a_reply(scene, "On its way!")
    assert await scene.store.learned.ledger(scene.voice.id) == {kept.id}


async def _approved_of_a_reply(scene: Scene, text: str) -> Correction:
    """An approved correction of the one reply, which takes the place of the one before."""
    proposal, _ = await scene.store.corrections.propose(a_proposal(scene, await a_reply(scene), text=text))
    decided = await scene.store.corrections.approve_many([proposal.id], scene.moderator.id, "", at=scene.clock())
    assert decided == 1
    return await scene.store.corrections.get(proposal.id)


async def test_who_wrote_a_correction_is_told_once_of_the_first_model_that_serves_and_learned_it(scene: Scene) -> None:
    learned, since = scene.store.learned, scene.clock()
    where = (scene.moderator.platform, scene.voice.id, since, 10)
    corrections = [await an_approved_correction(scene, f"import:a.csv:{number}") for number in range(2)]
    _, model = await promoted(scene)
    await learned.add(a_verdict(scene, corrections[0], model), [])
    await learned.add(a_verdict(scene, corrections[1], model, LearnedVerdict.NOT_YET), [])
    mine = (model.id, scene.moderator.id)
    assert await learned.untold(*where) == {mine: [corrections[0].id]}
    assert await learned.untold("slack", scene.voice.id, since, 10) == {}
    assert await learned.untold(where[0], scene.voice.id, scene.clock(), 10) == {}
    assert await learned.tell(*mine, [corrections[0].id], "post_1", at=scene.clock()) == [corrections[0].id]
    assert await learned.tell(*mine, [corrections[0].id], "post_2", at=scene.clock()) == []
    assert [each.told_in for each in await learned.told_in("post_1")] == ["post_1"]

    _, later = await promoted(scene)
    for correction in corrections:
        await learned.add(a_verdict(scene, correction, later), [])
    assert await learned.untold(*where) == {(later.id, scene.moderator.id): [corrections[1].id]}


async def test_who_wrote_an_over_generalised_correction_is_told_of_the_first_model_that_serves(scene: Scene) -> None:
    learned, since = scene.store.learned, scene.clock()
    where = (scene.moderator.platform, scene.voice.id, since, 10)
    correction = await an_approved_correction(scene)
    _, stopped = await an_evaluated_run(scene)
    await learned.add(a_verdict(scene, correction, stopped, LearnedVerdict.OVER_GENERALISED), [])
    assert await learned.untold(*where) == {}  # nobody is served by it
    run = await scene.store.runs.get(stopped.run_id or "")
    await scene.store.runs.advance(
        run.id, run.epoch, run.state, RunState.STOPPED, at=scene.clock(), end_reason="It was no better."
    )
    for number in range(2):
        _, model = await promoted(scene)
        await learned.add(a_verdict(scene, correction, model, LearnedVerdict.OVER_GENERALISED), [])
        mine = (model.id, scene.moderator.id)
        assert await learned.untold(*where) == ({mine: [correction.id]} if number == 0 else {})
        if number == 0:
            card, _ = await scene.store.postings.intend(
                scene.moderator.platform, PostingKind.LEARNED, told_to(*mine), 0, "D1", at=scene.clock()
            )
            assert await learned.untold(*where) == {mine: [correction.id]}  # intended, and not sent
            await scene.store.postings.landed(card.id, "1.1")
            assert await learned.tell(*mine, [correction.id], card.id, at=scene.clock()) == []
            assert await learned.untold(*where) == {}
            assert [each.model_id for each in await learned.told_in(card.id)] == [model.id]
    _, wiser = await promoted(scene)
    await learned.add(a_verdict(scene, correction, wiser), [])
    assert await learned.untold(*where) == {(wiser.id, scene.moderator.id): [correction.id]}


async def test_a_message_about_an_over_generalised_correction_is_behind_once_the_question_it_names_is_erased(
    scene: Scene,
) -> None:
    theirs = await _approved_of_a_reply(scene, "On it!")
    other = await an_approved_correction(scene)
    _, model = await promoted(scene)
    near = replace(an_answer(theirs, 0, AskedAs.NEIGHBOUR), is_right=False)
    await scene.store.learned.add(a_verdict(scene, other, model, LearnedVerdict.OVER_GENERALISED), [near])
    subject = told_to(model.id, scene.moderator.id)
    posting, _ = await scene.store.postings.intend("slack", PostingKind.LEARNED, subject, 0, "D1", at=scene.clock())
    await scene.store.postings.landed(posting.id, "1.1")
    await scene.store.postings.shows(posting.id, LAST)
    await scene.store.erasures.erase_person(scene.moderator, by="actor_finetone", at=scene.clock())
    [standing] = await scene.store.postings.of(PostingKind.LEARNED, subject)
    assert standing.shown == ""
    assert [answer.question for answer in await scene.store.learned.answers(other.id, model.id)] == [""]


async def test_a_correction_told_of_two_models_is_refused_by_the_database(scene: Scene) -> None:
    correction = await an_approved_correction(scene)
    _, first = await promoted(scene)
    _, second = await promoted(scene)
    told = replace(a_verdict(scene, correction, first), told_at=scene.clock(), told_in="post_1")
    assert await scene.store.learned.add(told, [])
    again = replace(a_verdict(scene, correction, second), told_at=scene.clock(), told_in="post_2")
    assert not await scene.store.learned.add(again, [])


async def test_erasing_a_correction_empties_what_was_said_about_it_also_in_others_verdicts(scene: Scene) -> None:
    theirs = await _approved_of_a_reply(scene, "On it!")
    other = await an_approved_correction(scene)
    _, model = await promoted(scene)
    near = replace(an_answer(theirs, 1, AskedAs.NEIGHBOUR), is_right=True)
    await scene.store.learned.add(a_verdict(scene, theirs, model), [an_answer(theirs)])
    await scene.store.learned.add(a_verdict(scene, other, model), [an_answer(other), near])
    subject = told_to(model.id, scene.moderator.id)
    posting, _ = await scene.store.postings.intend("slack", PostingKind.LEARNED, subject, 0, "D1", at=scene.clock())
    await scene.store.postings.landed(posting.id, "1.1")
    await scene.store.postings.shows(posting.id, "both")
    told = await scene.store.learned.tell(
        model.id, scene.moderator.id, [theirs.id, other.id], posting.id, at=scene.clock()
    )
    assert len(told) == 2

    await scene.store.erasures.erase_person(scene.moderator, by="actor_finetone", at=scene.clock())

    assert [answer.answer for answer in await scene.store.learned.answers(theirs.id, model.id)] == [""]
    assert [answer.answer for answer in await scene.store.learned.answers(other.id, model.id)] == ["On it!", ""]
    assert [answer.question for answer in await scene.store.learned.answers(other.id, model.id)][1] == ""
    assert [each.correction_id for each in await scene.store.learned.told_in(posting.id)] == [other.id]
    [standing] = await scene.store.postings.of(PostingKind.LEARNED, subject)
    assert standing.shown == ""
    assert [each.verdict for each in await scene.store.learned.of_correction(theirs.id)] == [LearnedVerdict.LEARNED]


async def test_a_correction_is_critical_from_when_somebody_says_so(scene: Scene) -> None:
    correction = await an_approved_correction(scene)
    assert not correction.is_critical
    card, _ = await scene.store.postings.intend(
        "slack", PostingKind.REVIEW, correction.id, 0, "T1/C1", at=scene.clock()
    )
    await scene.store.postings.landed(card.id, "1.1", place="T1/C1")
    await scene.store.postings.shows(card.id, LAST)
    assert await scene.store.postings.decided_reviews("slack", 9) == []
    for wanted in (True, True, False):
        found = await scene.store.corrections.set_critical(correction.id, wanted, scene.moderator.id, at=scene.clock())
        assert found.is_critical is wanted
    assert [each.id for each in await scene.store.postings.decided_reviews("slack", 9)] == [card.id]  # shown anew
    verbs = [entry.verb for entry in await scene.store.audit.entries(3, subject=correction.id)]
    assert verbs[:2] == ["unmark_critical", "mark_critical"]
    assert verbs.count("mark_critical") == 1
