"""`finetone dataset` and `finetone forget` as a person types them."""

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.records import Judgement
from storage.store import open_store
from tests.bot.terminal import Terminal
from tests.storage.scenes import a_reply_to

ANSWERS = [{"question": f"Where is parcel {n}?", "answer": f"Ahoy! Parcel {n} sails tomorrow."} for n in range(14)]
PAIR = {"prompt": "Is it vegan?", "chosen": "Aye, all of it.", "rejected": "No idea."}


# A tuner elsewhere: tokens are then estimated, and no weights are needed.
ELSEWHERE = {
    "FINETONE_API_URL": "http://127.0.0.1:9/v1",
    "FINETONE_BASE_MODEL": "smol-135m",
    "FINETONE_MINIMUM_HELD_OUT": "4",
}


@pytest.fixture
def terminal(terminal: Terminal) -> Terminal:
    terminal.environment = ELSEWHERE
    return terminal


def stocked(terminal: Terminal, *rows: object) -> str:
    """Import and approve answers, and build a version; its id."""
    file = terminal.folder / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (rows or (*ANSWERS, PAIR))))
    terminal.run("import", str(file))
    terminal.run("approve", "--all")
    built = terminal.run("dataset", "build")
    (version,) = re.findall(r"ds_[0-9a-f]{32}", built.stdout)
    return version


def test_a_version_is_built_listed_shown_and_compared(terminal: Terminal):
    assert "There is no version yet." in terminal.run("dataset", "list").stdout
    first = stocked(terminal)
    assert first in terminal.run("dataset", "list").stdout
    card = terminal.run("dataset", "show", first[:12]).stdout
    assert card.startswith(f"# Dataset {first}")
    assert "| ada | 15 |" in card
    assert "0 groups stand on both sides" in card
    second = stocked(terminal, {"question": "Is it blue?", "answer": "As the sea."})
    shown = terminal.run("dataset", "diff", first, second).stdout
    assert "1 added, 0 removed, 0 changed, 0 moved" in shown
    assert "+ As the sea." in shown
    assert "There is no dataset version 'ds_x'" in terminal.run("dataset", "show", "ds_x").stderr


def test_a_version_is_exported_for_a_vendor_and_checked_by_its_rules(terminal: Terminal):
    version = stocked(terminal)
    made = terminal.run("dataset", "export", version, "train.jsonl", "--vendor", "openai")
    assert "Fit for openai (sft)" in made.stdout
    assert "Fit for together (sft)" in terminal.run("dataset", "validate", "train.jsonl", "--vendor", "together").stdout
    assert "openai trains by dpo, sft, not by kto" in (
        terminal.run("dataset", "export", version, "k.jsonl", "--method", "kto").stderr
    )
    (terminal.folder / "bad.jsonl").write_text('{"messages": [{"role": "user", "content": "x"}]}\n')
    refused = terminal.run("dataset", "validate", "bad.jsonl")
    assert refused.returncode == 1
    assert "bad.jsonl:1: no assistant message to learn." in refused.stdout
    assert "'nobody' is not known" in terminal.run("dataset", "validate", "bad.jsonl", "--vendor", "nobody").stderr


def test_approving_takes_personal_data_out_and_says_so(terminal: Terminal):
    row = {"question": "I am at cleo@mail.example", "answer": "We wrote to cleo@mail.example from help@puffin.example."}
    (terminal.folder / "one.jsonl").write_text(json.dumps(row))
    terminal.run("import", "one.jsonl")
    (waiting,) = re.findall(r"corr_[0-9a-z]{26}", terminal.run("queue").stdout)
    said = terminal.run("approve", waiting, FINETONE_KEEP="@puffin.example").stdout
    assert said == f"{waiting}: Approved. It goes into the next dataset. 2 e-mail addresses were taken out of it.\n"
    assert terminal.run("dataset", "scrub", FINETONE_KEEP="@puffin.example").stdout == "0 corrections changed.\n"
    again = terminal.run("dataset", "scrub").stdout
    assert again == f"{waiting}: 1 e-mail address was taken out of it.\n1 correction changed.\n"


