"""What people do in Discord without an app's buttons: they write, edit, react, open threads and forum posts.

Each verb asks whether Discord would let this person, does it in the backend, and waits until the bot is done with what it heard.
`text` is as Discord transmits it: <@id> is a mention. Raises Refused where Discord refuses.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from simcord.backend.access import reaction_permissions
from simcord.enums import MessageType

from tests.discord.feed import Feed
from tests.discord.place import CannotDo, Channel, Message, Person, Place
from tests.discord.rest import Recorder

UNTIL_S = 5.0  # how long a test waits for what the bot does in the background

T = TypeVar("T")
Files = Sequence[tuple[str, bytes]]


@dataclass
class Post:
    """A forum post: its thread, and its first message, None while that has not arrived."""

    thread: Channel
    starter: Message | None


class Telling(Place):
    """A place whose events reach the bot, and whose bot is listened to."""

    feed: Feed
    rest: Recorder

    async def settle(self) -> None:
        """Wait until the bot has nothing left to do, or waits for something outside."""
        await self._env.settle()

    async def until(self, read: Callable[[], T]) -> T:
        """Read again until it is something. Raises AssertionError after UNTIL_S."""
        deadline = asyncio.get_running_loop().time() + UNTIL_S
        while not (found := read()):
            assert asyncio.get_running_loop().time() < deadline, f"not within {UNTIL_S} s\n{self.transcript}"
            await asyncio.sleep(0.01)
        return found

    def typed(self, channel: Channel) -> int:
        """How often people saw the bot begin to type."""
        return len([one for one in self.rest.sent("POST", f"/channels/{channel.id}/typing") if one.status < 300])

    @property
    def transcript(self) -> str:
        """All that was told and asked, one line each; for a test that fails."""
        return "\n".join(f"{kind} {name} {payload}"[:200] for kind, name, payload in self.backend.transcript)

    def require(self, by: Person, channel: Channel, *permissions: str) -> None:
        """Raises Refused if this person lacks one of them here."""
        guild_id = None if channel.kind == "dm" else self.id
        self.backend.require_permissions(guild_id, by.id, channel.id, *permissions)


class Talking(Telling):
    """A place whose people write and react."""

    async def say(
        self, by: Person, channel: Channel, text: str, reply_to: Message | None = None, files: Files = ()
    ) -> Message:
        """Write in a channel or a thread. An archived thread opens again, a locked one refuses all but its moderators."""
        self.require(by, channel, "send_messages_in_threads" if channel.kind == "thread" else "send_messages")
        if channel.kind == "thread" and self.is_archived(channel):
            if self.is_locked(channel):
                self.require(by, channel, "manage_threads")
            self.backend.edit_channel(channel.id, {}, thread_metadata={"archived": False})
        message = self._write(by, channel, text, reply_to, files)
        await self.settle()
        return message

    async def mention(self, by: Person, channel: Channel, text: str, reply_to: Message | None = None) -> Message:
        """Write to the bot."""
        return await self.say(by, channel, f"{self.bot.mention} {text}".strip(), reply_to)

    async def direct_message(
        self, by: Person, text: str, reply_to: Message | None = None, files: Files = ()
    ) -> Message:
        """Write to the bot in private."""
        message = self._write(by, self.dm(by), text, reply_to, files)
        await self.settle()
        return message

    async def open_thread(self, by: Person, message: Message, name: str) -> Channel:
        """Open a thread on a message."""
        self.require(by, message.channel, "create_public_threads")
        if self.thread_of(message):
            raise CannotDo(f"message {message.id} has a thread")
        thread = self.backend.create_thread(message.channel.id, name, by.id, message_id=message.id)
        await self.settle()
        return self.channel(thread.id)

    async def forum_post(
        self,
        by: Person,
        forum: Channel,
        title: str,
        text: str,
        tags: Sequence[str] = (),
        *,
        starter_is_late: bool = False,
    ) -> Post:
        """Open a post. Its thread is told of first, then its first message, which has the thread's own id.

        With `starter_is_late` the message comes only with `starter_arrives`.
        """
        self.require(by, forum, "send_messages")
        thread = self.backend.create_thread(
            forum.id, title, by.id, applied_tags=[self.world.tags[tag] for tag in tags], broadcast=False
        )
        self.backend.announce_thread_create(thread)
        post = Post(self.channel(thread.id), None)
        if not starter_is_late:
            post.starter = self._start(by, post, text)
        await self.settle()
        return post

    async def starter_arrives(self, by: Person, post: Post, text: str) -> Message:
        """The first message of a post, later than its thread."""
        post.starter = self._start(by, post, text)
        await self.settle()
        return post.starter

    def _start(self, by: Person, post: Post, text: str) -> Message:
        starter = self.backend.prepare_message(post.thread.id, by.id, text)
        starter.id = post.thread.id
        return self._message(self.backend.commit_message(starter))

    async def edit(self, by: Person, message: Message, text: str) -> Message:
        """Change one's own message."""
        stored = self._stored(message)
        if stored.author_id != by.id:
            raise CannotDo("people can edit their own messages only")
        edited = self.backend.edit_message(message.channel.id, message.id, {"content": text})
        await self.settle()
        return self._message(edited)

    async def delete(self, by: Person, message: Message) -> None:
        """Remove one's own message, or with the right to, another's."""
        if self._stored(message).author_id != by.id:
            self.require(by, message.channel, "manage_messages")
        self.backend.delete_message(message.channel.id, message.id)
        await self.settle()

    async def bulk_delete(self, by: Person, messages: Sequence[Message]) -> None:
        """Remove messages of one channel at once; the bot hears of it in one event."""
        [channel] = {message.channel for message in messages}
        self.require(by, channel, "manage_messages")
        self.backend.bulk_delete_messages(channel.id, [message.id for message in messages])
        await self.settle()

    async def react(self, by: Person, message: Message, emoji: str) -> None:
        """Add a reaction: "👍", "👍🏽", or "name:id" for a custom one."""
        self.require(by, message.channel, *reaction_permissions(self._stored(message), emoji))
        self.backend.set_reaction(message.channel.id, message.id, emoji, by.id, True)
        await self.settle()

    async def unreact(self, by: Person, message: Message, emoji: str) -> None:
        self.require(by, message.channel, "read_message_history")
        self.backend.remove_reaction(message.channel.id, message.id, emoji, by.id)
        await self.settle()

    async def clear_reactions(self, by: Person, message: Message, emoji: str | None = None) -> None:
        """Take away everybody's reactions, or everybody's of one emoji."""
        self.require(by, message.channel, "manage_messages")
        if emoji is None:
            self.backend.clear_reactions(message.channel.id, message.id)
        else:
            self.backend.clear_reaction(message.channel.id, message.id, emoji)
        await self.settle()

    async def webhook_says(self, channel: Channel, text: str, name: str = "Hook") -> Message:
        """A message of another service, through a webhook."""
        hook = self.backend.create_webhook(channel.id, name, self.world.people["admin"].id)
        posted = self.backend.create_message(channel.id, hook.webhook_user_id, text, webhook_id=hook.id)
        await self.settle()
        return self._message(posted)

    async def system_message(
        self, by: Person, channel: Channel, kind: MessageType = MessageType.NEW_MEMBER, about: Message | None = None
    ) -> Message:
        """A message Discord writes in somebody's name: joined, pinned (about a message), boosted."""
        posted = self.backend.create_system_message(
            channel.id, kind, by.id, referenced_message_id=about.id if about else None
        )
        await self.settle()
        return self._message(posted)

    def _write(self, by: Person, channel: Channel, text: str, reply_to: Message | None, files: Files) -> Message:
        reference = None
        if reply_to is not None:
            reference = {"channel_id": str(reply_to.channel.id), "message_id": str(reply_to.id)}
        stored = self.backend.create_message(
            channel.id,
            by.id,
            text,
            reference=self.backend.normalize_message_reference(channel.id, reference),
            attachments=self.backend.store_attachments(channel.id, files),
        )
        return self._message(stored)
