"""Pure: the forms about a reply, and what was put into them.

An input takes at most 3,000 characters, a reply up to four times that: a long one is offered as several numbered inputs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.moderation import Draft
from bot.office.pieces import cut, joined
from bot.slack_app.blocks import Block, section
from bot.slack_app.form_parts import About, choice, date_input, modal, text_input, ticks, unpacked
from bot.slack_app.markup import inline
from bot.text import NOTE_LIMIT, TextRefused, clean_correction, clean_note
from bot.wording import NO_LONGER, REASONS, SCOPES, WHY_REJECTED
from storage.records import Correction, Judgement, Scope

PIECE_LIMIT = 2_700  # of a long reply, with room to write more
TEXT = "text"  # the block ids; "text_1", "text_2" … for what did not fit the first
REASON, NOTE, SCOPE, ALSO, DAY = "reason", "note", "scope", "also", "day"
EDIT_POSTED, FOR_TRAINING = "edit_posted", "for_training"


def correction_form(
    about: About, question: str, text: str, *, can_edit_posted: bool, may_train: bool, is_draft: bool = False
) -> Block:
    """The form that asks what a reply should have been, filled with what it was."""
    also = [(EDIT_POSTED, "Also edit the posted reply")] if can_edit_posted else []
    also += [(FOR_TRAINING, "Use for training")] if may_train else []
    pieces, joints = cut(text, PIECE_LIMIT)
    return modal(
        "edit_draft" if is_draft else "correct",
        "Edit and send" if is_draft else "Correct this answer",
        "Send" if is_draft else "Save",
        replace(about, joints=joints),
        [
            section(f"*Question*  {inline(question, 900)}"),
            *_text_inputs("What it should have been", pieces),
            choice(REASON, "What was wrong", [(str(reason), words) for reason, words in REASONS.items()]),
            choice(SCOPE, "Where this holds", [(str(scope), words) for scope, words in SCOPES.items()]),
            *([ticks(ALSO, "Then", also)] if also else []),
            text_input(NOTE, "Note for the approver", "", is_optional=True, is_long=True, limit=NOTE_LIMIT),
        ],
    )


def edit_form(about: About, correction: Correction) -> Block:
    """The form by which an approver changes a proposal's wording."""
    pieces, joints = cut(correction.corrected_text, PIECE_LIMIT)
    return modal(
        "edit",
        "Edit the correction",
        "Save",
        replace(about, joints=joints),
        [
            section(f"*Question*  {inline(correction.question, 900)}"),
            *_text_inputs("What the reply should have been", pieces),
        ],
    )


def rejection_form(about: About, correction: Correction) -> Block:
    """The form by which an approver turns a proposal down; what they write reaches who proposed it."""
    return modal(
        "reject",
        "Reject the correction",
        "Reject",
        about,
        [
            section(f"*Question*  {inline(correction.question, 900)}"),
            text_input(NOTE, WHY_REJECTED, "", is_long=True, limit=NOTE_LIMIT),
        ],
    )


def expiry_form(about: About, correction: Correction) -> Block:
    """The form by which an approver says until when a correction holds."""
    known = f"{correction.expires_at:%Y-%m-%d}" if correction.expires_at else ""
    return modal(
        "expire",
        "Holds until",
        "Save",
        about,
        [
            section(f"*Question*  {inline(correction.question, 900)}"),
            date_input(DAY, "Until which day (UTC)", NO_LONGER, chosen=known, is_optional=True),
        ],
    )


def thumbs_down_form(about: About) -> Block:
    """What anyone may say after “Not right”: why, and better words for the people who review."""
    return modal(
        "explain",
        "What was not right?",
        "Send",
        about,
        [
            choice(REASON, "What was wrong", [(str(reason), words) for reason, words in REASONS.items()]),
            text_input(NOTE, "In your own words", "", is_optional=True, is_long=True, limit=NOTE_LIMIT),
        ],
    )


def text_of(inputs: Mapping[str, Any], joints: Sequence[str] = ()) -> str:
    """The text of the numbered inputs, put together again."""
    names = [TEXT, *sorted((name for name in inputs if name.startswith(f"{TEXT}_")), key=lambda name: int(name[5:]))]
    return joined([str(inputs.get(name) or "") for name in names], joints)


def draft_of(inputs: Mapping[str, Any], joints: Sequence[str] = ()) -> Draft:
    """What a moderator put in."""
    also: Sequence[str] = inputs.get(ALSO) or ()
    return Draft(
        text=text_of(inputs, joints),
        reason=Judgement(inputs.get(REASON) or Judgement.WRONG),
        note=str(inputs.get(NOTE) or ""),
        scope=Scope(inputs.get(SCOPE) or Scope.VOICE),
        is_for_training=FOR_TRAINING in also,
        edits_posted=EDIT_POSTED in also,
    )


def faults(form: str, inputs: Mapping[str, Any], metadata: str = "{}") -> dict[str, str]:
    """What is wrong with what was put in, by the input it is wrong in; empty where the form can be taken."""
    found: dict[str, str] = {}
    if form in ("correct", "edit", "edit_draft"):
        try:
            clean_correction(text_of(inputs, unpacked(metadata).joints))
        except TextRefused as refused:
            found[TEXT] = str(refused)
    if NOTE in inputs:
        try:
            clean_note(str(inputs[NOTE]))
        except TextRefused as refused:
            found[NOTE] = str(refused)
    return found


def _text_inputs(label: str, pieces: Sequence[str]) -> list[Block]:
    if len(pieces) == 1:
        return [text_input(TEXT, label, pieces[0], is_long=True)]
    total = len(pieces)
    names = [TEXT, *(f"{TEXT}_{number}" for number in range(1, total))]
    return [
        text_input(name, f"{label} (part {number} of {total})", piece, is_long=True, is_optional=number > 1)
        for number, (name, piece) in enumerate(zip(names, pieces, strict=True), start=1)
    ]
