"""Pure: what Slack delivers, as plain records. Everything else in this room works with these, not with dictionaries.

Shapes: docs.slack.dev, Events API, interactivity and slash commands, read 2026-11-21.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]

# Messages with these subtypes are people's messages; every other subtype is an edit, a join, a bot or a notice.
_PEOPLES_SUBTYPES = frozenset({None, "file_share", "thread_broadcast"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in Slack. `home_team` is the workspace they belong to, which may be another company's (Slack Connect)."""

    team: str  # the workspace that the delivery is for
    user: str
    home_team: str
    name: str = ""

    @property
    def is_stranger(self) -> bool:
        """Whether they belong to another workspace than ours."""
        return self.home_team != self.team


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """A channel, or somebody's direct messages, of a workspace."""

    team: str
    id: str

    @classmethod
    def of(cls, key: str) -> "SlackChannel":
        """Read back from our key of it."""
        team, channel = key.split("/")
        return cls(team, channel)

    @property
    def key(self) -> str:
        """Our name of the channel: unique over workspaces."""
        return f"{self.team}/{self.id}"

    @property
    def is_direct(self) -> bool:
        """Whether it is somebody's direct messages with the bot."""
        return self.id.startswith("D")


@dataclass(frozen=True, slots=True)
class Place:
    """A message in a channel, or where one will stand. `thread_ts` is the thread's first message."""

    team: str
    channel: str
    ts: str
    thread_ts: str

    @classmethod
    def of(cls, key: str, thread_ts: str = "") -> "Place":
        """Read back from our name of a message; its thread is its own where none is given."""
        team, channel, ts = key.split("/")
        return cls(team, channel, ts, thread_ts or ts)

    @property
    def channel_key(self) -> str:
        return SlackChannel(self.team, self.channel).key

    @property
    def key(self) -> str:
        """Our name of the message."""
        return f"{self.channel_key}/{self.ts}"

    @property
    def conversation_key(self) -> str:
        """Our name of the thread."""
        return f"{self.channel_key}/{self.thread_ts}"


@dataclass(frozen=True, slots=True)
class Said:
    """A person's message."""

    by: Person
    place: Place
    text: str  # in Slack's own markup
    is_direct: bool
    is_mention: bool
    is_reply: bool  # in a thread, under another message
    n_files: int
    deletion_key: str  # the natural key of the delivery that would say it was deleted


@dataclass(frozen=True, slots=True)
class Changed:
    """A message that was edited or deleted. `text` is None for a deletion."""

    place: Place
    text: str | None


@dataclass(frozen=True, slots=True)
class Reacted:
    """A reaction that was added to, or taken from, a message."""

    by: Person
    channel: str
    ts: str
    name: str  # without skin tone
    is_added: bool

    @property
    def channel_key(self) -> str:
        return SlackChannel(self.by.team, self.channel).key


@dataclass(frozen=True, slots=True)
class Stopped:
    """Slack's stop button, pressed in a thread; `streams` are our messages whose stream Slack has ended for that."""

    team: str
    channel: str
    thread_ts: str
    streams: tuple[str, ...]

    @property
    def conversation_key(self) -> str:
        """Our name of the thread."""
        return f"{SlackChannel(self.team, self.channel).key}/{self.thread_ts}"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button, menu or shortcut. `value` is the button's; `message` what it stood under, or what the shortcut is about."""

    by: Person
    action: str
    value: str
    trigger_id: str
    channel: str
    message_ts: str
    thread_ts: str
    message_text: str
    message_user: str

    @property
    def channel_key(self) -> str:
        return SlackChannel(self.by.team, self.channel).key


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form that was sent. `inputs` maps each block's id to what was put in: text, a choice, or the choices ticked."""

    by: Person
    form: str
    about: str  # private_metadata
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Commanded:
    """A slash command with its words."""

    by: Person
    command: str
    words: tuple[str, ...]
    channel: str
    trigger_id: str

    @property
    def channel_key(self) -> str:
        return SlackChannel(self.by.team, self.channel).key


