"""The forms: whatever they are filled with Slack takes, and what they hold comes back as it was."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.office.pieces import cut
from bot.slack_app.form_parts import About, unpacked
from bot.slack_app.modals import (
    PIECE_LIMIT,
    correction_form,
    draft_of,
    edit_form,
    faults,
    text_of,
    thumbs_down_form,
)
from bot.text import NOTE_LIMIT
from storage.records import Judgement, Scope
from tests.bot.slack_app.acting import LONG, input_of
from tests.bot.slack_app.test_blocks import CORRECTION, TEXTS
from tests.slack.forms import state_values
from tests.slack.payloads import view_violations
from tests.slack.place import Json

ABOUT = About("reply_" + "x" * 40, "corr_" + "x" * 40, "C0123456789", "1795286667.123456")

WHOLE = {
    "empty": "",
    "short": "Ahoy",
    "just one input": "a" * PIECE_LIMIT,
    "one more": "a" * (PIECE_LIMIT + 1),
    "no white space at all": "x" * 12_000,
    "paragraphs": "\n\n".join(["A paragraph of some words. " * 20] * 20).strip(),
    "lines": "\n".join(f"- item {number}" for number in range(900)),
    "words": " ".join(["word"] * 2_000),
    "code": "```python\n" + "    return None\n" * 500 + "```",
    "many blank lines": "a\n\n\n".join(["word " * 100] * 20).strip(),
    "emoji": "👩‍👩‍👧" * 1_200,
    "long": LONG,
}


def correcting(text: str) -> Json:
    return correction_form(ABOUT, text, text, can_edit_posted=True, may_train=True)


def sending(text: str) -> Json:
    return correction_form(ABOUT, text, text, can_edit_posted=False, may_train=False, is_draft=True)


def editing(text: str) -> Json:
    return edit_form(ABOUT, replace(CORRECTION, question=text, corrected_text=text))


def explaining(text: str) -> Json:
    return thumbs_down_form(ABOUT)


@pytest.mark.parametrize("made", [correcting, sending, editing, explaining])
@pytest.mark.parametrize("text", [*TEXTS.values(), *WHOLE.values()], ids=[*TEXTS, *WHOLE])
def test_slack_takes_every_form_whatever_it_is_filled_with(made: Callable[[str], Json], text: str):
    form = made(text)
    assert view_violations(form) == []
    assert len(form["private_metadata"]) <= 3_000
    assert len(form["title"]["text"]) <= 24


def sent(form: Json) -> dict[str, object]:
    """What a form that was not touched sends, as payloads.py reads it."""
    held = state_values(form["blocks"], {})
    found: dict[str, object] = {}
    for name, elements in held.items():
        for element in elements.values():
            chosen = element.get("selected_option") or {}
            options = [option["value"] for option in element.get("selected_options") or ()]
            found[name] = element.get("value") or chosen.get("value") or options or ""
    return found


@pytest.mark.parametrize("made", [correcting, sending, editing])
@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE.keys())
def test_an_untouched_form_gives_back_exactly_the_text_it_was_opened_with(made: Callable[[str], Json], text: str):
    form = made(text)
    assert text_of(sent(form), unpacked(form["private_metadata"]).joints) == text


def test_a_note_is_no_longer_than_is_taken():
    for form in (correcting("x"), explaining("x")):
        assert input_of(form, "note")["max_length"] == NOTE_LIMIT


def test_white_space_that_slack_may_trim_stands_at_no_end_of_a_piece():
    pieces, joints = cut(LONG, PIECE_LIMIT)
    assert len(pieces) == len(joints) + 1
    assert all(piece == piece.strip() for piece in pieces)


def test_a_run_of_white_space_too_long_for_the_metadata_is_shortened():
    pieces, (joint,) = cut("a" * 2_000 + " " * 2_000 + "b" * 2_000, PIECE_LIMIT)
    assert pieces == ["a" * 2_000, "b" * 2_000]
    assert joint == " " * 50


@pytest.mark.parametrize(
    ("inputs", "joints", "expected"),
    [
        pytest.param({"text": "a"}, (), "a", id="one"),
        pytest.param({"text": "a", "text_1": "b"}, ("\n",), "a\nb", id="two"),
        pytest.param({"text": "a", "text_1": "", "text_2": "c"}, ("\n", " "), "a c", id="one emptied in between"),
        pytest.param({"text": "", "text_1": "b"}, ("\n",), "b", id="the first emptied"),
        pytest.param({"text": "a", "text_10": "c", "text_2": "b"}, (" ", " "), "a b c", id="in the order of numbers"),
        pytest.param({"text": " a ", "text_1": "b"}, (), "a\n\nb", id="a form from before this version"),
        pytest.param({}, (), "", id="nothing"),
    ],
)
def test_pieces_are_put_together_in_order_with_what_stood_between(
    inputs: dict[str, str], joints: tuple[str, ...], expected: str
):
    assert text_of(inputs, joints) == expected


@pytest.mark.parametrize("about", [About(), ABOUT, replace(ABOUT, joints=("\n\n", " ", ""))])
def test_what_a_form_is_about_survives_the_way_through_slack(about: About):
    assert unpacked(about.packed()) == about


@pytest.mark.parametrize(
    ("form", "inputs", "wrong"),
    [
        pytest.param("correct", {"text": "Ahoy", "note": ""}, {}, id="right"),
        pytest.param("correct", {"text": " \u200b"}, {"text": "The correction is empty"}, id="empty"),
        pytest.param("edit", {"text": ""}, {"text": "The correction is empty"}, id="empty edit"),
        pytest.param("edit_draft", {"text": "x" * 12_001}, {"text": "12,001 characters"}, id="too long"),
        pytest.param("correct", {"text": "a", "note": "x" * 2_001}, {"note": "2,001 characters"}, id="note too long"),
        pytest.param("correct", {"text": "", "note": "x" * 2_001}, {"text": "empty", "note": "note has"}, id="both"),
        pytest.param("explain", {"note": "x" * 2_001}, {"note": "2,001 characters"}, id="explanation too long"),
        pytest.param("explain", {"note": ""}, {}, id="nothing more to say"),
    ],
)
def test_what_is_wrong_is_said_beside_the_input_it_is_wrong_in(
    form: str, inputs: dict[str, str], wrong: dict[str, str]
):
    found = faults(form, inputs)
    assert found.keys() == wrong.keys()
    assert all(words in found[name] for name, words in wrong.items())


def test_every_choice_becomes_what_the_moderator_meant():
    draft = draft_of({"text": "Ahoy", "reason": "unsafe", "scope": "everyone", "note": "n", "also": ["edit_posted"]})
    assert (draft.reason, draft.scope, draft.note) == (Judgement.UNSAFE, Scope.EVERYONE, "n")
    assert (draft.edits_posted, draft.is_for_training) == (True, False)


def test_what_was_left_alone_means_the_least():
    draft = draft_of({"text": "Ahoy", "also": ""})
    assert (draft.reason, draft.scope, draft.note) == (Judgement.WRONG, Scope.VOICE, "")
    assert (draft.edits_posted, draft.is_for_training) == (False, False)
