"""Slack's stop button. Whoever presses it gets no more of the answer, whichever way it was being shown, and none later.

What stands in the thread by then is the answer, and is kept as that: it is what people read, judge and correct. Where nothing
stood yet, the answer is one line that says so. An answer that was written to its end when the button was pressed, and was only
about to be posted, is posted.

Slack lets anybody who sees the button press it, and has ended its streams by the time we hear of it, so nobody is refused.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace

from bot.answering import Desk
from bot.slack_app.braking import Brake, Working
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Stopped
from bot.slack_app.replying import GrowingReply
from storage.ids import new_id
from storage.records import Reply, ReplySource, Turn

STOPPED_AT_ONCE = "Okay, I stopped."
OPEN_TURNS = 5  # of a thread that are looked at: people ask a few questions in a row, not dozens


@contextlib.asynccontextmanager
async def stoppable(
    parts: Parts, desk: Desk, turn: Turn, growing: GrowingReply, thread_key: str
) -> AsyncGenerator[Working]:
    """An answer that can be stopped while it is composed and saved in this block."""
    working = parts.working[turn.id] = Working(thread_key, growing, Brake(desk.chat_model))
    try:
        yield working
    finally:
        del parts.working[turn.id]
        working.ended.set()


async def stopped(parts: Parts, stop: Stopped, *, is_first_try: bool) -> str:
    """Somebody pressed stop in a thread. Returns "" or why there was nothing to do.

    An answer that another process streams is left to that one, which Slack tells by refusing its next words. One that is shown
    in another way, or whose process died, is ended here for whoever comes to save it: a question has one reply.
    """
    here = [working for working in parts.working.values() if working.conversation_key == stop.conversation_key]
    if here:
        await asyncio.gather(*[working.stop() for working in here])
        return ""
    if stop.streams and is_first_try:
        return "whoever streams it hears it from Slack"
    conversation = await parts.store.conversations.find(PLATFORM, stop.conversation_key)
    if conversation is None:
        return "not a thread of ours"
    recent = await parts.store.conversations.recent_turns(conversation.id, OPEN_TURNS)
    waiting = [turn for turn, reply in recent if reply is None and turn.withdrawn_at is None]
    for turn in waiting:
        await parts.store.conversations.save_reply(_notice(parts, turn), owner=parts.desk.owner)
    return "" if waiting else "nothing was on its way"


def cut(composed: Reply, growing: GrowingReply) -> Reply:
    """The reply as far as it was shown, where it was stopped."""
    if not growing.is_stopped or growing.said == composed.text:
        return composed
    if growing.said:
        return replace(composed, text=growing.said)
    return replace(
        composed, text=STOPPED_AT_ONCE, source=ReplySource.NOTICE, model_name=None, deployment_id=None, prompt_hash=None
    )


def _notice(parts: Parts, turn: Turn) -> Reply:
    now = parts.now()
    return Reply(
        id=new_id("reply", now),
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        voice_id=turn.voice_id,
        text=STOPPED_AT_ONCE,
        source=ReplySource.NOTICE,
        model_name=None,
        deployment_id=None,
        prompt_hash=None,
        prompt_tokens=0,
        completion_tokens=0,
        seconds=0.0,
        created_at=now,
    )
