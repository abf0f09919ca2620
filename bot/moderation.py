"""Mark, flag, correct, approve, reject, retract, retrain, cancel, roll back: check the right, act once, say what happened.

Every adapter calls these and posts `said`; so the words are the same everywhere. A refusal is NotAllowed, a sentence.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from bot.answering import conversation_before
from bot.text import clean_correction, clean_note, excerpt
from bot.wording import counted
from curation import promotion, retrain
from curation.cleaning import Cleaned, cleaned, rules_for, told
from curation.court import look_among, look_for
from curation.disputes import differences_told
from curation.holding import look as look_for_floods
from curation.imports import Answer
from curation.scrub import Person
from storage.errors import AlreadyDecided
from storage.ids import new_id, new_ids
from storage.records import (
    Actor,
    Channel,
    ChannelMode,
    ChannelRules,
    Correction,
    CorrectionState,
    Deployment,
    Dispute,
    Erasure,
    Feedback,
    HandOver,
    Held,
    Judgement,
    Reply,
    Right,
    Run,
    Scope,
    Voice,
)
from storage.store import Store

CHAT_PLATFORMS = frozenset({"slack", "discord"})  # whose names are people's own

T = TypeVar("T")


class NotAllowed(Exception):
    """The actor may not do this; the message says which right is missing or which rule stands in the way."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What was done (`record`) and the sentence that tells it to the person who did it."""

    record: T
    said: str


def require(actor: Actor, right: Right, what: str) -> None:
    """Raise NotAllowed unless the actor holds the right. Called by every verb below, whatever a screen showed or hid."""
    if not actor.has(right):
        article = "an" if right.value[0] in "aeiou" else "a"
        raise NotAllowed(f"Only {article} {right.value} can {what}, and {actor.name} is not one.")


# ---------------------------------------------------------------- judging


async def mark(
    store: Store,
    actor: Actor,
    reply_id: str,
    judgement: Judgement,
    *,
    note: str = "",
    flag: bool = False,
    now: datetime,
) -> Outcome[Feedback]:
    """Anyone's judgement of a reply; pressing again changes it. `flag` asks for a moderator."""
    reply = await store.conversations.reply(reply_id)
    feedback = await store.feedback.give(reply.id, actor.id, judgement, clean_note(note), flag, at=now)
    if flag:
        return Outcome(feedback, "Thanks. A moderator will have a look.")
    return Outcome(feedback, "Thanks, noted as good." if judgement is Judgement.GOOD else "Thanks, noted as not right.")


async def unmark(store: Store, actor: Actor, reply_id: str, *, now: datetime) -> Outcome[bool]:
    """Take one's own judgement back."""
    withdrawn = await store.feedback.withdraw(reply_id, actor.id, at=now)
    return Outcome(withdrawn, "Taken back." if withdrawn else "There was no judgement of yours to take back.")


# ---------------------------------------------------------------- correcting


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


async def approve(
    store: Store,
    actor: Actor,
    correction_id: str,
    *,
    team_of_one: bool,
    note: str = "",
    keep: Collection[str] = (),
    now: datetime,
) -> Outcome[Correction]:
    """Let a correction into the next dataset, without personal data. Raises NotAllowed; AlreadyDecided when somebody was faster.

    `keep` is what the brand itself publishes and its answers need.
    """
    require(actor, Right.APPROVER, "approve a correction")
    correction = await store.corrections.get(correction_id)
    _require_second_person(actor, [correction], team_of_one)
    about_it = ""
    if correction.state is CorrectionState.PROPOSED:
        found = await scrub(store, actor, correction, keep, now=now)
        about_it = told(found.taken_out, found.hints)
    decided = await _decide(store, actor, correction_id, CorrectionState.APPROVED, note, now)
    disputes = await look_for(store, decided, actor.id, now=now)
    if not decided.is_for_training:
        becomes = "It is used in answers, but not trained on."
    elif disputes:
        becomes = (
            f"It goes into the next dataset, once this is settled: {await _disputes_told(store, decided, disputes)}"
        )
    else:
        becomes = "It goes into the next dataset."
    return Outcome(decided, f"Approved. {becomes} {about_it}".rstrip())


