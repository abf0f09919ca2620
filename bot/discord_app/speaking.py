"""A recorded question on its way to an answer: written, shown, or called off, and what there is to say when it cannot be."""

import asyncio
import logging

from bot import answering
from bot.discord_app.buttons import Label, row
from bot.discord_app.notices import APOLOGY, MANY_NOT_READ, NOT_READ
from bot.discord_app.outgoing import FORBIDDEN, UNREACHABLE, CannotSpeak, Shown, reason
from bot.discord_app.parts import PLATFORM, Parts, Working
from bot.discord_app.payloads import Said
from bot.discord_app.replying import PostedReply, Spot
from bot.discord_app.telling import can_answer_again, cannot_answer, lacking
from bot.discord_app.typing_sign import typing
from bot.language import in_language
from storage.records import ChannelMode, ChannelRules, Reply, ThreadMode, Turn

log = logging.getLogger(__name__)

CUT_OFF = "called off"


def spot_of(said: Said, rules: ChannelRules, question: str) -> Spot:
    """Where a reply to this message goes."""
    opens = rules.threads is not ThreadMode.CHANNEL and not (said.is_thread or said.place.is_direct or said.reply_to)
    note = "" if not said.n_files else NOT_READ if said.n_files == 1 else MANY_NOT_READ
    return Spot(said.place, question, opens, note)


async def answer(parts: Parts, turn: Turn, said: Said, rules: ChannelRules, *, is_again: bool) -> str:
    """Answer a recorded question; finish what an earlier attempt has begun. Returns "" or why nothing was said."""
    place, spot = said.place, spot_of(said, rules, turn.question)
    threads = ThreadMode.THREAD if spot.opens_thread else ThreadMode.CHANNEL
    if lacks := lacking(parts, place, threads):
        await cannot_answer(parts, place, lacks)
        return "a permission is missing"
    can_answer_again(parts, place)
    posted = PostedReply(parts.speech(), spot, turn.id)
    async with typing(parts.room(place.room_key)):
        try:
            return await _answered(parts, turn, posted, rules, is_again=is_again)
        except CannotSpeak as refused:
            if refused.code in FORBIDDEN:
                await cannot_answer(parts, place, lacking(parts, place, threads))
            return str(refused)


async def _answered(parts: Parts, turn: Turn, posted: PostedReply, rules: ChannelRules, *, is_again: bool) -> str:
    called_off = await _called_off(parts, turn) if is_again else ""  # else it was looked at just now
    if not called_off:
        reply, is_cut = await _written(parts, turn, posted, rules.language, is_again=is_again)
        called_off = await _called_off(parts, turn)
        if not called_off and reply is None:
            return CUT_OFF if is_cut else "another process answers"
        if not called_off and reply is not None:
            await posted.finish(reply)
            called_off = await _withdrawn(parts, turn)  # while it was being shown
    if called_off:
        await posted.withdraw()
    return called_off


async def _written(
    parts: Parts, turn: Turn, posted: PostedReply, language: str, *, is_again: bool
) -> tuple[Reply | None, bool]:
    """The reply to the question as it stands now: an edit begins anew, a deletion ends it; and whether it was ended."""
    desk, takes_over = in_language(parts.desk, language), is_again
    while True:
        task = asyncio.ensure_future(answering.answer(desk, turn, posted.show, takes_over=takes_over))
        working = parts.working[turn.id] = Working(task)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:  # at shutdown: whoever comes next begins anew
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            del parts.working[turn.id]
        if not task.cancelled():
            return task.result(), False
        if not working.is_outdated:
            return None, True
        takes_over = True


async def _called_off(parts: Parts, turn: Turn) -> str:
    """Why nobody wants the bot's reply (any more), in a few words; "" while somebody does."""
    is_withdrawn, is_handed_over = await parts.store.conversations.fate(turn.id)
    return "a person has taken over" if is_handed_over else "withdrawn" if is_withdrawn else ""


async def _withdrawn(parts: Parts, turn: Turn) -> str:
    return "withdrawn" if (await parts.store.conversations.turn(turn.id)).withdrawn_at is not None else ""


async def take_back(parts: Parts, said: Said) -> None:
    """Remove what an attempt that died had begun to show in a conversation where the bot is silent by now."""
    turn = await parts.store.conversations.find_turn(PLATFORM, said.place.key)
    if turn is not None:
        await PostedReply(parts.speech(), spot_of(said, ChannelRules(), turn.question), turn.id).withdraw()


async def apologise(parts: Parts, said: Said, rules: ChannelRules, mode: ChannelMode) -> None:
    """Say that a question could not be answered, once it is given up; in place of what was begun. Nobody else is told."""
    turn = await parts.store.conversations.find_turn(PLATFORM, said.place.key)
    if turn is None or mode in (ChannelMode.OFF, ChannelMode.DRAFT) or await _called_off(parts, turn):
        return
    posted = PostedReply(parts.speech(), spot_of(said, rules, turn.question), turn.id)
    try:
        await posted.put(Shown(APOLOGY, row([Label("human", turn.id, "Get a human")])))
    except (CannotSpeak, *UNREACHABLE) as error:
        log.error("could not even apologise in %s (%s)", said.place.room_key, reason(error))
