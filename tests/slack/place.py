"""One Slack workspace as the emulator keeps it: its people, its channels, and how to read it with somebody else's eyes.

Nothing here uses the app's own token or Finetone's database: what a test reads is what people would see.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.slack.calls import Asked
from tests.slack.screens import View
from tests.slack.team import Team
from tests.slack.wire import Wire

Json = dict[str, Any]

APP_ID = "A0FINETONE"
CLIENT_ID = "1234567890.0987654321"
CLIENT_SECRET = "client-secret-of-a-test"
SIGNING_SECRET = "signing-secret-of-a-test"
FOREIGN_TEAM_ID = "T0ELSEWHERE"  # the stranger's

CORE_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "reactions:read",
    "reactions:write",
    "usergroups:read",
    "users:read",
)


class Refused(AssertionError):
    """The emulator refused what a person tried to do."""


@dataclass(frozen=True)
class Person:
    """Somebody with a Slack account. `team_id` is where they come from: the stranger's is another."""

    name: str
    user_id: str
    token: str
    team_id: str


@dataclass(frozen=True)
class Channel:
    """A public channel ("channel"), a private one ("group") or a direct message ("im")."""

    id: str
    name: str
    kind: str
    shared: bool = False  # Slack Connect: people of another team sit in it


@dataclass(frozen=True)
class Message:
    """A message as the workspace stores it, or an ephemeral one as it was sent."""

    channel: Channel
    raw: Json
    ephemeral: bool = False

    @property
    def ts(self) -> str:
        return self.raw["ts"]

    @property
    def root_ts(self) -> str:
        """The thread this belongs to, or would begin."""
        return self.raw.get("thread_ts") or self.ts

    @property
    def text(self) -> str:
        return self.raw["text"]

    @property
    def user_id(self) -> str:
        return self.raw["user"]

    @property
    def blocks(self) -> list[Json]:
        return self.raw.get("blocks") or []

    @property
    def metadata(self) -> Json:
        return self.raw.get("metadata") or {}


def seed(team_id: str, names: Iterable[str], scopes: Iterable[str], redirect_uri: str) -> dict[str, object]:
    """The emulator's seed: the app with a bot token, and a person with a token of their own for each name."""
    tokens: list[Json] = [{"token": user_token(team_id, name), "type": "user", "user": name} for name in names]
    bot = {
        "token": bot_token(team_id),
        "type": "bot",
        "user": "finetone",
        "app_id": APP_ID,
        "scopes": list(scopes),
    }
    app = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "app_id": APP_ID,
        "name": "Finetone",
        "bot_name": "finetone",
        "redirect_uris": [redirect_uri],
        "scopes": list(scopes),
    }
    return {
        "slack": {
            "signing_secret": SIGNING_SECRET,
            "strict_scopes": True,
            "users": [{"name": name, "real_name": name.replace("_", " ").title()} for name in names],
            "oauth_apps": [app],
            "tokens": [*tokens, bot],
        }
    }


def user_token(team_id: str, name: str) -> str:
    return f"xoxp-{team_id}-{name}"


def bot_token(team_id: str) -> str:
    return f"xoxb-{team_id}-finetone"


