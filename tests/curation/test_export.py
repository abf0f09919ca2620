"""Examples leave as a vendor's training file; what the vendor cannot express is named, with its reason."""

import json
from dataclasses import replace
from typing import Any

import pytest

from curation.context import UnknownRole, speakable, stretches
from curation.examples import Example
from curation.export import (
    BYTE_ORDER_MARK,
    CannotExport,
    Export,
    Exportable,
    Limits,
    MethodUnsupported,
    export,
    exportable,
)
from providers.quirks import AZURE, CRUSOE, NEBIUS, OPENAI, TOGETHER, TUNER, VENDORS, Method, Quirks
from storage.records import Message


def user(text: str) -> Message:
    return Message("user", text)


def bot(text: str) -> Message:
    return Message("assistant", text)


TALK = (user("I bought a lamp."), bot("Nice!"))


def case(number: int = 1, **changes: Any) -> Exportable:
    """A correction after one exchange: asked, answered wrongly, put right."""
    fields: dict[str, Any] = {
        "id": f"corr_{number}",
        "history": TALK,
        "question": f"Question {number}?",
        "answer": f"Answer {number}.",
        "rejected": "No idea.",
    }
    return Exportable(**{**fields, **changes})


def rows(made: Export) -> list[dict[str, Any]]:
    return [json.loads(line) for line in made.content.removeprefix(BYTE_ORDER_MARK).splitlines()]


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize("vendor", [TUNER, OPENAI, AZURE, TOGETHER], ids=lambda row: row.name)
def test_where_weights_are_known_an_earlier_bot_turn_is_read_and_not_learned(vendor: Quirks):
    (row,) = rows(export([case()], vendor, Method.SFT, system_prompt="Be kind."))
    assert row == {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "I bought a lamp."},
            {"role": "assistant", "content": "Nice!", "weight": 0},
            {"role": "user", "content": "Question 1?"},
            {"role": "assistant", "content": "Answer 1."},
        ]
    }


@pytest.mark.parametrize("vendor", [NEBIUS, CRUSOE], ids=lambda row: row.name)
def test_without_weights_what_the_bot_said_unapproved_is_not_in_the_file(vendor: Quirks):
    made = export([case()], vendor, Method.SFT)
    assert rows(made) == [
        {"messages": [{"role": "user", "content": "Question 1?"}, {"role": "assistant", "content": "Answer 1."}]}
    ]
    assert made.shortened == ("corr_1",)


def test_without_weights_approved_turns_stay_as_context():
    made = export([case(learnable=frozenset({1}))], NEBIUS, Method.SFT)
    assert [message["content"] for message in rows(made)[0]["messages"]] == [
        "I bought a lamp.",
        "Nice!",
        "Question 1?",
        "Answer 1.",
    ]
    assert made.shortened == ()


def test_without_weights_a_conversation_is_split_at_what_must_not_be_learned():
    history = (user("A?"), bot("Good."), user("B?"), bot("Bad."), user("C?"), bot("Good too."))
    made = export([case(history=history, learnable=frozenset({1, 5}))], CRUSOE, Method.SFT, system_prompt="Be kind.")
    assert [[m["content"] for m in row["messages"]] for row in rows(made)] == [
        ["Be kind.", "A?", "Good."],
        ["Be kind.", "C?", "Good too.", "Question 1?", "Answer 1."],
    ]
    assert [line.example_ids for line in made.lines] == [("corr_1",), ("corr_1",)]


def test_a_pair_keeps_its_whole_context_at_every_vendor_that_compares():
    for vendor in VENDORS.values():
        if Method.DPO in vendor.methods:
            (row,) = rows(export([case()], vendor, Method.DPO))
            assert [m["content"] for m in row["input"]["messages"]] == ["I bought a lamp.", "Nice!", "Question 1?"]
            assert row["preferred_output"] == [{"role": "assistant", "content": "Answer 1."}]
            assert row["non_preferred_output"] == [{"role": "assistant", "content": "No idea."}]
            assert "weight" not in json.dumps(row)


def test_a_bare_mark_becomes_one_line_with_its_label():
    made = export([case(history=(), rejected=None, answer="Dunno.", label=False)], TUNER, Method.KTO)
    assert rows(made) == [
        {
            "prompt": [{"role": "user", "content": "Question 1?"}],
            "completion": [{"role": "assistant", "content": "Dunno."}],
            "label": False,
        }
    ]


def test_a_pair_makes_a_good_and_a_bad_line_for_kto():
    made = export([case()], TUNER, Method.KTO)
    assert [(row["completion"][0]["content"], row["label"]) for row in rows(made)] == [
        ("Answer 1.", True),
        ("No idea.", False),
    ]


# ---------------------------------------------------------------- left out


