"""One Discord guild as its backend keeps it, and how to read it with somebody's eyes.

Nothing here uses the bot's cache or Finetone's database: what a test reads is what people would see. simcord's own types stay
in this package, so that it can be replaced.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import simcord
from simcord.backend import serializers
from simcord.backend.access import channel_accessible
from simcord.builders import ChannelHandle, GuildHandle, RoleHandle, UserHandle

Json = dict[str, Any]

CannotDo = simcord.SetupError  # a person's client would not offer this: no such button, command or channel
Refused = simcord.BackendError  # Discord refuses what a person tried: a permission, a limit

KINDS = {0: "text", 1: "dm", 11: "thread", 12: "thread", 15: "forum"}


@dataclass(frozen=True)
class Person:
    """Somebody with an account; a bot's, too."""

    name: str
    id: int

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"


@dataclass(frozen=True)
class Role:
    name: str
    id: int

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"


@dataclass(frozen=True)
class Channel:
    """kind is "text", "forum", "thread" or "dm". A forum post is a thread whose parent is the forum."""

    name: str
    id: int
    kind: str
    parent_id: int | None = None


@dataclass(frozen=True)
class Message:
    """A message as Discord stored it when it was read."""

    channel: Channel
    raw: Json

    @property
    def id(self) -> int:
        return int(self.raw["id"])

    @property
    def author_id(self) -> int:
        return int(self.raw["author"]["id"])

    @property
    def text(self) -> str:
        return self.raw["content"]

    @property
    def reply_to_id(self) -> int | None:
        """The message this one answers."""
        referred = (self.raw.get("message_reference") or {}).get("message_id")
        return int(referred) if referred is not None else None

    @property
    def ephemeral(self) -> bool:
        return bool(self.raw.get("flags", 0) & 1 << 6)

    @property
    def embeds(self) -> list[Json]:
        return self.raw["embeds"]

    @property
    def components(self) -> list[Json]:
        return self.raw["components"]

    @property
    def custom_ids(self) -> list[str]:
        """Those of the buttons and menus, in order."""
        return [one["custom_id"] for one in _walk(self.components) if one.get("custom_id")]

    @property
    def labels(self) -> list[str]:
        """What stands on the buttons, in order."""
        return [one["label"] for one in _walk(self.components) if one.get("type") == 2 and one.get("label")]

    @property
    def shown(self) -> str:
        """All text people read: content, text displays, embeds' titles and descriptions."""
        parts = [self.text, *(one["content"] for one in _walk(self.components) if one.get("type") == 10)]
        for embed in self.embeds:
            parts += [embed.get("title") or "", embed.get("description") or ""]
            parts += [f"{field['name']} {field['value']}" for field in embed.get("fields") or []]
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True)
class World:
    """The guild a test starts with; world.py builds it."""

    guild_id: int
    bot: Person
    bot_role: Role
    people: dict[str, Person]
    roles: dict[str, Role]
    channels: dict[str, Channel]
    tags: dict[str, int]  # of the forum: name -> id


