"""Pure: what every form is made of. A form's `private_metadata` says what it is about, as JSON of ours."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.slack_app.blocks import Block

INPUT_LIMIT = 3_000  # characters, Slack's


@dataclass(frozen=True, slots=True)
class About:
    """What a form is about, a reply, a correction or a dispute, and where it was opened from."""

    reply: str = ""
    correction: str = ""
    dispute: str = ""
    channel: str = ""  # where what became of it is whispered; "": in direct messages
    thread_ts: str = ""
    joints: tuple[str, ...] = ()  # what stood between the pieces of a text that took several inputs

    def packed(self) -> str:
        return json.dumps({name: value for name, value in asdict(self).items() if value})


def unpacked(metadata: str) -> About:
    known: dict[str, Any] = json.loads(metadata)
    joints: list[str] = known.pop("joints", [])
    return About(**known, joints=tuple(joints))


def modal(callback: str, title: str, submit: str, about: About, blocks: Sequence[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "title": {"type": "plain_text", "text": title[:24]},
        "submit": {"type": "plain_text", "text": submit},
        "close": {"type": "plain_text", "text": "Cancel"},
        "private_metadata": about.packed(),
        "blocks": list(blocks),
    }


def text_input(
    name: str,
    label: str,
    text: str,
    *,
    is_optional: bool = False,
    is_long: bool = False,
    limit: int = INPUT_LIMIT,
    hint: str = "",
) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": is_long,
        "max_length": limit,
    }
    if text:
        element["initial_value"] = text[:INPUT_LIMIT]
    return _labelled(name, label, element, is_optional=is_optional, hint=hint)


def number_input(name: str, label: str, number: int, most: int) -> Block:
    """A whole number from 0 to `most`."""
    element: Block = {
        "type": "number_input",
        "action_id": name,
        "is_decimal_allowed": False,
        "initial_value": str(number),
        "min_value": "0",
        "max_value": str(most),
    }
    return _labelled(name, label, element)


def date_input(name: str, label: str, hint: str, *, chosen: str = "", is_optional: bool = False) -> Block:
    """A day, chosen from a calendar; it arrives as 2026-12-01, and is given so where one is `chosen` already."""
    initial = {"initial_date": chosen} if chosen else {}
    element: Block = {"type": "datepicker", "action_id": name, **initial}
    return _labelled(name, label, element, is_optional=is_optional, hint=hint)


def choice(name: str, label: str, options: Sequence[tuple[str, str]], *, chosen: str = "") -> Block:
    """One of several, a value and its words each; the first where none is `chosen`."""
    shown = [_option(value, words) for value, words in options]
    first = next((option for option in shown if option["value"] == chosen), shown[0])
    element: Block = {"type": "static_select", "action_id": name, "options": shown, "initial_option": first}
    return _labelled(name, label, element)


def choices(name: str, label: str, options: Sequence[tuple[str, str]], chosen: Collection[str], hint: str) -> Block:
    """Any of several, or none; at most a hundred are offered."""
    element: Block = {"type": "multi_static_select", "action_id": name, **_options(options, chosen)}
    return _labelled(name, label, element, is_optional=True, hint=hint)


def ticks(name: str, label: str, options: Sequence[tuple[str, str]], *, ticked: Collection[str] | None = None) -> Block:
    """Any of a few, all of them ticked unless `ticked` says which."""
    ticked = [value for value, _ in options] if ticked is None else ticked
    element: Block = {"type": "checkboxes", "action_id": name, **_options(options, ticked)}
    return _labelled(name, label, element, is_optional=True)


def _options(options: Sequence[tuple[str, str]], chosen: Collection[str]) -> Block:
    """The options, and which of them are chosen already: Slack takes no empty list of those."""
    shown = [_option(value, words) for value, words in options]
    initial = [option for option in shown if option["value"] in chosen]
    return {"options": shown, **({"initial_options": initial} if initial else {})}


def _option(value: str, words: str) -> Block:
    return {"text": {"type": "plain_text", "text": words}, "value": value}


def _labelled(name: str, label: str, element: Block, *, is_optional: bool = False, hint: str = "") -> Block:
    found: Block = {
        "type": "input",
        "block_id": name,
        "optional": is_optional,
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }
    if hint:
        found["hint"] = {"type": "plain_text", "text": hint}
    return found
