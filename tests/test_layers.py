"""The arrows of DESIGN.md: who may import whom, and in which one room each vendor library lives."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "curation", "storage", "providers", "tuner")
MAY_IMPORT = {
    "bot": {"bot", "curation", "storage", "providers"},
    "curation": {"curation", "storage", "providers"},
    "storage": {"storage"},
    "providers": {"providers"},
    "tuner": {"tuner"},
}
ROOMS = {
    "slack_bolt": ("bot/slack_app/",),
    "slack_sdk": ("bot/slack_app/",),
    "discord": ("bot/discord_app/",),
    "fastapi": ("bot/console/", "tuner/http/"),
    "openai": ("providers/openai_api.py",),
    "tiktoken": ("providers/tokens.py",),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "dbos": ("curation/engine.py",),
    "phonenumbers": ("curation/scrub/",),
    "rensa": ("curation/sketches.py",),
    "cronsim": ("curation/triggers.py",),
    "jsonschema": ("curation/checks.py",),
    "wordllama": ("curation/recall/",),
    "torch": ("tuner/",),
    "transformers": ("tuner/",),
    "trl": ("tuner/",),
    "peft": ("tuner/",),
    "xllamacpp": ("tuner/",),
}


FRONTS = ("bot.slack_app", "bot.discord_app", "bot.console")
"""Rooms of one surface each: what they share lies below them, and only the wiring knows them."""
WIRING = ("bot/cli.py", "bot/serving.py")


def violations(path: str, source: str) -> list[str]:
    """Every import in `source` (as if it lay at `path`, relative to the root) that breaks an arrow or leaves its room."""
    package = path.split("/")[0]
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.level == 0 else []
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top in PACKAGES and top not in MAY_IMPORT[package]:
                found.append(f"{path} imports {name}")
            front = next((front for front in FRONTS if name == front or name.startswith(f"{front}.")), None)
            if front is not None and not path.startswith((f"{front.replace('.', '/')}/", *WIRING)):
                found.append(f"{path} imports {name}, which only its own room and the wiring may")
            if top in ROOMS and not path.startswith(ROOMS[top]):
                found.append(f"{path} imports {name}, which lives in {', '.join(ROOMS[top])}")
    return found


def test_every_import_follows_the_arrows():
    found = [
        violation
        for package in PACKAGES
        for file in sorted((ROOT / package).rglob("*.py"))
        for violation in violations(file.relative_to(ROOT).as_posix(), file.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("storage/store.py", "from curation.dataset import Dataset"),
        ("providers/base.py", "import storage.records"),
        ("curation/retrain.py", "from bot.text import clean"),
        ("bot/cli.py", "import tuner.jobs"),
        ("tuner/http/app.py", "from providers.base import ChatModel"),
        ("curation/evaluation.py", "def f():\n    import openai"),
        ("bot/answering.py", "from fastapi import FastAPI"),
        ("bot/console/app.py", "from sqlalchemy import select"),
        ("bot/office/board.py", "from bot.slack_app.blocks import Shown"),
        ("bot/discord_app/client.py", "from bot.slack_app.markup import inline"),
    ],
)
def test_a_planted_violation_is_found(path: str, source: str):
    assert violations(path, source) != []


def test_importing_a_package_reads_no_environment_and_opens_nothing():
    """Importing does nothing: no module of ours calls anything at import time that talks to the world."""
    talking = {"open", "getenv", "connect", "create_engine", "create_async_engine", "run", "Popen", "mkdir"}
    found: list[str] = []
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            if file.name == "__main__.py" or "migrations" in file.parts:
                continue
            for node in ast.parse(file.read_text()).body:
                calls = [
                    inner
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Call)
                    and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If)
                ]
                for call in calls:
                    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                    if name in talking:
                        found.append(f"{file.relative_to(ROOT)}:{call.lineno} calls {name} at import time")
    assert found == []
