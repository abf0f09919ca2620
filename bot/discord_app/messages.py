"""Messages: people's questions, each answered once or not at all, with the reason why."""

import logging
from dataclasses import replace

import discord

from bot import answering, moderation
from bot.chat import Question
from bot.discord_app.markup import plain
from bot.discord_app.notices import DIRECT_OFF, MENTION_ME, ONLY_TEXT, TOO_FAST, notice
from bot.discord_app.outgoing import understood
from bot.discord_app.parts import PLATFORM, Parts
from bot.discord_app.payloads import Person, Said
from bot.discord_app.speaking import answer, take_back
from bot.language import in_language
from bot.opening import local
from bot.policy import CAP_REACHED, Asking, Heard, Reaction, reaction, refusal
from bot.text import TextRefused
from storage.conversations import Situation
from storage.records import Actor, ChannelMode, ChannelRules, Conversation, PostingKind, Right

log = logging.getLogger(__name__)

SAME_AGAIN = "the same message again"


async def heard(parts: Parts, said: Said, *, is_first_try: bool) -> str:
    """Do what a person's message calls for. Returns "" or why it called for nothing.

    `is_first_try` is False when an earlier attempt at this very delivery died: only then may a question that is recorded
    already be answered, because otherwise whoever recorded it is at it. The delivery is ours alone while we work on it.
    """
    said, found = await placed(parts, said)
    place, store, known = said.place, parts.store, found.conversation
    if place.is_direct and not parts.rules.answers_direct:
        await notice(parts, said, DIRECT_OFF)
        return "direct messages are off"
    speaker = await parts.people.up_to_date(said.by, found.speaker)
    mode, rules = await rules_for(parts, said, is_set=found.channel_mode is not None)
    decision = await _decided(parts, said, speaker, found, mode)
    if decision is Reaction.SILENT:
        if not is_first_try:
            await take_back(parts, said)
        return "not for us"
    if decision is Reaction.STEP_BACK:
        assert known is not None  # a conversation of ours is known
        await moderation.step_back(store, speaker, known.id, now=parts.now())
        parts.wake_board()
        return ""
    question = await _question(parts, said, speaker, rules, is_first_try=is_first_try)
    if isinstance(question, str):
        return question
    if place.is_direct:  # to be looked at after a gap
        await store.channels.listened(PLATFORM, place.room_key, parts.now())
    try:
        if decision is Reaction.ANSWER and is_first_try:
            return await _answer_new(parts, said, question, known, rules)
        is_draft = decision is Reaction.DRAFT
        return await _take_up(parts, said, question, known, rules, is_draft=is_draft, is_first_try=is_first_try)
    except TextRefused as refused:
        await notice(parts, said, str(refused))
        return "refused"


async def _take_up(
    parts: Parts,
    said: Said,
    question: Question,
    known: Conversation | None,
    rules: ChannelRules,
    *,
    is_draft: bool,
    is_first_try: bool,
) -> str:
    """Record a question for a draft, or one that an attempt which died may have recorded. Raises TextRefused."""
    store, place = parts.store, said.place
    turn, is_new = await answering.record(store, parts.voice, question, known=known, now=parts.now())
    if is_first_try and not is_new:
        return SAME_AGAIN
    if await store.inbox.is_kept(PLATFORM, deletion_key(place.key)):  # it was faster than the question
        await store.conversations.withdraw_question(PLATFORM, place.key, at=parts.now())
        if is_first_try:
            return "deleted"
    if is_draft:
        return await parts.offer_draft(turn, said, not is_first_try)
    return await answer(parts, turn, said, rules, is_again=not is_first_try)


async def _answer_new(
    parts: Parts, said: Said, question: Question, known: Conversation | None, rules: ChannelRules
) -> str:
    """Record a question that is asked for the first time, and answer it. Raises TextRefused."""
    desk = in_language(parts.desk, rules.language)
    taken = await answering.take(desk, parts.voice, question, known=known, deletion_key=deletion_key(said.place.key))
    if taken is None:
        return SAME_AGAIN
    asked, is_deleted = taken
    if is_deleted:
        await parts.store.conversations.withdraw_question(PLATFORM, question.key, at=parts.now())
        return "deleted"
    return await answer(parts, asked.turn, said, rules, is_again=False, asked=asked)


def deletion_key(key: str) -> str:
    """The natural key of the delivery that says a message was deleted."""
    return f"{key}/deleted"


