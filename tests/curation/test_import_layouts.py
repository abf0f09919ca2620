"""The layouts in which answers lie about: preferences, multiple choice, help desks, and exports of Slack and Discord."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bot.text import clean_correction, clean_question
from curation.imports import Imported, ImportRefused, Source, read_answers
from curation.imports import read as reading
from curation.imports.talk import Said, Speaker, answers_in


def read(path: Path, *staff: str) -> Imported:
    return read_answers(path, Source(clean_question, clean_correction, frozenset(staff)))


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
    return path


def said(imported: Imported) -> list[tuple[str, str, str | None]]:
    return [(answer.question, answer.answer, answer.served) for answer in imported.answers]


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


# ---------------------------------------------------------------- rows


@pytest.mark.parametrize(
    "row",
    [
        {
            "input": {"messages": [turn("system", "S"), turn("user", "Q?")]},
            "preferred_output": [turn("assistant", "Better")],
            "non_preferred_output": [turn("assistant", "Worse")],
        },
        {"prompt": "Q?", "chosen": "Better", "rejected": "Worse"},
        {
            "prompt": [turn("user", "Q?")],
            "chosen": [turn("user", "Q?"), turn("assistant", "Better")],
            "rejected": [turn("assistant", "Worse")],
        },
    ],
    ids=["openai", "texts", "messages"],
)
def test_of_two_answers_the_better_is_proposed_and_the_other_kept_as_served(tmp_path: Path, row: Any):
    imported = read(write(tmp_path, "a.jsonl", row))
    assert said(imported) == [("Q?", "Better", "Worse")]
    assert imported.layout == "preferences"


def test_multiple_choice_becomes_a_question_with_its_choices_and_an_answer_with_its_reason(tmp_path: Path):
    rows = {
        "7": {"question": "Which is a mammal?", "choices": ["trout", "otter"], "answer": 1, "solution": "It is furry."},
        "9": {"question": "And this?", "choices": ["a", "b"], "answer": 2},
        "10": {"question": "What is shown?", "choices": ["a", "b"], "answer": 0, "image": "image.png"},
    }
    imported = read(write(tmp_path, "problems.json", rows))
    assert said(imported) == [("Which is a mammal?\nA. trout\nB. otter", "B. otter\n\nIt is furry.", None)]
    assert [refusal.reason for refusal in imported.refusals] == [
        "its answer is 2; expected the number of a choice, 0 to 1",
        "its question is about a picture, which a text model does not see",
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "Q?", "chosen": "Same", "rejected": "Same"}, "both of its answers are the same"),
        ({"prompt": "Q?", "chosen": "Better"}, "its rejected are not a list of messages"),
        ({"input": {}, "preferred_output": []}, "its input messages are not a list"),
        ({"prompt": [turn("assistant", "A")], "chosen": "B", "rejected": "C"}, "does not end with a user message"),
        ({"question": "Q?", "choices": ["only"], "answer": 0}, "its choices are not a list of 2 to 26 texts"),
        ({"question": "Q?", "choices": "ab", "answer": 0}, "its choices are not a list of 2 to 26 texts"),
        ({"question": "Q?", "choices": ["a", "b"], "answer": True}, "its answer is True"),
    ],
)
def test_a_row_that_does_not_fit_its_layout_is_refused_with_the_reason(tmp_path: Path, row: Any, reason: str):
    (refusal,) = read(write(tmp_path, "a.jsonl", row)).refusals
    assert reason in refusal.reason


# ---------------------------------------------------------------- conversations

NO_HISTORY: list[str] = []
C, S, B = Speaker.CUSTOMER, Speaker.STAFF, Speaker.BOT


@pytest.mark.parametrize(
    ("conversation", "expected"),
    [
        pytest.param([(C, "Q?"), (S, "A")], [("Q?", "A", None, NO_HISTORY)], id="one answer"),
        pytest.param(
            [(C, "Q"), (C, "?"), (S, "A"), (S, "B")], [("Q\n?", "A\nB", None, NO_HISTORY)], id="in several messages"
        ),
        pytest.param([(C, "Q?"), (B, "bot"), (S, "A")], [("Q?", "A", "bot", NO_HISTORY)], id="a machine is corrected"),
        pytest.param(
            [(C, "Q?"), (B, "bot"), (C, "R?"), (S, "A")],
            [("R?", "A", None, ["Q?", "bot"])],
            id="a machine's answer stood",
        ),
        pytest.param(
            [(C, "Q?"), (S, "A"), (C, "R?"), (S, "B")],
            [("Q?", "A", None, NO_HISTORY), ("R?", "B", None, ["Q?", "A"])],
            id="two answers",
        ),
        pytest.param(
            [(C, "Q?"), (S, "A"), (B, "survey"), (S, "more"), (C, "R?"), (S, "B")],
            [("Q?", "A", None, NO_HISTORY), ("R?", "B", None, ["Q?", "A\nmore"])],
            id="a person goes on",
        ),
        pytest.param([(S, "Hello!"), (C, "Q?"), (S, "A")], [("Q?", "A", None, NO_HISTORY)], id="greeted first"),
        pytest.param([(C, "Q?"), (C, " "), (B, "bot")], NO_HISTORY, id="nobody answered"),
        pytest.param([(C, " "), (S, "A")], NO_HISTORY, id="nobody asked"),
        pytest.param(NO_HISTORY, NO_HISTORY, id="nothing"),
    ],
)
def test_peoples_answers_are_found_in_a_conversation(conversation: Any, expected: Any):
    found = answers_in([Said(speaker, text, line) for line, (speaker, text) in enumerate(conversation, 1)])
    assert [(a.question, a.answer, a.served, [m.content for m in a.history]) for a in found] == expected


ZENDESK = """Ticket ID,Author role,Public,Created at,Comment
7,end-user,true,2026-01-01T09:00,Where is it?
8,end-user,true,2026-01-01T09:01,Is it blue?
7,agent,false,2026-01-01T09:02,he calls every day
7,agent,true,2026-01-01T09:03,It sails tomorrow.
8,wizard,true,2026-01-01T09:04,Yes.
"""
INTERCOM = """conversation_id,author_type,body
1,user,Where is it?
1,bot,I do not know.
1,admin,It sails tomorrow.
2,lead,Hello?
"""


def test_a_help_desks_messages_become_answers_by_ticket_and_notes_among_staff_stay_out(tmp_path: Path):
    imported = read(write(tmp_path, "tickets.csv", ZENDESK))
    assert said(imported) == [("Where is it?", "It sails tomorrow.", None)]
    assert (imported.layout, imported.conversations) == ("a help desk's messages", 2)
    assert [(refusal.line, refusal.reason) for refusal in imported.refusals] == [
        (3, "nobody answered"),
        (6, "its author role is 'wizard'; expected customer, agent or bot"),
    ]


def test_where_a_bot_had_answered_before_a_person_the_person_corrects_it(tmp_path: Path):
    imported = read(write(tmp_path, "conversations.csv", INTERCOM))
    assert said(imported) == [("Where is it?", "It sails tomorrow.", "I do not know.")]


# ---------------------------------------------------------------- Slack and Discord

DAYS = {
    "support/2026-01-01.json": [
        {"type": "message", "user": "U1", "ts": "1.1", "text": "Hi all, nobody asked in a thread"},
        {"type": "message", "user": "U1", "ts": "2.1", "thread_ts": "2.1", "text": "Where is <https://x.y|it>?"},
        {
            "type": "message",
            "bot_id": "B1",
            "user": "UB",
            "ts": "3.1",
            "thread_ts": "2.1",
            "text": "No idea &amp; sorry",
        },
        {"type": "message", "subtype": "channel_join", "user": "U9", "ts": "3.2", "thread_ts": "2.1", "text": "joined"},
    ],
    "support/2026-01-02.json": [
        {
            "type": "message",
            "user": "U2",
            "ts": "4.1",
            "thread_ts": "2.1",
            "text": "<@U1> it sails <!channel> tomorrow",
        },
        {"type": "message", "user": "U3", "ts": "5.1", "thread_ts": "5.1", "text": "Anybody?"},
    ],
    "users.json": [{"id": "U1", "name": "cleo"}],
}
FROM_SLACK = ("Where is it (https://x.y)?", "@somebody it sails @channel tomorrow", "No idea & sorry")


def slack_folder(tmp_path: Path) -> Path:
    for name, content in DAYS.items():
        write(tmp_path / "export", name, content)
    return tmp_path / "export"


def slack_zip(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, content in DAYS.items():
            archive.writestr(name, json.dumps(content))
    return tmp_path / "export.zip"


@pytest.mark.parametrize("make", [slack_folder, slack_zip], ids=["folder", "zip"])
def test_threads_of_a_slack_export_become_answers_over_the_days(tmp_path: Path, make: Any):
    imported = read(make(tmp_path))
    [(question, answer, served)] = said(imported)
    assert (question, answer.replace("\u200d", ""), served) == FROM_SLACK
    (found,) = imported.answers
    assert (found.file, found.line) == ("support/2026-01-02.json", 1)
    assert [(refusal.file, refusal.reason) for refusal in imported.refusals] == [
        ("support/2026-01-02.json", "nobody answered")
    ]


def test_who_counts_as_staff_can_be_said(tmp_path: Path):
    assert said(read(slack_folder(tmp_path), "U7")) == []
    assert len(said(read(slack_folder(tmp_path), "U2"))) == 1


def test_an_archive_that_unpacks_to_too_much_or_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ImportRefused, match="not a ZIP archive"):
        read(write(tmp_path, "a.zip", "PK?"))
    with pytest.raises(ImportRefused, match="holds no channel of a Slack export"):
        read(write(tmp_path / "empty", "users.json", []).parent)
    monkeypatch.setattr(reading, "ARCHIVE_LIMIT", 100)
    with pytest.raises(ImportRefused, match="unpacks to more than 100 bytes"):
        read(slack_zip(tmp_path))


def author(id: str, *, bot: bool = False, roles: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"id": id, "name": f"n{id}", "isBot": bot, "roles": [{"id": role, "name": role} for role in roles]}


def discord_export(kind: str, *messages: tuple[str, dict[str, Any], str, str]) -> dict[str, Any]:
    return {
        "channel": {"id": "1", "type": kind, "name": "support"},
        "messages": [
            {"id": id, "type": "Reply" if to else "Default", "content": text, "author": by}
            | ({"reference": {"messageId": to}} if to else {})
            for id, by, text, to in messages
        ],
    }


CHANNEL = discord_export(
    "GuildTextChat",
    ("1", author("10"), "Where is <@99> it?", ""),
    ("2", author("11"), "Unrelated", ""),
    ("3", author("20", bot=True), "No idea", "1"),
    ("4", author("30", roles=("crew",)), "It sails tomorrow.", "1"),
    ("5", author("10"), "And when?", "4"),
    ("6", author("30", roles=("crew",)), "At noon.", "5"),
)


def test_chains_of_replies_in_a_discord_channel_become_answers(tmp_path: Path):
    imported = read(write(tmp_path, "support.json", CHANNEL))
    assert said(imported) == [
        ("Where is @somebody it?", "It sails tomorrow.", "No idea"),
        ("And when?", "At noon.", None),
    ]
    assert [m.content for m in imported.answers[1].history] == ["Where is @somebody it?", "It sails tomorrow."]
    assert imported.layout == "an export of a Discord channel"


def test_staff_on_discord_can_be_a_role_and_a_thread_is_one_conversation(tmp_path: Path):
    assert len(said(read(write(tmp_path, "a.json", CHANNEL), "crew"))) == 2
    assert said(read(write(tmp_path, "a.json", CHANNEL), "pirates")) == []
    thread = discord_export("GuildPublicThread", ("1", author("10"), "Q?", ""), ("2", author("30"), "A", ""))
    assert said(read(write(tmp_path, "thread.json", thread))) == [("Q?", "A", None)]


def test_what_is_no_export_at_all_is_refused_or_read_without_a_crash(tmp_path: Path):
    broken: tuple[Any, ...] = ({"channel": 3, "messages": [1, {"author": "x"}]}, {"channel": {}, "messages": []})
    for content in broken:
        assert read(write(tmp_path, "a.json", content)).answers == ()
    with pytest.raises(ImportRefused, match="nested too deeply"):
        read(write(tmp_path, "a.json", "[" * 100_000 + "]" * 100_000))
    (refusal,) = read(write(tmp_path, "a.jsonl", "[" * 100_000 + "]" * 100_000)).refusals
    assert refusal.line == 1
