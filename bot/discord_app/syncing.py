"""Discord is told our commands when they differ from those it has: not at every start, because a day allows only so many."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import discord
from discord import app_commands

from bot.discord_app.outgoing import UNREACHABLE, reason

log = logging.getLogger(__name__)

_OURS = (
    "type",
    "name",
    "description",
    "default_member_permissions",
    "contexts",
    "integration_types",
    "required",
    "choices",
    "channel_types",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
    "autocomplete",
    "value",
)


async def sync(client: discord.Client, tree: app_commands.CommandTree[Any]) -> bool:
    """Tell Discord if it has others; whether it was told. What Discord refuses is logged: the old commands go on working."""
    ours = [command.to_dict(tree) for command in tree.get_commands()]
    try:
        theirs = await client.http.get_global_commands(client.application_id or 0)
        if fingerprint(ours) == fingerprint(cast(Sequence[Mapping[str, Any]], theirs)):
            return False
        await tree.sync()
    except (app_commands.AppCommandError, *UNREACHABLE) as error:
        log.error("Discord was not told our commands (%s)", reason(error))
        return False
    return True


def fingerprint(commands: Sequence[Mapping[str, Any]]) -> str:
    """The same for the same commands, whichever fields Discord adds to them; a list's order only counts among options."""
    known = sorted((_bare(command) for command in commands), key=lambda one: (str(one.get("type")), one["name"]))
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _bare(one: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _OURS:
        value = one.get(name)
        if value in (None, False, "", []):
            continue
        if name in ("contexts", "integration_types", "channel_types"):
            value = sorted(value)
        found[name] = [_bare(choice) for choice in value] if name == "choices" else value
    if "default_member_permissions" in found:
        found["default_member_permissions"] = str(found["default_member_permissions"])
    if one.get("options"):
        found["options"] = [_bare(option) for option in one["options"]]
    return found