class Place:
    """A guild and everything that can be read of it."""

    def __init__(self, env: Any, world: World) -> None:
        self._env: Any = env
        self.world = world

    @property
    def backend(self) -> simcord.Backend:
        return self._env.backend

    @property
    def id(self) -> int:
        return self.world.guild_id

    @property
    def bot(self) -> Person:
        return self.world.bot

    # Reading.

    def messages(self, channel: Channel, viewer: Person | None = None) -> list[Message]:
        """The messages of a channel, a thread or a DM, oldest first; ephemeral ones only for their viewer.

        Raises CannotDo if the viewer cannot read there.
        """
        if viewer is not None and not self.can_read(viewer, channel):
            raise CannotDo(f"{viewer.name} cannot read {channel.name}")
        stored = self.backend.messages.get(channel.id, {})
        seen = [one for one in stored.values() if one.visible_to(viewer.id if viewer else None)]
        return [self._message(one) for one in sorted(seen, key=lambda one: one.id)]

    def said_by_bot(self, channel: Channel) -> list[Message]:
        return [one for one in self.messages(channel) if one.author_id == self.bot.id and one.raw["type"] in (0, 19)]

    def replies(self, message: Message) -> list[Message]:
        """What the bot said to a message: answers to it, and what it said in its thread."""
        answers = [one for one in self.said_by_bot(message.channel) if one.reply_to_id == message.id]
        thread = self.thread_of(message)
        return answers + (self.said_by_bot(thread) if thread else [])

    def reread(self, message: Message) -> Message | None:
        """The message as it is now; None if it is gone."""
        stored = self.backend.messages.get(message.channel.id, {}).get(message.id)
        return self._message(stored) if stored else None

    def thread_of(self, message: Message) -> Channel | None:
        """The thread opened on a message."""
        found = self.backend.channels.get(message.id)
        return self.channel(found.id) if found else None

    def threads(self, channel: Channel) -> list[Channel]:
        found = [one for one in self.backend.channels.values() if one.is_thread and one.parent_id == channel.id]
        return [self.channel(one.id) for one in found]

    def ephemerals(self, person: Person) -> list[Message]:
        """What only this person was shown, in any channel, oldest first."""
        stored = [one for channel in self.backend.messages.values() for one in channel.values()]
        seen = [one for one in stored if one.is_ephemeral and one.visible_to(person.id)]
        return [self._message(one) for one in sorted(seen, key=lambda one: one.id)]

    def open_modal(self, person: Person) -> Json | None:
        """The form in front of this person: the last one shown and not yet sent."""
        record = self._modal_record(person)
        return record.modal if record else None

    def reactions(self, message: Message) -> dict[str, list[int]]:
        """Who reacted with what: {"👍": [user ids]}."""
        stored = self.backend.get_message(message.channel.id, message.id)
        return {one.emoji: list(one.user_ids) for one in stored.reactions}

    def pinged(self, message: Message) -> list[int]:
        """The ids of the people and roles this message notified; the guild's own id stands for everyone."""
        stored = self.backend.get_message(message.channel.id, message.id)
        everyone = [self.id] if stored.mention_everyone else []
        return [*everyone, *stored.ping_user_ids, *stored.ping_role_ids]

    def files(self, message: Message) -> dict[str, bytes]:
        """The files of a message: {name: bytes}."""
        return {one["filename"]: self.backend.cdn.get(one["url"]) or b"" for one in message.raw["attachments"]}

    def tags(self, post: Channel) -> list[str]:
        """The tags on a forum post, by name."""
        applied = self.backend.get_channel(post.id).applied_tags
        return [name for name, tag_id in self.world.tags.items() if tag_id in applied]

    def is_archived(self, thread: Channel) -> bool:
        metadata = self.backend.get_channel(thread.id).thread_metadata
        return bool(metadata and metadata.archived)

    def is_locked(self, thread: Channel) -> bool:
        metadata = self.backend.get_channel(thread.id).thread_metadata
        return bool(metadata and metadata.locked)

    def can_read(self, person: Person, channel: Channel) -> bool:
        return channel_accessible(self.backend, channel.id, person.id, history=True)

    def commands(self, person: Person, channel: Channel) -> list[str]:
        """The slash commands this person's client offers here: ["retrain", "model status"]."""
        return list(self._actor(person).available_commands(self._channel_handle(channel)))

    def dm(self, person: Person) -> Channel:
        """The direct message of a person and the bot."""
        return self.channel(self.backend.get_dm_channel(person.id).id)

    def channel(self, channel_id: int) -> Channel:
        stored = self.backend.get_channel(channel_id)
        return Channel(stored.name or "dm", stored.id, KINDS[stored.type], stored.parent_id)

    # simcord's own types.

    def _message(self, stored: Any) -> Message:
        return Message(self.channel(stored.channel_id), dict(serializers.message_payload(self.backend, stored)))

    def _stored(self, message: Message) -> Any:
        """Raises CannotDo if the message is gone."""
        try:
            return self.backend.get_message(message.channel.id, message.id)
        except Refused as exc:
            raise CannotDo(f"message {message.id} is gone") from exc

    def _guild_handle(self) -> GuildHandle:
        return GuildHandle(self._env, self.backend.get_guild(self.id))

    def _channel_handle(self, channel: Channel) -> ChannelHandle:
        guild = None if channel.kind == "dm" else self._guild_handle()
        return ChannelHandle(self._env, guild, self.backend.get_channel(channel.id))

    def _user(self, person: Person) -> UserHandle:
        return UserHandle(self._env, self.backend.get_user(person.id))

    def _actor(self, person: Person) -> simcord.MemberActor:
        return simcord.MemberActor(self._env, self._guild_handle(), self._user(person))

    def _actor_in(self, person: Person, channel: Channel) -> Any:
        """A member in a guild's channel, a user in a DM."""
        return self._user(person) if channel.kind == "dm" else self._actor(person)

    def _handle(self, value: Any) -> Any:
        """An option's or a menu's value as simcord takes it."""
        match value:
            case Person():
                member = value.id in self.backend.get_guild(self.id).members
                return self._actor(value) if member else self._user(value)
            case Channel():
                return self._channel_handle(value)
            case Role():
                return RoleHandle(self._env, self._guild_handle(), self.backend.get_role(self.id, value.id))
        return value

    def _modal_record(self, person: Person) -> Any:
        mine = [one for one in self.backend.interactions.values() if one.user_id == person.id and one.modal]
        return mine[-1] if mine and not mine[-1].modal_consumed else None


def _walk(components: Iterable[Json]) -> Iterable[Json]:
    for one in components:
        yield one
        yield from _walk(one.get("components") or [])
        accessory = one.get("accessory") or one.get("component")
        if accessory:
            yield from _walk([accessory])
