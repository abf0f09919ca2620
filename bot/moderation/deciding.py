"""Approve or reject: what enters the next dataset, without personal data, and what it contradicts."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from bot.moderation.expiring import expiry_told
from bot.moderation.rights import NotAllowed, Outcome, require
from bot.text import TextRefused, clean_note, excerpt
from bot.wording import counted
from curation.cleaning import Cleaned, cleaned, rules_for, told
from curation.court import look_among, look_for
from curation.disputes import differences_told
from curation.holding import look as look_for_floods
from curation.scrub import Person
from storage.errors import AlreadyDecided
from storage.records import (
    Actor,
    Correction,
    CorrectionState,
    Dispute,
    Held,
    Right,
    Turn,
    Voice,
)
from storage.store import Store

NO_REASON = "Say in a few words why it is not taken: whoever wrote it reads that, and writes a better one."
TURNS_NUMBERED = 500  # of a conversation, before a question, whose addresses and numbers are counted
CHAT_PLATFORMS = frozenset({"slack", "discord"})  # whose names are people's own


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
    decided = await decide_once(store, actor, correction_id, CorrectionState.APPROVED, note, now)
    disputes = await look_for(store, decided, actor.id, now=now)
    if not decided.is_for_training:
        becomes = "It is used in answers, but not trained on."
    elif disputes:
        becomes = (
            f"It goes into the next dataset, once this is settled: {await _disputes_told(store, decided, disputes)}"
        )
    else:
        becomes = "It goes into the next dataset."
    if decided.expires_at is not None:
        becomes = f"{becomes} {expiry_told(decided, now)}"
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
    turn = await _turn_of(store, correction)
    rules = rules_for(voice.system_prompt, keep, await _asker_of(store, turn))
    found = cleaned(correction, rules)
    if found.is_changed:
        if turn is not None:
            found = cleaned(correction, rules, await _said_before(store, turn))
        counts = {str(kind): count for kind, count in found.taken_out.items()}
        await store.corrections.scrub(found.correction, counts, actor.id, at=now)
    return found


async def _turn_of(store: Store, correction: Correction) -> Turn | None:
    """What was asked; None for an imported answer."""
    if correction.reply_id is None:
        return None
    return await store.conversations.turn((await store.conversations.reply(correction.reply_id)).turn_id)


async def _said_before(store: Store, turn: Turn) -> list[str]:
    """What was asked, answered and corrected in a conversation before a question, oldest first."""
    turns = await store.conversations.history(turn.conversation_id, before=turn, limit=TURNS_NUMBERED)
    return [
        text
        for earlier, reply in turns
        for text in (earlier.question, *((reply.text, reply.corrected_text or "") if reply is not None else ()))
    ]


async def _asker_of(store: Store, turn: Turn | None) -> list[Person]:
    """Who asked, as the platform calls them; nobody for an imported answer, or where the asker is the team itself."""
    if turn is None:
        return []
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
    decided = await decide_once(store, actor, correction_id, CorrectionState.REJECTED, note, now)
    return Outcome(decided, "Rejected. It will not be trained on.")


def require_reason(note: str) -> None:
    """Raise TextRefused for a rejection that a form was sent with and that says nothing."""
    if not clean_note(note):
        raise TextRefused(NO_REASON)


def _require_second_person(actor: Actor, corrections: Sequence[Correction], team_of_one: bool) -> None:
    own = [correction for correction in corrections if correction.proposed_by == actor.id]
    if own and not team_of_one:
        raise NotAllowed(
            f"{actor.name} proposed “{excerpt(own[0].corrected_text, 40)}”, so somebody else has to approve it. "
            "A team of one can set FINETONE_TEAM_OF_ONE=true."
        )


async def decide_once(
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
