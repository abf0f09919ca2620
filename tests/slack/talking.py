"""What people do in Slack without an app's buttons: they write, edit, react, come and go.

Each verb does the thing in the emulator with the person's own token, then tells the app. `text` is as Slack transmits it:
<@U...> is a mention, a typed < is &lt;.
"""

import uuid

from tests.slack import envelopes
from tests.slack.place import Channel, Json, Message, Person
from tests.slack.screens import View
from tests.slack.telling import Telling, now_ts


class Talking(Telling):
    """A workspace whose people write and react."""

    async def post(self, by: Person, channel: Channel, text: str, thread_ts: str | None = None) -> Message:
        """Write a message. Nobody is told yet."""
        posted = await self.api("chat.postMessage", by.token, channel=channel.id, text=text, thread_ts=thread_ts)
        return Message(channel, posted["message"])

    async def say(self, by: Person, channel: Channel, text: str, thread_ts: str | None = None) -> Message:
        """Write a message; the app hears of it as it does of any in a channel it sits in."""
        message = await self.post(by, channel, text, thread_ts)
        await self._tell(self.message_event(by, message), by=by, channel=channel)
        return message

    async def mention(self, by: Person, channel: Channel, text: str, thread_ts: str | None = None) -> Message:
        """Write a message to the bot. Two events: message, then app_mention, with one ts."""
        message = await self.post(by, channel, f"<@{self.bot_user_id}> {text}".strip(), thread_ts)
        event = self.message_event(by, message)
        await self._tell(event, by=by, channel=channel)
        await self._tell(envelopes.mention_event(event), by=by, channel=channel)
        return message

    async def direct_message(self, by: Person, text: str, thread_ts: str | None = None) -> Message:
        """Write to the bot in private."""
        return await self.say(by, await self.dm(by), text, thread_ts)

    def message_event(self, by: Person, message: Message) -> Json:
        """The event of a message that was posted; a second call gives the same client_msg_id."""
        client_msg_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{message.channel.id}/{message.ts}"))
        channel = message.channel
        return envelopes.message_event(message.raw, channel.id, channel.kind, by.team_id, client_msg_id)

    async def edit(self, by: Person, message: Message, text: str) -> Message:
        """Change one's own message."""
        channel = message.channel
        edited = await self.api("chat.update", by.token, channel=channel.id, ts=message.ts, text=text)
        event = envelopes.message_changed_event(edited["message"], message.raw, channel.id, channel.kind, now_ts())
        await self._tell(event, by=by, channel=channel)
        return Message(channel, edited["message"])

    async def delete(self, by: Person, message: Message) -> None:
        """Remove one's own message."""
        channel = message.channel
        await self.api("chat.delete", by.token, channel=channel.id, ts=message.ts)
        event = envelopes.message_deleted_event(message.raw, channel.id, channel.kind, now_ts())
        await self._tell(event, by=by, channel=channel)

    async def react(self, by: Person, message: Message, name: str) -> None:
        """Add a reaction, "thumbsup" or "thumbsup::skin-tone-3"."""
        await self._react("add", by, message, name)

    async def unreact(self, by: Person, message: Message, name: str) -> None:
        await self._react("remove", by, message, name)

    async def _react(self, verb: str, by: Person, message: Message, name: str) -> None:
        channel = message.channel
        await self.api(f"reactions.{verb}", by.token, channel=channel.id, timestamp=message.ts, name=name)
        kind = "reaction_added" if verb == "add" else "reaction_removed"
        event = envelopes.reaction_event(kind, by.user_id, name, channel.id, message.raw, now_ts())
        await self._tell(event, by=by, channel=channel)

    # Coming and going.

    async def invite_bot(self, channel: Channel, by: Person | None = None) -> None:
        """Bring the bot into a channel it was not in."""
        inviter = by or self.admin
        await self.api("conversations.invite", inviter.token, channel=channel.id, users=self.bot_user_id)
        await self._tell_joined(self.bot_user_id, channel, inviter.user_id)

    async def join(self, by: Person, channel: Channel) -> None:
        """A person joins a public channel."""
        await self.api("conversations.join", by.token, channel=channel.id)
        await self._tell_joined(by.user_id, channel, None)

    async def _tell_joined(self, user_id: str, channel: Channel, inviter: str | None) -> None:
        team_id = self.team.team_id
        event = envelopes.joined_event(user_id, channel.id, channel.kind, team_id, inviter, now_ts())
        await self._tell(event, channel=channel)

    async def open_home(self, by: Person) -> View | None:
        """Open the app's home tab. Returns it as it was published so far: the app may publish anew."""
        event = envelopes.home_event(by.user_id, (await self.dm(by)).id, "home", self.home(by), now_ts())
        await self._tell(event)
        return self.home(by)

    async def open_messages_tab(self, by: Person) -> Channel:
        """Open the conversation with the app, where it may offer starter prompts."""
        dm = await self.dm(by)
        await self._tell(envelopes.home_event(by.user_id, dm.id, "messages", None, now_ts()))
        return dm

    async def press_stop(self, by: Person, message: Message) -> None:
        """Press the stop button Slack shows in a thread the agent works in; Slack ends its streams there."""
        channel_id = message.channel.id
        streams = self.wire.streams.stop_by_user(channel_id, message.root_ts)
        await self._tell(envelopes.stopped_event(by.user_id, channel_id, message.root_ts, streams, now_ts()))

    async def revoke_tokens(self) -> None:
        """The bot's token stops working, and the app is told."""
        self.team.revoked.add(self.bot_token)
        await self._tell({"type": "tokens_revoked", "tokens": {"bot": [self.bot_user_id], "oauth": []}})

    async def uninstall(self) -> None:
        """Take the app out of the workspace. Slack tells both things, in no promised order."""
        await self.revoke_tokens()
        await self._tell({"type": "app_uninstalled"})
