"""What moderators found of blind pairs, and what a voice's answers keep to."""

from dataclasses import replace

import pytest

from storage.errors import ConstraintBroken, NotFound
from storage.records import PairVote, Preference
from tests.storage.scenes import Scene, a_run, an_evaluation


def a_vote(scene: Scene, run_id: str, sample_id: str = "corr_1") -> PairVote:
    return PairVote(run_id, sample_id, scene.moderator.id, Preference.CANDIDATE, True, scene.clock())


async def test_the_first_word_of_a_person_on_a_pair_stands_and_is_in_the_audit_once(scene: Scene) -> None:
    run = await a_run(scene)
    first = a_vote(scene, run.id)
    assert await scene.store.blind_pairs.choose(first)
    assert not await scene.store.blind_pairs.choose(
        replace(first, preference=Preference.NEITHER, given_at=scene.clock())
    )
    assert await scene.store.blind_pairs.of_run(run.id) == [first]
    said = [entry.detail.get("preference") for entry in await scene.store.audit.entries(9, subject=run.id)]
    assert said.count("candidate") == 1
    assert "neither" not in said


async def test_two_people_and_two_pairs_are_kept_apart_and_found_by_voice(scene: Scene) -> None:
    run = await a_run(scene)
    other = await scene.store.people.ensure_actor("console", "bo", "Bo", at=scene.clock())
    votes = [
        a_vote(scene, run.id),
        a_vote(scene, run.id, "corr_2"),
        replace(a_vote(scene, run.id), actor_id=other.id),
    ]
    for vote in votes:
        await scene.store.blind_pairs.choose(vote)
    assert await scene.store.blind_pairs.of_run(run.id) == votes
    assert await scene.store.blind_pairs.of_voice(scene.voice.id) == votes
    elsewhere = await scene.store.voices.ensure("Other", "You are Other.", "smol", at=scene.clock())
    assert await scene.store.blind_pairs.of_voice(elsewhere.id) == []


async def test_a_choice_on_no_run_is_refused(scene: Scene) -> None:
    with pytest.raises(ConstraintBroken):
        await scene.store.blind_pairs.choose(a_vote(scene, "run_nowhere"))


async def test_checks_hold_until_others_are_set_and_who_set_them_is_audited(scene: Scene) -> None:
    voices = scene.store.voices
    assert await voices.checks(scene.voice.id) == {}
    for checks in ({"language": "de"}, {"length": {"most_words": 80}}):
        await voices.set_checks(scene.voice.id, checks, by=scene.moderator.id, at=scene.clock())
    assert await voices.checks(scene.voice.id) == {"length": {"most_words": 80}}
    entry = (await scene.store.audit.entries(1, subject=scene.voice.id))[0]
    assert (entry.verb, entry.actor_id) == ("set_checks", scene.moderator.id)
    assert entry.detail == {"checks": {"length": {"most_words": 80}}}


async def test_checks_of_no_voice_are_refused(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.store.voices.set_checks("voice_nobody", {}, by=scene.moderator.id, at=scene.clock())


async def test_an_evaluation_keeps_what_it_counted(scene: Scene) -> None:
    run = await a_run(scene)
    counted = {"arms": {"candidate": {"distinct_2": 0.5}}}
    evaluation = replace(an_evaluation(run, scene.clock()), measures=counted)
    await scene.store.runs.save_evaluation(evaluation)
    assert await scene.store.runs.evaluation(run.id) == evaluation
