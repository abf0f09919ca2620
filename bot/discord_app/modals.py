"""Pure: the forms, and what was put into them.

A form takes five fields, and a text field 4,000 characters. A longer text is offered as several fields, which take the place of
the last ones; what a form leaves out keeps the value that its field would have begun with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.discord_app.buttons import custom_id
from bot.discord_app.cards import SCOPES
from bot.moderation import Draft
from bot.office.pieces import cut, joined
from bot.text import NOTE_LIMIT
from bot.wording import NO_LONGER, REASONS, WHY_REJECTED
from storage.records import Correction, Judgement, Reply, Scope

FIELD_LIMIT = 4_000  # characters, Discord's
PIECE_LIMIT = 3_700  # of a long text, with room to write more
MOST_FIELDS = 5
MOST_PIECES = 4  # one field is left for the reason
TEXT, REASON, NOTE, SCOPE, ALSO, DAY = "text", "reason", "note", "scope", "also", "day"
EDIT_POSTED, FOR_TRAINING = "edit_posted", "for_training"

Field = ui.Label[ui.Modal]


class TooLongForAForm(Exception):
    """This text does not fit a form of Discord's."""


@dataclass(frozen=True, slots=True)
class May:
    """What may become of a correction beside its approval: both are ticked where nothing else is chosen."""

    edit_posted: bool
    train: bool

    @property
    def all(self) -> list[str]:
        """The ticks that a form offers."""
        return [*([EDIT_POSTED] if self.edit_posted else []), *([FOR_TRAINING] if self.train else [])]


def correction_form(reply: Reply, may: May, *, is_draft: bool = False) -> ui.Modal:
    """The form that asks what a reply should have been, filled with what it was. Raises TooLongForAForm."""
    title = "Edit and send" if is_draft else "Correct this answer"
    form = ui.Modal(title=title, custom_id=custom_id("edit_draft" if is_draft else "correct", reply.id))
    fields = text_fields("What it should have been", reply.standing_text)
    fields.append(choice_field(REASON, "What was wrong", [(str(reason), said) for reason, said in REASONS.items()]))
    also = {EDIT_POSTED: "Also edit the posted answer", FOR_TRAINING: "Use for training"}
    if may.all:
        fields.append(_ticks(ALSO, "Then", [(name, also[name]) for name in may.all]))
    fields.append(_note("Note for the approver"))
    fields.append(choice_field(SCOPE, "Where this holds", [(str(scope), said) for scope, said in SCOPES.items()]))
    for field in fields[:MOST_FIELDS]:
        form.add_item(field)
    return form


def edit_form(correction: Correction) -> ui.Modal:
    """The form by which an approver changes a proposal's wording. Raises TooLongForAForm."""
    form = ui.Modal(title="Edit the correction", custom_id=custom_id("edit", correction.id))
    for field in text_fields("What the reply should have been", correction.corrected_text):
        form.add_item(field)
    return form


def rejection_form(correction: Correction) -> ui.Modal:
    """The form by which an approver turns a proposal down; what they write reaches who proposed it."""
    form = ui.Modal(title="Reject the correction", custom_id=custom_id("reject", correction.id))
    form.add_item(_note(WHY_REJECTED, is_required=True))
    return form


def expiry_form(correction: Correction) -> ui.Modal:
    """The form by which an approver says until when a correction holds."""
    form = ui.Modal(title="Holds until", custom_id=custom_id("expire", correction.id))
    known = f"{correction.expires_at:%Y-%m-%d}" if correction.expires_at else None
    field = ui.TextInput[ui.Modal](custom_id=DAY, max_length=10, required=False, default=known)
    form.add_item(ui.Label(text="Until which day (UTC), as 2026-12-01", description=NO_LONGER[:100], component=field))
    return form


def draft_of(inputs: Mapping[str, Any], served: str, may: May) -> Draft:
    """What a moderator put in. `served` is what the form was filled with, so that a text in pieces is put together alike."""
    ticked: Sequence[str] = may.all if inputs.get(ALSO) is None and ALSO not in inputs else inputs.get(ALSO) or ()
    return Draft(
        text=text_of(inputs, served),
        reason=Judgement(inputs.get(REASON) or Judgement.WRONG),
        note=str(inputs.get(NOTE) or ""),
        scope=Scope(inputs.get(SCOPE) or Scope.VOICE),
        is_for_training=FOR_TRAINING in ticked and may.train,
        edits_posted=EDIT_POSTED in ticked,
    )


def text_of(inputs: Mapping[str, Any], served: str) -> str:
    """The text of the numbered fields, put together again."""
    names = sorted((name for name in inputs if name.startswith(f"{TEXT}_")), key=lambda name: int(name[5:]))
    _, joints = cut(served, PIECE_LIMIT) if names else ([], ())
    return joined([str(inputs.get(name) or "") for name in (TEXT, *names)], joints)


def text_fields(label: str, text: str) -> list[Field]:
    """A field for a text, or several for a long one. Raises TooLongForAForm."""
    pieces = [text] if len(text) <= FIELD_LIMIT else cut(text, PIECE_LIMIT)[0]
    if len(pieces) > MOST_PIECES:
        raise TooLongForAForm(f"{len(text):,} characters are more than a form takes.")
    if len(pieces) == 1:
        return [_text(TEXT, label, text)]
    names = [TEXT, *(f"{TEXT}_{number}" for number in range(1, len(pieces)))]
    return [
        _text(name, f"{label} ({number} of {len(pieces)})", piece, is_required=number == 1)
        for number, (name, piece) in enumerate(zip(names, pieces, strict=True), start=1)
    ]


# ---------------------------------------------------------------- fields


def _text(name: str, label: str, text: str, *, is_required: bool = True) -> Field:
    field = ui.TextInput[ui.Modal](
        custom_id=name,
        style=discord.TextStyle.paragraph,
        default=text,
        required=is_required,
        max_length=FIELD_LIMIT,
    )
    return ui.Label(text=label, component=field)


def _note(label: str, *, is_required: bool = False) -> Field:
    field = ui.TextInput[ui.Modal](
        custom_id=NOTE, style=discord.TextStyle.paragraph, required=is_required, max_length=NOTE_LIMIT
    )
    return ui.Label(text=label, component=field)


def line_field(name: str, label: str, *, limit: int) -> Field:
    """One line that has to be filled in."""
    return ui.Label(text=label, component=ui.TextInput[ui.Modal](custom_id=name, max_length=limit))


def choice_field(name: str, label: str, options: Sequence[tuple[str, str]]) -> Field:
    """One of several, the first unless another is chosen."""
    shown = [
        discord.RadioGroupOption(label=said, value=value, default=number == 0)
        for number, (value, said) in enumerate(options)
    ]
    return ui.Label(text=label, component=ui.RadioGroup[ui.Modal](custom_id=name, options=shown))


def _ticks(name: str, label: str, options: Sequence[tuple[str, str]]) -> Field:
    """Any of several, all unless they are taken off."""
    shown = [discord.CheckboxGroupOption(label=said, value=value, default=True) for value, said in options]
    group = ui.CheckboxGroup[ui.Modal](
        custom_id=name, options=shown, required=False, min_values=0, max_values=len(shown)
    )
    return ui.Label(text=label, component=group)
