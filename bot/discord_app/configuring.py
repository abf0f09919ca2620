"""`/config`: a channel's mode, consent and rules, set and shown, with the permissions that are missing there."""

from collections.abc import Mapping
from typing import Any

from bot.discord_app.answers import Reading
from bot.discord_app.interactions import Answer, Asked
from bot.discord_app.parts import Parts
from bot.discord_app.payloads import Place
from bot.discord_app.permissions import missing
from bot.discord_app.telling import permissions_in
from bot.office import commands
from bot.office.channel_rules import RuleRefused, changed, rule_lines
from bot.office.telling import Line, Told
from bot.office.verbs import Said
from bot.opening import HoursRefused
from storage.records import Actor, ChannelMode, ChannelRules, ThreadMode

THREAD_WORDS = {
    ThreadMode.THREAD: "in a thread on the question",
    ThreadMode.CHANNEL: "under the question, in the channel",
}


async def set_up(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """Set what was given; everything else stays. Raises NotAllowed."""
    place, given = _place(asked), asked.inputs
    known = await parts.store.channels.get(parts.platform, place.channel_key)
    try:
        rules = changed(ChannelRules() if known is None else known.rules, _by_name(given, place.guild))
    except (HoursRefused, RuleRefused) as refused:
        return Said(str(refused))
    shown = await commands.set_channel(
        parts,
        actor,
        place.channel_key,
        mode=None if given.get("mode") is None else ChannelMode(given["mode"]),
        may_train=given.get("training"),
        rules=rules,
    )
    return Reading(Told([*shown.lines, *await _lines(parts, place)]))


async def show(parts: Parts, actor: Actor, asked: Asked) -> Answer:
    """What is set, and what is missing."""
    place = _place(asked)
    shown = await commands.channel(parts, actor, place.channel_key, ())
    return Reading(Told([*shown.lines, *await _lines(parts, place)]))


def _place(asked: Asked) -> Place:
    """The channel that is meant: a named one, or where the command was given."""
    named = asked.inputs.get("channel")
    return asked.place if named is None else Place(asked.place.guild, str(named), "")


def _by_name(given: Mapping[str, Any], guild: str) -> Mapping[str, Any]:
    """What was given, called as the office calls it."""
    role = given.get("role")
    if role is None:
        return given
    return {**given, "groups": () if role == guild else (str(role),)}  # a server's own id is its role for everybody


async def _lines(parts: Parts, place: Place) -> list[Line]:
    _, rules = await parts.channel(place.channel_key)
    return [*_rule_lines(parts, place, rules), _permission_line(parts, place)]


def _rule_lines(parts: Parts, place: Place, rules: ChannelRules) -> list[Line]:
    guild = parts.client.get_guild(int(place.guild))
    roles = [None if guild is None else guild.get_role(int(id)) for id in rules.asking_roles]
    names = ["a deleted role" if role is None else role.name for role in roles]
    return [Line(THREAD_WORDS[rules.threads or ThreadMode.THREAD], "Answers stand"), *rule_lines(rules, names)]


def _permission_line(parts: Parts, place: Place) -> Line:
    permissions = permissions_in(parts.client, place)
    if permissions is None:
        return Line("I do not see that channel. Give my role View Channels there.", "Permissions")
    lacking = missing(permissions)
    if lacking:
        return Line(f"Missing here: {', '.join(lacking)}. Give them to my role.", "Permissions")
    return Line("Nothing is missing here.", "Permissions")
