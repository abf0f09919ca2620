"""`finetone …` as a real process against our own stub of Discord."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import discord
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.discord_app.cli import is_wanted, receiver
from bot.settings import Settings, SettingsMissing
from tests.bot.slack_app.processes import PATIENCE_S, SENTENCE, finetone, vendor
from tests.discord.own_stub import TOKEN, OwnStub
from tests.discord.place import Message

T = TypeVar("T")


@pytest.fixture
async def model_url() -> AsyncIterator[str]:
    async with vendor() as url:
        yield url


def environment(stub: OwnStub, model_url: str, **more: str) -> dict[str, str]:
    """What a person would have in .env."""
    return {
        "FINETONE_PROVIDER": "openai",
        "FINETONE_API_URL": model_url,
        "FINETONE_API_KEY": "none",
        "FINETONE_BASE_MODEL": "stub",
        "FINETONE_DISCORD_TOKEN": TOKEN,
        "FINETONE_DISCORD_API_URL": stub.api_url,
        "FINETONE_DISCORD_GATEWAY_URL": stub.gateway_url,
        "FINETONE_DISCORD_ADMINS": str(stub.guild.admin.id),
        **more,
    }


async def in_time(read: Callable[[], T]) -> T:
    """Read again until it is something: a process of its own takes its time to start."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := read()):
            await asyncio.sleep(0.02)
    return found


async def answered(stub: OwnStub) -> Message:
    question = await stub.guild.mention(stub.guild.customer, stub.guild.support, "Where is my parcel?")
    [reply] = await in_time(lambda: stub.guild.replies(question))
    assert reply.text == f"{SENTENCE}\n-# AI answer, looked after by the team"
    return reply


async def test_serve_discord_answers_and_ctrl_c_ends_it(stub: OwnStub, model_url: str, tmp_path: Path):
    async with finetone(tmp_path, environment(stub, model_url), "serve", "discord", "--no-worker") as program:
        await program.until_said("Discord is listened to")
        await in_time(lambda: stub.gateway.identified)
        await answered(stub)
        assert await program.interrupt() == 0
        assert "Traceback" not in program.printed


async def test_run_serves_discord_beside_the_console_and_says_what_it_may_not_read(
    stub: OwnStub, model_url: str, tmp_path: Path
):
    stub.gateway.approved = discord.Intents.default()
    async with finetone(tmp_path, environment(stub, model_url), "run", "--port", "0") as program:
        await program.until_said(r"Open  http://")
        await program.until_said("Discord is listened to")
        await program.until_said("Switch on “Message Content Intent”")
        await in_time(lambda: len(stub.gateway.identified) >= 2)
        await answered(stub)
        assert await program.interrupt() == 0
        assert "Traceback" not in program.printed


def test_without_a_token_it_says_which_setting_is_missing(tmp_path: Path):
    nothing = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    assert not is_wanted(nothing)
    with pytest.raises(SettingsMissing, match=r"FINETONE_DISCORD_TOKEN is not set\. docs/discord\.md"):
        receiver(nothing)


async def printed(stub: OwnStub, folder: Path, *arguments: str) -> tuple[int, str]:
    """What a command of ours ends with and prints, in another thread, as a process of its own would."""
    settings = environment(stub, "http://127.0.0.1:9/v1", FINETONE_DATA_DIR=str(folder))
    with stub.aimed():
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=settings)
    return result.exit_code, result.output


async def test_invite_and_doctor_answer_on_the_command_line(stub: OwnStub, tmp_path: Path):
    code, invite = await printed(stub, tmp_path, "discord", "invite")
    assert code == 0
    assert invite.startswith("https://discord.com/oauth2/authorize?client_id=")
    assert len(invite.splitlines()) == 1
    await stub.guild.take_permission(stub.guild.support, "attach_files")
    code, report = await printed(stub, tmp_path, "doctor")
    assert code == 1
    assert "not ok  Discord #support: the bot lacks Attach Files" in report