def key_of(body: Payload) -> tuple[str, str]:
    """The delivery's natural key and its kind. Raises KeyError for what is no delivery of Slack's.

    A person's message is known by its place: Slack delivers one that mentions the bot in a channel twice, as `message` and
    as `app_mention`, under two ids. Other events carry an id that stays the same when they are delivered again. Everything
    a person presses is delivered once and carries a trigger or a view of its own.
    """
    app = str(body.get("api_app_id", ""))
    if body.get("type") == "event_callback":
        event = body["event"]
        kind, team = str(event["type"]), body["team_id"]
        if kind in ("message", "app_mention") and event.get("subtype") in _PEOPLES_SUBTYPES:
            return f"{app}/{team}/{event['channel']}/{event['ts']}", kind
        if event.get("subtype") == "message_deleted":
            return _deletion_key(body, event["channel"], event["deleted_ts"]), kind
        return f"{app}/{team}/{body['event_id']}", kind
    if "command" in body:
        return f"{app}/command/{body['trigger_id']}", "command"
    kind = str(body["type"])
    if kind in ("view_submission", "view_closed"):
        view = body["view"]
        return f"{app}/{kind}/{view['id']}/{view.get('hash', '')}", kind
    mark = body.get("trigger_id") or body.get("action_ts") or body["actions"][0]["action_ts"]
    return f"{app}/{kind}/{mark}", kind


def is_noise(body: Payload) -> bool:
    """Whether a delivery says nothing that anybody here acts on: what bots say and change, joins, unfurled links."""
    if body.get("type") != "event_callback" or body["event"]["type"] != "message":
        return False
    if body["event"].get("subtype") in ("message_changed", "message_deleted"):
        return changed(body) is None
    return isinstance(said(body, ""), str)


def team_of(body: Payload) -> str:
    """The workspace a delivery is for; "" where it names none."""
    if body.get("team_id"):
        return str(body["team_id"])
    team: Any = body.get("team")
    return str(team["id"]) if isinstance(team, Mapping) and "id" in team else ""  # pyright: ignore[reportUnknownArgumentType]


def id_in(body: Payload, name: str) -> str:
    """The id of the `user` or `channel` a delivery is about, wherever it stands in it; "" where it names none."""
    event: dict[str, Any] = body.get("event") or {}
    found: str | dict[str, Any] = body.get(name) or event.get(name) or ""
    return found if isinstance(found, str) else str(found.get("id", ""))


def said(body: Payload, bot_user: str) -> Said | str:
    """A message or mention as a person's message; or, in a few words, why it is none that concerns us."""
    event = body["event"]
    if event.get("bot_id") or event.get("user") in (None, bot_user, "USLACKBOT"):
        return "not a person's"
    if event["type"] == "message" and event.get("subtype") not in _PEOPLES_SUBTYPES:
        return f"subtype {event['subtype']}"
    if event.get("hidden"):
        return "hidden"
    place = _place(body, event)
    text = str(event.get("text") or "")
    return Said(
        by=_speaker(body, event),
        place=place,
        text=text,
        is_direct=event.get("channel_type") == "im" or place.channel.startswith("D"),
        is_mention=event["type"] == "app_mention" or f"<@{bot_user}" in text,
        is_reply=place.thread_ts != place.ts,
        n_files=len(event.get("files") or ()),
        deletion_key=_deletion_key(body, place.channel, place.ts),
    )


def changed(body: Payload) -> Changed | None:
    """A person's message that was edited, or anybody's that was deleted; None for every other event and for edits of no words."""
    event = body["event"]
    before: dict[str, Any] = event.get("previous_message") or {}
    if event.get("subtype") == "message_deleted":
        return Changed(_place(body, {**event, **before, "ts": event["deleted_ts"]}), None)
    if event.get("subtype") != "message_changed":
        return None
    after: dict[str, Any] = event["message"]
    if after.get("subtype") == "tombstone":  # a deleted message whose thread goes on
        return Changed(_place(body, {**event, **after}), None)
    if after.get("bot_id") or after.get("text") == before.get("text"):
        return None  # Slack also edits a message when it unfurls its links
    return Changed(_place(body, {**event, **after}), str(after.get("text") or ""))


