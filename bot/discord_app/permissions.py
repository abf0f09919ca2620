"""Pure: what the bot has to be allowed, and what it is for. The invite asks for this and for nothing else."""

from collections.abc import Iterable

import discord

from storage.records import ThreadMode

NEEDED = {  # name in discord.py -> name in Discord's client, and what breaks without it
    "view_channel": ("View Channels", "it hears nothing there"),
    "send_messages": ("Send Messages", "it cannot answer in the channel"),
    "send_messages_in_threads": ("Send Messages in Threads", "it cannot answer in threads and forum posts"),
    "create_public_threads": ("Create Public Threads", "it answers in the channel instead of a thread"),
    "read_message_history": ("Read Message History", "it cannot answer a message, nor catch up after a pause"),
    "add_reactions": ("Add Reactions", "it cannot show that somebody has to wait"),
    "embed_links": ("Embed Links", "cards for the team are not shown"),
    "attach_files": ("Attach Files", "very long answers cannot be sent as a file"),
}
LEAST = discord.Permissions(**dict.fromkeys(NEEDED, True))
SCOPES = ("bot", "applications.commands")


def missing(permissions: discord.Permissions, names: Iterable[str] = NEEDED) -> list[str]:
    """Those of the permissions, by their names in Discord's client, that are not given; none that only follow from another."""
    follow: tuple[str, ...] = ()
    if not permissions.view_channel:
        follow = tuple(name for name in NEEDED if name != "view_channel")
    elif not permissions.send_messages:
        follow = ("embed_links", "attach_files")
    return [NEEDED[name][0] for name in names if not getattr(permissions, name) and name not in follow]


def missing_to_answer(permissions: discord.Permissions, *, is_thread: bool, threads: ThreadMode) -> list[str]:
    """What keeps the bot from answering at all, by its names in Discord's client; one way to answer is enough."""
    if is_thread:
        return missing(permissions, ("view_channel", "send_messages_in_threads"))
    in_thread = ("view_channel", "create_public_threads", "send_messages_in_threads")
    if threads is ThreadMode.THREAD and not missing(permissions, in_thread):
        return []
    return missing(permissions, ("view_channel", "send_messages"))


def invite(application_id: int) -> str:
    """The address that adds the bot to a server with the least it needs."""
    return discord.utils.oauth_url(application_id, permissions=LEAST, scopes=SCOPES)
