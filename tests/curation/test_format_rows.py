"""One line of a training file, vendor by vendor: what each documents passes, and what it does not is named with its place."""

from typing import Any

import pytest

from providers.quirks import AZURE, CRUSOE, NEBIUS, OPENAI, TOGETHER, TUNER, VENDORS, Method, Quirks
from tests.curation.test_formats import BOM, BOT, CALLED, GOOD, SYSTEM, USER, check, dpo, jsonl, kto, sft


def checked(row: Any, vendor: Quirks, method: Method = Method.SFT) -> list[str]:
    """The problems of one row as line 3 of a file that is otherwise good."""
    mark = BOM if vendor is AZURE else b""
    report = check(mark + jsonl(*[GOOD[method]] * 2, row, *[GOOD[method]] * 8), vendor, method)
    assert {problem.line for problem in report.problems} <= {3}
    return [problem.what for problem in report.problems]


WEIGHTED = sft(USER, {**BOT, "weight": 0}, USER, BOT)
PARTS = sft({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, BOT)


@pytest.mark.parametrize(
    ("vendor", "method", "row"),
    [
        *[pytest.param(v, m, GOOD[m], id=f"{v.name} {m}") for v in VENDORS.values() for m in sorted(v.methods)],
        *[pytest.param(v, Method.SFT, WEIGHTED, id=f"{v.name} weights") for v in (TUNER, OPENAI, AZURE, TOGETHER)],
        *[pytest.param(v, Method.SFT, CALLED, id=f"{v.name} tools") for v in (OPENAI, AZURE)],
        *[pytest.param(v, Method.SFT, PARTS, id=f"{v.name} parts") for v in (OPENAI, AZURE)],
        pytest.param(TUNER, Method.SFT, sft(SYSTEM, USER, {**BOT, "name": "Tern"}), id="tuner name"),
        pytest.param(TUNER, Method.SFT, sft({"role": "developer", "content": ""}, USER, BOT), id="tuner developer"),
        pytest.param(OPENAI, Method.DPO, dpo(preferred_output=[BOT, BOT]), id="openai outputs of several messages"),
        pytest.param(
            OPENAI,
            Method.DPO,
            dpo(input={"messages": [USER], "tools": [], "parallel_tool_calls": True}),
            id="openai's own dpo sample",
        ),
        pytest.param(
            TOGETHER,
            Method.DPO,
            dpo(input={"messages": [BOT, USER]}),
            id="together's own dpo sample begins with a greeting",
        ),
        pytest.param(TOGETHER, Method.SFT, sft(SYSTEM, USER, BOT, USER, BOT), id="together turns"),
        pytest.param(OPENAI, Method.SFT, sft(USER, {**BOT, "weight": 1}), id="a weight of 1"),
        pytest.param(OPENAI, Method.SFT, sft({**USER, "content": "Größe? 😀"}, BOT), id="more than ASCII"),
    ],
)
def test_what_the_vendor_documents_passes(vendor: Quirks, method: Method, row: dict[str, Any]):
    assert checked(row, vendor, method) == []


EVERYWHERE = tuple(VENDORS.values())


@pytest.mark.parametrize("vendor", EVERYWHERE, ids=lambda row: row.name)
@pytest.mark.parametrize(
    ("row", "what"),
    [
        pytest.param({}, "messages is not a list of messages", id="nothing"),
        pytest.param(sft(), "messages is not a list of messages", id="no messages"),
        pytest.param({"messages": USER}, "messages is not a list of messages", id="one message"),
        pytest.param(sft("hi", BOT), "messages[0] is not an object", id="text"),
        pytest.param(sft({"role": "human", "content": "x"}, BOT), 'messages[0] has the role "human"', id="role"),
        pytest.param(sft({"content": "x"}, BOT), "messages[0] has the role null", id="no role"),
        pytest.param(sft({"role": ["user"], "content": "x"}, BOT), 'messages[0] has the role ["user"]', id="roles"),
        pytest.param(sft({"role": "user"}, BOT), "messages[0].content is not text", id="no content"),
        pytest.param(sft({**USER, "content": 7}, BOT), "messages[0].content is not text", id="a number"),
        pytest.param(sft(USER, {**BOT, "content": " "}), "messages[1].content is empty", id="an empty answer"),
        pytest.param(sft(USER), "no assistant message to learn", id="no answer"),
        pytest.param(
            sft({**USER, "mood": 1}, BOT),
            "messages[0].'mood' is a key that {vendor} does not document here",
            id="message key",
        ),
        pytest.param(sft(USER, BOT, note=1), "'note' is a key that {vendor} does not document here", id="row key"),
        pytest.param(
            sft({**USER, "content": "\ud83d"}, BOT),
            "messages[0].content holds half of a surrogate pair",
            id="surrogate",
        ),
        pytest.param(dpo(), "this is a line for dpo, not for sft", id="another method's line"),
    ],
)
def test_no_vendor_takes_a_line_like_this(vendor: Quirks, row: dict[str, Any], what: str):
    assert what.format(vendor=vendor.name) in checked(row, vendor)


@pytest.mark.parametrize(
    ("vendor", "row", "what"),
    [
        pytest.param(NEBIUS, WEIGHTED, "messages[1].weight: nebius documents no weights", id="nebius weights"),
        pytest.param(CRUSOE, WEIGHTED, "messages[1].weight: crusoe documents no weights", id="crusoe weights"),
        pytest.param(OPENAI, sft(USER, {**BOT, "weight": 0}), "no assistant message to learn", id="all weights 0"),
        pytest.param(OPENAI, sft(USER, {**BOT, "weight": 2}), "messages[1].weight is 2", id="two"),
        pytest.param(
            OPENAI,
            sft({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, BOT),
            "messages[0].content is not text",
            id="a part of another API",
        ),
        pytest.param(OPENAI, sft(USER, {**BOT, "weight": 0.5}), "messages[1].weight is 0.5", id="half"),
        pytest.param(OPENAI, sft(USER, {**BOT, "weight": 1.0}), "messages[1].weight is 1.0", id="a float"),
        pytest.param(OPENAI, sft(USER, {**BOT, "weight": True}), "messages[1].weight is true", id="true"),
        pytest.param(
            OPENAI,
            sft({**USER, "weight": 1}, BOT),
            "messages[0].weight stands on a message that is not the assistant's",
            id="whose weight",
        ),
        pytest.param(OPENAI, sft(USER, BOT, USER), "the last message is not the assistant's", id="openai's end"),
        pytest.param(
            OPENAI,
            sft({"role": "developer", "content": "x"}, USER, BOT),
            'messages[0] has the role "developer"',
            id="developer",
        ),
        pytest.param(TUNER, PARTS, "messages[0].content is a list of parts, which tuner does not document", id="parts"),
        pytest.param(
            OPENAI,
            sft({"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, BOT),
            "messages[0].content is not text",
            id="a picture",
        ),
        pytest.param(TUNER, CALLED, "'tools' is a key that tuner does not document here", id="tools"),
        pytest.param(OPENAI, sft(USER, BOT, tools={}), "tools is not a list of functions", id="tools' shape"),
        pytest.param(
            OPENAI, sft(USER, BOT, tools=[{"function": {}}]), "tools is not a list of functions", id="a tool's"
        ),
        pytest.param(
            OPENAI, sft(USER, BOT, parallel_tool_calls=1), "parallel_tool_calls is not true or false", id="parallel"
        ),
        pytest.param(
            OPENAI,
            sft(USER, {"role": "tool", "tool_call_id": "call_1", "content": "{}"}, BOT),
            "messages[1] answers a call that was not made before it",
            id="no call",
        ),
        pytest.param(
            OPENAI,
            sft(USER, {"role": "tool", "content": "{}"}, BOT),
            "messages[1] is a tool's without tool_call_id",
            id="no id",
        ),
        pytest.param(
            OPENAI,
            sft(USER, {"role": "assistant", "tool_calls": [{}]}, BOT),
            "messages[1].tool_calls has a call without an id",
            id="a call's id",
        ),
        pytest.param(OPENAI, sft({**USER, "name": 1}, BOT), "messages[0].name is not text", id="name"),
        pytest.param(
            TOGETHER,
            sft({**USER, "name": "Ann"}, BOT),
            "messages[0].'name' is a key that together does not document here",
            id="together's keys",
        ),
        pytest.param(TOGETHER, sft(USER, USER, BOT), 'messages[1] is "user" where assistant is due', id="two users"),
        pytest.param(TOGETHER, sft(BOT, USER, BOT), 'messages[0] is "assistant" where user is due', id="bot first"),
        pytest.param(
            TOGETHER, sft(USER, SYSTEM, BOT), 'messages[1] is "system" where assistant is due', id="late system"
        ),
        pytest.param(TOGETHER, sft(SYSTEM, BOT), 'messages[1] is "assistant" where user is due', id="no user"),
    ],
)
def test_what_one_vendor_refuses_is_said_with_its_place(vendor: Quirks, row: dict[str, Any], what: str):
    assert what in checked(row, vendor)


TWO = [BOT, BOT]


@pytest.mark.parametrize(
    ("vendor", "row", "what"),
    [
        pytest.param(OPENAI, dpo(input=[USER]), "input is not an object with messages", id="input"),
        pytest.param(OPENAI, dpo(input={}), "input.messages is not a list of messages", id="input's messages"),
        pytest.param(
            TUNER,
            dpo(input={"messages": [USER], "tools": []}),
            "input.'tools' is a key that tuner does not document here",
            id="input's key",
        ),
        pytest.param(OPENAI, dpo(preferred_output=BOT), "preferred_output is not a list of messages", id="no list"),
        pytest.param(OPENAI, dpo(preferred_output=[USER]), "preferred_output is not the assistant's", id="a user's"),
        pytest.param(
            OPENAI, dpo(preferred_output=[BOT, USER]), "preferred_output is not the assistant's", id="and a user's"
        ),
        pytest.param(
            OPENAI,
            dpo(preferred_output=[{"role": "tool", "tool_call_id": "c", "content": "{}"}]),
            "preferred_output[0] answers a call that was not made before it",
            id="a tool's alone",
        ),
        pytest.param(TOGETHER, dpo(preferred_output=TWO), "preferred_output has 2 messages", id="together takes one"),
        pytest.param(TUNER, dpo(non_preferred_output=TWO), "non_preferred_output has 2 messages", id="tuner takes one"),
        pytest.param(
            OPENAI, dpo(non_preferred_output=[BOT]), "preferred_output and non_preferred_output are the same", id="same"
        ),
        pytest.param(
            OPENAI,
            dpo(preferred_output=[{**BOT, "weight": 1}]),
            "preferred_output[0].weight stands outside a supervised line",
            id="weight",
        ),
        pytest.param(
            TOGETHER, dpo(input={"messages": [USER, BOT]}), "input.messages does not end with the user", id="whose turn"
        ),
        pytest.param(
            TOGETHER, dpo(input={"messages": [SYSTEM]}), "input.messages does not end with the user", id="only system"
        ),
        pytest.param(OPENAI, sft(USER, BOT), "this is a line for sft, not for dpo", id="another method's"),
        pytest.param(
            OPENAI, {**dpo(), "messages": []}, "'messages' is a key that openai does not document here", id="both"
        ),
    ],
)
def test_a_pair_is_refused_with_its_reason(vendor: Quirks, row: dict[str, Any], what: str):
    assert what in checked(row, vendor, Method.DPO)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        pytest.param(kto(label=1), "label is 1, not true or false", id="label"),
        pytest.param(kto(label="true"), 'label is "true", not true or false', id="text"),
        pytest.param(kto(completion=[USER]), "completion is not the assistant's", id="role"),
        pytest.param(kto(completion=[]), "completion is not a list of messages", id="nothing"),
        pytest.param(kto(prompt="Hi"), "prompt is not a list of messages", id="prompt"),
        pytest.param(kto(weight=1), "'weight' is a key that tuner does not document here", id="key"),
    ],
)
def test_a_mark_is_refused_with_its_reason(row: dict[str, Any], what: str):
    assert what in checked(row, TUNER, Method.KTO)


def test_no_persons_text_is_repeated_in_a_problem():
    secret = "Call me at once: 030 1234567, it is urgent"
    row = sft({"role": secret, "content": 1, secret: 1}, {**BOT, "weight": secret}, **{secret: 1})
    said = " ".join(checked(row, TUNER) + checked({"messages": secret}, TUNER) + checked(kto(label=secret), TUNER))
    assert "Call me at once" in said  # enough of it to find the place
    assert "urgent" not in said
