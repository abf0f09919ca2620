"""What the bot may send to Discord: every rule here is one Discord or Finetone holds.

Pure: requests in, sentences out. Discord's limits and field names are from its documentation (docs.discord.com, August 2026);
AllowedMentions.none() on every message is Finetone's own.
"""

import re
from collections.abc import Iterable
from typing import Any

from tests.discord.components import OPTIONS, component_violations, modal_violations, unknown

Json = dict[str, Any]

CONTENT = 2_000  # characters; what paying users may send is not a bot's
EMBEDS = 10
EMBED_CHARACTERS = 6_000  # of all embeds of a message together
THREAD_NAME = 100
CHOICES = 25  # offered while a person types an option
EPHEMERAL = 1 << 6
V2 = 1 << 15
MESSAGE_FLAGS = 1 << 2 | EPHEMERAL | 1 << 12 | 1 << 13 | V2  # suppress embeds, ephemeral, silent, voice, components V2

CREATED = {
    "allowed_mentions",
    "attachments",
    "components",
    "content",
    "embeds",
    "enforce_nonce",
    "flags",
    "message_reference",
    "nonce",
    "poll",
    "sticker_ids",
    "tts",
}
EDITED = {"allowed_mentions", "attachments", "components", "content", "embeds", "flags"}
# discord.py 2.7.1 sends `tts` with every edit and every webhook edit; Discord ignores it.
SENT_BY_THE_LIBRARY = {"tts"}
WEBHOOK = (CREATED - {"enforce_nonce", "message_reference", "nonce", "sticker_ids"}) | {"applied_tags", "thread_name"}
RESPONSE = {"allowed_mentions", "attachments", "components", "content", "embeds", "flags", "poll", "tts"}
ALLOWED_MENTIONS = {"parse", "replied_user", "roles", "users"}
REFERENCE = {"channel_id", "fail_if_not_exists", "guild_id", "message_id", "type"}
THREAD = {"auto_archive_duration", "name", "rate_limit_per_user"}
EMBED = {
    "author",
    "color",
    "description",
    "fields",
    "flags",
    "footer",
    "image",
    "thumbnail",
    "timestamp",
    "title",
    "type",
    "url",
}
EMBED_LIMITS = {"title": 256, "description": 4_096}
FORGOTTEN = "Deleted question"  # the one name a thread is ever given anew, once
CHANGED_CHANNEL = THREAD | {"applied_tags", "archived", "invitable", "locked"}
COMMAND = {
    "contexts",
    "default_member_permissions",
    "description",
    "description_localizations",
    "dm_permission",
    "integration_types",
    "name",
    "name_localizations",
    "nsfw",
    "options",
    "type",
}
COMMANDS = {1: 100, 2: 15, 3: 15}  # type -> how many of it: slash, user, message
ARCHIVE_MINUTES = {60, 1_440, 4_320, 10_080}

ID = r"[^/]+"
POST_MESSAGE = re.compile(rf"/channels/{ID}/messages")
PATCH_MESSAGE = re.compile(rf"/channels/{ID}/messages/{ID}")
POST_FOLLOWUP = re.compile(rf"/webhooks/{ID}/{ID}")
PATCH_FOLLOWUP = re.compile(rf"/webhooks/{ID}/{ID}/messages/{ID}")
CALLBACK = re.compile(rf"/interactions/{ID}/{ID}/callback")
THREAD_ON_MESSAGE = re.compile(rf"/channels/{ID}/messages/{ID}/threads")
CHANNEL = re.compile(rf"/channels/{ID}")
SYNC = re.compile(rf"/applications/{ID}(/guilds/{ID})?/commands")
THREAD_ALONE = re.compile(rf"/channels/{ID}/threads")


def request_violations(method: str, path: str, body: Any, announced: frozenset[int] = frozenset()) -> list[str]:
    """What is wrong with a request of the bot; empty when nothing is. `announced` are roles it may ping."""
    if method == "PUT" and SYNC.fullmatch(path):
        found = command_violations(body)
    else:
        found = _violations(method, path, body, announced) if isinstance(body, dict) else []
    return [f"{method} {path}: {violation}" for violation in found]


def _violations(method: str, path: str, body: Json, announced: frozenset[int]) -> list[str]:
    if method == "POST" and POST_MESSAGE.fullmatch(path):
        return message_violations(body, CREATED, announced) + _seen_by_all(body)
    if method == "PATCH" and PATCH_MESSAGE.fullmatch(path):
        return message_violations(body, EDITED | SENT_BY_THE_LIBRARY, announced) + _seen_by_all(body)
    if method == "PATCH" and CHANNEL.fullmatch(path):
        is_renamed = body.get("name", FORGOTTEN) != FORGOTTEN
        renamed = ["a channel is renamed: Discord allows it twice in ten minutes"] if is_renamed else []
        return unknown("channel", body, CHANGED_CHANNEL) + renamed
    if method == "POST" and POST_FOLLOWUP.fullmatch(path):
        return message_violations(body, WEBHOOK, announced)
    if method == "PATCH" and PATCH_FOLLOWUP.fullmatch(path):
        return message_violations(body, EDITED | {"poll"} | SENT_BY_THE_LIBRARY, announced)
    if method == "POST" and CALLBACK.fullmatch(path):
        return callback_violations(body, announced)
    if method == "POST" and THREAD_ON_MESSAGE.fullmatch(path):
        return unknown("thread", body, THREAD) + thread_violations(body)
    if method == "POST" and THREAD_ALONE.fullmatch(path):
        extra = {"applied_tags", "message"} if "message" in body else {"invitable", "type"}
        found = unknown("thread", body, THREAD | extra) + thread_violations(body)
        if "message" in body:
            found += message_violations(body["message"], CREATED, announced)
        return found
    return []


