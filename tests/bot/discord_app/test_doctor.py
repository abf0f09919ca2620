"""`finetone doctor` and `finetone discord invite`: one line each, and the next step where something is missing."""

from pathlib import Path

import discord
import pytest
from pydantic import SecretStr

from bot.discord_app.doctor import check_discord
from bot.discord_app.permissions import LEAST, invite, missing_to_answer
from bot.discord_app.serve import DiscordRefused, application_id
from bot.doctor import Check
from bot.settings import Settings
from storage.records import ThreadMode
from tests.discord import world
from tests.discord.own_stub import TOKEN, OwnStub


def settings(stub: OwnStub, tmp_path: Path, **more: object) -> Settings:
    there = stub.guild
    usual: dict[str, object] = {
        "data_dir": tmp_path / "data",
        "discord_token": SecretStr(TOKEN),
        "discord_api_url": stub.api_url,
        "discord_gateway_url": stub.gateway_url,
        "discord_moderators": str(there.moderators.id),
        "discord_admins": str(there.admin.id),
        "discord_review_channel": str(there.review.id),
        "discord_ops_channel": str(there.ops.id),
        "discord_escalation_role": str(there.moderators.id),
    }
    return Settings(_env_file=None, **(usual | more))  # type: ignore[call-arg, arg-type]


async def looked(stub: OwnStub, tmp_path: Path, **more: object) -> dict[str, Check]:
    """The checks by what they look at."""
    with stub.aimed():
        return {check.what: check for check in await check_discord(settings(stub, tmp_path, **more))}


async def test_everything_in_order_is_ok_line_by_line(stub: OwnStub, tmp_path: Path):
    found = await looked(stub, tmp_path)
    assert all(check.is_ok for check in found.values()), found
    assert found["Discord review channel"].line() == "ok      Discord review channel: the bot can write in #review"
    assert found["Discord triage channel"].said.startswith("not set, so")
    assert found["Discord escalation role"].said == "@moderators can be rung"
    assert found["Discord rights"].said == "ids: 1 for moderators, 0 for approvers, 1 for admins"
    assert found["Discord servers"].said == "Acme"
    assert found["Discord channels of Acme"].said == "everything is allowed in 5 of 5"


async def test_each_missing_permission_is_named_with_its_channel_and_what_it_breaks(stub: OwnStub, tmp_path: Path):
    await stub.guild.take_permission(stub.guild.support, "send_messages_in_threads", "attach_files")
    found = await looked(stub, tmp_path)
    assert found["Discord #support"].line() == (
        "not ok  Discord #support: the bot lacks Send Messages in Threads (it cannot answer in threads and forum posts); "
        "Attach Files (very long answers cannot be sent as a file). "
        "Allow it in the channel's settings, or take View Channels from the bot there."
    )
    assert found["Discord channels of Acme"].said == "everything is allowed in 4 of 5"


async def test_a_channel_the_bot_does_not_see_is_left_out(stub: OwnStub, tmp_path: Path):
    await stub.guild.take_permission(stub.guild.support, "view_channel")
    found = await looked(stub, tmp_path)
    assert "Discord #support" not in found
    assert found["Discord channels of Acme"].said == "everything is allowed in 4 of 4"


async def test_a_teams_channel_that_cannot_be_written_in_or_is_none_says_so(stub: OwnStub, tmp_path: Path):
    await stub.guild.take_permission(stub.guild.review, "send_messages")
    found = await looked(stub, tmp_path, discord_ops_channel="12345")
    assert found["Discord review channel"].said.startswith("the bot lacks Send Messages in #review.")
    assert found["Discord ops channel"].said.startswith("12345 is no channel of the bot's servers.")


async def test_an_intent_that_is_not_granted_names_the_switch(stub: OwnStub, tmp_path: Path):
    stub.gateway.approved = discord.Intents.default()
    check = (await looked(stub, tmp_path))["Discord message content"]
    assert not check.is_ok
    assert "Message Content Intent" in check.said


