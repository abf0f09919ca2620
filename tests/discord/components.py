"""Discord's rules for buttons, menus, layouts and forms. Pure: components in, sentences out.

From docs.discord.com/developers/components/reference, August 2026.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

ROW, BUTTON, MENU, INPUT, SECTION, TEXT, LABEL = 1, 2, 3, 4, 9, 10, 18
MENUS = {3, 5, 6, 7, 8}
CONTAINER = 17
CUSTOM_ID = 100
ROWS = 5
LAYOUT_COMPONENTS = 40
LAYOUT_CHARACTERS = 4_000
LABEL_ON_A_BUTTON = 80
OPTIONS = 25

_MENU = {"custom_id", "disabled", "max_values", "min_values", "placeholder", "required"}
FIELDS = {  # component type -> its fields, besides type and id
    ROW: {"components"},
    BUTTON: {"custom_id", "disabled", "emoji", "label", "sku_id", "style", "url"},
    MENU: _MENU | {"options"},
    INPUT: {"custom_id", "label", "max_length", "min_length", "placeholder", "required", "style", "value"},
    5: _MENU | {"default_values"},
    6: _MENU | {"default_values"},
    7: _MENU | {"default_values"},
    8: _MENU | {"channel_types", "default_values"},
    SECTION: {"accessory", "components"},
    TEXT: {"content"},
    11: {"description", "media", "spoiler"},
    12: {"items"},
    13: {"file", "name", "size", "spoiler"},
    14: {"divider", "spacing"},
    CONTAINER: {"accent_color", "components", "spoiler"},
    LABEL: {"component", "description", "label"},
    19: {"custom_id", "file_types", "max_values", "min_values", "required"},
    21: {"custom_id", "options", "required"},
    22: {"custom_id", "max_values", "min_values", "options", "required"},
    23: {"custom_id", "default"},
}
OPTION = {"default", "description", "emoji", "label", "value"}
IN_A_FORM = {INPUT, LABEL, TEXT, ROW, 19, 21, 22, 23} | MENUS
LIMITS = {  # (type, field) -> characters
    (BUTTON, "label"): LABEL_ON_A_BUTTON,
    (INPUT, "label"): 45,
    (INPUT, "placeholder"): 100,
    (INPUT, "value"): 4_000,
    (LABEL, "label"): 45,
    (LABEL, "description"): 100,
    **{(menu, "placeholder"): 150 for menu in MENUS},
}


def unknown(name: str, given: Json, known: set[str]) -> list[str]:
    """The fields Discord does not know."""
    return [f"{name} has an unknown field {field!r}" for field in sorted(set(given) - known)]


def component_violations(components: list[Json], *, v2: bool) -> list[str]:
    """The components of a message; in rows of five, or laid out (V2)."""
    found = _each(components)
    everything = list(walk(components))
    if v2:
        if len(everything) > LAYOUT_COMPONENTS:
            found.append(f"{len(everything)} components, at most {LAYOUT_COMPONENTS}")
        shown = sum(len(one.get("content") or "") for one in everything)
        if shown > LAYOUT_CHARACTERS:
            found.append(f"text displays hold {shown} characters together, at most {LAYOUT_CHARACTERS}")
        return found
    if len(components) > ROWS:
        found.append(f"{len(components)} rows, at most {ROWS}")
    found += [
        f"a component of type {one.get('type')} needs components V2" for one in components if one.get("type") != ROW
    ]
    return found


def modal_violations(modal: Json) -> list[str]:
    """A form."""
    found = unknown("modal", modal, {"components", "custom_id", "title"})
    found += _text("title", modal.get("title"), 45) + _text("custom_id", modal.get("custom_id"), CUSTOM_ID)
    components = modal.get("components") or []
    if not 1 <= len(components) <= 5:
        found.append(f"{len(components)} components in a modal, 1 to 5 are allowed")
    found += _each(components)
    for one in walk(components):
        if one.get("type") not in IN_A_FORM:
            found.append(f"a modal takes no component of type {one.get('type')}")
    return found


def walk(components: list[Json]) -> Iterator[Json]:
    """Every component, those inside others too."""
    for one in components:
        yield one
        yield from walk(one.get("components") or [])
        yield from walk([inner for inner in (one.get("accessory"), one.get("component")) if inner])


def _each(components: list[Json]) -> list[str]:
    found: list[str] = []
    seen: set[str] = set()
    for one in walk(components):
        kind = one.get("type")
        if kind not in FIELDS:
            found.append(f"component type {kind!r} is unknown")
            continue
        found += unknown(f"component of type {kind}", one, FIELDS[kind] | {"id", "type"})
        for (limited, name), limit in LIMITS.items():
            if limited == kind and len(one.get(name) or "") > limit:
                found.append(f"{name} has {len(one[name])} characters, at most {limit}")
        if "custom_id" in one:
            found += _text("custom_id", one["custom_id"], CUSTOM_ID)
            if one["custom_id"] in seen:
                found.append(f"custom_id {one['custom_id']!r} is there twice")
            seen.add(one["custom_id"])
        found += _row(one) if kind == ROW else []
        found += _options(one.get("options") or [])
    return found


def _row(row: Json) -> list[str]:
    inside = row.get("components") or []
    if not 1 <= len(inside) <= 5:
        return [f"{len(inside)} components in a row, 1 to 5 are allowed"]
    if len(inside) > 1 and any(one.get("type") != BUTTON for one in inside):
        return ["a menu stands alone in its row"]
    return []


def _options(options: list[Json]) -> list[str]:
    found: list[str] = []
    if len(options) > OPTIONS:
        found.append(f"{len(options)} options, at most {OPTIONS}")
    for option in options:
        found += unknown("option", option, OPTION)
        for name in ("label", "value"):
            found += _text(f"option {name}", option.get(name), 100)
        if len(option.get("description") or "") > 100:
            found.append("option description has more than 100 characters")
    return found


def _text(name: str, text: Any, limit: int) -> list[str]:
    if isinstance(text, str) and 1 <= len(text) <= limit:
        return []
    return [f"{name} has 1 to {limit} characters: {text!r}"[:200]]
