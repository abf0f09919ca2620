"""Messages: people's questions, each answered once or not at all, with the reason why."""

import logging
from contextlib import nullcontext
from dataclasses import dataclass

from bot import answering, moderation
from bot.chat import Question
from bot.discord_app import context
from bot.discord_app.bursts import Burst
from bot.discord_app.context import about
from bot.discord_app.markup import plain
from bot.discord_app.notices import DIRECT_OFF, MENTION_ME, ONLY_TEXT, notice
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Answered, Person, Said
from bot.discord_app.placing import placed
from bot.discord_app.quiet import team_spoke
from bot.discord_app.rereading import PART_OF, as_it_is_now
from bot.discord_app.speaking import answer, can_type, take_back
from bot.language import in_language
from bot.office.asking import Asker, why_not_now
from bot.policy import Heard, Reaction, reaction
from bot.text import TextRefused
from storage.conversations import Situation
from storage.records import Actor, ChannelMode, ChannelRules, Conversation, Right, TurnState

log = logging.getLogger(__name__)

SAME_AGAIN = "the same message again"
DELETED = "deleted"


async def heard(parts: Parts, said: Said, *, is_first_try: bool) -> str:
    """Do what a person's message calls for. Returns "" or why it called for nothing, or nothing by itself.

    `is_first_try` is False when an earlier attempt at this very delivery died: only then may a question that is recorded
    already be answered, because otherwise whoever recorded it is at it. The delivery is ours alone while we work on it.
    """
    if not is_first_try:
        now = await as_it_is_now(parts, said)
        if now is None:
            await parts.store.conversations.withdraw_question(PLATFORM, said.place.key, at=parts.now())
            parts.wake_board()
            return DELETED
        said = now
    while (burst := parts.bursts.joined(said)) is not None:
        if await burst.is_one():
            return f"{PART_OF}{burst.key}"
    with parts.bursts.begun(said) as burst:
        return await _heard(parts, burst, is_first_try=is_first_try)


async def _heard(parts: Parts, burst: Burst, *, is_first_try: bool) -> str:
    said = burst.said
    if said.place.is_direct and not parts.rules.answers_direct:
        await notice(parts, said, DIRECT_OFF)
        return "direct messages are off"
    look = await _looked(parts, said)
    if parts.bursts.pause is not None and look.is_question:
        async with can_type(parts, look.said, look.rules) if look.decision is Reaction.ANSWER else nullcontext():
            await burst.ends(parts.bursts.pause)
        await _leave_out_deleted(parts, burst)
        if not burst.messages:
            return DELETED
        look = await _looked(parts, burst.said)
    burst.close(is_question=look.is_question)
    return await _acted(parts, look, burst, is_first_try=is_first_try)


async def _leave_out_deleted(parts: Parts, burst: Burst) -> None:
    """Of several messages some may be gone: a deletion that was faster than its message names nothing we know."""
    for said in burst.messages if len(burst.messages) > 1 else ():
        if await parts.store.inbox.is_kept(PLATFORM, deletion_key(said.place.key)):
            burst.take_out(said.place.key)


@dataclass(frozen=True, slots=True)
class Look:
    """A message, what is known about it, and what it calls for."""

    said: Said
    known: Conversation | None
    speaker: Actor
    mode: ChannelMode
    rules: ChannelRules
    decision: Reaction

    @property
    def is_question(self) -> bool:
        """Whether it is one for us."""
        return self.decision in (Reaction.ANSWER, Reaction.DRAFT)


async def _looked(parts: Parts, said: Said) -> Look:
    said, found = await placed(parts, said)
    speaker = await parts.people.up_to_date(said.by, found.speaker)
    mode, rules = await rules_for(parts, said, is_set=found.channel_mode is not None)
    return Look(
        said, found.conversation, speaker, mode, rules, decision=await _decided(parts, said, speaker, found, mode)
    )


async def _acted(parts: Parts, look: Look, burst: Burst, *, is_first_try: bool) -> str:
    """Do what it calls for."""
    said, known, store = look.said, look.known, parts.store
    if look.decision is Reaction.SILENT:
        if not is_first_try:
            await take_back(parts, said)
        return "not for us"
    if look.decision is Reaction.STEP_BACK:
        assert known is not None  # a conversation of ours is known
        await moderation.step_back(store, look.speaker, known.id, now=parts.now())
        await team_spoke(parts, known.id)
        parts.wake_board()
        return ""
    question = await _question(parts, said, look.speaker, look.rules, is_first_try=is_first_try)
    if isinstance(question, str):
        return question
    if said.place.is_direct:  # to be looked at after a gap
        await store.channels.listened(PLATFORM, said.place.room_key, parts.now())
    try:
        if look.decision is Reaction.ANSWER and is_first_try:
            return await _answer_new(parts, look, burst, question)
        return await _take_up(parts, look, burst, question, is_first_try=is_first_try)
    except TextRefused as refused:
        await notice(parts, said, str(refused))
        return "refused"