async def _disputes_told(store: Store, approved: Correction, found: list[Dispute]) -> str:
    """What an approver should know of the disputes their approval opened, as sentences."""
    other = await store.corrections.get(found[0].first if found[0].second == approved.id else found[0].second)
    more = "" if len(found) == 1 else f", and {len(found) - 1} more"
    return (
        f"it contradicts another approved answer to that question, “{excerpt(other.corrected_text, 80)}”{more}. "
        f"{differences_told(found[0])} Until an approver settles it, under Disputes in the console, none of them is "
        "trained on."
    )


async def scrub(
    store: Store,
    actor: Actor,
    correction: Correction,
    keep: Collection[str],
    *,
    voice: Voice | None = None,
    now: datetime,
) -> Cleaned:
    """Take personal data out of a correction, and the name of who asked. `voice` where the caller has it."""
    voice = voice or await store.voices.get(correction.voice_id)
    rules = rules_for(voice.system_prompt, keep, await _asker_of(store, correction))
    found = cleaned(correction, rules)
    if found.is_changed:
        counts = {str(kind): count for kind, count in found.taken_out.items()}
        await store.corrections.scrub(found.correction, counts, actor.id, at=now)
    return found


async def _asker_of(store: Store, correction: Correction) -> list[Person]:
    """Who asked, as the platform calls them; nobody for an imported answer, or where the asker is the team itself."""
    if correction.reply_id is None:
        return []
    turn = await store.conversations.turn((await store.conversations.reply(correction.reply_id)).turn_id)
    asker = await store.people.actor(turn.asked_by)
    if turn.platform not in CHAT_PLATFORMS or asker.rights:
        return []
    return [Person((asker.name,), ids=(asker.external_id.rpartition("/")[2],))]


async def approve_all(
    store: Store,
    actor: Actor,
    corrections: Sequence[Correction],
    *,
    team_of_one: bool,
    keep: Collection[str] = (),
    now: datetime,
) -> Outcome[int]:
    """Approve many at once, without personal data; those that somebody decided meanwhile are left as they are."""
    require(actor, Right.APPROVER, "approve corrections")
    _require_second_person(actor, corrections, team_of_one)
    by_voice: dict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        if correction.state is CorrectionState.PROPOSED:
            by_voice[correction.voice_id].append(correction)
    count, found = 0, 0
    for voice_id, proposed in by_voice.items():
        await _require_no_flood(store, voice_id, proposed, now)
        voice = await store.voices.get(voice_id)
        for correction in proposed:
            await scrub(store, actor, correction, keep, voice=voice, now=now)
        count += await store.corrections.approve_many([c.id for c in proposed], by=actor.id, note="", at=now)
        found += len(await look_among(store, voice_id, actor.id, now=now))
    contradict = f" {counted(found, 'contradiction')} found: the console lists them under Disputes." if found else ""
    return Outcome(count, f"Approved {count}.{contradict}")


async def _require_no_flood(store: Store, voice_id: str, proposed: Sequence[Correction], now: datetime) -> None:
    """Raise NotAllowed for more than one correction of replies while those are held: somebody has to look at each."""
    if sum(correction.reply_id is not None for correction in proposed) < 2:
        return
    hold = (await look_for_floods(store, voice_id, now=now)).get(Held.CORRECTIONS)
    if hold is not None:
        raise NotAllowed(
            f"{hold.why} So look at each, one by one, or let an admin release the hold in the console's review list."
        )


async def reject(
    store: Store, actor: Actor, correction_id: str, *, note: str = "", now: datetime
) -> Outcome[Correction]:
    """Keep a correction out of every dataset; it stays on record with the note."""
    require(actor, Right.APPROVER, "reject a correction")
    decided = await _decide(store, actor, correction_id, CorrectionState.REJECTED, note, now)
    return Outcome(decided, "Rejected. It will not be trained on.")


