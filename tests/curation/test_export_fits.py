"""Whatever export writes passes the check written from the vendors' rules; a file changed anywhere does not; and our own
server takes it, by its parser and over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import APIStatusError

from curation.export import Export, Exportable, Limits, export
from curation.formats import check_file
from providers.quirks import AZURE, TUNER, VENDORS, Method, Quirks
from storage.records import Message
from tests.tuner.conftest import running_bench
from tuner.training_file import check_rows, parse_lines

VENDOR_METHODS = [(row, method) for row in VENDORS.values() for method in sorted(row.methods)]
JOB_METHOD = {Method.SFT: "supervised", Method.DPO: "dpo", Method.KTO: "kto"}
NAMES = [f"{row.name} {method}" for row, method in VENDOR_METHODS]
BOM = b"\xef\xbb\xbf"

# What people write: any Unicode but the halves of surrogate pairs, with what hurts files most made likelier.
texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", " ", "\n", "a\nb", '"', "\\", "{}", "\u2028", "\ufeff", "\x00", "ä\u0301", "😀", "],"]),
)
messages = st.builds(Message, st.sampled_from(["user", "assistant", "assistant", "system"]), texts)
examples = st.builds(
    Exportable,
    id=st.uuids().map(str),
    history=st.lists(messages, max_size=6).map(tuple),
    question=texts,
    answer=st.one_of(st.none(), texts),
    rejected=st.one_of(st.none(), texts),
    label=st.one_of(st.none(), st.booleans()),
    learnable=st.frozensets(st.integers(0, 6), max_size=4),
)
sound = [
    Exportable(
        f"sound_{n}", (Message("user", "A?"), Message("assistant", "B.")), f"Question {n}?", f"Answer {n}.", "No."
    )
    for n in range(10)
]


def letters(contents: list[str]) -> int:
    return sum(len(content) + 4 for content in contents)


@pytest.mark.parametrize(("vendor", "method"), VENDOR_METHODS, ids=NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    given_examples=st.lists(examples, max_size=6),
    system_prompt=st.sampled_from(["", "Be kind.", "Sei freundlich.\n\u2028"]),
    limit=st.one_of(st.none(), st.integers(80, 200)),
)
def test_whatever_is_exported_passes_the_check(
    vendor: Quirks, method: Method, given_examples: list[Exportable], system_prompt: str, limit: int | None
):
    limits = None if limit is None else Limits(limit, letters)
    made = export([*sound, *given_examples], vendor, method, system_prompt=system_prompt, limits=limits)
    report = check_file(made.content, "export.jsonl", vendor, method, count_tokens=letters, max_tokens=limit)
    assert report.problems == ()
    assert report.examples == len(made.lines)
    accounted = {name for line in made.lines for name in line.example_ids} | {name for name, _ in made.left_out}
    assert accounted == {example.id for example in (*sound, *given_examples)}
    assert {name for line in made.lines for name in line.example_ids} & {name for name, _ in made.left_out} == set()


@settings(max_examples=60, deadline=None)
@given(given_examples=st.lists(examples, max_size=8), method=st.sampled_from(list(Method)))
def test_whatever_is_exported_for_our_server_its_own_parser_takes(given_examples: list[Exportable], method: Method):
    made = export([*sound, *given_examples], TUNER, method, system_prompt="Be kind.")
    parsed = parse_lines(made.content)
    check_rows(parsed, JOB_METHOD[method])
    assert len(parsed) == len(made.lines)


# ---------------------------------------------------------------- changed files

Damage = Callable[[bytes], bytes]


def changed_row(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(line: bytes) -> bytes:
        row = json.loads(line)
        change(row)
        return json.dumps(row).encode()

    return damage


def everyones_messages(row: dict[str, Any]) -> list[dict[str, Any]]:
    return row.get("messages") or row.get("prompt") or row["input"]["messages"]


def answer(row: dict[str, Any]) -> dict[str, Any]:
    return (row.get("preferred_output") or row.get("completion") or row["messages"])[-1]


DAMAGES: dict[str, Damage] = {
    "cut short": lambda line: line[:-1],
    "cut in the middle": lambda line: line[: len(line) // 2],
    "trailing comma": lambda line: line[:-1] + b",}",
    "comma after": lambda line: line + b",",
    "emptied": lambda line: b"",
    "twice on one line": lambda line: line + line,
    "an array": lambda line: b"[" + line + b"]",
    "single quotes": lambda line: line.replace(b'"', b"'"),
    "not UTF-8": lambda line: line.replace(b"Question", b"\xe4uestion", 1),
    "a NUL": lambda line: line.replace(b"Question", b"\x00uestion", 1),
    "a mark inside": lambda line: BOM + line,
    "a key twice": lambda line: line[:-1] + b', "' + next(iter(json.loads(line))).encode() + b'": 1}',
    "no top key": changed_row(lambda row: row.pop(next(iter(row)))),
    "a further key": changed_row(lambda row: row.update(note="x")),
    "a further message key": changed_row(lambda row: everyones_messages(row)[0].update(mood="x")),
    "an unknown role": changed_row(lambda row: everyones_messages(row)[0].update(role="human")),
    "no role": changed_row(lambda row: everyones_messages(row)[0].pop("role")),
    "no content": changed_row(lambda row: everyones_messages(row)[0].pop("content")),
    "a number for text": changed_row(lambda row: answer(row).update(content=7)),
    "an empty answer": changed_row(lambda row: answer(row).update(content=" ")),
    "half an emoji": changed_row(lambda row: answer(row).update(content="\ud83d")),
    "a strange weight": changed_row(lambda row: answer(row).update(weight=2)),
    "the user's answer": changed_row(lambda row: answer(row).update(role="user")),
    "no messages": changed_row(lambda row: everyones_messages(row).clear()),
    "a message of text": changed_row(lambda row: everyones_messages(row).insert(0, "hi")),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize(("vendor", "method"), VENDOR_METHODS, ids=NAMES)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(where=st.integers(1, 9), extra=st.lists(examples, max_size=2))
def test_a_line_changed_anywhere_is_named(
    vendor: Quirks, method: Method, damage: Damage, where: int, extra: list[Exportable]
):
    """Of a file's lines one in the middle is damaged: that line is named, and no other."""
    made = export([*sound, *extra], vendor, method)
    lines = made.content.removesuffix(b"\n").split(b"\n")
    lines[where] = damage(lines[where])
    report = check_file(b"\n".join(lines) + b"\n", "export.jsonl", vendor, method)
    assert {p.line for p in report.problems if p.line or "at least" not in p.what} == {where + 1}