async def rules_for(parts: Parts, said: Said, *, is_set: bool = True) -> tuple[ChannelMode, ChannelRules]:
    """When the bot speaks where the message stands, and by which rules. `is_set` False: nothing was set for the channel."""
    if said.place.is_direct:
        return ChannelMode.AUTO, ChannelRules()
    return await parts.channel(said.place.channel_key) if is_set else parts.unset_channel()


async def placed(parts: Parts, said: Said) -> tuple[Said, Situation]:
    """The message with its conversation, and what is known of both. Raises CannotSpeak where its channel is gone."""
    said = await located(parts, said)
    key = said.place.room_key if said.is_thread or said.place.is_direct else said.place.own_conversation
    found = await _situation(parts, said, key)
    if found.conversation is None and (other := await _elsewhere(parts, said)):
        key, found = other, await _situation(parts, said, other)
    return replace(said, conversation=key), found


async def _situation(parts: Parts, said: Said, conversation_key: str) -> Situation:
    return await parts.store.conversations.situation(
        PLATFORM, speaker=said.by.id, conversation=conversation_key, place=said.place.channel_key
    )


async def located(parts: Parts, said: Said) -> Said:
    """The message with its thread's channel, asked of Discord where discord.py had forgotten the thread."""
    if not said.is_lost or said.place.is_direct:
        return said
    channel = await understood(lambda: parts.client.fetch_channel(int(said.place.channel)))
    if not isinstance(channel, discord.Thread):
        return replace(said, is_lost=False)
    return replace(said, is_lost=False, is_thread=True, place=replace(said.place, parent=str(channel.parent_id)))


async def conversation_of(parts: Parts, said: Said) -> str:
    """Our name of the conversation: the thread, the direct messages, or what is answered; a new one is named by its message."""
    return (await placed(parts, said))[0].conversation


async def _elsewhere(parts: Parts, said: Said) -> str:
    """The conversation of ours that a message goes on with by answering, or in a thread on a reply of ours; "" for none."""
    place, store = said.place, parts.store
    turn = None
    if said.is_thread:
        opened_on = await store.postings.at(PLATFORM, place.channel_key, place.channel)
    elif said.reply_to and not place.is_direct:
        opened_on = await store.postings.at(PLATFORM, place.room_key, said.reply_to)
        turn = await store.conversations.find_turn(PLATFORM, f"{place.room_key}/{said.reply_to}")
    else:
        return ""
    if turn is None and opened_on is not None and opened_on.kind is PostingKind.REPLY:
        turn = await store.conversations.turn(opened_on.subject)
    return "" if turn is None else (await store.conversations.get(turn.conversation_id)).external_id


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
    text = plain(said.text, parts.me, names_of(parts, said.mentioned))
    if not text and said.n_files:
        await notice(parts, said, ONLY_TEXT)
        return "only files"
    is_known = not is_first_try and await parts.store.conversations.find_turn(PLATFORM, place.key) is not None
    if not is_known and (refused := await _refused(parts, said, speaker, rules)):
        await notice(parts, said, refused)
        return "not now"
    return Question(PLATFORM, said.conversation, place.key, text, speaker)


async def _refused(parts: Parts, said: Said, speaker: Actor, rules: ChannelRules) -> str:
    """Why the channel's rules, or its limits, keep this question from being taken; "" where nothing does."""
    place, now, asker = said.place, parts.now(), f"{said.place.channel_key}/{said.by.id}"
    is_staff = Right.MODERATOR in speaker.rights
    if why := refusal(rules, Asking(said.by.roles, is_staff, parts.latest.ago_s(asker), now)):
        return why
    limits, rates = parts.rules, parts.rates
    if not (
        rates.is_allowed(said.by.id, limits.questions_per_minute)
        and rates.is_allowed(place.channel_key, limits.channel_questions_per_minute)
    ):
        return TOO_FAST
    if rules.daily_cap:
        day = local(now, rules.time_zone).date()
        if not await parts.store.channels.take_question(PLATFORM, place.channel_key, day, rules.daily_cap):
            return CAP_REACHED
    parts.latest.happened(asker)
    return ""


def names_of(parts: Parts, mentioned: tuple[Person, ...]) -> dict[str, str]:
    """What people who are named in a message are to us; names and ids never reach a prompt."""
    return {person.id: "@teammate" if parts.people.is_staff(person) else "@customer" for person in mentioned}
