"""A training file is checked by the vendor's published rules; every problem has its file, its line and a next step."""

import json
from dataclasses import replace
from typing import Any

import pytest

from curation.formats import LISTED, Report, check_file
from providers.quirks import AZURE, CRUSOE, NEBIUS, OPENAI, TOGETHER, TUNER, VENDORS, Method, Quirks

USER = {"role": "user", "content": "Where is my order?"}
BOT = {"role": "assistant", "content": "On its way."}
SYSTEM = {"role": "system", "content": "Be kind."}
BOM = b"\xef\xbb\xbf"


def sft(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": list(messages), **more}


def dpo(**changes: Any) -> dict[str, Any]:
    pair = {
        "input": {"messages": [USER]},
        "preferred_output": [BOT],
        "non_preferred_output": [{**BOT, "content": "No idea."}],
    }
    return {**pair, **changes}


def kto(**changes: Any) -> dict[str, Any]:
    return {"prompt": [USER], "completion": [BOT], "label": True, **changes}


GOOD = {Method.SFT: sft(USER, BOT), Method.DPO: dpo(), Method.KTO: kto()}


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def check(content: bytes, vendor: Quirks = TUNER, method: Method = Method.SFT, **more: Any) -> Report:
    return check_file(content, "train.jsonl", vendor, method, **more)


def checked(row: Any, vendor: Quirks, method: Method = Method.SFT) -> list[str]:
    """The problems of one row as line 3 of a file that is otherwise good."""
    mark = BOM if vendor is AZURE else b""
    report = check(mark + jsonl(*[GOOD[method]] * 2, row, *[GOOD[method]] * 8), vendor, method)
    assert {problem.line for problem in report.problems} <= {3}
    return [problem.what for problem in report.problems]


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


# ---------------------------------------------------------------- rows, vendor by vendor

WEIGHTED = sft(USER, {**BOT, "weight": 0}, USER, BOT)
CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
CALLED = sft(
    USER,
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "{}"},
    BOT,
    tools=[{"type": "function", "function": {"name": "look_up"}}],
    parallel_tool_calls=False,
)
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


# ---------------------------------------------------------------- bytes

ROW = json.dumps(GOOD[Method.SFT]).encode()


@pytest.mark.parametrize(
    ("line", "what", "next_step"),
    [
        pytest.param(b"", "the line is empty", "Remove it", id="empty"),
        pytest.param(b" \t\r", "the line is empty", "Remove it", id="blank"),
        pytest.param(b'{"a": "\xff"}', "byte 8 of the line is not UTF-8", "Save the file as UTF-8", id="latin-1"),
        pytest.param(BOM + ROW, "a byte-order mark inside the file", "Remove it; files were joined here", id="joined"),
        pytest.param(
            ROW + b",", "a comma after the object", "Remove it: lines are not separated by commas", id="comma"
        ),
        pytest.param(
            ROW[:-1] + b",}", f"a trailing comma before }} at column {len(ROW) + 1}", "Remove the comma", id="trailing"
        ),
        pytest.param(
            b'{"messages": [1,]}', "a trailing comma before ] at column 17", "Remove the comma", id="in a list"
        ),
        pytest.param(
            ROW + ROW,
            f"more than one JSON value, the second at column {len(ROW) + 1}",
            "Write one JSON object per line",
            id="two",
        ),
        pytest.param(
            b"[", "one JSON value over several lines", "Write each example on a line of its own", id="an array"
        ),
        pytest.param(b"[1]", "a JSON list, not an object", "Write one JSON object per line", id="list"),
        pytest.param(b'"x"', "a JSON string, not an object", "Write one JSON object per line", id="string"),
        pytest.param(b"7", "a JSON number, not an object", "Write one JSON object per line", id="number"),
        pytest.param(b"null", "a JSON null, not an object", "Write one JSON object per line", id="null"),
        pytest.param(b'{"a": NaN}', "NaN is not JSON", "Write a JSON value", id="nan"),
        pytest.param(b"[" * 100_000, "nested too deeply", "Write the example as messages with text", id="deep"),
        pytest.param(
            b"{'messages': []}",
            "not valid JSON: Expecting property name enclosed in double quotes at column 2",
            "Correct the line, or write it with a JSON library",
            id="python",
        ),
    ],
)
def test_a_line_that_is_no_object_is_named_with_its_next_step(line: bytes, what: str, next_step: str):
    report = check(b"\n".join([ROW, line, *[ROW] * 10]))
    assert [(p.line, p.what, p.next_step) for p in report.problems] == [(2, what, next_step)]
    assert str(report.problems[0]) == f"train.jsonl:2: {what}. {next_step}."


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(ROW[:-1] + b', "messages": []}', id="a row's key"),
        pytest.param(ROW.replace(b'"role"', b'"role": "user", "role"', 1), id="a message's key"),
    ],
)
def test_a_key_given_twice_is_named(line: bytes):
    said = [str(problem) for problem in check(b"\n".join([line, *[ROW] * 10])).problems]
    assert any(
        text.startswith("train.jsonl:1: the key ") and text.endswith("is given twice. Keep one of them.")
        for text in said
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "the file is empty"), (b"\n \n", "the file is empty"), (BOM, "the file is empty")],
    ids=["nothing", "blank", "only a mark"],
)
def test_an_empty_file_is_one_problem_and_not_one_per_line(content: bytes, what: str):
    report = check(content)
    assert [problem.what for problem in report.problems] == [what]
    assert str(report.problems[0]) == "train.jsonl: the file is empty. Write one JSON object per line."