async def retract(store: Store, actor: Actor, correction_id: str, *, now: datetime) -> Outcome[Correction]:
    """Take back one's own proposal while nobody has decided on it; a posted reply that was changed to it is changed back."""
    require(actor, Right.MODERATOR, "retract a correction")
    correction = await store.corrections.get(correction_id)
    if correction.proposed_by != actor.id:
        raise NotAllowed("Only the person who proposed a correction can retract it. An approver can reject it.")
    decided = await _decide(store, actor, correction_id, CorrectionState.RETRACTED, "", now)
    reply = None if decided.reply_id is None else await store.conversations.reply(decided.reply_id)
    if reply is not None and reply.corrected_text == decided.corrected_text:
        await store.conversations.edit_reply(reply.id, reply.text, actor.id, at=now)
        return Outcome(decided, "Retracted, and the posted reply is what it was.")
    return Outcome(decided, "Retracted.")


def _require_second_person(actor: Actor, corrections: Sequence[Correction], team_of_one: bool) -> None:
    own = [correction for correction in corrections if correction.proposed_by == actor.id]
    if own and not team_of_one:
        raise NotAllowed(
            f"{actor.name} proposed “{excerpt(own[0].corrected_text, 40)}”, so somebody else has to approve it. "
            "A team of one can set FINETONE_TEAM_OF_ONE=true."
        )


async def _decide(
    store: Store, actor: Actor, correction_id: str, state: CorrectionState, note: str, now: datetime
) -> Correction:
    """Decide once; the same decision pressed twice is not an error."""
    try:
        return await store.corrections.decide(correction_id, state, by=actor.id, note=clean_note(note), at=now)
    except AlreadyDecided:
        correction = await store.corrections.get(correction_id)
        if correction.state is state and correction.decided_by == actor.id:
            return correction
        raise


# ---------------------------------------------------------------- conversations and channels


async def retract_reply(store: Store, actor: Actor, reply_id: str, *, now: datetime) -> Outcome[Reply]:
    """Take a posted reply back: it counts as flagged, and the adapter removes the message. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "retract a reply")
    reply = await store.conversations.reply(reply_id)
    await store.feedback.give(reply.id, actor.id, Judgement.WRONG, "Retracted.", True, at=now)
    return Outcome(reply, "Retracted. The message is removed, and the reply counts as flagged.")


async def ask_for_person(
    store: Store, actor: Actor, conversation_id: str, *, reason: str = "", now: datetime
) -> Outcome[HandOver]:
    """Anyone may ask for a person; from then on the bot is silent in that conversation until it is released."""
    asked, is_new = await store.hand_overs.ask(conversation_id, clean_note(reason), actor.id, at=now)
    if is_new:
        return Outcome(asked, "A person from the team has been asked. Until they are done, I stay silent here.")
    return Outcome(asked, "A person from the team has been asked already.")


async def step_back(store: Store, actor: Actor, conversation_id: str, *, now: datetime) -> Outcome[HandOver]:
    """A moderator has begun to answer: the bot is silent there until it is released. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "take over a conversation")
    said = f"{actor.name} answers here."
    asked, is_new = await store.hand_overs.ask(conversation_id, said, actor.id, taken_by=actor.id, at=now)
    if not is_new and asked.taken_by is None:
        asked = await store.hand_overs.take(asked.id, actor.id, at=now)
    return Outcome(asked, said)


