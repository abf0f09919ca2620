"""The name of a thread that the bot opened on a question says what was asked, so it goes with the question."""

import logging

import discord

from bot.discord_app.outgoing import UNREACHABLE, patiently, reason

log = logging.getLogger(__name__)

WITHOUT_WORDS = "Deleted question"


async def unname(client: discord.Client, room_key: str, question_key: str) -> None:
    """Take the words of a question from the name of the thread that was opened on it, where that is ours and open.

    Never raises: Discord lets a thread be renamed twice in ten minutes only, and somebody else may have closed it.
    """
    guild_id, thread_id = room_key.split("/")
    guild = client.get_guild(int(guild_id)) if guild_id.isdecimal() else None
    thread = None if guild is None else guild.get_thread(int(thread_id))
    if thread is None or guild is None or thread.owner_id != guild.me.id or thread.name == WITHOUT_WORDS:
        return
    if question_key.rsplit("/", 1)[1] != thread_id:  # it was asked in the thread, and gave it no name
        return
    try:
        await patiently(lambda: thread.edit(name=WITHOUT_WORDS, reason="The question was deleted."))
    except UNREACHABLE as error:
        log.warning("thread %s keeps its name (%s)", room_key, reason(error))