@pytest.mark.parametrize(
    ("method", "changes", "reason"),
    [
        pytest.param(Method.SFT, {"answer": None}, CannotExport.NO_ANSWER, id="no answer"),
        pytest.param(Method.SFT, {"answer": " \n"}, CannotExport.NO_ANSWER, id="blank answer"),
        pytest.param(Method.SFT, {"question": " "}, CannotExport.NO_QUESTION, id="no question"),
        pytest.param(Method.SFT, {"label": False}, CannotExport.MARKED_BAD, id="a bad answer is never taught"),
        pytest.param(Method.DPO, {"label": False}, CannotExport.MARKED_BAD, id="nor preferred"),
        pytest.param(Method.DPO, {"rejected": None}, CannotExport.NO_REJECTED, id="no pair"),
        pytest.param(Method.DPO, {"rejected": "Answer 1. "}, CannotExport.SAME_ANSWERS, id="a pair of the same"),
        pytest.param(Method.KTO, {"rejected": None}, CannotExport.NO_LABEL, id="no mark"),
        pytest.param(Method.KTO, {"rejected": "Answer 1."}, CannotExport.SAME_ANSWERS, id="marks that contradict"),
        pytest.param(Method.SFT, {"history": (Message("tool", "{}"),)}, CannotExport.ROLE, id="a tool's message"),
        pytest.param(Method.SFT, {"history": (Message("bot", "hi"),)}, CannotExport.ROLE, id="an unknown role"),
        pytest.param(Method.SFT, {"answer": "\ud83d"}, CannotExport.NOT_UNICODE, id="half an emoji"),
    ],
)
def test_what_cannot_be_expressed_is_left_out_by_name(method: Method, changes: dict[str, Any], reason: CannotExport):
    made = export([case(1, **changes), case(2)], TUNER, method)
    assert made.left_out == (("corr_1", reason),)
    assert made.counts() == {reason: 1}
    assert {line.example_ids for line in made.lines} == {("corr_2",)}
    assert f"corr_1 is left out: {reason}." in made.sentences()


def test_a_developers_message_is_known_to_our_server_and_not_to_openai():
    told = case(history=(Message("developer", "Be brief."),))
    assert export([told], TUNER, Method.SFT).left_out == ()
    assert export([told], OPENAI, Method.SFT).left_out == (("corr_1", CannotExport.ROLE),)


def test_nothing_gives_an_empty_file_even_where_a_byte_order_mark_is_asked_for():
    made = export([], AZURE, Method.SFT)
    assert (made.content, made.lines, made.left_out) == (b"", (), ())
    assert made.sentences() == ("0 lines for azure (sft), 0 left out.",)


@pytest.mark.parametrize(
    ("vendor", "method", "said"),
    [
        (NEBIUS, Method.DPO, "nebius trains by sft, not by dpo. Export for tuner, openai, azure, together instead."),
        (OPENAI, Method.KTO, "openai trains by dpo, sft, not by kto. Export for tuner instead."),
    ],
)
def test_a_method_the_vendor_lacks_names_who_has_it(vendor: Quirks, method: Method, said: str):
    with pytest.raises(MethodUnsupported) as refused:
        export([case()], vendor, method)
    assert str(refused.value) == said


# ---------------------------------------------------------------- length, order, bytes


def test_history_gives_way_before_an_example_is_lost():
    history = (user("one two three"), bot("four five six"), user("seven"), bot("eight"))
    made = export([case(history=history)], TUNER, Method.SFT, limits=Limits(7, words))
    assert [m["content"] for m in rows(made)[0]["messages"]] == ["seven", "eight", "Question 1?", "Answer 1."]
    assert made.shortened == ("corr_1",)


@pytest.mark.parametrize(("method", "needed"), [(Method.SFT, 4), (Method.DPO, 6), (Method.KTO, 4)])
def test_an_example_over_the_limit_without_history_is_left_out(method: Method, needed: int):
    """A pair counts its question once and both its answers; of two kto lines each counts for itself."""
    assert export([case()], TUNER, method, limits=Limits(needed, words)).left_out == ()
    assert export([case()], TUNER, method, limits=Limits(needed - 1, words)).left_out == (
        ("corr_1", CannotExport.TOO_LONG),
    )


def test_a_vendor_that_wants_turns_gets_the_history_that_alternates():
    history = (user("Hm."), user("Hello?"), bot("Hi."), bot("How can I help?"), user("A lamp."), bot("Nice!"))
    made = export([case(history=history)], TOGETHER, Method.DPO)
    assert [m["content"] for m in rows(made)[0]["input"]["messages"]] == ["A lamp.", "Nice!", "Question 1?"]
    assert made.shortened == ("corr_1",)


def test_a_greeting_at_the_beginning_goes_where_the_user_has_to_come_first():
    greeted = case(history=(bot("Welcome!"), *TALK))
    together, tuner = (export([greeted], vendor, Method.SFT) for vendor in (TOGETHER, TUNER))
    assert rows(together)[0]["messages"][0]["content"] == "I bought a lamp."
    assert rows(tuner)[0]["messages"][0]["content"] == "Welcome!"


