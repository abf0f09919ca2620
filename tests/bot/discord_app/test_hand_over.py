"""Somebody asks for a person: one role is rung once, and the bot is silent."""

import asyncio
from typing import Any

import discord
import pytest

from bot.discord_app import hand_over
from bot.discord_app.hand_over import ASKED
from bot.discord_app.notices import APOLOGY
from bot.discord_app.outgoing import send
from bot.discord_app.payloads import Person, Place, Said
from bot.discord_app.speaking import apologise
from storage.records import ChannelMode, ChannelRules
from tests.bot.discord_app.conftest import Shop


async def test_get_a_human_rings_exactly_one_role_and_silences_the_bot(shop: Shop):
    async with shop.opened():
        there = shop.guild
        await there.restart(shop.client("bot-2", discord_escalation_role=str(there.moderators.id)))
        shop.recorder.announce_role_ping(there.moderators.id)
        _, reply = await shop.asked()
        answer = await there.click(there.customer, reply, label="Get a human")
        assert answer.followups[0].text.startswith("A person from the team has been asked.")
        ring = there.said_by_bot(reply.channel)[-1]
        assert there.pinged(ring) == [there.moderators.id]
        assert ring.text == f"{there.moderators.mention} {ASKED}"
        later = await there.say(there.customer, reply.channel, "Hello?")
        assert there.replies(later) == []
        await there.mention(there.customer, reply.channel, "Hello?")
        assert shop.prompts() == ["Where is my parcel?"]


async def test_the_role_is_rung_once_in_a_conversation_however_often_it_is_pressed(shop: Shop):
    async with shop.opened():
        there = shop.guild
        await there.restart(shop.client("bot-2", discord_escalation_role=str(there.moderators.id)))
        shop.recorder.announce_role_ping(there.moderators.id)
        _, reply = await shop.asked()
        await there.double_click(there.customer, reply, label="Get a human")
        await there.click(there.second_customer, reply, label="Get a human")
        [hand_over] = await shop.store.hand_overs.all_open()
        moderator = await shop.store.people.ensure_actor("discord", "1", "Mo", at=shop.clock())
        await shop.store.hand_overs.release(hand_over.id, moderator.id, at=shop.clock())
        await there.click(there.customer, reply, label="Get a human")
        rings = [said for said in there.said_by_bot(reply.channel) if ASKED in said.text]
        assert [there.pinged(ring) for ring in rings] == [[there.moderators.id]]


async def test_two_people_who_press_at_once_ring_once(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    async with shop.opened():
        _, reply = await shop.asked()
        there, may_leave = shop.guild, asyncio.Event()

        async def held(*args: Any, **more: Any) -> discord.Message:
            await there.outside(may_leave.wait())
            return await send(*args, **more)

        monkeypatch.setattr(hand_over, "send", held)
        await there.click(there.customer, reply, label="Get a human")
        await there.click(there.second_customer, reply, label="Get a human")
        may_leave.set()
        await there.settle()
        assert len([said for said in there.said_by_bot(reply.channel) if ASKED in said.text]) == 1


async def test_in_a_direct_message_nobody_is_rung_and_it_is_said_all_the_same(shop: Shop):
    async with shop.opened(discord_direct_messages=True):
        there = shop.guild
        shop.settings["discord_escalation_role"] = str(there.moderators.id)
        await there.restart(shop.client())
        await there.direct_message(there.customer, "Where is my parcel?")
        [reply] = there.said_by_bot(there.dm(there.customer))
        await there.click(there.customer, reply, label="Get a human")
        await there.direct_message(there.customer, "Hello?")
        said = [one for one in there.said_by_bot(there.dm(there.customer)) if not one.ephemeral]
        assert [one.text for one in said] == [reply.text, ASKED]
        assert there.pinged(said[1]) == []


async def test_where_no_role_is_set_nobody_is_rung(open_shop: Shop):
    _, reply = await open_shop.asked()
    there = open_shop.guild
    await there.click(there.customer, reply, label="Get a human")
    said = there.said_by_bot(reply.channel)[-1]
    assert (said.text, there.pinged(said)) == (ASKED, [])


async def test_who_reads_an_apology_can_ask_for_a_person(open_shop: Shop):
    there = open_shop.guild
    question = await there.mention(there.customer, there.support, "Where is my parcel?")
    turn = await open_shop.store.conversations.find_turn("discord", f"{there.id}/{there.support.id}/{question.id}")
    assert turn is not None
    [reply] = there.replies(question)
    place = Place(str(there.id), str(there.support.id), str(question.id))
    said = Said(Person(str(there.customer.id), "customer", (), str(there.id)), place, "?", True, False, "", 0)
    await apologise(open_shop.running.app.parts, said, ChannelRules(), ChannelMode.MENTION)
    again = there.reread(reply)
    assert again is not None
    assert (again.text, again.labels) == (APOLOGY, ["Get a human"])
    answer = await there.click(there.customer, again, label="Get a human")
    assert answer.followups[0].text.startswith("A person from the team has been asked.")
