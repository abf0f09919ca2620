"""A recorded question on its way to an answer: written, shown, or called off, and what there is to say when it cannot be."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator

from bot import answering
from bot.answering import Asked, Desk
from bot.discord_app.buttons import Label, row
from bot.discord_app.notices import APOLOGY, MANY_NOT_READ, NOT_READ, notice
from bot.discord_app.outgoing import FORBIDDEN, UNREACHABLE, CannotSpeak, Shown, reason
from bot.discord_app.parts import PLATFORM, Parts, Working
from bot.discord_app.payloads import Said
from bot.discord_app.replying import PostedReply, Spot
from bot.discord_app.tags import Stand, mark
from bot.discord_app.telling import can_answer_again, cannot_answer, lacking
from bot.discord_app.titles import unname
from bot.discord_app.typing_sign import typing
from bot.language import in_language
from storage.records import ChannelMode, ChannelRules, Reply, ReplySource, ThreadMode, Turn

log = logging.getLogger(__name__)

WITHDRAWN = "withdrawn"


def spot_of(said: Said, rules: ChannelRules, question: str) -> Spot:
    """Where a reply to this message goes."""
    opens = rules.threads is not ThreadMode.CHANNEL and said.is_first and not (said.is_thread or said.place.is_direct)
    note = "" if not said.n_files else NOT_READ if said.n_files == 1 else MANY_NOT_READ
    return Spot(said.place, question, opens, note)


@contextlib.asynccontextmanager
async def can_type(parts: Parts, said: Said, rules: ChannelRules) -> AsyncGenerator[None]:
    """Show that we type for the length of a block, where we may answer."""
    if lacking(parts, said.place, _threads(spot_of(said, rules, ""))):
        yield
        return
    async with typing(parts.room(said.place.room_key)):
        yield


def _threads(spot: Spot) -> ThreadMode:
    return ThreadMode.THREAD if spot.opens_thread else ThreadMode.CHANNEL


async def answer(
    parts: Parts, turn: Turn, said: Said, rules: ChannelRules, *, is_again: bool, asked: Asked | None = None
) -> str:
    """Answer a recorded question; finish what an earlier attempt has begun. Returns "" or why nothing was said.

    `asked` is the question where it is claimed already.
    """
    place, spot = said.place, spot_of(said, rules, turn.question)
    threads = _threads(spot)
    if lacks := lacking(parts, place, threads):
        await cannot_answer(parts, place, lacks)
        return "a permission is missing"
    can_answer_again(parts, place)
    posted = PostedReply(parts.speech(), spot, turn.id)
    desk = in_language(parts.desk, rules.language)
    async with typing(parts.room(place.room_key)):
        try:
            return await _answered(parts, desk, turn, posted, asked, is_again=is_again)
        except CannotSpeak as refused:
            if refused.code in FORBIDDEN:
                await cannot_answer(parts, place, lacking(parts, place, threads))
            return str(refused)


async def _answered(
    parts: Parts, desk: Desk, turn: Turn, posted: PostedReply, asked: Asked | None, *, is_again: bool
) -> str:
    called_off = await _called_off(parts, turn) if is_again else ""  # else it was looked at just now
    if not called_off:
        reply, called_off = await _written(parts, desk, turn, posted, asked, takes_over=is_again)
        if reply is None and called_off != WITHDRAWN:
            return called_off
        if reply is not None and not called_off:
            await posted.finish(reply)
            called_off = WITHDRAWN if await posted.is_withdrawn() else ""  # while it was being shown
            if not called_off and reply.source is not ReplySource.NOTICE:
                await mark(parts, turn.key.rsplit("/", 1)[0], Stand.ANSWERED)
    if called_off:
        await posted.withdraw()
    if called_off == WITHDRAWN:
        await unname(parts.client, posted.room_ahead, turn.key)
    return called_off


async def _written(
    parts: Parts, desk: Desk, turn: Turn, posted: PostedReply, asked: Asked | None, *, takes_over: bool
) -> tuple[Reply | None, str]:
    """The reply to the question as it stands now, or why there is none: an edit begins anew, a deletion ends it."""
    while True:
        task = asyncio.ensure_future(_composed(parts, desk, turn, posted, asked, takes_over=takes_over))
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
            return task.result()
        if not working.is_outdated:
            return None, WITHDRAWN
        asked, takes_over = None, True


async def _composed(
    parts: Parts, desk: Desk, turn: Turn, posted: PostedReply, asked: Asked | None, *, takes_over: bool
) -> tuple[Reply | None, str]:
    """A reply, saved, its first message intended where it is still wanted; else why nobody wants it."""
    conversations = parts.store.conversations
    asked = asked or await answering.take_up(desk, turn, takes_over=takes_over)
    if asked is None:
        reply = await conversations.reply_to(turn.id)
        return reply, "another process answers" if reply is None else await _called_off(parts, turn)
    composed = await answering.compose(desk, asked, posted.show)
    saved = await conversations.save_reply_to_post(
        composed, owner=desk.owner, platform=PLATFORM, place=posted.room_ahead, at=parts.now()
    )
    if saved.first_part is not None:
        posted.intended(*saved.first_part)
    return saved.reply, _why_called_off(saved.is_withdrawn, saved.is_handed_over)


async def _called_off(parts: Parts, turn: Turn) -> str:
    """Why nobody wants the bot's reply (any more), in a few words; "" while somebody does."""
    return _why_called_off(*await parts.store.conversations.fate(turn.id))


def _why_called_off(is_withdrawn: bool, is_handed_over: bool) -> str:
    return "a person has taken over" if is_handed_over else WITHDRAWN if is_withdrawn else ""


async def take_back(parts: Parts, said: Said) -> None:
    """Remove what an attempt that died had begun to show in a conversation where the bot is silent by now."""
    turn = await parts.store.conversations.find_turn(PLATFORM, said.place.key)
    if turn is not None:
        await PostedReply(parts.speech(), spot_of(said, ChannelRules(), turn.question), turn.id).withdraw()


async def apologise(parts: Parts, said: Said, rules: ChannelRules, mode: ChannelMode) -> None:
    """Say that a question could not be answered, once it is given up; in place of what was begun. Nobody else is told."""
    turn = await parts.store.conversations.find_turn(PLATFORM, said.place.key)
    if mode in (ChannelMode.OFF, ChannelMode.DRAFT):
        return
    if turn is None:  # it failed before it was a question
        if said.is_mention:
            await notice(parts, said, APOLOGY)
        return
    if await _called_off(parts, turn):
        return
    posted = PostedReply(parts.speech(), spot_of(said, rules, turn.question), turn.id)
    try:
        await posted.put(Shown(APOLOGY, row([Label("human", turn.id, "Get a human")])))
    except (CannotSpeak, *UNREACHABLE) as error:
        log.error("could not even apologise in %s (%s)", said.place.room_key, reason(error))
