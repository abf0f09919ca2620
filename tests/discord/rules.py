"""What Discord refuses and simcord 3.2.1 lets pass: closed threads, second threads, lost questions, files and embeds unallowed.

Codes from docs.discord.com/developers/topics/opcodes-and-status-codes, August 2026.
"""

import re
from collections.abc import Sequence
from typing import Any

import discord
import simcord
from simcord.backend.models import Channel

from tests.discord.place import Refused

ARCHIVED = 50083
THREAD_EXISTS = 160004
MISSING_PERMISSIONS = 50013
INVALID_BODY = 50035
NO_HISTORY_TO_REPLY_IN = 160002
TOO_LARGE = 40005
UPLOAD_BYTES = 10 << 20  # all files of a message together, in a guild without boosts

_WRITING = re.compile(r"/channels/(\d+)/messages")
_THREADING = re.compile(r"/channels/\d+/messages/(\d+)/threads")


def refusal(
    backend: simcord.Backend, method: str, path: str, body: Any = None, files: Sequence[Any] = ()
) -> Refused | None:
    """The refusal of a request; None where Discord would go on. A message opens an archived thread again."""
    if method == "GET":
        return None
    if sum(_size(file) for file in files) > UPLOAD_BYTES:
        return Refused(413, TOO_LARGE, "Request entity too large")
    threading = _THREADING.fullmatch(path)
    if threading and int(threading[1]) in backend.channels:
        return Refused(400, THREAD_EXISTS, "A thread has already been created for this message")
    writing = _WRITING.match(path)
    channel = backend.channels.get(int(writing[1])) if writing else None
    if channel is None or channel.guild_id is None:
        return None
    may = discord.Permissions(backend.compute_permissions(channel.guild_id, backend.bot_user.id, channel.id))
    creates = method == "POST" and path.endswith("/messages")
    if creates and may.view_channel and (refused := _posting(backend, channel, may, body or {}, files)):
        return refused
    return _closed(backend, channel, may, creates=creates)


def _posting(
    backend: simcord.Backend, channel: Channel, may: discord.Permissions, body: dict[str, Any], files: Sequence[Any]
) -> Refused | None:
    if (files and not may.attach_files) or (body.get("embeds") and not may.embed_links):
        return Refused(403, MISSING_PERMISSIONS, "Missing Permissions")
    reference = body.get("message_reference")
    if not reference or reference.get("type", 0) != 0:
        return None
    if not may.read_message_history:
        return Refused(400, NO_HISTORY_TO_REPLY_IN, "Cannot reply without permission to read message history")
    gone = int(reference["message_id"]) not in backend.messages.get(channel.id, {})
    if gone and reference.get("fail_if_not_exists", True):
        return Refused(400, INVALID_BODY, "Invalid Form Body: message_reference: Unknown message")
    return None


def _closed(backend: simcord.Backend, thread: Channel, may: discord.Permissions, *, creates: bool) -> Refused | None:
    metadata = thread.thread_metadata
    if metadata is None or not (metadata.archived or metadata.locked):
        return None
    if creates and (may.manage_threads or not metadata.locked):
        if metadata.archived:
            backend.edit_channel(thread.id, {}, thread_metadata={"archived": False})
        return None
    if metadata.archived or not may.manage_threads:
        return Refused(400, ARCHIVED, "Thread is archived")
    return None


def _size(file: Any) -> int:
    at = file.fp.tell()
    end = file.fp.seek(0, 2)
    file.fp.seek(at)
    return end - at
