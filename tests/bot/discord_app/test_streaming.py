"""Where a setting says so, a long reply is shown while it grows; it always ends as what it is."""

import pytest

from bot.discord_app import replying
from storage.records import ThreadMode
from tests.bot.discord_app.conftest import Shop
from tests.discord.place import Message

LONG = " ".join(f"word{number}" for number in range(60))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown slowly, so as not to flicker, is shown with every word."""
    monkeypatch.setattr(replying, "STREAM_AFTER_S", 0.0)
    monkeypatch.setattr(replying, "EDIT_EVERY_S", 0.0)


def edits(shop: Shop, reply: Message) -> list[str]:
    return [one.body["content"] for one in shop.recorder.sent("PATCH", f"/messages/{reply.id}")]


async def test_a_long_reply_grows_by_edits_and_gets_its_buttons_at_the_end(shop: Shop):
    shop.provider.script = lambda model, messages: LONG
    async with shop.opened(discord_streaming=True):
        _, reply = await shop.asked()
        first, *grown, last = edits(shop, reply)
        assert (reply.text, last, len(reply.labels)) == (LONG, LONG, 3)
        assert first.endswith(" …")
        assert all(LONG.startswith(text.removesuffix(" …").rstrip()) for text in grown)
        assert len(grown) < 10  # not with every word: edits share a limit with messages


async def test_a_short_reply_comes_whole(shop: Shop):
    async with shop.opened(discord_streaming=True):
        _, reply = await shop.asked()
        assert edits(shop, reply) == []


async def test_where_nothing_says_so_nothing_grows(open_shop: Shop):
    open_shop.provider.script = lambda model, messages: LONG
    _, reply = await open_shop.asked()
    assert edits(open_shop, reply) == []


async def test_a_link_is_never_shown_half_and_a_hostile_one_not_at_all(shop: Shop):
    shop.provider.script = lambda model, messages: f"{LONG} [click](https://evil.example/x) {LONG}"
    async with shop.opened(discord_streaming=True):
        _, reply = await shop.asked()
        assert not [text for text in edits(shop, reply) if "evil" in text or "](" in text]


async def test_a_reply_that_cannot_be_edited_meanwhile_still_ends_whole(shop: Shop):
    shop.provider.script = lambda model, messages: LONG
    async with shop.opened(discord_streaming=True):
        shop.guild.refuse("PATCH", "/channels/*/messages/*", status=500, code=0, times=1)
        _, reply = await shop.asked()
        assert reply.text == LONG


async def test_a_reply_longer_than_a_message_is_parted_at_the_end(shop: Shop):
    shop.provider.script = lambda model, messages: "\n\n".join("word " * 250 for _ in range(3))
    async with shop.opened(discord_streaming=True, discord_thread_mode=ThreadMode.CHANNEL):
        await shop.asked()
        parts = shop.guild.said_by_bot(shop.guild.support)
        assert sum(part.text.count("word") for part in parts) == 750
        assert [bool(part.labels) for part in parts] == [False] * (len(parts) - 1) + [True]


async def test_a_question_deleted_while_its_answer_grows_takes_what_was_shown_with_it(shop: Shop):
    shop.provider.script = lambda model, messages: LONG
    async with shop.opened(discord_streaming=True, discord_thread_mode=ThreadMode.CHANNEL):
        there = shop.guild
        asked = there.mention(there.customer, there.support, "Tell me")

        async def deletes(word: int) -> None:
            if word == 40:
                [question] = [one for one in there.messages(there.support) if one.author_id == there.customer.id]
                there.backend.delete_message(there.support.id, question.id)
                await there.outside(shop.running.app.inbox._room.acquire())
                shop.running.app.inbox._room.release()

        shop.provider.pause = deletes
        await asked
        await there.until(lambda: there.messages(there.support) == [])
