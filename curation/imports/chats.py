"""Pure: exports of Slack (a folder of days) and of a Discord channel (one JSON file) → conversations.

Slack's layout: slack.com/help, "How to read Slack data exports"; Discord's: the JSON of DiscordChatExporter, the usual tool,
as Discord offers no export of channels. Both read 2026-11-21.
"""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from curation.imports.shapes import object_in, objects_in
from curation.imports.talk import Said, Speaker

Json = Mapping[str, Any]

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_DISCORD_TOKEN = re.compile(r"<(?:@[!&]?|#)\d+>")


def slack_conversations(days: Sequence[tuple[str, Sequence[Json]]], staff: Collection[str]) -> list[list[Said]]:
    """Threads of one channel, given as (file, messages) by day. What stands outside a thread was asked of nobody in particular.

    `staff` are user ids; where none are given, everybody but who began a thread.
    """
    threads: dict[str, list[tuple[str, Json, int, str]]] = {}
    for file, messages in days:
        for line, message in enumerate(messages, 1):
            ts, thread = str(message.get("ts", "")), str(message.get("thread_ts") or "")
            if message.get("type") == "message" and thread and _is_talk(message):
                threads.setdefault(thread, []).append((ts, message, line, file))
    found: list[list[Said]] = []
    for thread in threads.values():
        said = sorted(thread, key=lambda entry: (entry[0], entry[2]))
        asker = str(said[0][1].get("user", ""))
        found.append(
            [
                Said(_slack_speaker(message, asker, staff), slack_text(str(message.get("text", ""))), line, file)
                for _, message, line, file in said
            ]
        )
    return found


def _is_talk(message: Json) -> bool:
    return message.get("subtype") in (None, "thread_broadcast", "bot_message", "file_share")


def _slack_speaker(message: Json, asker: str, staff: Collection[str]) -> Speaker:
    if message.get("bot_id") or message.get("subtype") == "bot_message":
        return Speaker.BOT
    return _person(str(message.get("user", "")), asker, staff)


def _person(user: str, asker: str, staff: Collection[str], roles: Collection[str] = ()) -> Speaker:
    if staff:
        return Speaker.STAFF if user in staff or any(role in staff for role in roles) else Speaker.CUSTOMER
    return Speaker.CUSTOMER if user == asker else Speaker.STAFF


def slack_text(text: str) -> str:
    """Slack's markup as plain text; people become "@somebody", because their ids mean nothing to a model."""

    def said(match: re.Match[str]) -> str:
        sign, inside, label = match[1], match[2], match[3]
        if sign == "@":
            return "@somebody"
        if sign == "#":
            return f"#{label or 'channel'}"
        if sign == "!":
            return label or f"@{inside.split('^')[0]}"
        return f"{label} ({inside})" if label and label not in inside else inside

    return html.unescape(_TOKEN.sub(said, text))


def discord_conversations(export: Json, staff: Collection[str]) -> list[list[Said]]:
    """Chains of replies in a channel; in a thread or forum post, all of it is one conversation.

    `staff` are names or ids of users and roles; where none are given, everybody but who began.
    """
    is_thread = "Thread" in str(object_in(export.get("channel")).get("type", ""))
    roots: dict[str, str] = {}
    talks: dict[str, list[tuple[Json, int]]] = {}
    for line, message in enumerate(objects_in(export.get("messages")), 1):
        if message.get("type") not in ("Default", "Reply", 0, 19):
            continue
        reference = object_in(message.get("reference"))
        own = str(message.get("id", ""))
        root = "" if is_thread else roots.get(str(reference.get("messageId", "")), own)
        roots[own] = root
        talks.setdefault(root, []).append((message, line))
    return [_discord_talk(talk, staff) for talk in talks.values() if len(talk) > 1]


def _discord_talk(talk: Sequence[tuple[Json, int]], staff: Collection[str]) -> list[Said]:
    asker = str(_author(talk[0][0]).get("id", ""))
    said: list[Said] = []
    for message, line in talk:
        author = _author(message)
        roles = [str(role.get(key, "")) for role in objects_in(author.get("roles")) for key in ("id", "name")]
        user = str(author.get("id", ""))
        names = {user, str(author.get("name", "")), str(author.get("nickname", ""))} - {""}
        is_bot = bool(author.get("isBot"))
        by = Speaker.BOT if is_bot else _person(user, asker, staff, [*roles, *names])
        said.append(Said(by, _DISCORD_TOKEN.sub("@somebody", str(message.get("content", ""))), line))
    return said


def _author(message: Json) -> Json:
    return object_in(message.get("author"))
