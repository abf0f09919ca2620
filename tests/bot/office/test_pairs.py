"""Blind pairs in chat, as every platform shows them."""

from dataclasses import replace

import pytest

from bot.moderation import NotAllowed
from bot.office.office import Office
from bot.office.pairs import pairs
from bot.office.telling import Told
from storage.records import Actor, Preference, Run, Suite, Trigger
from tests.bot.conftest import Team
from tests.curation.report.scenes import an_evaluation, sample


def how_to(number: int) -> str:
    return f"Say pairs {number}."


async def compared(team: Team, pairs_to_judge: int = 2) -> Run:
    run, _ = await team.store.runs.request(team.voice.id, "base", Trigger.PERSON, team.ada.id, at=team.clock())
    samples = [sample(n, 0.2, 0.4) for n in range(pairs_to_judge)]
    evaluation = an_evaluation(*samples, sample(9, 0.0, 1.0, Suite.GENERAL))
    await team.store.runs.save_evaluation(replace(evaluation, run_id=run.id))
    return run


async def asked(office: Office, actor: Actor, number: int | None = None, side: str = "") -> Told:
    return await pairs(office, actor, number, side, how_to)


def shown(told: Told) -> dict[str, str]:
    return {line.label: line.words for line in told.lines if line.label}


async def test_pairs_are_judged_one_after_the_other_without_a_name_in_sight(office: Office, team: Team):
    run = await compared(team)
    first = await asked(office, team.mia)
    assert sorted((shown(first)["Left"], shown(first)["Right"]))[0].startswith("After")
    said = " ".join(line.words for line in first.lines)
    assert "Say pairs 1." in said
    assert "2 pairs left for you." in said
    assert "model" not in said.replace("one model is preferred", "")
    side = "left" if shown(first)["Left"].startswith("After") else "right"
    second = await asked(office, team.mia, 1, side)
    assert second.lines[0].words == "Thank you, kept."
    assert shown(second)["Question"] != shown(first)["Question"]
    last = await asked(office, team.mia, 2, "same")
    assert "Nothing is left for you here." in [line.words for line in last.lines]
    votes = await team.store.blind_pairs.of_run(run.id)
    assert [vote.preference for vote in votes] == [Preference.CANDIDATE, Preference.NEITHER]


@pytest.mark.parametrize("number", [None, 1, 7], ids=["none", "twice", "unknown"])
async def test_a_choice_that_comes_twice_or_for_no_pair_changes_nothing(office: Office, team: Team, number: int | None):
    run = await compared(team)
    await asked(office, team.mia, 1, "left")
    before = await team.store.blind_pairs.of_run(run.id)
    again = await asked(office, team.mia, number, "right")
    assert again.lines[0].words == f"Pair {number} does not wait for you, so nothing was kept."
    assert await team.store.blind_pairs.of_run(run.id) == before


async def test_another_word_is_no_choice(office: Office, team: Team):
    run = await compared(team)
    wrong = await asked(office, team.mia, 1, "up")
    assert wrong.lines[0].words == "“up” is no choice here; there are left, right, same."
    assert await team.store.blind_pairs.of_run(run.id) == []


async def test_before_a_comparison_there_are_none_and_only_moderators_are_asked(office: Office, team: Team):
    assert (await asked(office, team.mia)).lines[0].words.startswith("No new model has been compared yet")
    with pytest.raises(NotAllowed):
        await asked(office, team.cleo)
