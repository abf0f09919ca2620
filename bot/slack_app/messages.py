"""Messages: people's questions, and what they do to them later."""

import logging
from dataclasses import replace

from bot import answering, moderation
from bot.answering import Asked, Desk
from bot.chat import Question
from bot.language import in_language
from bot.office.asking import Asker, why_not_now
from bot.policy import Heard, Reaction, reaction
from bot.slack_app import drafts
from bot.slack_app.blocks import Shown, section
from bot.slack_app.markup import plain
from bot.slack_app.noticing import Thread
from bot.slack_app.outgoing import UNREACHABLE, post, reason, whisper
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Changed, Said
from bot.slack_app.people import actor_key
from bot.slack_app.replying import GrowingReply
from bot.slack_app.stopping import cut, stoppable
from bot.text import TextRefused
from storage.records import Actor, ChannelMode, ChannelRules, Conversation, Reply, Right, Turn

log = logging.getLogger(__name__)

ONLY_FILES = "I can only read text. Please write your question in words."
SAME_AGAIN = "the same message again"
WITHDRAWN = "withdrawn"
APOLOGY = "Sorry, that did not work. A person from the team will have a look."


async def heard(parts: Parts, said: Said, *, is_first_try: bool) -> str:
    """Do what a person's message calls for. Returns "" or why it called for nothing.

    `is_first_try` is False when an earlier attempt at this very delivery died: only then may a question that is recorded
    already be answered, because otherwise whoever recorded it is at it. The delivery is ours alone while we work on it.
    """
    place, store = said.place, parts.store
    found = await store.conversations.situation(
        PLATFORM, speaker=actor_key(said.by), conversation=place.conversation_key, place=place.channel_key
    )
    speaker = await parts.people.up_to_date(said.by, found.speaker)
    known = found.conversation
    decision = reaction(
        Heard(
            mode=ChannelMode.AUTO if said.is_direct else found.channel_mode or parts.rules.default_mode,
            is_direct=said.is_direct,
            is_mention=said.is_mention,
            is_reply=said.is_reply,
            is_ours=found.first_asked_by is not None,
            is_staff=Right.MODERATOR in speaker.rights,
            is_asker=found.first_asked_by == speaker.id,
            is_handed_over=found.is_handed_over,
        )
    )
    if decision is Reaction.SILENT:
        if not is_first_try:
            await _take_back(parts, said)
        return "not for us"
    if decision is Reaction.STEP_BACK:
        assert known is not None  # a conversation of ours is known
        await moderation.step_back(store, speaker, known.id, now=parts.now())
        parts.wake_board()
        return ""
    is_set = found.channel_mode is not None and not said.is_direct
    rules = await parts.channel_rules(place.channel_key) if is_set else ChannelRules()
    question = await _question(parts, said, speaker, rules, is_first_try)
    if isinstance(question, str):
        return question
    desk = in_language(parts.desk, rules.language)
    try:
        if decision is Reaction.ANSWER and is_first_try:
            return await _answer_new(parts, desk, said, question, known)
        turn, is_new = await answering.record(store, parts.voice, question, known=known, now=parts.now())
    except TextRefused as refused:
        await _whisper(parts, said, str(refused))
        return "refused"
    if is_first_try and not is_new:
        return SAME_AGAIN
    if await store.inbox.is_kept(PLATFORM, said.deletion_key):  # it was faster than the question, or than its delivery
        await store.conversations.withdraw_question(PLATFORM, place.key, at=parts.now())
        if is_first_try:
            return "deleted"
    if decision is Reaction.DRAFT:
        return await drafts.offer(parts, desk, turn, place, takes_over=not is_first_try)
    return await answer(parts, desk, turn, _thread(said, is_again=not is_first_try))


async def _question(
    parts: Parts, said: Said, speaker: Actor, rules: ChannelRules, is_first_try: bool
) -> Question | str:
    """What was asked; where that is nothing, or too much, the person is told, and it is why in a few words."""
    place = said.place
    bot = await parts.workspaces.bot(place.team)
    text = plain(said.text, bot.user, await parts.people.staff(place.team))
    if not text and said.n_files:
        await _whisper(parts, said, ONLY_FILES)
        return "only files"
    is_known = not is_first_try and await parts.store.conversations.find_turn(PLATFORM, place.key) is not None
    if not is_known and (refused := await _refused(parts, said, speaker, rules)):
        await _whisper(parts, said, refused)
        return "not now"
    return Question(PLATFORM, place.conversation_key, place.key, text, speaker)


async def _refused(parts: Parts, said: Said, speaker: Actor, rules: ChannelRules) -> str:
    groups = await parts.people.groups_of(said.by, rules.asking_roles)
    asker = Asker(actor_key(said.by), said.place.channel_key, groups, Right.MODERATOR in speaker.rights)
    return await why_not_now(parts, parts.latest, rules, asker)


async def _answer_new(parts: Parts, desk: Desk, said: Said, question: Question, known: Conversation | None) -> str:
    """Record a question that is asked for the first time, and answer it. Raises TextRefused."""
    taken = await answering.take(desk, parts.voice, question, known=known, deletion_key=said.deletion_key)
    if taken is None:
        return SAME_AGAIN
    asked, is_deleted = taken
    if is_deleted:
        await parts.store.conversations.withdraw_question(PLATFORM, question.key, at=parts.now())
        return "deleted"
    return await answer(parts, desk, asked.turn, _thread(said, is_again=False), asked)


