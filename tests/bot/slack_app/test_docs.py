"""docs/slack.md speaks of settings, commands and pictures that there are."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.settings import Settings
from bot.slack_app.manifest import SHORTCUTS
from bot.slack_app.presses import SIGNS
from tests.bot.test_settings import ROOT

PAGE = ROOT / "docs" / "slack.md"
TEXT = PAGE.read_text()


def test_every_setting_it_names_exists_and_every_one_of_slacks_is_explained():
    known = {f"FINETONE_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"FINETONE_[A-Z_]+", TEXT)) - {"FINETONE_PICTURES"}
    assert named <= known
    of_slack = {name for name in known if name.startswith("FINETONE_SLACK_")}
    assert of_slack - named <= {"FINETONE_SLACK_API_URL", "FINETONE_SLACK_AUTHORIZE_URL"}  # for tests


def test_every_picture_is_there_and_small_enough_to_load():
    for name in re.findall(r"\]\((images/[^)]+)\)", TEXT):
        assert 5_000 < (PAGE.parent / name).stat().st_size < 150_000, name


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`finetone ((?:slack |serve )?[a-z]+)", TEXT))))
def test_every_command_it_names_exists(command: str):
    shown = CliRunner().invoke(app, [*command.split(), "--help"])
    assert shown.exit_code == 0, shown.output


def test_every_message_shortcut_and_reaction_it_names_does_something():
    for _, label, _ in SHORTCUTS:
        assert label in TEXT
    signs = set(re.findall(r"`:([a-z0-9_+-]+):`", TEXT))
    assert signs <= {name for names in SIGNS.values() for name in names}


@pytest.mark.parametrize("link", re.findall(r"\]\((\.\.?/[^)#]+)\)", TEXT))
def test_every_page_it_links_to_is_there(link: str):
    assert (PAGE.parent / Path(link)).exists()
