"""Pure: examples → the bytes of a training file for a vendor and a method. What a vendor cannot express is left out by name.

The same examples in the same order give the same bytes. Nothing here decides what may be learned: examples arrive approved
and scrubbed. curation/formats.py checks the result by the vendors' published rules and shares no code with this module.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from curation.context import UnknownRole, speakable, stretches
from curation.examples import Example
from curation.prompting import CountTokens, build_messages
from providers.quirks import VENDORS, ByteOrderMark, Method, Quirks
from storage.records import Message

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class CannotExport(StrEnum):
    """Why an example is not in an exported file; the words stand after its id."""

    NO_ANSWER = "it has no answer to learn"
    MARKED_BAD = "its answer was marked as bad, and only good ones are learned this way"
    NO_QUESTION = "its question is empty"
    NO_REJECTED = "it has no answer that was not wanted, so there is no pair"
    SAME_ANSWERS = "the answer wanted and the answer not wanted are the same"
    NO_LABEL = "nobody marked its answer, and there is no pair to take marks from"
    ROLE = "its history has a role that this vendor does not know"
    TOO_LONG = "it is longer than the limit even without its history"
    NOT_UNICODE = "it holds half of a surrogate pair, which UTF-8 cannot say"


class MethodUnsupported(Exception):
    """The vendor does not train by this method; the message says which methods it has and which vendors have this one."""


@dataclass(frozen=True, slots=True)
class Exportable:
    """An example with everything a method may need of it.

    `answer` is what was approved or, for a bare mark, what was served; `rejected` what was served before a correction;
    `label` a mark on `answer`. `history` is oldest first; `learnable` are the positions in it of bot turns that were approved
    themselves (fixes shown as earlier exchanges are): a vendor without weights may keep those as context.
    """

    id: str
    history: tuple[Message, ...]
    question: str
    answer: str | None
    rejected: str | None = None
    label: bool | None = None
    learnable: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """The tokens one example may have, and who counts them."""

    tokens: int
    count_tokens: CountTokens


@dataclass(frozen=True, slots=True)
class ExportedLine:
    """Line `number` (from 1) of an export and the examples that are in it; several where they came out the same."""

    number: int
    example_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """A training file, where each line came from, and what became of the examples that are not whole in it."""

    vendor: str
    method: Method
    content: bytes
    lines: tuple[ExportedLine, ...]
    left_out: tuple[tuple[str, CannotExport], ...]  # (example id, reason), in the order given
    shortened: tuple[str, ...]  # ids of examples in the file without some or all of their history

    def counts(self) -> Mapping[CannotExport, int]:
        """How many were left out for each reason."""
        return dict(Counter(reason for _, reason in self.left_out))

    def sentences(self) -> tuple[str, ...]:
        """What a person should know of this file, one sentence each; the first counts."""
        lines = "1 line" if len(self.lines) == 1 else f"{len(self.lines):,} lines"
        said = [f"{lines} for {self.vendor} ({self.method}), {len(self.left_out):,} left out."]
        if short := len(self.shortened):
            which = (
                "1 example is without some of its" if short == 1 else f"{short:,} examples are without some of their"
            )
            said.append(f"{which} history: it did not fit, or {self.vendor} would learn what nobody approved in it.")
        said += [f"{example_id} is left out: {reason}." for example_id, reason in self.left_out]
        return tuple(said)


def exportable(
    example: Example,
    *,
    served_text: str | None = None,
    label: bool | None = None,
    learnable: frozenset[int] = frozenset(),
) -> Exportable:
    """An example of a dataset with what the bot had said instead (None for an imported answer) and a mark on its answer."""
    return Exportable(
        example.source_id, example.history, example.question, example.answer, served_text, label, learnable
    )


def export(
    examples: Sequence[Exportable],
    vendor: Quirks,
    method: Method,
    *,
    system_prompt: str = "",
    limits: Limits | None = None,
) -> Export:
    """Write a training file: one JSON object a line, `\\n` after each, keys in order, UTF-8.

    sft `{"messages": […]}`, dpo `{"input": {"messages"}, "non_preferred_output", "preferred_output"}` and kto
    `{"completion", "label", "prompt"}`; a pair makes two kto lines. Examples that come out the same share a line. None give
    an empty file. Raises MethodUnsupported.
    """
    require_method(vendor, method)
    sources: dict[bytes, list[str]] = {}
    left_out: list[tuple[str, CannotExport]] = []
    shortened: list[str] = []
    for example in examples:
        try:
            rows, is_short = _WRITERS[method](_Task(example, vendor, system_prompt, limits))
            encoded = [_line(row) for row in rows]
        except _LeftOut as refused:
            left_out.append((example.id, refused.reason))
            continue
        for line in encoded:
            sources.setdefault(line, []).append(example.id)
        if is_short:
            shortened.append(example.id)
    content = b"".join(sources)
    if content and vendor.byte_order_mark is ByteOrderMark.REQUIRED:
        content = BYTE_ORDER_MARK + content
    lines = tuple(ExportedLine(number, tuple(dict.fromkeys(ids))) for number, ids in enumerate(sources.values(), 1))
    return Export(vendor.name, method, content, lines, tuple(left_out), tuple(shortened))


def require_method(vendor: Quirks, method: Method) -> None:
    """Raise MethodUnsupported unless the vendor trains by this method."""
    if method not in vendor.methods:
        able = ", ".join(row.name for row in VENDORS.values() if method in row.methods)
        has = ", ".join(sorted(vendor.methods))
        raise MethodUnsupported(f"{vendor.name} trains by {has}, not by {method}. Export for {able} instead.")


Row = dict[str, Any]


class _LeftOut(Exception):
    def __init__(self, reason: CannotExport) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Task:
    """One example on its way into rows."""

    example: Exportable
    vendor: Quirks
    system_prompt: str
    limits: Limits | None

    def history(self) -> tuple[Message, ...]:
        try:
            return speakable(self.example.history, self.vendor)
        except UnknownRole:
            raise _LeftOut(CannotExport.ROLE) from None

    def head(self) -> list[Message]:
        return [Message("system", self.system_prompt)] if self.system_prompt else []

    def prompt(self, history: tuple[Message, ...], *outputs: list[str]) -> tuple[tuple[Message, ...], bool]:
        """The messages before the answer, in the shape the bot asks in, and whether some history is missing.

        `outputs` are the texts beside the prompt in each row that uses it; where the limit is short, the oldest history goes.
        """
        question = _text(self.example.question, CannotExport.NO_QUESTION)
        if self.limits is None:
            messages, kept = (*self.head(), *history, Message("user", question)), len(history)
        else:
            count = self.limits.count_tokens
            room = self.limits.tokens - max(count(texts) for texts in outputs)
            prompted = build_messages(self.system_prompt, history, question, budget_tokens=room, count_tokens=count)
            messages, kept = prompted.messages, len(history) - prompted.dropped_history
            if count([message.content for message in messages]) > room:
                raise _LeftOut(CannotExport.TOO_LONG)
        return messages, kept < len(self.example.history)

    def fits(self, messages: Sequence[Message]) -> bool:
        return self.limits is None or self.limits.count_tokens([m.content for m in messages]) <= self.limits.tokens


def _sft(task: _Task) -> tuple[list[Row], bool]:
    """The line that teaches the answer; and, without weights, one for each earlier stretch of approved bot turns."""
    answer = _wanted(task.example)
    history = task.history()
    if task.vendor.knows_weights:
        prompt, is_short = task.prompt(history, [answer])
        return [{"messages": [*_weightless(prompt), _assistant(answer)]}], is_short
    cut = len(task.example.history) - len(history)
    learnable = frozenset(position - cut for position in task.example.learnable)
    *earlier, kept = stretches(history, learnable)
    prompt, is_short = task.prompt(kept, [answer])
    apart = [(*task.head(), *stretch) for stretch in earlier]
    rows: list[Row] = [{"messages": [_plain(m) for m in messages]} for messages in apart if task.fits(messages)]
    return [*rows, {"messages": [*map(_plain, prompt), _assistant(answer)]}], is_short


def _dpo(task: _Task) -> tuple[list[Row], bool]:
    answer = _wanted(task.example)
    rejected = _rejected(task.example, answer, CannotExport.NO_REJECTED)
    prompt, is_short = task.prompt(task.history(), [answer, rejected])
    row: Row = {
        "input": {"messages": [_plain(m) for m in prompt]},
        "preferred_output": [_assistant(answer)],
        "non_preferred_output": [_assistant(rejected)],
    }
    return [row], is_short


def _kto(task: _Task) -> tuple[list[Row], bool]:
    """A marked answer as it is; of a pair, the answer wanted as good and the other as bad."""
    answer = _text(task.example.answer, CannotExport.NO_ANSWER)
    if task.example.label is not None:
        marked = [(answer, task.example.label)]
    else:
        marked = [(answer, True), (_rejected(task.example, answer, CannotExport.NO_LABEL), False)]
    prompt, is_short = task.prompt(task.history(), *([text] for text, _ in marked))
    asked = [_plain(m) for m in prompt]
    return [{"prompt": asked, "completion": [_assistant(text)], "label": label} for text, label in marked], is_short


_WRITERS: Mapping[Method, Callable[[_Task], tuple[list[Row], bool]]] = {
    Method.SFT: _sft,
    Method.DPO: _dpo,
    Method.KTO: _kto,
}


def _wanted(example: Exportable) -> str:
    if example.label is False:
        raise _LeftOut(CannotExport.MARKED_BAD)
    return _text(example.answer, CannotExport.NO_ANSWER)


def _rejected(example: Exportable, answer: str, missing: CannotExport) -> str:
    rejected = _text(example.rejected, missing)
    if rejected == answer:
        raise _LeftOut(CannotExport.SAME_ANSWERS)
    return rejected


def _weightless(prompt: Sequence[Message]) -> list[Row]:
    """The prompt with weight 0 on what the bot said earlier: read, not learned."""
    return [{**_plain(m), "weight": 0} if m.role == "assistant" else _plain(m) for m in prompt]


def _plain(message: Message) -> Row:
    return {"role": message.role, "content": message.content}


def _assistant(text: str) -> Row:
    return {"role": "assistant", "content": text}


def _text(text: str | None, missing: CannotExport) -> str:
    if text is None or not text.strip():
        raise _LeftOut(missing)
    return text.strip()


def _line(row: Row) -> bytes:
    try:
        return json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n"
    except UnicodeEncodeError:
        raise _LeftOut(CannotExport.NOT_UNICODE) from None