async def take_over(store: Store, actor: Actor, hand_over_id: str, *, now: datetime) -> Outcome[HandOver]:
    """Say that one looks after it. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "take over a conversation")
    taken = await store.hand_overs.take(hand_over_id, actor.id, at=now)
    if taken.released_at is not None:
        return Outcome(taken, "That conversation was given back to the bot already.")
    if taken.taken_by is None or taken.taken_by == actor.id:
        return Outcome(taken, "It is yours. The bot stays silent there until you press Resolved.")
    return Outcome(taken, f"{(await store.people.actor(taken.taken_by)).name} was faster and looks after it.")


async def release(store: Store, actor: Actor, hand_over_id: str, *, now: datetime) -> Outcome[HandOver]:
    """Give the conversation back to the bot. Raises NotAllowed."""
    require(actor, Right.MODERATOR, "give a conversation back")
    released = await store.hand_overs.release(hand_over_id, actor.id, at=now)
    return Outcome(released, "Given back. The bot answers there again.")


async def set_channel(
    store: Store,
    actor: Actor,
    platform: str,
    place: str,
    *,
    mode: ChannelMode,
    is_training_allowed: bool = True,
    rules: ChannelRules | None = None,
    now: datetime,
) -> Outcome[Channel]:
    """Decide when the bot speaks in a channel, for whom, and whether its corrections may be trained on. Raises NotAllowed.

    `rules` None keeps those there are.
    """
    require(actor, Right.ADMIN, "set up a channel")
    channel = await store.channels.set(platform, place, mode, is_training_allowed, actor.id, rules=rules, at=now)
    return Outcome(channel, f"Set to {mode}. {MODE_WORDS[mode]}")


MODE_WORDS = {
    ChannelMode.OFF: "I say nothing here.",
    ChannelMode.MENTION: "I answer when I am mentioned, and in threads I am part of.",
    ChannelMode.AUTO: "I answer every question.",
    ChannelMode.DRAFT: "I show my answers to moderators only, who decide whether to send them.",
}


# ---------------------------------------------------------------- training and serving


async def start_retrain(workshop: retrain.Workshop, actor: Actor, voice: Voice) -> Outcome[Run]:
    """Start a run, or join the open one. Raises NotAllowed, TooFewExamples, NothingNew."""
    require(actor, Right.ADMIN, "start a training run")
    run, started = await retrain.request(workshop, voice, by=actor.id)
    if started:
        return Outcome(run, "Training run started.")
    return Outcome(run, f"A training run is already open ({run.state}); following that one.")


async def cancel_run(store: Store, actor: Actor, run_id: str, *, now: datetime) -> Outcome[Run]:
    """Ask for a run to be stopped; the worker cancels the vendor's job and closes the run."""
    require(actor, Right.ADMIN, "cancel a training run")
    run = await store.runs.get(run_id)
    if not run.is_open:
        return Outcome(run, f"That run is already over: {run.state}.")
    run = await store.runs.request_cancel(run_id, by=actor.id, at=now)
    return Outcome(run, "Cancelling. The training job is stopped at the provider first.")


async def roll_back(
    store: Store, actor: Actor, voice: Voice, *, why: str = "", to_number: int | None = None, now: datetime
) -> Outcome[Deployment]:
    """Serve an earlier model again. Raises NotAllowed and promotion.NothingToRollBackTo."""
    require(actor, Right.ADMIN, "roll back")
    why = clean_note(why) or f"Rolled back by {actor.name}."
    deployment = await promotion.roll_back(store, voice.id, by=actor, why=why, at=now, to_number=to_number)
    return Outcome(deployment, f"Model {deployment.model.number} serves now.")


# ---------------------------------------------------------------- forgetting


async def forget_person(store: Store, actor: Actor, whose: Actor, *, now: datetime) -> Outcome[Erasure]:
    """Erase what somebody asked and said, and their name; oneself, or as an admin another. Raises NotAllowed, NotFound.

    `said` tells what was made from it and is marked, a line each: versions, models, and what a provider may still hold.
    """
    if whose.id != actor.id:
        require(actor, Right.ADMIN, "delete another person's questions")
    done = await store.erasures.erase_person(whose, by=actor.id, at=now)
    detail = done.detail
    lines: list[str] = []
    if detail["versions"]:
        lines.append(f"Their lines were taken out of {counted(len(detail['versions']), 'dataset version')}.")
    for model in detail["models"]:
        lines.append(f"Model {model['number']} was trained on them and is marked; the next run trains without them.")
    if detail["vendors"]:
        lines.append("The provider may still hold the uploaded files and tuned models; the certificate names each.")
    return Outcome(done, "\n".join(lines))
