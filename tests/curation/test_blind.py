"""Pairs of answers without names: who is asked about which, in what order."""

from dataclasses import replace

from curation.blind import blind_pair, counted_pairs, pairs_for
from storage.records import PairVote, Preference, Suite
from tests.curation.report.scenes import NOW, an_evaluation, sample

SAMPLES = [sample(n, 0.2, 0.4) for n in range(40)]


def test_a_moderator_is_asked_about_every_pair_once_in_an_order_of_their_own():
    evaluation = an_evaluation(*SAMPLES)
    ada, bo = (pairs_for(evaluation, name, {}, []) for name in ("ada", "bo"))
    ids = [[pair.sample.correction_id for pair in pairs] for pairs in (ada, bo)]
    assert sorted(ids[0]) == sorted(ids[1]) == sorted(each.correction_id for each in SAMPLES)
    assert ids[0] != ids[1]
    chosen = PairVote("run_1", ids[0][0], "ada", Preference.NEITHER, True, NOW)
    assert [pair.sample.correction_id for pair in pairs_for(evaluation, "ada", {}, [chosen])] == ids[0][1:]
    assert len(pairs_for(evaluation, "bo", {}, [chosen])) == 40


def test_the_sides_are_drawn_by_chance_and_stay_as_they_are():
    first = [blind_pair("run_1", each, "ada") for each in SAMPLES]
    assert [blind_pair("run_1", each, "ada") for each in SAMPLES] == first
    assert 8 <= sum(pair.candidate_first for pair in first) <= 32
    pair = first[0]
    assert pair.texts[0 if pair.candidate_first else 1] == pair.sample.candidate_text


def test_own_corrections_the_same_answer_other_suites_and_erased_words_are_left_out():
    one = sample(1, 0.2, 0.4)
    samples = [
        one,
        replace(one, correction_id="same", candidate_text=one.incumbent_text + " "),
        replace(one, correction_id="suite", suite=Suite.GENERAL),
        replace(one, correction_id="erased", question="", incumbent_text="", candidate_text=""),
        replace(one, correction_id="own"),
    ]
    found = pairs_for(an_evaluation(*samples), "ada", {"own": "ada", "c1": "bo"}, [])
    assert [pair.sample.correction_id for pair in found] == ["c1"]


def test_no_votes_are_no_pairs():
    assert counted_pairs([]).total == 0