async def _take_up(parts: Parts, look: Look, burst: Burst, question: Question, *, is_first_try: bool) -> str:
    """Record a question for a draft, or one that an attempt which died may have recorded. Raises TextRefused."""
    store, said = parts.store, look.said
    turn, is_new = await answering.record(store, parts.voice, question, known=look.known, now=parts.now())
    burst.recorded(question.key)
    if is_first_try and not is_new:
        return SAME_AGAIN
    if turn.state is TurnState.ASKED and not is_new:  # it may have been edited since
        turn = await answering.edit(store, PLATFORM, question.key, question.text, now=parts.now()) or turn
    if await store.inbox.is_kept(PLATFORM, deletion_key(question.key)):  # it was faster than the question
        await store.conversations.withdraw_question(PLATFORM, question.key, at=parts.now())
        if is_first_try:
            return DELETED
    if look.decision is Reaction.DRAFT:
        return await parts.offer_draft(turn, said, not is_first_try)
    return await answer(parts, turn, said, look.rules, is_again=not is_first_try)


async def _answer_new(parts: Parts, look: Look, burst: Burst, question: Question) -> str:
    """Record a question that is asked for the first time, and answer it. Raises TextRefused."""
    desk = in_language(parts.desk, look.rules.language)
    deletion = deletion_key(question.key)
    taken = await answering.take(desk, parts.voice, question, known=look.known, deletion_key=deletion)
    if taken is None:
        return SAME_AGAIN
    burst.recorded(question.key)
    asked, is_deleted = taken
    if is_deleted:
        await parts.store.conversations.withdraw_question(PLATFORM, question.key, at=parts.now())
        return DELETED
    return await answer(parts, asked.turn, look.said, look.rules, is_again=False, asked=asked)


def deletion_key(key: str) -> str:
    """The natural key of the delivery that says a message was deleted."""
    return f"{key}/deleted"


async def rules_for(parts: Parts, said: Said, *, is_set: bool = True) -> tuple[ChannelMode, ChannelRules]:
    """When the bot speaks where the message stands, and by which rules. `is_set` False: nothing was set for the channel."""
    if said.place.is_direct:
        return ChannelMode.AUTO, ChannelRules()
    return await parts.channel(said.place.channel_key) if is_set else parts.unset_channel()


async def _decided(parts: Parts, said: Said, speaker: Actor, found: Situation, mode: ChannelMode) -> Reaction:
    heard = Heard(
        mode=mode,
        is_direct=said.place.is_direct,
        is_mention=said.is_mention,
        is_reply=said.is_reply,
        is_ours=found.first_asked_by is not None,
        is_staff=Right.MODERATOR in speaker.rights,
        is_asker=found.first_asked_by == speaker.id,
        is_handed_over=found.is_handed_over,
    )
    decision = reaction(heard)
    is_unreadable = not said.text and not said.n_files and not said.place.is_direct
    if is_unreadable and decision in (Reaction.ANSWER, Reaction.DRAFT):
        if parts.is_reduced and heard.is_ours:
            await notice(parts, said, MENTION_ME)
        return Reaction.SILENT  # never an empty question
    return decision


async def _question(
    parts: Parts, said: Said, speaker: Actor, rules: ChannelRules, *, is_first_try: bool
) -> Question | str:
    """What was asked; where that is nothing, or not now, the person is told, and it is why in a few words."""
    place = said.place
    text = await _with_context(parts, said, plain(said.text, parts.me, names_of(parts, said.mentioned)))
    if not text and said.n_files:
        await notice(parts, said, ONLY_TEXT)
        return "only files"
    is_known = not is_first_try and await parts.store.conversations.find_turn(PLATFORM, place.key) is not None
    if not is_known and (refused := await why_not_now(parts, parts.latest, rules, _asker(said, speaker))):
        await notice(parts, said, refused)
        return "not now"
    return Question(PLATFORM, said.conversation, place.key, text, speaker)


async def _with_context(parts: Parts, said: Said, text: str) -> str:
    """The question with the message that it is about, unless that is a question of ours, which the conversation has."""
    answered = said.answered
    if answered is None:
        return text
    if await parts.store.conversations.find_turn(PLATFORM, f"{said.place.room_key}/{said.reply_to}") is not None:
        return text
    names = {one.id: "@teammate" for one in answered.mentioned if await _was_staff(parts, one)}
    return about(text, await _whose(parts, said, answered), plain(answered.text, parts.me, names))


async def _whose(parts: Parts, said: Said, answered: Answered) -> str:
    if answered.by.id == said.by.id:
        return context.MINE
    if answered.is_program:
        return context.PROGRAMS
    return context.TEAMS if await _was_staff(parts, answered.by) else context.CUSTOMERS


async def _was_staff(parts: Parts, person: Person) -> bool:
    """Discord tells no roles with a message that is answered: the rights that somebody had when last heard count."""
    known = await parts.store.people.find(PLATFORM, person.id)
    return parts.people.is_staff(person) or (known is not None and bool(known.rights))


def _asker(said: Said, speaker: Actor) -> Asker:
    return Asker(said.by.id, said.place.channel_key, said.by.roles, Right.MODERATOR in speaker.rights)


def names_of(parts: Parts, mentioned: tuple[Person, ...]) -> dict[str, str]:
    """What people who are named in a message are to us; names and ids never reach a prompt."""
    return {person.id: "@teammate" if parts.people.is_staff(person) else "@customer" for person in mentioned}
