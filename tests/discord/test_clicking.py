"""Buttons, menus, forms and commands of a bare bot: what people can press, when, and what Discord makes of the answer."""

from typing import Any

import discord
import pytest
from discord import ui

from tests.discord.bare import ANSWER, BareBot
from tests.discord.guild import Guild
from tests.discord.place import CannotDo, Message


async def replied(guild: Guild) -> Message:
    question = await guild.mention(guild.customer, guild.support, "Where is my parcel?")
    [reply] = guild.replies(question)
    return reply


async def test_a_button_opens_a_form_and_its_answer_is_seen_by_one(guild: Guild):
    reply = await replied(guild)
    assert reply.labels == ["good", "fix"]
    opened = await guild.click(guild.moderator, reply, label="fix")
    assert opened.modal is not None
    assert guild.open_modal(guild.moderator) == opened.modal
    saved = await guild.submit(guild.moderator, {"reason": ["tone"]})
    assert (saved.text, saved.ephemeral) == (f"Saved: {ANSWER} (tone)", True)
    assert guild.open_modal(guild.moderator) is None
    assert [one.text for one in guild.ephemerals(guild.moderator)] == [saved.text]
    assert guild.ephemerals(guild.customer) == []
    assert saved.message not in guild.messages(guild.support, viewer=guild.customer)


async def test_a_button_works_after_a_restart(guild: Guild):
    reply = await replied(guild)
    client = BareBot()
    await guild.restart(client)
    answer = await guild.click(guild.customer, reply, custom_id="bv1:good:reply_1")
    assert (answer.text, client.clicks) == ("Thanks for good on reply_1", 1)


async def test_discord_py_by_itself_drops_a_form_sent_after_a_restart(guild: Guild):
    reply = await replied(guild)
    await guild.click(guild.moderator, reply, label="fix")
    client = BareBot()
    heard: list[discord.Interaction[Any]] = []

    @client.event
    async def on_interaction(interaction: discord.Interaction[Any]) -> None:
        heard.append(interaction)

    await guild.restart(client)
    saved = await guild.submit(guild.moderator, {"answer": "It is at the door.", "reason": ["wrong"]})
    assert not saved.acknowledged
    [interaction] = heard
    assert interaction.type is discord.InteractionType.modal_submit
    assert interaction.data is not None
    assert interaction.data["custom_id"] == "bv1:correct:reply_1"  # type: ignore[typeddict-item]


async def test_two_clicks_at_once_are_two_interactions(guild: Guild, bot: BareBot):
    reply = await replied(guild)
    first, second = await guild.double_click(guild.customer, reply, label="good")
    assert (first.acknowledged, second.acknowledged, bot.clicks) == (True, True, 2)
    both = await guild.click_together([guild.moderator, guild.admin], reply, custom_id="bv1:good:reply_1")
    assert [one.text for one in both] == ["Thanks for good on reply_1"] * 2


async def test_an_interaction_told_twice_can_be_answered_once(guild: Guild, bot: BareBot):
    reply = await replied(guild)
    await guild.click(guild.customer, reply, label="good")
    await guild.deliver_again()
    assert bot.clicks == 2
    [refused] = guild.errors
    assert isinstance(refused, discord.HTTPException)
    assert refused.code == 40060
    assert len(guild.ephemerals(guild.customer)) == 1


async def test_a_first_response_after_three_seconds_is_refused(guild: Guild):
    reply = await replied(guild)
    with guild.feed.late():
        answer = await guild.click(guild.customer, reply, label="good")
    assert not answer.acknowledged
    [refused] = guild.errors
    assert isinstance(refused, discord.NotFound)
    assert refused.code == 10062


async def test_a_message_menu_opens_a_form(guild: Guild):
    reply = await replied(guild)
    opened = await guild.open_menu(guild.moderator, reply, "Correct this answer")
    assert opened.modal is not None
    saved = await guild.submit(guild.moderator, {"answer": "At the door.", "reason": ["wrong"]})
    assert saved.text == "Saved: At the door. (wrong)"


async def test_a_command_defers_and_its_first_followup_keeps_the_deferral_ephemeral(guild: Guild):
    answer = await guild.slash(guild.admin, guild.ops, "retrain", dry_run=True)
    assert (answer.text, answer.ephemeral, answer.deferred) == ("Dry run: True", True, False)
    assert [one.text for one in answer.followups] == ["More"]
    assert guild.messages(guild.ops, viewer=guild.moderator) == []


async def test_a_command_hidden_by_its_default_permissions_cannot_be_run(guild: Guild):
    assert guild.commands(guild.admin, guild.support) == ["echo", "retrain"]
    assert guild.commands(guild.customer, guild.support) == ["echo"]
    with pytest.raises(CannotDo):
        await guild.slash(guild.customer, guild.support, "retrain")
    with pytest.raises(CannotDo):
        await guild.slash(guild.admin, guild.dm(guild.admin), "retrain")


async def test_an_option_completes_itself(guild: Guild):
    offered = await guild.type_option(guild.customer, guild.support, "echo", "what", "hel")
    assert offered == [{"name": "hel!", "value": "hel!"}]
    answer = await guild.slash(guild.customer, guild.dm(guild.customer), "echo", what="@everyone")
    assert (answer.text, answer.ephemeral) == ("@everyone", True)


async def test_people_choose_in_menus(guild: Guild):
    chosen: list[Any] = []

    class Menus(ui.View):
        @ui.select(custom_id="kind", options=[discord.SelectOption(label="Tone", value="tone")])
        async def kind(self, interaction: discord.Interaction[Any], menu: ui.Select[Any]) -> None:
            chosen.extend(menu.values)
            await interaction.response.edit_message(content="Chosen", view=None)

        @ui.select(cls=ui.RoleSelect, custom_id="role")
        async def role(self, interaction: discord.Interaction[Any], menu: ui.RoleSelect[Any]) -> None:
            chosen.extend(role.id for role in menu.values)
            await interaction.response.defer()

    await guild.client.get_partial_messageable(guild.review.id).send("Which?", view=Menus())
    [card] = guild.said_by_bot(guild.review)
    await guild.choose(guild.moderator, card, [guild.approvers], custom_id="role")
    answer = await guild.choose(guild.moderator, card, ["tone"], custom_id="kind")
    assert chosen == [guild.approvers.id, "tone"]
    assert (answer.text, answer.ephemeral) == ("Chosen", False)
    with pytest.raises(CannotDo):
        await guild.choose(guild.moderator, card, ["tone"], custom_id="kind")


async def test_only_buttons_that_are_there_and_seen_can_be_clicked(guild: Guild):
    reply = await replied(guild)
    with pytest.raises(CannotDo):
        await guild.click(guild.customer, reply, label="Nowhere")
    await guild.client.get_partial_messageable(guild.review.id).send("Card", view=disabled())
    [card] = guild.said_by_bot(guild.review)
    with pytest.raises(CannotDo, match="disabled"):
        await guild.click(guild.moderator, card, label="Approve")
    with pytest.raises(CannotDo, match="cannot see"):
        await guild.click(guild.customer, card, label="Approve")
    with pytest.raises(CannotDo):
        await guild.submit(guild.customer, {})


def disabled() -> ui.View:
    view = ui.View()
    view.add_item(ui.Button(label="Approve", custom_id="approve", disabled=True))
    return view
