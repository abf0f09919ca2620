"""What the learning bench measures by: its moderators and its judge go by the same rules, and its numbers are of its own rows."""

import pytest

from bench.learning import beside_by_default, promises, table
from bench.learning_brands import BRANDS, Group, asked_of, corrections, read_brand
from bench.learning_plot import plot
from bench.learning_ways import Way


@pytest.mark.parametrize("name", BRANDS)
def test_what_a_moderator_writes_is_right_and_keeps_every_tone_rule(name: str):
    brand = read_brand(name)
    for question in corrections(brand, 1, 100):
        assert question.fact is not None
        written = brand.answer(question.fact, question.item)
        assert brand.is_right(written, question.fact)
        assert brand.kept_tones(written) == 1
        others = [fact for fact in brand.facts if fact != question.fact]
        assert not any(brand.is_right(written, fact) for fact in others)
        assert brand.states_a_fact(written)


@pytest.mark.parametrize("name", BRANDS)
def test_fewer_corrections_are_the_first_of_more_and_nothing_unseen_is_among_them(name: str):
    brand = read_brand(name)
    hundred = corrections(brand, 2, 100)
    assert len(hundred) == len({question.text for question in hundred}) == 100
    assert corrections(brand, 2, 25) == hundred[:25]
    asked = asked_of(brand, 2, hundred[:50], 50)
    taught = {question.text for question in hundred}
    assert all((question.text in taught) is (question.group is Group.CORRECTED) for question in asked)
    assert {group: sum(q.group is group for q in asked) for group in Group} == {
        Group.CORRECTED: 50,
        Group.NEAR: 25,
        Group.FAR: 25,
        Group.UNSEEN: 25,
        Group.OFF_TOPIC: 25,
    }


@pytest.mark.parametrize("name", BRANDS)
def test_the_prompt_tells_nothing_of_the_voice(name: str):
    brand = read_brand(name)
    assert not brand.states_a_fact(brand.prompt)
    assert brand.opening not in brand.prompt
    assert brand.closing not in brand.prompt


def test_an_unknown_brand_is_named_with_those_there_are():
    with pytest.raises(KeyError, match=r"toucan is no brand; there are ember, lantern, puffin"):
        read_brand("toucan")


def a_cell(
    way: Way, count: int, *, right: dict[Group, int], of: int = 10, false: int = 0, general: float = 0.5
) -> dict:
    answers = [
        {
            "group": group,
            "question": f"{group} {number}",
            "answer": "",
            "right": number < right.get(group, 0),
            "tone": 1.0,
            "false": group is Group.OFF_TOPIC and number < false,
            "prompt_tokens": 20,
            "seconds": 2.0,
        }
        for group in Group
        for number in range(of)
    ]
    row = {"brand": "puffin", "seed": 1, "corrections": count, "way": way, "most": of, **beside_by_default(way)}
    asked = [{"question": f"general {number}", "score": general} for number in range(4)]
    return {**row, "training_s": 30.0, "general answers": asked, "answers": answers}


def test_a_row_of_the_table_is_counted_from_its_answers():
    earlier = a_cell(Way.AS_SERVED, 25, right={Group.CORRECTED: 10})
    now = a_cell(Way.AS_SERVED, 50, right={Group.CORRECTED: 8, Group.NEAR: 6, Group.FAR: 4}, false=1, general=0.4)
    base = a_cell(Way.NOTHING, 50, right={})
    rows = {(row["corrections"], row["way"]): row for row in table([earlier, now, base])}
    ours = rows[50, Way.AS_SERVED]
    assert (ours["corrected"], ours["near"], ours["far"], ours["paraphrases"]) == (0.8, 0.6, 0.4, 0.5)
    assert (ours["false facts"], ours["un-learned"], ours["general loss"]) == (0.1, 0.2, 0.1)
    assert ours["general loss 95%"] == [0.1, 0.1]
    assert (ours["training s"], ours["first fixed s"], ours["prompt tokens"]) == (30.0, 32.0, 20.0)
    assert ours["corrected 95%"][0] < 0.8 < ours["corrected 95%"][1]


def test_a_cell_that_was_refused_is_no_row():
    refused = {"brand": "puffin", "seed": 1, "corrections": 0, "way": Way.SFT, "most": 10, "refused": "0 examples"}
    assert table([refused]) == []


def test_the_promises_are_of_the_shipped_way_against_every_other_that_is_as_true():
    everything = dict.fromkeys(Group, 10)
    ours = a_cell(Way.AS_SERVED, 50, right=everything)
    cache = a_cell(Way.CACHE, 50, right={Group.CORRECTED: 10})
    liar = a_cell(Way.SFT_RECALL, 50, right=everything, false=10)
    kept = {promise.name: promise for promise in promises([ours, cache, liar])}
    assert kept["corrected, as shipped, 50 corrections"].holds
    assert kept[f"lead over {Way.CACHE}, where both are measured"].value == 0.667
    assert not any(Way.SFT_RECALL in name for name in kept)  # who states more false facts is no rival
    assert promises([cache]) == []
    assert promises([{**ours, "off topic": 0.1}, cache]) == []  # somebody's own shares are not what is promised of


def test_two_ways_are_compared_on_the_brands_that_both_were_measured_on():
    good, poor = dict.fromkeys(Group, 10), {Group.CORRECTED: 5, Group.NEAR: 5, Group.FAR: 5, Group.UNSEEN: 5}
    easy, hard = a_cell(Way.AS_SERVED, 50, right=good), {**a_cell(Way.AS_SERVED, 50, right=poor), "brand": "ember"}
    rival = a_cell(Way.AS_SERVED_DPO, 50, right=good)  # on the easy brand alone
    kept = {promise.name: promise for promise in promises([easy, hard, rival])}
    assert kept["corrected, as shipped, 50 corrections"].value == 0.75
    assert kept[f"lead over {Way.AS_SERVED_DPO}, where both are measured"].value == 0
    assert not any(Way.SFT in name for name in kept)
    elsewhere = {**rival, "brand": "lantern"}
    assert not any("lead" in promise.name for promise in promises([easy, hard, elsewhere]))


def test_the_plot_has_a_line_for_each_way():
    rows = table([a_cell(Way.AS_SERVED, 50, right={Group.CORRECTED: 5}), a_cell(Way.CACHE, 50, right={})])
    drawn = plot(rows)
    assert drawn.count("<polyline") == 2
    assert "as served, with recall" in drawn