def reacted(body: Payload) -> Reacted:
    """A reaction on a message."""
    event = body["event"]
    item: dict[str, Any] = event["item"]
    return Reacted(
        by=_speaker(body, event),
        channel=str(item.get("channel", "")),
        ts=str(item.get("ts", "")),
        name=str(event["reaction"]).split("::", 1)[0],
        is_added=event["type"] == "reaction_added",
    )


def stopped(body: Payload) -> Stopped:
    """Slack's stop button. It names no stream where none was open."""
    event = body["event"]
    streams = tuple(str(ts) for ts in event.get("streaming_message_ts") or ())
    return Stopped(str(body["team_id"]), str(event["channel"]), str(event.get("thread_ts") or ""), streams)


def pressed(body: Payload) -> Pressed:
    """A button that was pressed, or a shortcut that was chosen on a message."""
    action: dict[str, Any] = body["actions"][0] if "actions" in body else {"action_id": body["callback_id"]}
    message: dict[str, Any] = body.get("message") or {}
    container: dict[str, Any] = body.get("container") or {}
    channel: dict[str, Any] = body.get("channel") or {}
    chosen: dict[str, Any] = action.get("selected_option") or {}
    ts = str(message.get("ts") or container.get("message_ts") or "")
    return Pressed(
        by=_presser(body),
        action=str(action["action_id"]),
        value=str(action.get("value") or chosen.get("value") or ""),
        trigger_id=str(body.get("trigger_id", "")),
        channel=str(channel.get("id") or container.get("channel_id") or ""),
        message_ts=ts,
        thread_ts=str(message.get("thread_ts") or container.get("thread_ts") or ts),
        message_text=str(message.get("text") or ""),
        message_user=str(message.get("user") or ""),
    )


def submitted(body: Payload) -> Submitted:
    """A form with what was put in."""
    view = body["view"]
    values: dict[str, dict[str, dict[str, Any]]] = view["state"]["values"]
    inputs = {block: _put_in(element) for block, elements in values.items() for element in elements.values()}
    return Submitted(_presser(body), str(view["callback_id"]), str(view.get("private_metadata") or ""), inputs)


def commanded(body: Payload) -> Commanded:
    """A slash command."""
    team, user = str(body["team_id"]), str(body["user_id"])
    return Commanded(
        by=Person(team, user, team, str(body.get("user_name", ""))),
        command=str(body["command"]),
        words=tuple(str(body.get("text") or "").split()),
        channel=str(body["channel_id"]),
        trigger_id=str(body.get("trigger_id", "")),
    )


def _put_in(element: dict[str, Any]) -> Any:
    if "selected_date" in element:
        return element["selected_date"]
    if "selected_options" in element:
        return [option["value"] for option in element["selected_options"] or ()]
    if "selected_option" in element:
        chosen: dict[str, Any] = element["selected_option"] or {}
        return chosen.get("value", "")
    return element.get("value") or ""


def _deletion_key(body: Payload, channel: str, ts: str) -> str:
    return f"{body.get('api_app_id', '')}/{body['team_id']}/{channel}/{ts}/deleted"


def _place(body: Payload, event: Mapping[str, Any]) -> Place:
    ts = str(event["ts"])
    return Place(str(body["team_id"]), str(event["channel"]), ts, str(event.get("thread_ts") or ts))


def _speaker(body: Payload, event: Mapping[str, Any]) -> Person:
    team = str(body["team_id"])
    # In shared channels Slack names the speaker's own workspace in one of these.
    home = event.get("user_team") or event.get("source_team") or event.get("team") or team
    return Person(team, str(event["user"]), str(home))


def _presser(body: Payload) -> Person:
    user: dict[str, Any] = body["user"]
    team = team_of(body) or str(user.get("team_id", ""))
    name = str(user.get("username") or user.get("name") or "")
    return Person(team, str(user["id"]), str(user.get("team_id") or team), name)
