"""What a reply should have been: proposed, reworded, taken back."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.answering import conversation_before
from bot.moderation.deciding import decide_once
from bot.moderation.rights import NotAllowed, Outcome, require
from bot.text import clean_correction, clean_note
from curation.imports import Answer
from storage.ids import new_id, new_ids
from storage.records import (
    Actor,
    Correction,
    CorrectionState,
    Judgement,
    Right,
    Scope,
    Voice,
)
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Draft:
    """What a moderator writes: the better reply, why, a note for the approver, and what is to become of it."""

    text: str
    reason: Judgement
    note: str = ""
    scope: Scope = Scope.VOICE
    is_for_training: bool = True
    edits_posted: bool = False  # the posted reply is changed to it at once; approval decides about the dataset


async def correct(store: Store, actor: Actor, reply_id: str, draft: Draft, *, now: datetime) -> Outcome[Correction]:
    """Propose what a reply should have been; the same form sent twice is one correction. Raises NotAllowed, TextRefused."""
    require(actor, Right.MODERATOR, "correct a reply")
    reply = await store.conversations.reply(reply_id)
    turn = await store.conversations.turn(reply.turn_id)
    if draft.reason is Judgement.GOOD:
        raise NotAllowed("A correction needs a reason other than good.")
    text = clean_correction(draft.text)
    if text == reply.text.strip():
        raise NotAllowed("The correction is the same as the reply. Press Good to approve of it as it is.")
    correction = Correction(
        id=new_id("corr", now),
        voice_id=reply.voice_id,
        reply_id=reply.id,
        conversation_id=reply.conversation_id,
        origin="reply",
        key=_key(reply.id, actor.id, text),
        history=await conversation_before(store, turn),
        question=turn.question,
        served_text=reply.text,
        corrected_text=text,
        reason=draft.reason,
        note=clean_note(draft.note),
        state=CorrectionState.PROPOSED,
        proposed_by=actor.id,
        proposed_at=now,
        scope=draft.scope,
        is_for_training=draft.is_for_training,
    )
    saved, _ = await store.corrections.propose(correction)
    if draft.edits_posted and reply.corrected_text != text:
        await store.conversations.edit_reply(reply.id, text, actor.id, at=now)
    if saved.state is not CorrectionState.PROPOSED:
        return Outcome(saved, f"You proposed exactly this before; it is {saved.state}.")
    return Outcome(saved, "Saved. It waits for approval in the review list.")


def _key(*said: str) -> str:
    """What makes two proposals the same, as 32 hex digits."""
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]


async def propose_answers(
    store: Store, actor: Actor, voice: Voice, source: str, answers: Sequence[Answer], *, now: datetime
) -> Outcome[int]:
    """Propose imported answers (already cleaned) as corrections of nothing; a row that is already in is not added again.

    `source` is the file's name. Raises NotAllowed.
    """
    require(actor, Right.MODERATOR, "import answers")
    corrections = [
        Correction(
            id=correction_id,
            voice_id=voice.id,
            reply_id=None,
            conversation_id=None,
            origin=f"import:{source}:{answer.file}:{answer.line}" if answer.file else f"import:{source}:{answer.line}",
            key=_key(
                *(said for message in answer.history for said in (message.role, message.content)),
                answer.question,
                answer.answer,
            ),
            history=answer.history,
            question=answer.question,
            served_text=answer.served,
            corrected_text=answer.answer,
            reason=Judgement.WRONG,
            note="",
            state=CorrectionState.PROPOSED,
            proposed_by=actor.id,
            proposed_at=now,
        )
        for correction_id, answer in zip(new_ids("corr", now, len(answers)), answers, strict=True)
    ]
    added = await store.corrections.propose_many(corrections)
    known = len(corrections) - added
    already = f" {known} {'was' if known == 1 else 'were'} already in." if known else ""
    return Outcome(added, f"{added} proposed, waiting for approval.{already}")


async def revise(store: Store, actor: Actor, correction_id: str, text: str, *, now: datetime) -> Outcome[Correction]:
    """Change a proposed correction's wording before deciding on it; a posted reply that was changed to it follows."""
    require(actor, Right.APPROVER, "edit a correction")
    before = await store.corrections.get(correction_id)
    saved = await store.corrections.edit_text(correction_id, clean_correction(text), by=actor.id, at=now)
    reply = None if saved.reply_id is None else await store.conversations.reply(saved.reply_id)
    if reply is not None and reply.corrected_text == before.corrected_text != saved.corrected_text:
        await store.conversations.edit_reply(reply.id, saved.corrected_text, actor.id, at=now)
        return Outcome(saved, "Wording saved, and the posted reply is changed to it.")
    return Outcome(saved, "Wording saved.")


async def retract(store: Store, actor: Actor, correction_id: str, *, now: datetime) -> Outcome[Correction]:
    """Take back one's own proposal while nobody has decided on it; a posted reply that was changed to it is changed back."""
    require(actor, Right.MODERATOR, "retract a correction")
    correction = await store.corrections.get(correction_id)
    if correction.proposed_by != actor.id:
        raise NotAllowed("Only the person who proposed a correction can retract it. An approver can reject it.")
    decided = await decide_once(store, actor, correction_id, CorrectionState.RETRACTED, "", now)
    reply = None if decided.reply_id is None else await store.conversations.reply(decided.reply_id)
    if reply is not None and reply.corrected_text == decided.corrected_text:
        await store.conversations.edit_reply(reply.id, reply.text, actor.id, at=now)
        return Outcome(decided, "Retracted, and the posted reply is what it was.")
    return Outcome(decided, "Retracted.")
