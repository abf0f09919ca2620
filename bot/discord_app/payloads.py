"""Pure: what Discord's gateway tells, as plain records that can be kept as JSON and read back after a crash.

Ids are strings: they are names to us, and 64 bits are more than JSON's readers agree on. discord.py's objects end here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import discord

Payload = Mapping[str, Any]
DIRECT = "@me"  # what Discord's own addresses say in place of a guild
PEOPLES = frozenset(
    {discord.MessageType.default, discord.MessageType.reply}
)  # every other type is a notice of Discord's


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Discord, with the roles they wear in the guild this happened in; none in direct messages."""

    id: str
    name: str
    roles: tuple[str, ...]
    guild: str  # or DIRECT


@dataclass(frozen=True, slots=True)
class Place:
    """A message in a channel or thread, or where one will stand. `parent` is a thread's channel, "" outside threads."""

    guild: str  # or DIRECT
    channel: str
    message: str
    parent: str = ""

    @property
    def is_direct(self) -> bool:
        """Whether it stands in a private conversation with the bot."""
        return self.guild == DIRECT

    @property
    def room_key(self) -> str:
        """Our name of where the message stands: a channel, a thread or a direct conversation."""
        return f"{self.guild}/{self.channel}"

    @property
    def channel_key(self) -> str:
        """Our name of the channel whose rules hold: of a thread, the channel it hangs in."""
        return f"{self.guild}/{self.parent or self.channel}"

    @property
    def key(self) -> str:
        """Our name of the message."""
        return f"{self.room_key}/{self.message}"

    @property
    def own_conversation(self) -> str:
        """Our name of the conversation that begins with the message, which is also that of a thread opened on it."""
        return f"{self.guild}/{self.message}"

    @property
    def link(self) -> str:
        """Where a person's client opens the message."""
        return f"https://discord.com/channels/{self.key}"


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody else's message, or one's own, that a message answers."""

    by: Person
    is_program: bool
    text: str
    mentioned: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A person's message."""

    by: Person
    place: Place
    text: str  # in Discord's own markup; "" also where the bot may not read it
    is_mention: bool
    is_thread: bool  # stands in a thread or forum post
    reply_to: str  # id of the message it answers, or ""
    n_files: int
    mentioned: tuple[Person, ...] = ()  # everybody else named in it
    is_lost: bool = False  # discord.py did not know the channel: whether it is a thread, and of which, has to be asked
    answered: Answered | None = None  # the message it answers, where Discord shows it and it is not the bot's
    conversation: str = ""  # our name of its conversation, once that is known

    @property
    def is_post(self) -> bool:
        """Whether it opens a forum post: the only messages that carry their thread's own id."""
        return self.is_thread and self.place.message == self.place.channel

    @property
    def is_first(self) -> bool:
        """Whether a conversation begins with it, outside threads."""
        return self.conversation == self.place.own_conversation

    @property
    def is_reply(self) -> bool:
        """Whether it stands under something said before."""
        return bool(self.reply_to) or (self.is_thread and not self.is_post)


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that was edited or deleted. `text` is None for a deletion; `mentioned` is as in Said."""

    place: Place
    text: str | None
    mentioned: tuple[Person, ...] = ()


def is_noise(message: discord.Message, me: int) -> bool:
    """Whether a message is nobody's question: the bot's own, another bot's, a webhook's, or a notice of Discord's."""
    return (
        message.author.id == me
        or message.author.bot
        or message.webhook_id is not None
        or message.type not in PEOPLES
        or message.flags.ephemeral
    )


def said_record(message: discord.Message, me: int) -> dict[str, Any]:
    """A person's message as JSON; `read_said` reads it back. Who names the role that Discord made for the bot names the bot."""
    guild = DIRECT if message.guild is None else str(message.guild.id)
    if message.guild is None and isinstance(message.channel, discord.PartialMessageable) and message.channel.guild_id:
        guild = str(message.channel.guild_id)
    reference = message.reference
    is_reply = message.type is discord.MessageType.reply and reference is not None
    said = Said(
        by=person_of(message.author, guild),
        place=Place(guild, str(message.channel.id), str(message.id), _parent(message.channel)),
        text=message.content,
        is_mention=any(user.id == me for user in message.mentions) or _names_my_role(message),
        is_thread=isinstance(message.channel, discord.Thread),
        reply_to=str(reference.message_id or "") if is_reply and reference is not None else "",
        n_files=len(message.attachments) + len(message.stickers),
        mentioned=tuple(person_of(user, guild) for user in message.mentions if user.id != me),
        is_lost=isinstance(message.channel, discord.PartialMessageable),
        answered=_answered(reference, me, guild) if is_reply else None,
    )
    return asdict(said)


def read_said(payload: Payload) -> Said:
    """A person's message, read back."""
    return Said(
        by=_person(payload["by"]),
        place=Place(**payload["place"]),
        text=payload["text"],
        is_mention=payload["is_mention"],
        is_thread=payload["is_thread"],
        reply_to=payload["reply_to"],
        n_files=payload["n_files"],
        mentioned=_people(payload["mentioned"]),
        is_lost=payload["is_lost"],
        answered=_read_answered(payload.get("answered")),
    )


def changed_record(place: Place, text: str | None, mentioned: Sequence[Person] = ()) -> dict[str, Any]:
    """An edit or a deletion as JSON; `read_changed` reads it back."""
    return asdict(Changed(place, text, tuple(mentioned)))


def read_changed(payload: Payload) -> Changed:
    """An edit or a deletion, read back."""
    return Changed(Place(**payload["place"]), payload["text"], _people(payload["mentioned"]))


def person_of(user: discord.abc.User, guild: str) -> Person:
    """Somebody discord.py tells of; a member's roles come with each message and each press."""
    roles = tuple(str(role.id) for role in user.roles) if isinstance(user, discord.Member) else ()
    return Person(str(user.id), user.display_name, roles, guild)


def place_of(key: str, parent: str = "") -> Place:
    """The place with this key."""
    guild, channel, message = key.split("/")
    return Place(guild, channel, message, parent)


def _answered(reference: discord.MessageReference | None, me: int, guild: str) -> Answered | None:
    found = reference.resolved if reference is not None else None
    if not isinstance(found, discord.Message) or found.author.id == me:  # else deleted, or not shown
        return None
    is_program = found.author.bot or found.webhook_id is not None
    mentioned = tuple(person_of(user, guild) for user in found.mentions if user.id != me)
    return Answered(person_of(found.author, guild), is_program, found.content, mentioned)


def _read_answered(payload: Payload | None) -> Answered | None:
    if payload is None:
        return None
    return Answered(
        _person(payload["by"]), payload["is_program"], payload["text"], mentioned=_people(payload["mentioned"])
    )


def _names_my_role(message: discord.Message) -> bool:
    mine = [] if message.guild is None else [role.id for role in message.guild.me.roles if role.managed]
    return any(role in mine for role in message.raw_role_mentions)


def _parent(channel: object) -> str:
    return str(channel.parent_id) if isinstance(channel, discord.Thread) else ""


def _person(payload: Payload) -> Person:
    return Person(payload["id"], payload["name"], tuple(payload["roles"]), payload["guild"])


def _people(payloads: Sequence[Payload]) -> tuple[Person, ...]:
    return tuple(_person(payload) for payload in payloads)
