"""The process dies anywhere: whoever comes next finishes what was begun, and nothing is said twice."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from storage.records import ThreadMode
from storage.schema import postings
from tests.bot.discord_app.conftest import ANSWER, Shop
from tests.bot.discord_app.slowly import Gate
from tests.discord.place import Message

both = pytest.mark.parametrize("threads", [ThreadMode.THREAD, ThreadMode.CHANNEL])


async def mention(shop: Shop, text: str = "Where is my parcel?") -> Message:
    return await shop.guild.mention(shop.guild.customer, shop.guild.support, text)


def never_lands(shop: Shop, monkeypatch: pytest.MonkeyPatch, *, part: int = 0) -> None:
    """What is sent as this part from now on is never recorded as sent: the process hangs there until it dies."""
    store = shop.store.postings

    def hanging(lands: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def land(posting_id: str, *args: object, **more: object) -> object:
            if await number_of(shop, posting_id) == part:
                await shop.guild.outside(asyncio.Event().wait())
            return await lands(posting_id, *args, **more)

        return land

    monkeypatch.setattr(store, "landed", hanging(store.landed))
    monkeypatch.setattr(store, "landed_in_turn", hanging(store.landed_in_turn))


async def number_of(shop: Shop, posting_id: str) -> int:
    """Which part the posting is."""
    async with shop.store._database.reading() as connection:
        found = await connection.execute(select(postings.c.part).where(postings.c.id == posting_id))
        return found.scalar_one()


@both
async def test_a_crash_between_sending_and_recording_does_not_answer_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, threads: ThreadMode
):
    async with shop.opened(discord_thread_mode=threads):
        there = shop.guild
        with monkeypatch.context() as patch:
            never_lands(shop, patch)
            question = await mention(shop)
            assert len(there.replies(question)) == 1
            await shop.crashes()
        await shop.taken_up()
        [reply] = there.replies(question)
        assert (reply.text, len(reply.labels)) == (ANSWER, 3)
        assert shop.prompts() == ["Where is my parcel?"]
        answer = await there.click(there.customer, reply, label="Helpful")
        assert answer.followups[0].text == "Thanks, noted as good."


async def test_a_crash_between_two_parts_sends_the_other_ones_once(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    shop.provider.script = lambda model, messages: "\n\n".join(letter * 1_500 for letter in "abc")
    async with shop.opened():
        there = shop.guild
        with monkeypatch.context() as patch:
            never_lands(shop, patch, part=1)
            question = await mention(shop)
            assert len(there.replies(question)) == 2
            await shop.crashes()
        await shop.taken_up()
        assert [reply.text[0] for reply in there.replies(question)] == ["a", "b", "c"]


async def test_a_crash_while_the_model_thinks_is_answered_by_whoever_comes_next(shop: Shop):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        question = await mention(shop)
        await shop.crashes()
        await gate.open()
        await shop.taken_up()
        assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_another_process_waits_for_the_lease_before_it_takes_over(shop: Shop):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        question = await mention(shop)
        await shop.crashes("bot-2")
        await gate.open()
        await shop.taken_up(after_s=0)
        assert there.replies(question) == []
        await shop.taken_up()
        assert [reply.text for reply in there.replies(question)] == [ANSWER]


async def test_a_press_whose_process_died_is_done_and_answered(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    async with shop.opened():
        _, reply = await shop.asked()
        there = shop.guild

        async def hangs(*_: object, **__: object) -> None:
            await there.outside(asyncio.Event().wait())

        with monkeypatch.context() as patch:
            patch.setattr(shop.store.feedback, "give", hangs)
            answer = await there.click(there.customer, reply, label="Helpful")
            assert (answer.acknowledged, answer.followups) == (True, [])
            await shop.crashes()
        await shop.taken_up()
        assert [said.text for said in answer.followups] == ["Thanks, noted as good."]


async def test_a_crash_while_a_person_is_asked_for_rings_once(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    async with shop.opened():
        there = shop.guild
        shop.settings["discord_escalation_role"] = str(there.moderators.id)
        await there.restart(shop.client())
        shop.recorder.announce_role_ping(there.moderators.id)
        _, reply = await shop.asked()
        with monkeypatch.context() as patch:
            never_lands(shop, patch)
            await there.click(there.customer, reply, label="Get a human")
            await shop.crashes()
        await shop.taken_up()
        rings = [said for said in there.said_by_bot(reply.channel) if there.pinged(said)]
        assert len(rings) == 1


async def test_a_message_deleted_while_the_process_is_dead_is_not_answered(shop: Shop):
    async with shop.opened():
        there, gate = shop.guild, Gate(shop)
        question = await mention(shop)
        await shop.crashes()
        await there.delete(there.customer, question)
        await gate.open()
        await shop.taken_up()
        assert there.said_by_bot(there.support) == []
        assert there.threads(there.support) == []
