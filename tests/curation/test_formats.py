"""A training file is checked by the vendor's published rules; every problem has its file, its line and a next step."""

import json
from dataclasses import replace
from typing import Any

import pytest

from curation.formats import LISTED, Report, check_file, method_of
from providers.quirks import AZURE, CRUSOE, NEBIUS, OPENAI, TUNER, Method, Quirks

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


CALL = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
CALLED = sft(
    USER,
    {"role": "assistant", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "{}"},
    BOT,
    tools=[{"type": "function", "function": {"name": "look_up"}}],
    parallel_tool_calls=False,
)

GOOD = {Method.SFT: sft(USER, BOT), Method.DPO: dpo(), Method.KTO: kto()}


def jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def check(content: bytes, vendor: Quirks = TUNER, method: Method = Method.SFT, **more: Any) -> Report:
    return check_file(content, "train.jsonl", vendor, method, **more)


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


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
    ("line", "said"),
    [
        pytest.param(ROW[:-1] + b', "messages": []}', ['"messages"'], id="a row's key"),
        pytest.param(ROW.replace(b'"role"', b'"role": "user", "role"', 1), ['"role"'], id="a message's key"),
        pytest.param(b'{"a": 1, "b": 2, "a": 3, "a": 4}', ['"a"'], id="three times"),
        pytest.param(b'{"b": 1, "a": 2, "b": 3, "a": 4}', ['"b"', '"a"'], id="two keys"),
        pytest.param(b'{"%s": 1, "%s": 2}' % (b"k" * 38, b"k" * 38), ['"' + "k" * 38 + '"'], id="a long one"),
        pytest.param(b'{"%s": 1, "%s": 2}' % (b"k" * 39, b"k" * 39), ['"' + "k" * 35 + '…"'], id="a longer one"),
    ],
)
def test_a_key_given_twice_is_named_once(line: bytes, said: list[str]):
    problems = check(b"\n".join([line, *[ROW] * 10])).problems
    twice = [str(p) for p in problems if "twice" in p.what]
    assert twice == [f"train.jsonl:1: the key {key} is given twice. Keep one of them." for key in said]


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
    assert not report.is_fit
    assert report.sentences() == (
        "Not fit for tuner (sft): 3 problems.",
        *map(str, report.problems),
        "tuner publishes no token limit per example; the base model's context still bounds it.",
    )


def test_a_fit_file_is_called_fit_with_its_number_of_examples():
    assert check(jsonl(*[GOOD[Method.SFT]] * 10)).is_fit
    assert check(jsonl(*[GOOD[Method.SFT]] * 10)).sentences()[0] == "Fit for tuner (sft): 10 examples."
    assert check(jsonl(GOOD[Method.SFT]), NEBIUS).sentences()[0] == "Fit for nebius (sft): 1 example."
    assert check(jsonl({}, *[GOOD[Method.SFT]] * 9)).sentences()[0] == "Not fit for tuner (sft): 1 problem."


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
    problems = check(mark + jsonl(*[GOOD[Method.SFT]] * 10), vendor).problems
    assert [(problem.line, problem.what) for problem in problems] == [(1, said) for said in what]


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
    assert check(content, replace(TUNER, max_file_bytes=len(content))).is_fit


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


@pytest.mark.parametrize(
    ("content", "method"),
    [
        *[pytest.param(jsonl(row), method, id=str(method)) for method, row in GOOD.items()],
        pytest.param(
            b"oops\n" + b"[" * 100_000 + b"\n" + jsonl({}, GOOD[Method.DPO]), Method.DPO, id="after a bad start"
        ),
        pytest.param(BOM + jsonl(GOOD[Method.KTO]), Method.KTO, id="after a mark"),
        pytest.param(b"", None, id="empty"),
        pytest.param(jsonl({"prompt": "x", "completion": "y"}), None, id="something else"),
    ],
)
def test_a_files_method_is_read_from_its_first_readable_line(content: bytes, method: Method | None):
    assert method_of(content) is method
