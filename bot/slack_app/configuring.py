"""`/finetone channel`: what is set for a channel, shown to anybody, and changed by an admin through a form."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (slack_sdk's clients are loosely typed)

import logging
from typing import Any

from bot import moderation
from bot.office import commands
from bot.office.channel_rules import changed, rule_lines
from bot.office.telling import Line, Told, told
from bot.office.verbs import Said
from bot.slack_app.channel_form import MAY_TRAIN, MODE, TRAINING, Group, Standing, channel_form, given_in
from bot.slack_app.form_parts import About
from bot.slack_app.opening import about, open_form
from bot.slack_app.outgoing import UNREACHABLE, reason
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Pressed, SlackChannel, Submitted
from bot.text import clean_reply, excerpt
from storage.records import Actor, ChannelMode, Right

log = logging.getLogger(__name__)

IN_PRIVATE = "Here I answer every question. `/finetone channel` in a channel says when I speak there."
NAME_LIMIT = 60  # characters of a group's name; a menu takes 75


async def told_of(parts: Parts, actor: Actor, place: SlackChannel, words: tuple[str, ...]) -> Told:
    """What is set for the channel; or, with words, set it. Raises NotAllowed."""
    if place.is_direct:
        return told(IN_PRIVATE)
    shown = await commands.channel(parts, actor, place.key, words)
    return Told([*shown.lines, *await _lines(parts, place)])


async def open_settings(parts: Parts, actor: Actor, press: Pressed) -> Said:
    """Ask an admin how the channel is to be set. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, "set up a channel")
    key = press.channel_key
    rules = await parts.channel_rules(key)
    standing = Standing(await parts.mode(key), await parts.may_train(key), rules)
    groups = await _groups(parts, press.by.team)
    return await open_form(parts, press, channel_form(about(press), standing, groups or ()))


async def saved(parts: Parts, actor: Actor, form: Submitted, opened: About) -> Told:
    """Set the channel up as the form says. Raises NotAllowed."""
    place = SlackChannel(form.by.team, opened.channel)
    shown = await commands.set_channel(
        parts,
        actor,
        place.key,
        mode=ChannelMode(form.inputs[MODE]),
        may_train=MAY_TRAIN in form.inputs[TRAINING],
        rules=changed(await parts.channel_rules(place.key), given_in(form.inputs)),
    )
    return Told([*shown.lines, *await _lines(parts, place)])


async def _lines(parts: Parts, place: SlackChannel) -> list[Line]:
    rules = await parts.channel_rules(place.key)
    groups = await _groups(parts, place.team) if rules.asking_roles else None
    names = {id: id for id in rules.asking_roles} if groups is None else dict(groups)
    return rule_lines(rules, [names.get(id, "a deleted group") for id in rules.asking_roles])


async def _groups(parts: Parts, team: str) -> list[Group] | None:
    """The workspace's user groups; None where Slack does not tell."""
    try:
        answer = await (await parts.client(team)).usergroups_list()
    except UNREACHABLE as error:
        log.warning("the user groups of %s are not known (%s)", team, reason(error))
        return None
    groups: list[dict[str, Any]] = answer.get("usergroups") or []
    return [
        (str(group["id"]), excerpt(clean_reply(str(group.get("name") or group["id"])), NAME_LIMIT)) for group in groups
    ]