class Place:
    """A seeded workspace behind a wire, and everything that can be read of it."""

    def __init__(self, wire: Wire, team: Team, people: dict[str, Person], http: httpx.AsyncClient) -> None:
        self.wire = wire
        self.team = team
        self.people = people
        self.bot_token = bot_token(team.team_id)  # an installation over OAuth changes it
        self._http = http
        self._channels: dict[str, Channel] = {}  # by id
        self._dms: dict[str, Person] = {}  # channel id -> the person on the other side

    @property
    def bot_user_id(self) -> str:
        return self.team.bot_user_id

    def who(self, person: Person) -> tuple[str, str]:
        return (self.team.team_id, person.user_id)

    async def api(self, method: str, token: str, **arguments: Any) -> Json:
        """Ask the emulator directly, as Slack's own client does; never through the wire. Raises Refused."""
        _, answer = await self.team.ask(self._http, Asked(method, arguments, token))
        if not answer.get("ok"):
            raise Refused(f"{method} {arguments}: {answer}")
        return answer

    async def dm(self, person: Person) -> Channel:
        """The direct message of a person and the bot."""
        opened = await self.api("conversations.open", person.token, users=self.bot_user_id)
        channel = Channel(opened["channel"]["id"], "directmessage", "im")
        self._dms[channel.id] = person
        return self._channels.setdefault(channel.id, channel)

    async def new_channel(
        self, name: str, members: Iterable[str], *, private: bool = False, shared: bool = False
    ) -> Channel:
        """A channel of the admin's, with these user ids in it."""
        admin = self.people["admin"].token
        created = await self.api("conversations.create", admin, name=name, is_private=private)
        channel = Channel(created["channel"]["id"], name, "group" if private else "channel", shared)
        if invited := ",".join(members):
            await self.api("conversations.invite", admin, channel=channel.id, users=invited)
        return self._channels.setdefault(channel.id, channel)

    # Reading, each time with a token that is not the app's.

    def _reader(self, channel: Channel) -> str:
        return self._dms.get(channel.id, self.people["admin"]).token

    async def thread(self, channel: Channel, ts: str) -> list[Message]:
        """The message at `ts` and what was said under it, oldest first."""
        found = await self.api("conversations.replies", self._reader(channel), channel=channel.id, ts=ts)
        return self._messages(channel, found)

    async def replies(self, message: Message) -> list[Message]:
        """What the bot said in the thread of a message, oldest first."""
        said = await self.thread(message.channel, message.root_ts)
        return [one for one in said if one.user_id == self.bot_user_id and one.ts != message.ts]

    async def channel_messages(self, channel: Channel) -> list[Message]:
        """The messages of a channel that are not in a thread, oldest first."""
        found = await self.api("conversations.history", self._reader(channel), channel=channel.id, limit=1000)
        return self._messages(channel, found)[::-1]

    async def reread(self, message: Message) -> Message | None:
        """The message as it is now; None if it is gone."""
        said = await self.thread(message.channel, message.root_ts)
        return next((one for one in said if one.ts == message.ts), None)

    async def reactions(self, channel: Channel, ts: str) -> dict[str, list[str]]:
        """Who reacted with what: {"eyes": [user ids]}."""
        found = await self.api("reactions.get", self._reader(channel), channel=channel.id, timestamp=ts)
        return {one["name"]: one["users"] for one in found["message"]["reactions"]}

    async def members(self, channel: Channel) -> list[str]:
        found = await self.api("conversations.members", self._reader(channel), channel=channel.id)
        return found["members"]

    async def uploads(self, person: Person) -> dict[str, str]:
        """The files this person may open: {name: text}."""
        listed = await self.api("files.list", person.token)
        texts: dict[str, str] = {}
        for file in listed["files"]:
            headers = {"Authorization": f"Bearer {person.token}"}
            texts[file["name"]] = (await self._http.get(file["url_private_download"], headers=headers)).text
        return texts

    def ephemerals(self, person: Person) -> list[Message]:
        """What only this person saw. The emulator keeps ephemerals unreadable; these are the posts it accepted."""
        return [
            Message(
                self._channels[call.arguments["channel"]],
                {**call.arguments, "ts": call.answer["message_ts"], "user": self.bot_user_id},
                ephemeral=True,
            )
            for call in self.wire.calls_of("chat.postEphemeral")
            if call.ok and call.arguments["user"] == person.user_id and call.arguments["channel"] in self._channels
        ]

    def home(self, person: Person) -> View | None:
        """The app's home tab in front of this person."""
        return self.wire.screens.home(self.who(person))

    def open_view(self, person: Person) -> View | None:
        """The modal on top of this person's screen."""
        modals = self.wire.screens.modals(self.who(person))
        return modals[-1] if modals else None

    def _messages(self, channel: Channel, found: Json) -> list[Message]:
        return [Message(channel, raw) for raw in found["messages"]]
