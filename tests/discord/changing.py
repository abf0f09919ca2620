"""What people change around the bot: who is there, who may what, threads and channels that close."""

from typing import Any

import discord
from simcord.backend import serializers
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from tests.discord.place import Channel, Message, Person, Role
from tests.discord.talking import Telling


class Changing(Telling):
    """A place that changes."""

    async def join(self, name: str, *roles: Role, bot: bool = False) -> Person:
        """Somebody new comes into the guild."""
        person = Person(name, self.backend.make_user(name, bot=bot).id)
        self.backend.add_member(self.id, person.id, roles=[role.id for role in roles], announce=True)
        await self.settle()
        return person

    async def leave(self, person: Person) -> None:
        self.backend.remove_member(self.id, person.id)
        await self.settle()

    async def give_role(self, person: Person, role: Role) -> None:
        self.backend.add_member_role(self.id, person.id, role.id)
        await self.settle()

    async def take_role(self, person: Person, role: Role) -> None:
        self.backend.remove_member_role(self.id, person.id, role.id)
        await self.settle()

    async def delete_role(self, role: Role) -> None:
        self.backend.delete_role(self.id, role.id)
        await self.settle()

    async def take_permission(self, channel: Channel, *names: str, of: Person | Role | None = None) -> None:
        """Deny permissions in a channel, to the bot if to nobody else. Threads are their channel's."""
        await self._overwrite(channel, of, deny=discord.Permissions(**dict.fromkeys(names, True)).value)

    async def give_permission(self, channel: Channel, *names: str, of: Person | Role | None = None) -> None:
        await self._overwrite(channel, of, allow=discord.Permissions(**dict.fromkeys(names, True)).value)

    async def new_channel(self, name: str) -> Channel:
        """A text channel everybody sees."""
        created = self.backend.create_channel(self.id, name)
        await self.settle()
        return self.channel(created.id)

    async def delete_channel(self, channel: Channel) -> None:
        """Remove a channel or a thread with all that was said in it."""
        self.backend.delete_channel(channel.id)
        await self.settle()

    async def archive(self, thread: Channel, *, locked: bool = False) -> None:
        """Close a thread; locked, only moderators can open it again."""
        self.backend.edit_channel(thread.id, {}, thread_metadata={"archived": True, "locked": locked})
        await self.settle()

    async def lock(self, thread: Channel) -> None:
        """Let nobody but moderators write in a thread that stays open."""
        self.backend.edit_channel(thread.id, {}, thread_metadata={"locked": True})
        await self.settle()

    async def remove_bot(self) -> None:
        """The bot is kicked: the guild is gone for it."""
        self.backend.remove_guild(self.id)
        await self.settle()

    async def become_unavailable(self) -> None:
        """The guild is out of reach for a while: an outage, not a removal."""
        self.feed.tell("GUILD_DELETE", {"id": str(self.id), "unavailable": True})
        await self.settle()

    async def become_available(self) -> None:
        guild = self.backend.get_guild(self.id)
        self.feed.tell("GUILD_CREATE", serializers.guild_create_payload(self.backend, guild))
        await self.settle()

    async def show_link_preview(self, message: Message) -> Message:
        """Discord adds a preview to a message: an edit event whose content is the same."""
        embed: dict[str, Any] = {"type": "link", "url": "https://example.com", "title": "Example"}
        edited = self.backend.edit_message(message.channel.id, message.id, {"embeds": [embed]})
        await self.settle()
        return self._message(edited)

    def refuse(
        self, method: str, path: str, *, status: int, code: int, message: str = "", times: int | None = 1
    ) -> None:
        """Discord refuses the bot's next requests to a path: `path` may hold *, and times=None means always."""
        self.backend.faults.append(
            {"method": method, "path": path, "status": status, "code": code, "message": message, "times": times}
        )

    async def _overwrite(self, channel: Channel, of: Person | Role | None, *, allow: int = 0, deny: int = 0) -> None:
        target = of or self.bot
        kind = OverwriteType.ROLE if isinstance(target, Role) else OverwriteType.MEMBER
        stored = self.backend.get_channel(channel.parent_id if channel.kind == "thread" else channel.id)
        old = next((one for one in stored.overwrites if one.target_id == target.id), Overwrite(target.id, kind))
        new = Overwrite(target.id, kind, (old.allow | allow) & ~deny, (old.deny | deny) & ~allow)
        self.backend.set_overwrite(stored.id, new)
        await self.settle()