def test_every_problem_of_a_file_is_listed_in_its_order():
    content = jsonl({}, *[GOOD[Method.SFT]] * 9) + b"{oops\n" + jsonl(sft(USER))
    report = check(content)
    assert [problem.line for problem in report.problems] == [1, 11, 12]
    assert report.found == 3
    assert report.sentences()[0] == "Not fit for tuner (sft): 3 problems."


def test_a_file_of_nothing_but_faults_is_listed_to_a_bound_and_counted_to_the_end():
    report = check(b"x\n" * (LISTED + 50))
    assert (len(report.problems), report.found) == (LISTED, LISTED + 50)
    assert "50 further problems are not listed." in report.sentences()


def test_line_numbers_hold_with_windows_line_ends():
    assert check(b"\r\n".join([ROW] * 10) + b"\r\n").problems == ()
    assert [p.line for p in check(b"\r\n".join([*[ROW] * 10, b"x"])).problems] == [11]


@pytest.mark.parametrize(
    ("vendor", "mark", "what"),
    [
        pytest.param(OPENAI, BOM, ["the file begins with a byte-order mark"], id="openai with"),
        pytest.param(OPENAI, b"", [], id="openai without"),
        pytest.param(AZURE, b"", ["the file has no byte-order mark, which azure asks for"], id="azure without"),
        pytest.param(AZURE, BOM, [], id="azure with"),
        pytest.param(TUNER, BOM, [], id="tuner with"),
    ],
)
def test_a_byte_order_mark_is_wanted_by_one_vendor_and_refused_by_others(vendor: Quirks, mark: bytes, what: list[str]):
    assert [problem.what for problem in check(mark + jsonl(*[GOOD[Method.SFT]] * 10), vendor).problems] == what


def test_utf_16_is_named_as_what_it_is():
    report = check(jsonl(*[GOOD[Method.SFT]] * 10).decode().encode("utf-16"))
    assert report.problems[0].what == "the file is UTF-16"


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("vendor", "count", "said"),
    [
        pytest.param(OPENAI, 9, ["9 examples, openai takes at least 10"], id="nine"),
        pytest.param(OPENAI, 10, [], id="ten"),
        pytest.param(NEBIUS, 1, [], id="nebius says nothing"),
    ],
)
def test_the_published_minimum_is_held(vendor: Quirks, count: int, said: list[str]):
    report = check(jsonl(*[GOOD[Method.SFT]] * count), vendor)
    assert [problem.what for problem in report.problems] == said
    assert report.examples == count


def test_too_few_examples_say_how_many_are_missing():
    assert check(jsonl(GOOD[Method.SFT])).problems[0].next_step == "Approve 9 more"


def test_a_file_over_the_size_limit_says_both_sizes():
    small = replace(TUNER, max_file_bytes=100)
    content = jsonl(*[GOOD[Method.SFT]] * 10)
    assert check(content, small).problems[0].what == f"{len(content):,} bytes, tuner takes at most 100"


def test_an_example_over_the_token_limit_is_named_with_both_numbers():
    content = jsonl(*[GOOD[Method.SFT]] * 10, sft({**USER, "content": "word " * 50}, BOT))
    report = check(content, count_tokens=words, max_tokens=52)
    assert [(p.line, p.what) for p in report.problems] == [(11, "53 tokens, at most 52 fit")]
    assert report.tokens == 10 * 7 + 53
    assert check(content, count_tokens=words, max_tokens=53).problems == ()


def test_a_vendors_own_limit_holds_where_the_model_has_more_room():
    long = BOM + jsonl(*[GOOD[Method.SFT]] * 10, sft({**USER, "content": "word " * 65_534}, BOT))
    report = check(long, AZURE, count_tokens=words, max_tokens=1_000_000)
    assert [p.what for p in report.problems] == ["65,537 tokens, at most 65,536 fit"]


@pytest.mark.parametrize(
    ("method", "row", "tokens"),
    [
        (Method.SFT, GOOD[Method.SFT], 7),
        (Method.DPO, GOOD[Method.DPO], 9),
        (Method.KTO, GOOD[Method.KTO], 7),
    ],
)
def test_tokens_count_every_text_of_a_line(method: Method, row: dict[str, Any], tokens: int):
    assert check(jsonl(row), method=method, count_tokens=words).tokens == tokens


def test_calls_and_tools_have_tokens_too():
    plain = check(jsonl(sft(USER, BOT)), OPENAI, count_tokens=words).tokens
    called = check(jsonl(CALLED), OPENAI, count_tokens=words).tokens
    assert plain is not None
    assert called is not None
    assert called > plain + 5


def test_what_was_not_checked_is_said():
    assert check(jsonl(GOOD[Method.SFT]), CRUSOE).not_checked == (
        "crusoe publishes no token limit per example; the base model's context still bounds it.",
        "crusoe publishes no minimum number of examples.",
    )
    assert check(BOM + jsonl(GOOD[Method.SFT]), AZURE).not_checked == (
        "The limit of 65,536 tokens per example was not checked: there is no tokenizer to count with.",
    )


def test_a_method_the_vendor_lacks_is_a_problem_beside_the_others():
    report = check(jsonl(*[kto()] * 9, kto(label=2)), OPENAI, Method.KTO)
    assert [(p.line, p.what) for p in report.problems] == [
        (0, "openai does not train by kto"),
        (10, "label is 2, not true or false"),
    ]


def test_no_persons_text_is_repeated_in_a_problem():
    secret = "Call me at once: 030 1234567, it is urgent"
    row = sft({"role": secret, "content": 1, secret: 1}, {**BOT, "weight": secret}, **{secret: 1})
    said = " ".join(checked(row, TUNER) + checked({"messages": secret}, TUNER) + checked(kto(label=secret), TUNER))
    assert "Call me at once" in said  # enough of it to find the place
    assert "urgent" not in said
