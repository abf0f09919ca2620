"""Pure: one line of a training file against the published shape of its method. See curation/formats.py for whole files.

sft: https://developers.openai.com/docs/guides/distillation; dpo: …/api/docs/guides/direct-preference-optimization;
kto: https://huggingface.co/docs/trl/dataset_formats (unpaired preference, conversational). All read 2026-11-21.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from providers.quirks import Method, Quirks

Row = Mapping[str, Any]

TOP_KEYS = {
    Method.SFT: ("messages",),
    Method.DPO: ("input", "preferred_output", "non_preferred_output"),
    Method.KTO: ("prompt", "completion", "label"),
}
TOOL_KEYS = frozenset({"tools", "parallel_tool_calls"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, as a clause, and the next step; neither ends with a full stop."""

    what: str
    next_step: str


def row_faults(row: Row, vendor: Quirks, method: Method) -> tuple[Fault, ...]:
    """Everything the vendor's rules have against one line."""
    keys = set(TOP_KEYS[method])
    other = next((m for m in Method if m is not method and set(TOP_KEYS[m]) <= set(row)), None)
    if other is not None and not keys <= set(row):
        return (Fault(f"this is a line for {other}, not for {method}", f"Check the file as {other}"),)
    allowed = keys | TOOL_KEYS if method is Method.SFT and vendor.knows_tools else keys
    faults = [_unknown_key(key, "", vendor) for key in row if key not in allowed]
    match method:
        case Method.SFT:
            faults += _sft_faults(row, vendor)
        case Method.DPO:
            faults += _dpo_faults(row, vendor)
        case Method.KTO:
            faults += _kto_faults(row, vendor)
    return tuple(faults)


def row_texts(row: Row) -> list[str]:
    """Every text of a line, for counting tokens: of messages, wherever they stand, and of tools."""
    given = row.get("input")
    holders: list[Row] = [row, cast(Row, given)] if isinstance(given, dict) else [row]
    texts: list[str] = []
    for holder in holders:
        for key in ("messages", "preferred_output", "non_preferred_output", "prompt", "completion"):
            value = holder.get(key)
            for message in cast(list[Any], value) if isinstance(value, list) else []:
                texts += _message_texts(message)
        if holder.get("tools"):
            texts.append(json.dumps(holder["tools"], ensure_ascii=False))
    return texts