async def answer(parts: Parts, desk: Desk, turn: Turn, thread: Thread, asked: Asked | None = None) -> str:
    """Answer a recorded question in its thread; finish what an earlier attempt has begun. `asked` where it is claimed."""
    async with GrowingReply(await parts.speech(thread.place.team), thread, turn.id) as growing:
        called_off = await _called_off(parts, turn) if thread.is_again else ""  # else it was looked at just now
        if not called_off:
            asked = asked or await answering.take_up(desk, turn, takes_over=thread.is_again)
            if asked is not None:
                reply, called_off = await _saved(parts, desk, asked, growing, thread)
            else:
                reply = await parts.store.conversations.reply_to(turn.id)
                if reply is None:
                    return "another process answers"
                called_off = await _called_off(parts, turn)
            if not called_off:
                await growing.finish(reply)
                called_off = WITHDRAWN if await growing.is_withdrawn() else ""  # while it was being shown
        if called_off:
            await growing.withdraw()
    return called_off


async def _saved(parts: Parts, desk: Desk, asked: Asked, growing: GrowingReply, thread: Thread) -> tuple[Reply, str]:
    """Compose a reply, save it, and intend its message where it is wanted; else why nobody wants it."""
    async with stoppable(parts, desk, asked.turn, growing, thread.place.conversation_key) as working:
        composed = await answering.compose(replace(desk, chat_model=working.brake), asked, working.show)
        saved = await parts.store.conversations.save_reply_to_post(
            cut(composed, growing),
            owner=desk.owner,
            platform=PLATFORM,
            place=thread.place.channel_key,
            at=parts.now(),
        )
    if saved.first_part is not None:
        growing.intended(*saved.first_part)
    return saved.reply, _why_called_off(saved.is_withdrawn, saved.is_handed_over)


async def _called_off(parts: Parts, turn: Turn) -> str:
    """Why nobody wants the bot's reply (any more), in a few words; "" while somebody does."""
    return _why_called_off(*await parts.store.conversations.fate(turn.id))


def _why_called_off(is_withdrawn: bool, is_handed_over: bool) -> str:
    return "a person has taken over" if is_handed_over else WITHDRAWN if is_withdrawn else ""


async def _whisper(parts: Parts, said: Said, sentence: str) -> None:
    client = await parts.client(said.place.team)
    await whisper(client, said.place.channel, said.by.user, sentence, thread_ts=_thread_for_whisper(said))


async def _take_back(parts: Parts, said: Said) -> None:
    """Remove what an attempt that died had begun to show in a conversation where the bot is silent by now."""
    turn = await parts.store.conversations.find_turn(PLATFORM, said.place.key)
    if turn is not None:
        async with GrowingReply(await parts.speech(said.place.team), _thread(said, is_again=True), turn.id) as growing:
            await growing.withdraw()


def _thread(said: Said, *, is_again: bool) -> Thread:
    return Thread(said.place, said.by.user, said.by.home_team, is_first=not said.is_reply, is_again=is_again)


def _thread_for_whisper(said: Said) -> str:
    """Whispers into a thread are only seen by those who have it open, so a first message is answered in the channel."""
    return said.place.thread_ts if said.is_reply or said.is_direct else ""


async def apologise(parts: Parts, said: Said) -> None:
    """Say that a question could not be answered, once it is given up; in place of what was begun. Nobody else is told."""
    turn = await parts.store.conversations.find_turn(PLATFORM, said.place.key)
    mode = ChannelMode.AUTO if said.is_direct else await parts.mode(said.place.channel_key)
    is_awaited = turn is not None or said.is_direct or said.is_mention
    if not is_awaited or mode in (ChannelMode.OFF, ChannelMode.DRAFT):
        return
    shown = Shown(APOLOGY, [section(APOLOGY)])
    try:
        if turn is None:
            client = await parts.client(said.place.team)
            await post(client, said.place.channel, shown, thread_ts=said.place.thread_ts, subject="apology")
        elif not await _called_off(parts, turn):
            speech = await parts.speech(said.place.team)
            async with GrowingReply(speech, _thread(said, is_again=True), turn.id) as growing:
                await growing.put(shown)
    except UNREACHABLE as error:
        log.error("could not even apologise in %s (%s)", said.place.channel, reason(error))


async def was_changed(parts: Parts, changed: Changed) -> str:
    """Follow an edit or a deletion: an edited question is answered as it is now, a deleted one leaves the data."""
    place, conversations = changed.place, parts.store.conversations
    if changed.text is None:
        if await conversations.withdraw_question(PLATFORM, place.key, at=parts.now()) is None:
            return "not a question of ours"
        parts.wake_board()  # which takes away what was said about it
        return ""
    bot = await parts.workspaces.bot(place.team)
    text = plain(changed.text, bot.user, await parts.people.staff(place.team))
    try:
        edited = await answering.edit(parts.store, PLATFORM, place.key, text, now=parts.now())
    except TextRefused:
        return "the edited question is too long"
    return "" if edited is not None else "not a question of ours"