@pytest.mark.parametrize("name", ["admins", "customers"])
async def test_a_role_that_cannot_be_rung_names_the_switch(stub: OwnStub, tmp_path: Path, name: str):
    role = stub.guild.world.roles[name]
    check = (await looked(stub, tmp_path, discord_escalation_role=str(role.id)))["Discord escalation role"]
    assert not check.is_ok
    assert check.said.startswith(f"@{name} cannot be rung. Switch on “Allow anyone to @mention this role”")


async def test_a_role_that_is_none_and_ids_of_nobody_are_named(stub: OwnStub, tmp_path: Path):
    found = await looked(stub, tmp_path, discord_escalation_role="123", discord_approvers="456,ada")
    assert not found["Discord escalation role"].is_ok
    assert found["Discord id 456"].said == "is neither a role nor a person in the bot's servers. Copy it again."
    assert not found["Discord id ada"].is_ok


async def test_a_bad_token_is_one_line_with_the_next_step(stub: OwnStub, tmp_path: Path):
    [check] = (await looked(stub, tmp_path, discord_token=SecretStr("another"))).values()
    assert (check.what, check.is_ok) == ("Discord token", False)
    assert "Press “Reset Token”" in check.said


async def test_discord_out_of_reach_is_one_line(stub: OwnStub, tmp_path: Path):
    with stub.aimed():
        [check] = await check_discord(settings(stub, tmp_path, discord_api_url="http://127.0.0.1:9/api/v10"))
    assert not check.is_ok
    assert "FINETONE_DISCORD_API_URL" in check.said


async def test_discord_that_is_not_set_up_is_no_fault(tmp_path: Path):
    [check] = await check_discord(Settings(_env_file=None, data_dir=tmp_path))  # type: ignore[call-arg]
    assert check.is_ok
    assert "docs/discord.md" in check.said


async def test_the_invite_asks_for_the_least_and_names_the_application(stub: OwnStub, tmp_path: Path):
    with stub.aimed():
        url = invite(await application_id(settings(stub, tmp_path)))
    assert url.startswith("https://discord.com/oauth2/authorize?client_id=")
    assert f"client_id={stub.backend.application_id}" in url
    assert f"permissions={LEAST.value}" in url
    assert "scope=bot+applications.commands" in url


async def test_an_invite_with_a_bad_token_says_what_to_do(stub: OwnStub, tmp_path: Path):
    with stub.aimed(), pytest.raises(DiscordRefused, match="Reset Token"):
        await application_id(settings(stub, tmp_path, discord_token=SecretStr("another")))


def test_the_least_is_neither_administrator_nor_everyone():
    assert world.LEAST == LEAST  # what every test gives the bot
    assert not LEAST.administrator
    assert not LEAST.mention_everyone


@pytest.mark.parametrize(
    ("given", "is_thread", "threads", "lacking"),
    [
        (("view_channel", "send_messages"), False, ThreadMode.CHANNEL, []),
        (("view_channel", "send_messages"), False, ThreadMode.THREAD, []),
        (("view_channel", "create_public_threads", "send_messages_in_threads"), False, ThreadMode.THREAD, []),
        (("view_channel", "create_public_threads"), False, ThreadMode.THREAD, ["Send Messages"]),
        (("view_channel", "send_messages_in_threads"), True, ThreadMode.CHANNEL, []),
        (("view_channel", "send_messages"), True, ThreadMode.CHANNEL, ["Send Messages in Threads"]),
        ((), False, ThreadMode.THREAD, ["View Channels"]),
    ],
)
def test_one_way_to_answer_is_enough(given: tuple[str, ...], is_thread: bool, threads: ThreadMode, lacking: list[str]):
    permissions = discord.Permissions(**dict.fromkeys(given, True))
    assert missing_to_answer(permissions, is_thread=is_thread, threads=threads) == lacking
