"""What Slack sends to an app: the bodies of its HTTP requests, built as Slack builds them. Pure.

Shapes as in docs.slack.dev/reference (events, interaction-payloads), read 2026-11-21.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]

DOMAIN = "emulate"
VERIFICATION_TOKEN = "legacy-verification-token"  # Slack still sends one; nobody may rely on it


@dataclass(frozen=True)
class Address:
    """To whom and from where: the app, and the workspace that sends."""

    app_id: str
    team_id: str
    bot_user_id: str


@dataclass(frozen=True)
class Body:
    """One HTTP request body, not signed yet."""

    text: str
    content_type: str

    @property
    def json(self) -> Json:
        """The payload of an event, as a dict."""
        return json.loads(self.text)


def event_body(address: Address, event: Json, *, shared: bool, at: float, event_id: str | None = None) -> Body:
    """An Events API envelope. `shared`: it comes from a Slack Connect channel. `at` is in seconds."""
    envelope = {
        "token": VERIFICATION_TOKEN,
        "team_id": address.team_id,
        "context_team_id": address.team_id,
        "context_enterprise_id": None,
        "api_app_id": address.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id or f"Ev{uuid.uuid4().hex[:9].upper()}",
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": address.team_id,
                "user_id": address.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": shared,
        "event_context": f"4-{uuid.uuid4().hex}",
    }
    return Body(json.dumps(envelope), "application/json")


def interaction_body(payload: Json) -> Body:
    """A click, a shortcut or a view: JSON in one field of a form."""
    return Body(urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded")


def command_body(fields: dict[str, str]) -> Body:
    return Body(urlencode(fields), "application/x-www-form-urlencoded")


def message_event(stored: Json, channel_id: str, channel_type: str, team_id: str, client_msg_id: str) -> Json:
    """A person's message. `stored` is the message as the workspace keeps it, `team_id` is its author's."""
    event = {
        "type": "message",
        "user": stored["user"],
        "ts": stored["ts"],
        "client_msg_id": client_msg_id,
        "text": stored["text"],
        "team": team_id,
        "blocks": rich_text(stored["text"]),
        "channel": channel_id,
        "event_ts": stored["ts"],
        "channel_type": channel_type,
    }
    if thread_ts := stored.get("thread_ts"):
        event |= {"thread_ts": thread_ts}
    return event


def mention_event(message: Json) -> Json:
    """The second event of a message that mentions the bot: same ts, no channel type."""
    return {name: value for name, value in message.items() if name != "channel_type"} | {"type": "app_mention"}


def from_elsewhere(event: Json, team_id: str) -> Json:
    """An event caused by a person of another team, in a Slack Connect channel."""
    return event | {"user_team": team_id, "source_team": team_id}


def rich_text(text: str) -> list[Json]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "block_id": uuid.uuid4().hex[:5], "elements": [section]}]


def message_changed_event(new: Json, old: Json, channel_id: str, channel_type: str, at: str) -> Json:
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "message": new,
        "previous_message": old,
        "channel": channel_id,
        "ts": at,
        "event_ts": at,
        "channel_type": channel_type,
    }


def message_deleted_event(old: Json, channel_id: str, channel_type: str, at: str) -> Json:
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "deleted_ts": old["ts"],
        "previous_message": old,
        "channel": channel_id,
        "ts": at,
        "event_ts": at,
        "channel_type": channel_type,
    }


def reaction_event(kind: str, user_id: str, name: str, channel_id: str, message: Json, at: str) -> Json:
    """`kind` is reaction_added or reaction_removed."""
    return {
        "type": kind,
        "user": user_id,
        "reaction": name,
        "item": {"type": "message", "channel": channel_id, "ts": message["ts"]},
        "item_user": message["user"],
        "event_ts": at,
    }


def home_event(user_id: str, dm_id: str, tab: str, view: Json | None, at: str) -> Json:
    event = {"type": "app_home_opened", "user": user_id, "channel": dm_id, "tab": tab, "event_ts": at}
    return event | ({"view": view} if view else {})


def joined_event(user_id: str, channel_id: str, channel_type: str, team_id: str, inviter: str | None, at: str) -> Json:
    event = {
        "type": "member_joined_channel",
        "user": user_id,
        "channel": channel_id,
        "channel_type": "G" if channel_type == "group" else "C",
        "team": team_id,
        "event_ts": at,
    }
    return event | ({"inviter": inviter} if inviter else {})


def stopped_event(user_id: str, channel_id: str, thread_ts: str, streams: list[str], at: str) -> Json:
    return {
        "type": "agent_session_stopped",
        "user": user_id,
        "channel": channel_id,
        "thread_ts": thread_ts,
        "streaming_message_ts": streams,
        "event_ts": at,
    }


def interaction(kind: str, address: Address, user: Json, trigger_id: str) -> Json:
    """What every interaction carries. `user` is `{"id", "username", "name", "team_id"}`."""
    return {
        "type": kind,
        "user": user,
        "api_app_id": address.app_id,
        "token": VERIFICATION_TOKEN,
        "team": {"id": address.team_id, "domain": DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "trigger_id": trigger_id,
    }


def channel_field(channel_id: str, name: str, channel_type: str) -> Json:
    """Interactions hide the names of private channels and DMs."""
    return {"id": channel_id, "name": {"group": "privategroup", "im": "directmessage"}.get(channel_type, name)}
