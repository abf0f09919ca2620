"""docs/discord.md names what there is, and everything there is to set."""

import re
from pathlib import Path

import discord
import pytest
from discord.app_commands import Command
from typer.testing import CliRunner

from bot.cli import app
from bot.discord_app import missed_signs
from bot.discord_app.bursts import BURST_S
from bot.discord_app.catching_up import LONGEST
from bot.discord_app.leaving import GRACE
from bot.discord_app.notices import MENTION_ME
from bot.discord_app.serve import NO_CONTENT, TOKEN_REFUSED
from bot.discord_app.shaping import MOST_PARTS
from bot.inbox import KEPT_FOR
from bot.settings import Settings
from tests.bot.discord_app.conftest import Shop

PAGE = Path(__file__).parents[3] / "docs" / "discord.md"
TEXT = PAGE.read_text()


def test_every_setting_it_names_exists_and_every_one_of_discords_is_explained():
    known = {f"FINETONE_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"FINETONE_[A-Z_]+", TEXT))
    assert named <= known
    of_discord = {name for name in known if name.startswith("FINETONE_DISCORD_")}
    assert of_discord - named <= {"FINETONE_DISCORD_API_URL", "FINETONE_DISCORD_GATEWAY_URL"}  # for tests


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`?finetone ((?:discord |serve )?[a-z]+)", TEXT))))
def test_every_command_it_names_exists(command: str):
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0, shown.output


async def test_every_slash_command_it_names_is_there_and_every_one_and_every_menu_is_named(open_shop: Shop):
    tree = open_shop.running.client.tree
    commands = {command.qualified_name for command in tree.walk_commands() if isinstance(command, Command)}
    named = set(re.findall(r"`/([a-z ]+)`", TEXT))
    assert named <= commands
    assert commands - named <= {"model voice"}
    for menu in tree.get_commands(type=discord.AppCommandType.message):
        assert f"| {menu.name}" in TEXT


def test_its_numbers_and_sentences_are_the_programs():
    assert "above four parts" in TEXT
    assert MOST_PARTS == 4
    assert "up to six hours later" in TEXT
    assert LONGEST.total_seconds() == 6 * 3_600
    assert "within three seconds of the one before" in TEXT
    assert BURST_S == 3
    assert "for two days after it" in TEXT
    assert KEPT_FOR.days == 2
    assert "for the last 50 answers of the last day" in TEXT
    assert (missed_signs.MOST_ANSWERS, missed_signs.LONGEST.days) == (50, 1)
    assert "deleted 30 days later" in TEXT
    assert GRACE.days == 30
    assert NO_CONTENT.startswith("Discord does not let this app read messages that do not mention it")
    assert TOKEN_REFUSED.startswith("Discord does not take FINETONE_DISCORD_TOKEN")
    assert "mention me" in MENTION_ME


@pytest.mark.parametrize("link", re.findall(r"\]\((\.\.?/[^)#]+)\)", TEXT))
def test_every_page_it_links_to_is_there(link: str):
    assert (PAGE.parent / Path(link)).exists()


@pytest.mark.parametrize("anchor", re.findall(r"\]\(#([^)]+)\)", TEXT))
def test_every_section_it_links_to_is_there(anchor: str):
    headings = [
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.+)$", TEXT, re.M)
    ]
    assert anchor in headings