@settings(max_examples=300, deadline=None)
@given(
    content=st.one_of(st.binary(max_size=80), st.text('{}[]",:0truefalsn\\\n messages', max_size=80).map(str.encode))
)
def test_no_bytes_break_the_check(content: bytes):
    for vendor, method in VENDOR_METHODS:
        report = check_file(content, "x.jsonl", vendor, method, count_tokens=letters)
        assert not report.is_fit or vendor.minimum_examples <= report.examples


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "weight", "tools", "tool_calls", "input", "prompt", "name"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    row=st.dictionaries(st.sampled_from(["messages", "input", "tools", "preferred_output", "completion"]), json_values)
)
def test_no_json_breaks_the_check(row: dict[str, Any]):
    for vendor, method in VENDOR_METHODS:
        check_file(json.dumps(row).encode(), "x.jsonl", vendor, method, count_tokens=letters)


# ---------------------------------------------------------------- our own server, over HTTP


@pytest.mark.parametrize("method", list(Method))
async def test_our_own_server_takes_an_exported_file_for_every_method(tmp_path: Path, method: Method):
    made = export(sound, TUNER, method, system_prompt="Be kind.")
    async with running_bench(tmp_path) as bench:
        file = await bench.client.files.create(file=("export.jsonl", made.content), purpose="fine-tune")
        kind = JOB_METHOD[method]
        asked: Any = {"method": {"type": kind}}
        job = await bench.client.fine_tuning.jobs.create(model="tiny", training_file=file.id, extra_body=asked)
    assert (file.status, job.status) == ("processed", "validating_files")
    assert job.training_file == file.id


async def test_our_own_server_refuses_the_line_that_the_check_names(tmp_path: Path):
    lines = export(sound, TUNER, Method.SFT).content.splitlines()
    lines[3] = DAMAGES["an unknown role"](lines[3])
    content = b"\n".join(lines)
    (problem,) = check_file(content, "export.jsonl", TUNER, Method.SFT).problems
    async with running_bench(tmp_path) as bench:
        file = await bench.client.files.create(file=("export.jsonl", content), purpose="fine-tune")
        with pytest.raises(APIStatusError, match="line 4") as refused:
            await bench.client.fine_tuning.jobs.create(model="tiny", training_file=file.id)
    assert problem.line == 4
    assert '"human"' in str(refused.value)
    assert '"human"' in problem.what


def test_a_file_for_azure_is_taken_by_our_server_too():
    """The byte-order mark that one vendor asks for does not keep a file from being trained here."""
    made: Export = export(sound, AZURE, Method.SFT)
    assert made.content.startswith(BOM)
    check_rows(parse_lines(made.content), "supervised")
