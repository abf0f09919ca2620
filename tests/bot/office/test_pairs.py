"""Blind pairs in chat, as every platform shows them."""

from dataclasses import replace

import pytest

from bot.moderation import NotAllowed
from bot.office.office import Office
from bot.office.pairs import pairs, pick
from bot.office.telling import Told
from storage.records import Actor, Preference, Run, Suite, Trigger
from tests.bot.conftest import Team
from tests.curation.report.scenes import an_evaluation, sample


async def compared(team: Team, pairs_to_judge: int = 2) -> Run:
    run, _ = await team.store.runs.request(team.voice.id, "base", Trigger.PERSON, team.ada.id, at=team.clock())
    samples = [sample(n, 0.2, 0.4) for n in range(pairs_to_judge)]
    evaluation = an_evaluation(*samples, sample(9, 0.0, 1.0, Suite.GENERAL))
    await team.store.runs.save_evaluation(replace(evaluation, run_id=run.id))
    return run


async def asked(office: Office, actor: Actor, number: int | None = None, side: str = "") -> Told:
    return await pairs(office, actor, number, side)


def shown(told: Told) -> dict[str, str]:
    return {line.label: line.words for line in told.lines if line.label}


async def test_pairs_are_judged_one_after_the_other_without_a_name_in_sight(office: Office, team: Team):
    run = await compared(team)
    first = await asked(office, team.mia)
    assert sorted((shown(first)["A"], shown(first)["B"]))[0].startswith("After")
    assert [offer.label for offer in first.offers] == ["A is better", "B is better", "Equally good", "Neither is good"]
    said = " ".join(line.words for line in first.lines)
    assert "2 pairs left for you." in said
    assert "model" not in said.replace("one model is preferred", "")
    side = "a" if shown(first)["A"].startswith("After") else "b"
    second = await asked(office, team.mia, 1, side)
    assert second.lines[0].words == "Thank you, kept."
    assert shown(second)["Pair 2"] != shown(first)["Pair 1"]
    last = await asked(office, team.mia, 2, "same")
    assert "Nothing is left for you here." in [line.words for line in last.lines]
    votes = await team.store.blind_pairs.of_run(run.id)
    assert [vote.preference for vote in votes] == [Preference.CANDIDATE, Preference.NEITHER]


@pytest.mark.parametrize("number", [None, 1, 7], ids=["none", "twice", "unknown"])
async def test_a_choice_that_comes_twice_or_for_no_pair_changes_nothing(office: Office, team: Team, number: int | None):
    run = await compared(team)
    await asked(office, team.mia, 1, "a")
    before = await team.store.blind_pairs.of_run(run.id)
    again = await asked(office, team.mia, number, "b")
    assert again.lines[0].words == f"Pair {number} does not wait for you, so nothing was kept."
    assert await team.store.blind_pairs.of_run(run.id) == before


async def test_another_word_is_no_choice(office: Office, team: Team):
    run = await compared(team)
    wrong = await asked(office, team.mia, 1, "up")
    assert wrong.lines[0].words == "“up” is no choice here; there are a, b, same, neither."
    assert await team.store.blind_pairs.of_run(run.id) == []


async def test_before_a_comparison_there_are_none_and_only_moderators_are_asked(office: Office, team: Team):
    assert (await asked(office, team.mia)).lines[0].words.startswith("No new model has been compared yet")
    with pytest.raises(NotAllowed):
        await asked(office, team.cleo)


def pressed(told: Told, label: str) -> tuple[str, str]:
    """What the button with this label carries, and the side it stands for."""
    offer = next(offer for offer in told.offers if offer.label == label)
    return offer.value, offer.action.removeprefix("pick_")


async def test_a_button_keeps_the_choice_and_shows_the_next_pair(office: Office, team: Team):
    run = await compared(team)
    first = await asked(office, team.mia)
    second = await pick(office, team.mia, *pressed(first, "Equally good"))
    assert second.lines[0].words == "Thank you, kept."
    last = await pick(office, team.mia, *pressed(second, "Neither is good"))
    assert last.offers == ()
    votes = await team.store.blind_pairs.of_run(run.id)
    assert [(vote.preference, vote.actor_id) for vote in votes] == [
        (Preference.NEITHER, team.mia.id),
        (Preference.UNFIT, team.mia.id),
    ]


async def test_a_button_pressed_twice_or_under_an_old_pair_changes_nothing(office: Office, team: Team):
    run = await compared(team)
    first = await asked(office, team.mia)
    await pick(office, team.mia, *pressed(first, "A is better"))
    before = await team.store.blind_pairs.of_run(run.id)
    again = await pick(office, team.mia, *pressed(first, "B is better"))
    assert again.lines[0].words == "That pair does not wait for you any more, so nothing was kept."
    assert await team.store.blind_pairs.of_run(run.id) == before
    assert again.offers


async def test_a_button_shown_to_somebody_else_keeps_nothing_of_theirs(office: Office, team: Team):
    run = await compared(team, 6)
    shown_to_mia = [await asked(office, team.mia)]
    for _ in range(5):
        shown_to_mia.append(await pick(office, team.mia, *pressed(shown_to_mia[-1], "A is better")))
    await pick(office, team.mia, *pressed(shown_to_mia[-1], "A is better"))
    for told in shown_to_mia:
        await pick(office, team.both, *pressed(told, "A is better"))
    theirs = [vote for vote in await team.store.blind_pairs.of_run(run.id) if vote.actor_id == team.both.id]
    for vote in theirs:  # only where both saw the same pair with the same sides
        of_pair = [v for v in await team.store.blind_pairs.of_run(run.id) if v.sample_id == vote.sample_id]
        mias = next(v for v in of_pair if v.actor_id == team.mia.id)
        assert (vote.preference, vote.candidate_first) == (mias.preference, mias.candidate_first)
    with pytest.raises(NotAllowed):
        await pick(office, team.cleo, *pressed(shown_to_mia[0], "A is better"))