def _seen_by_all(message: Json) -> list[str]:
    return ["only the answer to an interaction can be ephemeral"] if (message.get("flags") or 0) & EPHEMERAL else []


def command_violations(commands: list[Json]) -> list[str]:
    """All commands, as they are synced."""
    found: list[str] = []
    for kind, limit in COMMANDS.items():
        if (count := len([one for one in commands if one.get("type", 1) == kind])) > limit:
            found.append(f"{count} commands of type {kind}, at most {limit}")
    for command in commands:
        found += unknown("command", command, COMMAND)
        found += _named(command)
    return found


def _named(command: Json) -> list[str]:
    """A command, or an option of one, and those in it."""
    found: list[str] = []
    if not 1 <= len(command.get("name") or "") <= 32:
        found.append(f"a command's name has 1 to 32 characters: {command.get('name')!r}")
    if len(command.get("description") or "") > 100:
        found.append(f"the description of {command['name']} has more than 100 characters")
    options = command.get("options") or []
    if len(options) > OPTIONS:
        found.append(f"{len(options)} options, at most {OPTIONS}")
    return found + [line for option in options for line in _named(option)]


def callback_violations(body: Json, announced: frozenset[int] = frozenset()) -> list[str]:
    """The first response to an interaction."""
    found = unknown("callback", body, {"data", "type"})
    content = body.get("data") or {}
    match body.get("type"):
        case 4:
            return found + message_violations(content, RESPONSE, announced)
        case 7:
            return found + message_violations(content, RESPONSE | {"flags"}, announced)
        case 5:
            found += unknown("deferral", content, {"flags"})
            if content.get("flags", 0) not in (0, EPHEMERAL):
                found.append(f"a deferral takes no flags but ephemeral: {content['flags']}")
        case 8:
            found += unknown("choices", content, {"choices"})
            if len(content.get("choices") or []) > CHOICES:
                found.append(f"{len(content['choices'])} choices, at most {CHOICES}")
        case 9:
            found += modal_violations(content)
        case 1 | 6:
            pass
        case other:
            found.append(f"callback type {other!r} is unknown")
    return found


def message_violations(message: Json, fields: set[str], announced: frozenset[int] = frozenset()) -> list[str]:
    """A message as it is posted or edited."""
    found = unknown("message", message, fields)
    content = message.get("content") or ""
    if len(content) > CONTENT:
        found.append(f"content has {len(content)} characters, at most {CONTENT}")
    found += mention_violations(message, announced)
    found += embed_violations(message.get("embeds") or [])
    flags = message.get("flags") or 0
    if flags & ~MESSAGE_FLAGS:
        found.append(f"flags {flags} hold one that no message may be sent with")
    if flags & V2:
        found += [f"components V2 do not go with {name}" for name in ("content", "embeds", "poll") if message.get(name)]
    found += component_violations(message.get("components") or [], v2=bool(flags & V2))
    found += unknown("message_reference", message.get("message_reference") or {}, REFERENCE)
    return found


def mention_violations(message: Json, announced: frozenset[int] = frozenset()) -> list[str]:
    """allowed_mentions stands on every message and is none, but for roles a test announced."""
    allowed = message.get("allowed_mentions")
    if not isinstance(allowed, dict):
        return ["allowed_mentions is missing"]
    found = unknown("allowed_mentions", allowed, ALLOWED_MENTIONS)
    if allowed.get("parse") != []:
        found.append(f"allowed_mentions.parse is {allowed.get('parse')!r}, not []")
    if allowed.get("users"):
        found.append(f"allowed_mentions.users is {allowed['users']}")
    if allowed.get("replied_user"):
        found.append("allowed_mentions.replied_user is on")
    surprising = [role for role in allowed.get("roles") or [] if int(role) not in announced]
    if surprising:
        found.append(f"allowed_mentions.roles {surprising} were not announced")
    return found


def embed_violations(embeds: Iterable[Json]) -> list[str]:
    embeds = list(embeds)
    found: list[str] = []
    if len(embeds) > EMBEDS:
        found.append(f"{len(embeds)} embeds, at most {EMBEDS}")
    total = 0
    for embed in embeds:
        found += unknown("embed", embed, EMBED)
        texts = [(name, embed.get(name) or "", limit) for name, limit in EMBED_LIMITS.items()]
        texts.append(("footer", (embed.get("footer") or {}).get("text") or "", 2_048))
        texts.append(("author", (embed.get("author") or {}).get("name") or "", 256))
        fields = embed.get("fields") or []
        if len(fields) > 25:
            found.append(f"{len(fields)} fields in an embed, at most 25")
        for one in fields:
            texts += [("field name", one.get("name") or "", 256), ("field value", one.get("value") or "", 1_024)]
        total += sum(len(text) for _, text, _ in texts)
        found += [
            f"embed {name} has {len(text)} characters, at most {limit}"
            for name, text, limit in texts
            if len(text) > limit
        ]
    if total > EMBED_CHARACTERS:
        found.append(f"embeds hold {total} characters together, at most {EMBED_CHARACTERS}")
    return found


def thread_violations(body: Json) -> list[str]:
    found: list[str] = []
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= THREAD_NAME:
        found.append(f"a thread's name has 1 to {THREAD_NAME} characters: {name!r}"[:200])
    minutes = body.get("auto_archive_duration")
    if minutes is not None and minutes not in ARCHIVE_MINUTES:
        found.append(f"auto_archive_duration is {minutes} minutes")
    if len(body.get("applied_tags") or []) > 5:
        found.append("more than 5 tags")
    return found