def test_an_empty_earlier_message_ends_the_history():
    made = export([case(history=(user("A?"), bot(" "), *TALK))], OPENAI, Method.SFT)
    assert [m["content"] for m in rows(made)[0]["messages"]][:2] == ["I bought a lamp.", "Nice!"]


def test_the_same_examples_give_the_same_bytes_and_another_order_another_file():
    first, second = case(1), case(2)
    content = export([first, second], TUNER, Method.SFT).content
    assert content == export([first, second], TUNER, Method.SFT).content
    assert content != export([second, first], TUNER, Method.SFT).content


def test_an_export_tells_what_became_of_everything():
    assert export([case(1), case(2, answer="")], NEBIUS, Method.SFT).sentences() == (
        "1 line for nebius (sft), 1 left out.",
        "1 example is without some of its history: it did not fit, or nebius would learn what nobody approved in it.",
        "corr_2 is left out: it has no answer to learn.",
    )
    assert export([case(1), case(2)], NEBIUS, Method.SFT).sentences() == (
        "2 lines for nebius (sft), 0 left out.",
        "2 examples are without some of their history: it did not fit, or nebius would learn what nobody approved in it.",
    )


def test_the_bytes_of_a_line_have_their_keys_in_order():
    assert export([case(history=())], OPENAI, Method.DPO).content == (
        b'{"input": {"messages": [{"content": "Question 1?", "role": "user"}]}, '
        b'"non_preferred_output": [{"content": "No idea.", "role": "assistant"}], '
        b'"preferred_output": [{"content": "Answer 1.", "role": "assistant"}]}\n'
    )


@pytest.mark.parametrize(("limit", "lines"), [(4, 2), (3, 1)])
def test_an_earlier_stretch_over_the_limit_is_no_line(limit: int, lines: int):
    """The stretch has four words, the question and its answer three."""
    talk = case(history=(user("one two"), bot("three four"), user("x"), bot("bad")), question="A B?", answer="C.")
    made = export([replace(talk, learnable=frozenset({1}))], NEBIUS, Method.SFT, limits=Limits(limit, words))
    assert len(made.lines) == lines


def test_examples_that_come_out_the_same_share_a_line_and_keep_both_their_names():
    made = export([case(1), case(2), case(1, id="corr_9")], TUNER, Method.SFT)
    assert [line.example_ids for line in made.lines] == [("corr_1", "corr_9"), ("corr_2",)]
    assert [line.number for line in made.lines] == [1, 2]


def test_text_of_any_script_is_written_as_it_is_on_one_line():
    odd = case(answer='سلام 😀\u2028"quoted" \\ \n line')
    content = export([odd], TUNER, Method.SFT).content
    assert content.count(b"\n") == 1
    assert "سلام 😀" in content.decode()
    assert json.loads(content)["messages"][-1]["content"] == odd.answer


def test_only_where_it_is_asked_for_the_file_begins_with_a_byte_order_mark():
    marked = [name for name, row in VENDORS.items() if export([case()], row, Method.SFT).content[:3] == BYTE_ORDER_MARK]
    assert marked == ["azure"]


def test_an_example_of_a_dataset_brings_the_answer_it_corrects():
    example = Example("corr_1", "group", TALK, "Question 1?", "Answer 1.")
    assert exportable(example, served_text="No idea.") == case()
    assert exportable(example).rejected is None


# ---------------------------------------------------------------- context


@pytest.mark.parametrize(
    ("learnable", "kept"),
    [
        pytest.param(set(), [""], id="nothing approved"),
        pytest.param({1}, ["ab", ""], id="the first only"),
        pytest.param({3}, ["cd"], id="the last only"),
        pytest.param({1, 3}, ["abcd"], id="all"),
    ],
)
def test_a_history_is_cut_after_each_turn_that_must_not_be_learned(learnable: set[int], kept: list[str]):
    history = (user("a"), bot("b"), user("c"), bot("d"))
    assert ["".join(m.content for m in piece) for piece in stretches(history, frozenset(learnable))] == kept


def test_positions_still_mean_the_same_turns_after_a_cut():
    """The empty message cuts the first three away; position 4 is then the second of what is left."""
    history = (user("a"), bot("b"), bot(""), user("c"), bot("d"))
    made = export([case(history=history, learnable=frozenset({4}))], NEBIUS, Method.SFT)
    assert [m["content"] for m in rows(made)[0]["messages"]] == ["c", "d", "Question 1?", "Answer 1."]


def test_a_role_nobody_knows_is_refused_by_name_wherever_it_stands():
    with pytest.raises(UnknownRole, match="moderator"):
        speakable((Message("moderator", "x"), user(""), bot("y")), TUNER)
