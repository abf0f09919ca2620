"""Pure: the form that sets a channel up, and what was put into it. Empty hours are always, an empty language is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.moderation import MODE_WORDS
from bot.office.channel_rules import (
    LONGEST_COOLDOWN_S,
    LONGEST_HOURS,
    LONGEST_LANGUAGE,
    LONGEST_ZONE,
    MOST_A_DAY,
    RuleRefused,
    changed,
)
from bot.opening import HoursRefused
from bot.slack_app.blocks import Block
from bot.slack_app.form_parts import About, choice, choices, modal, number_input, text_input, ticks
from storage.records import ChannelMode, ChannelRules

FORM = "channel"
MODE, TRAINING, GROUPS, HOURS, ZONE = "mode", "training", "groups", "hours", "time_zone"
LANGUAGE, COOLDOWN, CAP = "language", "cooldown", "daily_cap"
RULES = (GROUPS, HOURS, ZONE, LANGUAGE, COOLDOWN, CAP)  # as the office calls them
MAY_TRAIN = "may"
GROUPS_OFFERED = 100  # Slack's limit of a menu

Group = tuple[str, str]
"""A user group: its id and its name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is set for a channel."""

    mode: ChannelMode
    may_train: bool
    rules: ChannelRules


def channel_form(about: About, standing: Standing, groups: Sequence[Group]) -> Block:
    """The form, filled with what is set. `groups` are the workspace's; where it has none, they are not asked for."""
    rules = standing.rules
    modes = [(str(mode), words) for mode, words in MODE_WORDS.items()]
    trained = [MAY_TRAIN] if standing.may_train else []
    return modal(
        FORM,
        "This channel",
        "Save",
        about,
        [
            choice(MODE, "When I speak here", modes, chosen=standing.mode),
            ticks(TRAINING, "Training", [(MAY_TRAIN, "Corrections made here may be trained on")], ticked=trained),
            text_input(
                HOURS,
                "Hours",
                rules.opening_hours,
                is_optional=True,
                limit=LONGEST_HOURS,
                hint="Such as Mon-Fri 09:00-17:30, Sat 10:00-14:00. Empty: always.",
            ),
            text_input(
                ZONE,
                "Time zone",
                rules.time_zone,
                limit=LONGEST_ZONE,
                hint="Of the hours, and of the day below. Such as Europe/Berlin.",
            ),
            number_input(CAP, "Questions a day, at most (0: no limit)", rules.daily_cap, MOST_A_DAY),
            number_input(
                COOLDOWN, "Seconds between two questions of one person (0: none)", rules.cooldown_s, LONGEST_COOLDOWN_S
            ),
            text_input(
                LANGUAGE,
                "Language",
                rules.language,
                is_optional=True,
                limit=LONGEST_LANGUAGE,
                hint="What I answer in, such as German. Empty: no rule.",
            ),
            *_groups(rules, groups),
        ],
    )


def _groups(rules: ChannelRules, groups: Sequence[Group]) -> list[Block]:
    """The choice among the workspace's groups. One that is set and was deleted since is offered by its id, to be taken off."""
    if not groups:
        return []
    names = dict(groups)
    chosen = [(id, names.get(id, id)) for id in rules.asking_roles]
    others = [group for group in groups if group[0] not in rules.asking_roles]
    offered = [*chosen, *others][:GROUPS_OFFERED]
    hint = "User groups, one of which who asks has to be in. Empty: everybody. The team is always answered."
    return [choices(GROUPS, "Whom I answer", offered, rules.asking_roles, hint)]


def given_in(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The rules that were put in, called as the office calls them; groups only where they were asked for."""
    return {name: inputs[name] for name in RULES if name in inputs}


def faults(inputs: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with what was put in, by the input it is wrong in."""
    found: dict[str, str] = {}
    for name, value in given_in(inputs).items():
        try:
            changed(ChannelRules(), {name: value})
        except (HoursRefused, RuleRefused) as refused:
            found[name] = str(refused)
    return found
