"""Pure: a channel's rules as people write and read them, the same on every platform."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.office.telling import Line
from bot.opening import spans_of, zone_of
from bot.text import clean, excerpt
from bot.wording import counted, duration
from storage.records import ChannelRules, ThreadMode

ALWAYS, NONE = "always", "none"  # what people say to have no hours, and no language
LONGEST_COOLDOWN_S = 3_600
MOST_A_DAY = 100_000
LONGEST_LANGUAGE, LONGEST_HOURS, LONGEST_ZONE = 40, 200, 60  # characters


class RuleRefused(ValueError):
    """A rule cannot be meant as it was written; the message says what to write instead."""


def changed(rules: ChannelRules, given: Mapping[str, Any]) -> ChannelRules:
    """The rules with what was given, by name: threads, groups, language, hours, time_zone, cooldown, daily_cap.

    What is missing or None stays as it is. Raises HoursRefused, and RuleRefused for a number.
    """
    if (threads := given.get("threads")) is not None:
        rules = replace(rules, threads=ThreadMode(threads))
    if (groups := given.get("groups")) is not None:
        rules = replace(rules, asking_roles=tuple(groups))
    if (language := given.get("language")) is not None:
        rules = replace(rules, language="" if language.lower() == NONE else _line(language, LONGEST_LANGUAGE))
    if (hours := given.get("hours")) is not None:
        hours = "" if hours.lower() == ALWAYS else hours.strip()
        spans_of(hours)
        rules = replace(rules, opening_hours=hours)
    if (zone := given.get("time_zone")) is not None:
        rules = replace(rules, time_zone=zone_of(zone).key)
    if (cooldown := given.get("cooldown")) is not None:
        rules = replace(rules, cooldown_s=whole(cooldown, "seconds between two questions", LONGEST_COOLDOWN_S))
    if (cap := given.get("daily_cap")) is not None:
        rules = replace(rules, daily_cap=whole(cap, "questions a day", MOST_A_DAY))
    return rules


def whole(written: str | int, of: str, most: int) -> int:
    """A whole number from 0, which is none, to `most`. Raises RuleRefused."""
    text = str(written).strip()
    if not (text.isascii() and text.isdecimal() and int(text) <= most):
        raise RuleRefused(f"{excerpt(text, 20)!r} is no number of {of}. Write one from 0, for none, to {most:,}.")
    return int(text)


def rule_lines(rules: ChannelRules, group_names: Sequence[str]) -> list[Line]:
    """What is set, line by line; nothing for what is not. `group_names` are those of `asking_roles`, as people know them."""
    lines: list[Line] = []
    if rules.asking_roles:
        lines.append(Line(", ".join(group_names), "Answers only"))
    if rules.language:
        lines.append(Line(rules.language, "Language"))
    if rules.opening_hours:
        lines.append(Line(f"{rules.opening_hours} ({rules.time_zone})", "Hours"))
    if rules.cooldown_s:
        lines.append(Line(f"{duration(rules.cooldown_s)} between two questions of one person", "Cooldown"))
    if rules.daily_cap:
        lines.append(Line(f"{counted(rules.daily_cap, 'question')} a day", "At most"))
    return lines


def _line(text: str, limit: int) -> str:
    return excerpt(clean(text), limit)
