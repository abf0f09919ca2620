"""Asking the bot, and waiting for what it makes of it."""

import asyncio

from storage.records import ChannelMode
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message


async def silence(shop: Shop) -> None:
    """Wait until every delivery so far has been worked on, in every process of the test, and what is withdrawn is away."""

    async def is_taken_away() -> bool:
        return not await shop.store.postings.to_remove("slack", limit=1)

    await shop.workspace.until(lambda: not any(task.get_name().startswith("slack ") for task in asyncio.all_tasks()))
    await shop.workspace.until(is_taken_away)


async def set_mode(shop: Shop, mode: ChannelMode) -> None:
    """Let the bot speak so in the support channel."""
    team, channel = shop.workspace.team.team_id, shop.workspace.support.id
    await shop.store.channels.set("slack", f"{team}/{channel}", mode, True, "actor_finetone", at=shop.clock())


async def replies_to(shop: Shop, question: Message, at_least: int) -> list[Message]:
    """The bot's messages under a question, once there are so many."""

    async def found() -> list[Message] | None:
        replies = await shop.workspace.replies(question)
        return replies if len(replies) >= at_least else None

    return await shop.workspace.until(found)


def read(message: Message) -> str:
    """What people read of a reply: its Markdown."""
    return "\n".join(block["text"] for block in message.blocks if block["type"] == "markdown")


def is_whole(message: Message) -> bool:
    """Whether the reply has what stands below a finished one."""
    return any(block["type"] == "context_actions" for block in message.blocks)


async def ask(shop: Shop, text: str = "Where is my parcel?") -> Message:
    """A customer mentions the bot in the support channel. Does not wait for the reply."""
    return await shop.workspace.mention(shop.workspace.customer, shop.workspace.support, text)


async def the_reply(shop: Shop, question: Message) -> Message:
    """The one message under a question, once it is whole and nothing is being worked on."""

    async def found() -> bool:
        replies = await shop.workspace.replies(question)
        return bool(replies) and is_whole(replies[0])

    await shop.workspace.until(found)
    await silence(shop)
    (reply,) = await shop.workspace.replies(question)
    return reply