def _message_texts(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        return
    fields = cast(Row, message)
    yield _text_of(fields.get("content")) or ""
    if fields.get("tool_calls"):
        yield json.dumps(fields["tool_calls"], ensure_ascii=False)


def _sft_faults(row: Row, vendor: Quirks) -> Iterator[Fault]:
    messages = row.get("messages")
    yield from _tools_faults(row, "", vendor)
    yield from _messages_faults(messages, "messages", vendor, may_weigh=True)
    known = (
        [cast(Row, m) for m in cast(list[Any], messages) if isinstance(m, dict)] if isinstance(messages, list) else []
    )
    if not known:
        return
    if not any(m.get("role") == "assistant" and m.get("weight", 1) != 0 for m in known):
        yield Fault("no assistant message to learn", "Add the answer, or give one a weight of 1")
    elif vendor.must_end_with_answer and known[-1].get("role") != "assistant":
        yield Fault("the last message is not the assistant's", "End the line with the answer to learn")


def _dpo_faults(row: Row, vendor: Quirks) -> Iterator[Fault]:
    given = row.get("input")
    if not isinstance(given, dict):
        yield Fault("input is not an object with messages", 'Write {"messages": [...]} there')
    else:
        asked = cast(Row, given)
        allowed = {"messages"} | (TOOL_KEYS if vendor.knows_tools else set[str]())
        yield from (_unknown_key(key, "input.", vendor) for key in asked if key not in allowed)
        yield from _tools_faults(asked, "input.", vendor)
        yield from _messages_faults(asked.get("messages"), "input.messages", vendor, comes_before_answer=True)
    for key in ("preferred_output", "non_preferred_output"):
        yield from _output_faults(row.get(key), key, vendor)
    wanted, unwanted = row.get("preferred_output"), row.get("non_preferred_output")
    if isinstance(wanted, list) and wanted == unwanted:
        yield Fault("preferred_output and non_preferred_output are the same", "Remove the line: it prefers nothing")


def _kto_faults(row: Row, vendor: Quirks) -> Iterator[Fault]:
    yield from _messages_faults(row.get("prompt"), "prompt", vendor, comes_before_answer=True)
    yield from _output_faults(row.get("completion"), "completion", vendor)
    if not isinstance(row.get("label"), bool):
        yield Fault(
            f"label is {_shown(row.get('label'))}, not true or false", "Write true for a good answer, else false"
        )


def _output_faults(value: Any, where: str, vendor: Quirks) -> Iterator[Fault]:
    """An answer that is compared or marked: the assistant's, and one message unless the vendor takes several."""
    faults = [*_messages_faults(value, where, vendor, is_output=True)]
    yield from faults
    if faults:
        return
    roles = [message["role"] for message in value]
    if vendor.one_output_message and len(roles) != 1:
        yield Fault(f"{where} has {len(roles)} messages", "Keep one assistant message there")
    if "assistant" not in roles or set(roles) - {"assistant", "tool"}:
        yield Fault(f"{where} is not the assistant's", 'Give its message the role "assistant"')


def _messages_faults(
    value: Any,
    where: str,
    vendor: Quirks,
    *,
    may_weigh: bool = False,
    comes_before_answer: bool = False,
    is_output: bool = False,
) -> Iterator[Fault]:
    if not isinstance(value, list) or not value:
        yield Fault(f"{where} is not a list of messages", 'Write [{"role": ..., "content": ...}] there')
        return
    messages = cast(list[Any], value)
    for index, message in enumerate(messages):
        yield from _message_faults(message, f"{where}[{index}]", vendor, may_weigh=may_weigh)
    if all(isinstance(message, dict) for message in messages):
        fields = cast(list[Row], messages)
        yield from _call_faults(fields, where)
        if vendor.must_alternate and not is_output:
            yield from _turn_faults([m.get("role") for m in fields], where, vendor, comes_before_answer)


def _message_faults(message: Any, at: str, vendor: Quirks, *, may_weigh: bool) -> Iterator[Fault]:
    if not isinstance(message, dict):
        yield Fault(f"{at} is not an object", "Write it with role and content")
        return
    fields = cast(Row, message)
    role = fields.get("role")
    if not isinstance(role, str) or role not in vendor.roles:
        roles = ", ".join(sorted(vendor.roles))
        yield Fault(f"{at} has the role {_shown(role)}", f"{vendor.name} knows {roles}")
    allowed = vendor.message_keys | {"weight"}
    if vendor.knows_tools:
        allowed |= {"tool_calls", "tool_call_id"}
    yield from (_unknown_key(key, f"{at}.", vendor) for key in fields if key not in allowed)
    yield from _content_faults(fields, at, vendor)
    if "name" in fields and "name" in allowed and not isinstance(fields["name"], str):
        yield Fault(f"{at}.name is not text", "Write a name, or remove the key")
    if role == "tool" and vendor.knows_tools and not isinstance(fields.get("tool_call_id"), str):
        yield Fault(f"{at} is a tool's without tool_call_id", "Give it the id of the call it answers")
    if "weight" in fields:
        yield from _weight_faults(fields, at, vendor, may_weigh)


def _content_faults(fields: Row, at: str, vendor: Quirks) -> Iterator[Fault]:
    if vendor.knows_tools and fields.get("tool_calls") and fields.get("content") is None:
        return
    content = fields.get("content")
    if isinstance(content, list) and not vendor.text_parts:
        yield Fault(f"{at}.content is a list of parts, which {vendor.name} does not document", "Write the text itself")
        return
    text = _text_of(content)
    if text is None:
        yield Fault(f"{at}.content is not text", "Write a string")
    elif fields.get("role") == "assistant" and not text.strip():
        yield Fault(f"{at}.content is empty", "Write the answer, or remove the message")
    elif not text.isascii() and not _is_unicode(text):
        yield Fault(f"{at}.content holds half of a surrogate pair", "Replace the broken character")


def _weight_faults(fields: Row, at: str, vendor: Quirks, may_weigh: bool) -> Iterator[Fault]:
    weight = fields["weight"]
    if not vendor.knows_weights:
        step = "Remove it, and cut the conversation so that every answer in it may be learned"
        yield Fault(f"{at}.weight: {vendor.name} documents no weights", step)
    elif not may_weigh:
        yield Fault(f"{at}.weight stands outside a supervised line", "Remove it")
    elif fields.get("role") != "assistant":
        yield Fault(f"{at}.weight stands on a message that is not the assistant's", "Remove it")
    elif isinstance(weight, bool) or weight not in (0, 1) or isinstance(weight, float):
        yield Fault(f"{at}.weight is {_shown(weight)}", "Write 0 (read only) or 1 (learned)")


def _turn_faults(roles: Sequence[object], where: str, vendor: Quirks, comes_before_answer: bool) -> Iterator[Fault]:
    """At most one system message, first; then the user and the assistant in turn.

    The user comes first, but for what an answer follows: there the vendor's own sample begins with a greeting
    (https://docs.together.ai/docs/preference-fine-tuning, read 2026-11-21).
    """
    turns = roles[1:] if roles[0] == "system" else roles
    order = ("user", "assistant")
    if comes_before_answer and turns and turns[0] == "assistant":
        order = ("assistant", "user")
    for position, role in enumerate(turns):
        wanted = order[position % 2]
        if role != wanted:
            at = f"{where}[{position + len(roles) - len(turns)}]"
            step = f"{vendor.name} wants user and assistant in turn, the user first"
            yield Fault(f"{at} is {_shown(role)} where {wanted} is due", step)
            return
    if comes_before_answer and (not turns or turns[-1] != "user"):
        yield Fault(f"{where} does not end with the user", "End it with the question that is answered")


def _call_faults(messages: Sequence[Row], where: str) -> Iterator[Fault]:
    """A tool's message answers a call made before it (where the vendor knows tools; elsewhere its role is the fault)."""
    made: set[object] = set()
    for index, message in enumerate(messages):
        calls: Any = message.get("tool_calls")
        for call in cast(list[Any], calls) if isinstance(calls, list) else []:
            if not (isinstance(call, dict) and isinstance(cast(Row, call).get("id"), str)):
                yield Fault(f"{where}[{index}].tool_calls has a call without an id", "Give every call an id")
            else:
                made.add(cast(Row, call)["id"])
        if message.get("role") == "tool" and "tool_call_id" in message and message["tool_call_id"] not in made:
            yield Fault(
                f"{where}[{index}] answers a call that was not made before it", "Give it the id of an earlier call"
            )


def _tools_faults(holder: Row, prefix: str, vendor: Quirks) -> Iterator[Fault]:
    if not vendor.knows_tools:
        return  # the key itself is unknown there
    tools: Any = holder.get("tools", [])
    if not isinstance(tools, list) or not all(_is_function(tool) for tool in cast(list[Any], tools)):
        yield Fault(
            f"{prefix}tools is not a list of functions", 'Write [{"type": "function", "function": {"name": ...}}]'
        )
    if not isinstance(holder.get("parallel_tool_calls", True), bool):
        yield Fault(f"{prefix}parallel_tool_calls is not true or false", "Write one of them, or remove the key")


def _is_function(tool: Any) -> bool:
    function: Any = cast(Row, tool).get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(cast(Row, function).get("name"), str)


def _text_of(content: Any) -> str | None:
    """The text of a message's content, of its parts joined; None for anything else."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not content:
        return None
    texts: list[str] = []
    for part in cast(list[Any], content):
        fields = cast(Row, part) if isinstance(part, dict) else dict[str, Any]()
        if fields.get("type") != "text" or not isinstance(fields.get("text"), str):
            return None
        texts.append(fields["text"])
    return "".join(texts)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unknown_key(key: str, prefix: str, vendor: Quirks) -> Fault:
    return Fault(f"{prefix}{key[:24]!a} is a key that {vendor.name} does not document here", "Remove it")


def _shown(value: object) -> str:
    """A short rendering of something a file holds; never a person's whole text."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 24 else text[:20] + "…"
