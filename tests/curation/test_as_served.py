"""Training examples get the fixes that a reply would get, and never the answer they are to learn or to be judged by."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.reporting import read_run_report
from curation.as_served import AsServed, is_of_share
from curation.asking import Arm, Asker
from curation.dataset import HELD_OUT_FILE, Dataset, Rules, build_dataset
from curation.examples import Example, Provenance, Selection
from curation.exporting import fixes_before
from curation.fixes import is_as_served, shape, trained_for_another, word_for_word
from curation.gathering import Press
from curation.recall import Fix, Place, RecallIndex
from curation.report import markdown
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.records import Message, Run, RunState, Scope, Side
from tests.curation.conftest import House, words

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RULES = Rules(minimum_train=2, minimum_held_out=1, held_out_share=0.3, context_tokens=200)
ASKED = {
    "a": "How long is a gift voucher valid?",
    "b": "Gift vouchers: how long are they valid?",
    "c": "For how long would my gift voucher be valid?",
    "d": "Is a gift voucher valid in every shop?",
    "e": "Can I return blue shoes?",
    "f": "May blue shoes be returned after a walk?",
}


def an_example(id: str, group: str = "", channel: str = "") -> Example:
    return Example(id, group or f"group {id}", (), ASKED[id], f"Answer {id}.", provenance=Provenance(channel=channel))


def a_fix(id: str, scope: Scope = Scope.VOICE, channel: str = "") -> Fix:
    return Fix(id, ASKED[id], f"Answer {id}.", scope, "v", channel, NOW)


def build(
    examples: list[Example], fixes: list[Fix], known: dict[str, Side], context_tokens: int = 200, astray: float = 1
) -> Dataset:
    as_served = AsServed(None, 300, without=0, astray=astray)
    return build_dataset(
        Selection(tuple(examples), ()),
        known,
        system_prompt="Be kind.",
        rules=replace(RULES, context_tokens=context_tokens),
        count_tokens=words,
        counter_name="words",
        served=as_served.over(fixes, "v", "Be kind.", words),
        shape=as_served.shape,
    )


def sides(train: str, held_out: str) -> dict[str, Side]:
    return {f"group {id}": Side.TRAIN for id in train} | {f"group {id}": Side.HELD_OUT for id in held_out}


def shown(dataset: Dataset) -> dict[str, set[str]]:
    return {example.source_id: set(example.fix_ids) for example in (*dataset.train, *dataset.held_out)}


def test_an_example_is_shown_what_recall_shows_for_its_question_and_never_itself():
    found = shown(build([an_example(id) for id in "abef"], [a_fix(id) for id in "abef"], sides("abe", "f")))
    assert found["a"] == {"b"}
    assert found["b"] == {"a"}


def test_what_is_trained_on_is_shown_nothing_that_is_kept_back_to_judge_by_and_what_is_kept_back_sees_both():
    found = shown(build([an_example(id) for id in "abcd"], [a_fix(id) for id in "abcd"], sides("ab", "cd")))
    assert all(not found[id] & {"c", "d"} for id in "ab")
    assert found["c"] & {"a", "b"}


def test_an_example_is_never_shown_its_own_group():
    examples = [an_example("a", "one"), an_example("b", "one"), an_example("e"), an_example("f")]
    found = shown(build(examples, [a_fix(id) for id in "abef"], {"one": Side.TRAIN} | sides("e", "f")))
    assert found["a"] == found["b"] == set()


def test_a_correction_of_one_channel_is_shown_to_questions_of_that_channel_alone():
    examples = [
        an_example("a", channel="slack/C1"),
        an_example("b", channel="slack/C2"),
        an_example("e"),
        an_example("f"),
    ]
    fixes = [a_fix("a", Scope.CHANNEL, "slack/C1"), a_fix("b", Scope.CHANNEL, "slack/C2"), a_fix("e"), a_fix("f")]
    found = shown(build(examples, fixes, sides("abe", "f")))
    assert found["a"] == found["b"] == set()


def test_an_example_that_would_grow_too_long_goes_without_and_stays():
    examples, fixes = [an_example(id) for id in "abef"], [a_fix(id) for id in "abef"]
    built = build(examples, fixes, sides("abe", "f"), context_tokens=14)
    assert shown(built) == {"a": set(), "b": set(), "e": set(), "f": set()}
    assert built.card["with_fixes"] == 0


def test_the_same_share_goes_without_fixes_every_time():
    without = [is_of_share("without", f"corr_{number}", 0.2) for number in range(2_000)]
    assert sum(without) / 2_000 == pytest.approx(0.2, abs=0.03)
    assert without == [is_of_share("without", f"corr_{number}", 0.2) for number in range(2_000)]
    assert not any(is_of_share("without", f"corr_{number}", 0.0) for number in range(200))
    astray = [is_of_share("astray", f"corr_{number}", 0.2) for number in range(2_000)]
    both = sum(one and other for one, other in zip(without, astray, strict=True))
    assert both / 2_000 == pytest.approx(0.04, abs=0.02)  # the two have nothing to do with each other


def test_what_is_learned_is_shown_only_fixes_that_say_the_same_and_what_is_judged_by_whatever_is_recalled():
    """Else it would learn to pass fixes over: serving, where its own is there, they are nearly always right."""
    same = replace(an_example("b"), answer="Answer a.")
    fixes = [a_fix("a"), replace(a_fix("b"), answer="Answer a."), a_fix("c"), a_fix("d")]
    examples = [an_example("a"), same, an_example("c"), an_example("d")]
    found = shown(build(examples, fixes, sides("abc", "d"), astray=0))
    assert (found["a"], found["b"], found["c"]) == ({"b"}, {"a"}, set())
    assert found["d"]
    assert shown(build(examples, fixes, sides("abc", "d")))["c"] == {"a", "b"}


def test_an_example_sees_just_what_a_reply_would_be_asked_with():
    """Serving recalls over an index of the same fixes, without the one that the example teaches."""
    fixes = [a_fix(id) for id in "abcef"]
    index = RecallIndex()
    index.add_all(fixes)
    recalled = index.recall(ASKED["c"], Place("v", ""), NOW, without={"c"})
    found = shown(build([an_example(id) for id in "abcef"], fixes, sides("abe", "cf")))
    assert found["c"] == {each.fix.id for each in recalled[:2]}


def test_a_question_of_one_word_for_word_is_answered_by_the_moderators_words():
    index = RecallIndex()
    index.add_all([a_fix(id) for id in "ae"])
    found = index.recall("how long is a gift voucher valid", Place("v", ""), NOW)
    known = word_for_word(found, "how long is a gift voucher valid", ())
    assert known is not None
    assert known.fix.id == "a"
    similar = index.recall(ASKED["d"], Place("v", ""), NOW)
    assert [each.fix.id for each in similar] == ["a"]
    assert word_for_word(similar, ASKED["d"], ()) is None


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    ("trained", "finder", "differs"),
    [
        ("", "recall-2:words", False),
        ("chat-1", "recall-2:words", False),
        ("chat-1 fixes-1 recall-2:words", "recall-2:words", False),
        ("chat-1 fixes-1 recall-2:wordllama", "recall-2:words", True),
        ("chat-0", "recall-2:words", True),
        ("chat-1 fixes-0 recall-2:words", "recall-2:words", True),
    ],
    ids=["a base", "without fixes", "the same", "another retriever", "another prompt", "other exchanges"],
)
def test_a_model_trained_for_another_shape_is_known_as_such(trained: str, finder: str, differs: bool):
    assert bool(trained_for_another(trained, shape(finder))) is differs


@pytest.mark.parametrize(("trained", "sees"), [("", True), ("chat-1", False), ("chat-1 fixes-1 recall-2:words", True)])
def test_a_model_is_asked_with_fixes_where_it_was_trained_with_them(trained: str, sees: bool):
    assert is_as_served(trained) is sees


# ---------------------------------------------------------------- a run


@pytest.mark.parametrize("sees", [True, False])
async def test_a_held_out_question_is_asked_with_its_fixes_where_the_model_serves_with_them(sees: bool):
    fixes = (Message("user", "How long?"), Message("assistant", "Three years."))
    provider = FakeProvider()
    asker = Asker(provider, words, Sampling(50), 500)
    arm = Arm("candidate", "base", "Be kind.", sees_fixes=sees)
    await asker.sample(replace(an_example("a"), fixes=fixes), arm, arm, ())
    for _, messages in provider.asked:
        assert list(messages[1:-1]) == (list(fixes) if sees else [])


def test_the_fixes_of_held_out_lines_are_read_back_as_they_were_built():
    examples, fixes = [an_example(id) for id in "abcef"], [a_fix(id) for id in "abcef"]
    built = build(examples, fixes, sides("abe", "cf"))
    counts = {position: len(example.fix_ids) for position, example in enumerate(built.held_out)}
    read = fixes_before(built.files[HELD_OUT_FILE], counts)
    assert {position: read.get(position, ()) for position in counts} == {
        position: example.fixes for position, example in enumerate(built.held_out)
    }
    assert any(read.values())
    assert fixes_before(b'{"erased": true}\n', {0: 2}) == {}


async def test_a_runs_model_has_the_shape_of_its_version(house: House):
    recipe = replace(house.workshop.recipe, as_served=AsServed(None, 500))
    house.workshop = replace(house.workshop, recipe=recipe)
    await house.approve(*range(20))
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    serving = await house.store.models.current(house.voice.id)
    assert serving.model.shape == "chat-1 fixes-1 recall-2:words"
    version = await house.store.datasets.get(run.dataset_version_id or "")
    assert version.card["shape"] == serving.model.shape
    assert "another shape" not in await report_served_with(house, run, "recall-2:words")
    said = "Trained for another shape. It was trained on prompts of the shape “chat-1 fixes-1 recall-2:words”"
    assert said in await report_served_with(house, run, "recall-2:wordllama")


async def report_served_with(house: House, run: Run, finder: str) -> str:
    return markdown(await read_run_report(house.store, run, house.workshop.tariff, served=shape(finder)))


def test_a_press_without_fixes_says_so():
    assert Press(RULES, words, "words").shape == "chat-1"
