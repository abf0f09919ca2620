"""What a person's hands do to blocks: what a form's inputs hold, and what a click on an element sends.

Pure. Shapes as in docs.slack.dev/reference/interaction-payloads, read 2026-11-21.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

INITIAL = {  # element type -> (where its first value stands, where its state holds the value)
    "plain_text_input": ("initial_value", "value"),
    "email_text_input": ("initial_value", "value"),
    "url_text_input": ("initial_value", "value"),
    "number_input": ("initial_value", "value"),
    "rich_text_input": ("initial_value", "rich_text_value"),
    "static_select": ("initial_option", "selected_option"),
    "external_select": ("initial_option", "selected_option"),
    "radio_buttons": ("initial_option", "selected_option"),
    "checkboxes": ("initial_options", "selected_options"),
    "multi_static_select": ("initial_options", "selected_options"),
    "users_select": ("initial_user", "selected_user"),
    "multi_users_select": ("initial_users", "selected_users"),
    "conversations_select": ("initial_conversation", "selected_conversation"),
    "channels_select": ("initial_channel", "selected_channel"),
    "multi_channels_select": ("initial_channels", "selected_channels"),
    "datepicker": ("initial_date", "selected_date"),
    "file_input": ("files", "files"),
}


class CannotDo(AssertionError):
    """A person at the screen could not have done this; the text says why."""


def state_values(blocks: list[Json], filled: dict[str, Any]) -> dict[str, dict[str, Json]]:
    """The `state.values` of blocks: their first values, then what was filled in, by action id or block id.

    Options are named by their value, several as a list. Raises CannotDo for what the blocks do not take.
    """
    values: dict[str, dict[str, Json]] = {}
    unused = set(filled)
    for block, element in inputs(blocks):
        key = next((name for name in (element["action_id"], block["block_id"]) if name in filled), None)
        chosen = first_value(element) if key is None else entered(element, filled[key])
        unused.discard(key or "")
        slot = INITIAL[element["type"]][1]
        values.setdefault(block["block_id"], {})[element["action_id"]] = {"type": element["type"], slot: chosen}
    if unused:
        known = [element["action_id"] for _, element in inputs(blocks)]
        raise CannotDo(f"the form has no input {', '.join(sorted(unused))}; it has {', '.join(known)}")
    return values


def submitted_values(blocks: list[Json], filled: dict[str, Any]) -> dict[str, dict[str, Json]]:
    """The `state.values` of a form that is submitted. Raises CannotDo where Slack's client would not submit."""
    values = state_values(blocks, filled)
    for block, element in inputs(blocks):
        held = values[block["block_id"]][element["action_id"]][INITIAL[element["type"]][1]]
        if block["type"] == "input" and not block.get("optional") and held in (None, "", []):
            raise CannotDo(f"{element['action_id']} must be filled in")
    return values


def with_ids(blocks: list[Json]) -> list[Json]:
    """Blocks with the block ids Slack gives where the app gave none."""
    return [block if block.get("block_id") else {**block, "block_id": f"blk{at}"} for at, block in enumerate(blocks)]


def inputs(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element that holds a value, with its block."""
    for block, element in elements(blocks):
        if element.get("type") in INITIAL:
            yield block, element


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every element a person may touch, with its block."""
    for block in blocks:
        for element in (block.get("element"), block.get("accessory"), *block.get("elements", [])):
            if isinstance(element, dict) and "action_id" in element:
                yield block, element


def first_value(element: Json) -> Any:
    return element.get(INITIAL[element["type"]][0])


def entered(element: Json, value: Any) -> Any:
    """What the input holds after a person entered `value`."""
    kind = element["type"]
    if isinstance(value, list):
        return [entered_one(element, one) for one in value]
    if kind == "plain_text_input":
        longest = element.get("max_length", 3000)
        if not element.get("min_length", 0) <= len(value) <= longest:
            raise CannotDo(f"{element['action_id']} takes at most {longest} characters, got {len(value)}")
    return entered_one(element, value)


def entered_one(element: Json, value: Any) -> Any:
    return option(element, value) if "options" in element or "option_groups" in element else value


def option(element: Json, value: str) -> Json:
    """The option of a menu with this value. Raises CannotDo."""
    groups = element.get("option_groups", [])
    offered = [*element.get("options", []), *(one for group in groups for one in group["options"])]
    for one in offered:
        if one["value"] == value:
            return one
    raise CannotDo(f"{element['action_id']} offers {[one['value'] for one in offered]}, not {value!r}")


def action(blocks: list[Json], action_id: str, value: Any, at: str) -> Json:
    """The `actions[0]` a click on `action_id` sends; `at` is its action_ts. Raises CannotDo.

    `value` chooses among the options of a menu, or between the two feedback buttons.
    """
    for block, element in elements(blocks):
        if element["action_id"] == action_id:
            sent = {"action_id": action_id, "block_id": block["block_id"], "type": element["type"], "action_ts": at}
            return sent | _sent_value(element, value)
    known = [element["action_id"] for _, element in elements(blocks)]
    raise CannotDo(f"there is nothing called {action_id} to click, only {', '.join(known) or 'text'}")


def _sent_value(element: Json, value: Any) -> Json:
    match element["type"]:
        case "feedback_buttons":
            for button in (element["positive_button"], element["negative_button"]):
                if button["value"] == value:
                    return {"value": value, "text": button["text"]}
            raise CannotDo(f"{element['action_id']} has no button with the value {value!r}")
        case "button":
            return {"text": element["text"]} | ({"value": element["value"]} if "value" in element else {})
        case "icon_button":
            return {"value": element["value"]} if "value" in element else {}
        case "overflow":
            return {"selected_option": option(element, value)}
        case kind:
            return {INITIAL[kind][1]: entered(element, value)}


def may_see(blocks: list[Json], action_id: str, user_id: str) -> bool:
    """Whether the person's client shows this element (`visible_to_user_ids`)."""
    for _, element in elements(blocks):
        if element["action_id"] == action_id:
            return user_id in element.get("visible_to_user_ids", [user_id])
    return False