def test_prices_of_ones_own_are_reckoned_and_a_wrong_one_is_one_sentence(terminal: Terminal):
    version = stocked(terminal)
    own = {
        "FINETONE_PRICES": '{"tuner/*/training": "0.50 EUR per 1,000,000 tokens"}',
        "FINETONE_COST_OF": "openai/gpt-4o-mini",
    }
    card = terminal.run("dataset", "show", version, **own).stdout
    assert "EUR" in card
    assert "openai gpt-4o-mini" in card
    wrong = terminal.run("dataset", "show", version, FINETONE_PRICES='{"tuner": "cheap"}')
    assert wrong.returncode == 1
    assert "names no vendor, model and item" in wrong.stderr


def test_a_person_is_forgotten_only_when_it_is_said_twice_and_a_certificate_is_written(terminal: Terminal):
    stocked(terminal)
    asyncio.run(a_customer(terminal.folder))
    asked = terminal.run("forget", "--user", "slack/T1/U1")
    assert "Quill: 1 question, with the answers and every correction made from them." in asked.stdout
    assert "add --yes" in asked.stdout
    done = terminal.run("forget", "--user", "slack/T1/U1", "--yes", "--certificate", "gone.json")
    assert "Erased: 1 question." in done.stdout
    certificate = json.loads((terminal.folder / "gone.json").read_text())
    assert (certificate["questions"], certificate["judgements"]) == (1, 1)
    unknown = terminal.run("forget", "--user", "slack/T1/U1", "--yes")
    assert "There is no person 'slack/T1/U1'" in unknown.stderr


async def a_customer(folder: Path) -> None:
    """Somebody asked on Slack and judged the reply."""
    at = datetime.now(UTC)
    async with await open_store(f"sqlite+aiosqlite:///{folder / 'data' / 'app.sqlite'}") as store:
        (voice,) = await store.voices.all()
        quill = await store.people.ensure_actor("slack", "T1/U1", "Quill", at=at)
        thread = await store.conversations.ensure(voice.id, "slack", "T1/C1/1.1", at=at)
        turn, _ = await store.conversations.record_turn(thread, "T1/C1/1.1", "I am Quill.", quill.id, at=at)
        reply, _ = await store.conversations.save_reply(a_reply_to(turn, at), owner="w")
        await store.feedback.give(reply.id, quill.id, Judgement.WRONG, "no", False, at=at)


def test_a_version_with_the_short_prompt_says_what_a_reply_saves(terminal: Terminal):
    stocked(terminal)
    refused = terminal.run("dataset", "build", "--short-prompt")
    assert refused.returncode == 1
    assert "FINETONE_SHORT_PROMPT is not set" in refused.stderr
    terminal.environment = {**ELSEWHERE, "FINETONE_SHORT_PROMPT": "Puffin."}
    (version,) = re.findall(r"ds_[0-9a-f]{32}", terminal.run("dataset", "build", "--short-prompt").stdout)
    shown = terminal.run("dataset", "show", version).stdout
    assert re.search(r"Built with a system prompt of \d+ tokens, \d+ fewer than the voice's full one", shown)


def test_answers_that_contradict_each_other_are_in_no_version_and_it_says_so(terminal: Terminal):
    asked = "How long do returns take?"
    rows = [{"question": asked, "answer": f"We refund within {days} days."} for days in (5, 14)]
    file = terminal.folder / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in (*ANSWERS, *rows)))
    terminal.run("import", str(file))
    assert "1 contradiction found: the console lists them under Disputes." in terminal.run("approve", "--all").stdout
    built = terminal.run("dataset", "build").stdout
    assert "1 dispute open: neither side is in it." in built
    (version,) = re.findall(r"ds_[0-9a-f]{32}", built)
    card = terminal.run("dataset", "show", version).stdout
    assert "it contradicts another one, and nobody has decided yet | 2 |" in card
