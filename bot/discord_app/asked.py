"""Pure: what people press, fill in and command, as plain records that can be kept as JSON and read back after a crash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord

from bot.discord_app.buttons import read_custom_id
from bot.discord_app.payloads import DIRECT, Payload, Person, Place, person_of

PRESS, FORM, COMMAND = "press", "form", "command"  # kinds of rows, and how verbs are named: "press good"
_PLAIN = ("id", "token", "application", "kind", "verb", "about", "inputs")


@dataclass(frozen=True, slots=True)
class Target:
    """The message that a context menu was opened on, which only Discord could show us."""

    message: str
    author: str
    is_bot: bool
    text: str
    reply_to: str = ""  # id of the message it answers


@dataclass(frozen=True, slots=True)
class Asked:
    """Something a person pressed, filled in or commanded. `inputs` are a form's fields, a command's options, a menu's values."""

    id: str  # the interaction's: the same when it is delivered again
    token: str  # answers may be sent with it for 15 minutes
    application: str
    kind: str
    verb: str
    about: str
    by: Person
    place: Place  # the message a button stands under; `message` is "" where there is none
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    target: Target | None = None
    is_first_try: bool = True  # False: an earlier attempt at this very interaction died

    @property
    def name(self) -> str:
        """What features call it."""
        return f"{self.kind} {self.verb}"


def asked_of(
    interaction: discord.Interaction[Any], verb: str = "", inputs: Mapping[str, Any] | None = None
) -> Asked | None:
    """What was asked. `verb` and `inputs` are for commands, which their definitions name; None for a button that is not ours."""
    delivered: Mapping[str, Any] = interaction.data or {}  # pyright: ignore[reportAssignmentType]  # typed per kind
    match interaction.type:
        case discord.InteractionType.component | discord.InteractionType.modal_submit:
            read = read_custom_id(str(delivered.get("custom_id", "")))
            if read is None:
                return None
            is_form = interaction.type is discord.InteractionType.modal_submit
            kind, (verb, about) = FORM if is_form else PRESS, read
            inputs = _fields(delivered.get("components", ())) if is_form else {"values": delivered.get("values", [])}
        case _:
            kind, about = COMMAND, ""
    return Asked(
        id=str(interaction.id),
        token=interaction.token,
        application=str(interaction.application_id),
        kind=kind,
        verb=verb,
        about=about,
        by=person_of(interaction.user, _guild(interaction)),
        place=_place(interaction),
        inputs=inputs or {},
        target=_target(delivered),
    )


def read_asked(payload: Payload) -> Asked:
    """What was asked, read back from its row."""
    by, target = payload["by"], payload["target"]
    known: dict[str, Any] = {name: payload[name] for name in _PLAIN}
    return Asked(
        **known,
        by=Person(by["id"], by["name"], tuple(by["roles"]), by["guild"]),
        place=Place(**payload["place"]),
        target=None if target is None else Target(**target),
    )


def _guild(interaction: discord.Interaction[Any]) -> str:
    return DIRECT if interaction.guild_id is None else str(interaction.guild_id)


def _place(interaction: discord.Interaction[Any]) -> Place:
    channel, message = interaction.channel, interaction.message
    parent = str(channel.parent_id) if isinstance(channel, discord.Thread) else ""
    return Place(
        _guild(interaction), str(interaction.channel_id or ""), str(message.id) if message is not None else "", parent
    )


def _target(delivered: Mapping[str, Any]) -> Target | None:
    if delivered.get("type") != discord.AppCommandType.message.value:
        return None
    resolved: dict[str, Any] = delivered.get("resolved") or {}
    messages: dict[str, dict[str, Any]] = resolved.get("messages") or {}
    message = messages.get(str(delivered.get("target_id")), {})
    author: dict[str, Any] = message.get("author") or {}
    answered: dict[str, Any] = message.get("message_reference") or {}
    return Target(
        str(delivered.get("target_id")),
        str(author.get("id", "")),
        bool(author.get("bot")) or "webhook_id" in message,
        str(message.get("content", "")),
        str(answered.get("message_id") or ""),
    )


def _fields(components: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A form's fields by custom id, however deep they lie: text, a choice, the choices, or whether it is ticked."""
    found: dict[str, Any] = {}
    for one in components:
        inner: Sequence[Mapping[str, Any]] = [*one.get("components", ())]
        if one.get("component"):
            inner = [*inner, one["component"]]
        found |= _fields(inner)
        if one.get("custom_id") and not inner:
            found[str(one["custom_id"])] = one["value"] if "value" in one else one.get("values")
    return found
