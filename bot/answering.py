"""One question in, one reply out: record it, choose the model, build the messages, stream, save. Knows no platform.

A question is a row before anything else happens to it; a reply is a row before anybody sees it whole. A turn whose process
died is claimed again after its lease, and the one-reply-per-turn constraint decides if two get there.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat import Question
from bot.text import clean_question, clean_reply
from curation.fixes import is_as_served, shown_for, word_for_word
from curation.gathering import place_of
from curation.prompting import HISTORY_TURNS, CountTokens, build_messages, said
from curation.recall import Place, Recalled
from curation.recalling import Recall
from providers.base import ChatModel, Chunk, ErrorKind, ProviderError, Sampling
from storage.errors import DatabaseUnavailable
from storage.ids import new_id
from storage.records import Conversation, Deployment, Message, Model, PromptKind, Reply, ReplySource, Turn, Voice
from storage.store import Store
from storage.turns import Asking

log = logging.getLogger(__name__)

LEASE_S = 90.0  # a reply of the longest allowed length takes under a minute on two cores
EDIT_TAKES = timedelta(seconds=1)  # nobody changes a question faster than that
REWRITES = 2  # of one reply, for a question that is edited again and again

NOTHING_ASKED = "I did not find a question in that message. What can I help you with?"
NO_ANSWER = "Sorry, I cannot answer right now. A person from the team will have a look."

ShowText = Callable[[str], Awaitable[None]]
"""Called with the whole text so far, again and again while it grows; a shorter text means that another model began anew."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What answering needs: where to remember, whom to ask, how much to say, and who is answering (`owner`)."""

    store: Store
    chat_model: ChatModel
    count_tokens: CountTokens
    sampling: Sampling
    budget_tokens: int
    owner: str
    now: Callable[[], datetime]
    pauses_s: tuple[float, ...] = (
        2.0,
        4.0,
    )  # before asking again while no vendor is in reach; the tuner starts in 2 to 4
    recall: Recall | None = None  # finds approved corrections that fit; None: replies rest on none


async def record(
    store: Store, voice: Voice, question: Question, *, known: Conversation | None = None, now: datetime
) -> tuple[Turn, bool]:
    """Save a question under its platform's natural key; a redelivery gives the first turn and False.

    `known` is its conversation where that was read already. Raises TextRefused for a text that is too long to take.
    """
    text = clean_question(question.text)
    conversation = known or await store.conversations.ensure(
        voice.id, question.platform, question.conversation_key, at=now
    )
    return await store.conversations.record_turn(conversation, question.key, text, question.actor.id, at=now)


async def edit(store: Store, platform: str, key: str, text: str, *, now: datetime) -> Turn | None:
    """Follow a question's edit; None for one that was never recorded. Raises TextRefused, and the old words stand."""
    return await store.conversations.edit_question(platform, key, clean_question(text), at=now)


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded question that is ours to answer, with what the answer rests on."""

    turn: Turn
    voice: Voice
    deployment: Deployment  # what serves the voice now
    before: tuple[Message, ...]  # the conversation so far
    channel: str  # where it is asked, as corrections that hold in one channel name it

    @property
    def model(self) -> Model:
        """Which model's turn it is: the serving one, or a canary's candidate; the same through a conversation."""
        return self.deployment.model_for(self.turn.conversation_id)


async def take(
    desk: Desk, voice: Voice, question: Question, *, known: Conversation | None, deletion_key: str = ""
) -> tuple[Asked, bool] | None:
    """Record a new question and claim it for this desk, in one step; None for one that is recorded already.

    `known` is its conversation where there is one. The bool says that the question is deleted: the delivery that says so,
    kept under `deletion_key`, was faster. Raises TextRefused for a text that is too long to take.
    """
    asking = Asking(
        voice_id=voice.id,
        platform=question.platform,
        conversation_key=question.conversation_key,
        key=question.key,
        question=clean_question(question.text),
        asked_by=question.actor.id,
        deletion_key=deletion_key,
        known=known,
    )
    taken = await desk.store.conversations.take_question(
        asking, owner=desk.owner, lease_s=LEASE_S, history=HISTORY_TURNS, now=desk.now()
    )
    if taken is None:
        return None
    channel = place_of(taken.conversation)
    return Asked(taken.turn, taken.voice, taken.deployment, said(taken.history), channel), taken.is_deleted


async def take_up(desk: Desk, turn: Turn, *, takes_over: bool = False) -> Asked | None:
    """Claim a recorded question for this desk; None where it is answered, or where another process is at it.

    `takes_over` says that the other process is gone.
    """
    claimed = await desk.store.conversations.claim_turn(
        turn.id, desk.owner, now=desk.now(), lease_s=LEASE_S, takes_over=takes_over
    )
    if claimed is None:
        return None
    voice, deployment = await desk.store.models.serving(turn.voice_id)
    channel = place_of(await desk.store.conversations.get(claimed.conversation_id))
    return Asked(claimed, voice, deployment, await conversation_before(desk.store, claimed), channel)


async def compose(desk: Desk, asked: Asked, show: ShowText) -> Reply:
    """The reply to a question that was claimed, as it is to be saved; an edit of the question meanwhile is answered.

    The tuned model is tried first, then the base model, then a sentence that says a person will look; so a reply always
    comes of it, unless the database is gone (DatabaseUnavailable).
    """
    began = desk.now()
    turn, voice, deployment = asked.turn, asked.voice, asked.deployment
    draft = await _draft_of_what_stands(desk, asked, show)
    return Reply(
        id=new_id("reply", began),
        turn_id=turn.id,
        conversation_id=turn.conversation_id,
        voice_id=voice.id,
        text=draft.text,
        source=draft.source,
        model_name=draft.model_name,
        deployment_id=deployment.id if draft.model_name in (asked.model.name, deployment.model.name) else None,
        prompt_hash=hashlib.sha256(draft.prompt.encode()).hexdigest()[:12] if draft.model_name else None,
        prompt_tokens=draft.prompt_tokens,
        completion_tokens=draft.completion_tokens,
        seconds=(desk.now() - began).total_seconds(),
        created_at=desk.now(),
        fix_ids=draft.fix_ids,
    )


async def answer(desk: Desk, turn: Turn, show: ShowText, *, takes_over: bool = False) -> Reply | None:
    """Answer a recorded turn and save the reply; None when another process is at it, which `takes_over` says is gone.

    A turn that is already answered gives its reply again; otherwise a reply always comes of it, as `compose` says.
    """
    asked = await take_up(desk, turn, takes_over=takes_over)
    if asked is None:
        return await desk.store.conversations.reply_to(turn.id)
    saved, _ = await desk.store.conversations.save_reply(await compose(desk, asked, show), owner=desk.owner)
    await show(saved.text)
    return saved


async def _draft_of_what_stands(desk: Desk, asked: Asked, show: ShowText) -> "_Draft":
    """The draft; written anew where the question was edited while the model was at it, a few times at most."""
    for _ in range(REWRITES):
        began = desk.now()
        draft = await _draft(desk, asked, show)
        if desk.now() - began < EDIT_TAKES:
            return draft
        turn = await desk.store.conversations.turn(asked.turn.id)
        if turn.withdrawn_at is not None or turn.question == asked.turn.question:
            return draft
        asked = replace(asked, turn=turn)
    return await _draft(desk, asked, show)


@dataclass(frozen=True, slots=True)
class _Draft:
    text: str
    source: ReplySource
    model_name: str | None = None
    prompt: str = ""  # the system prompt that was asked with
    prompt_tokens: int = 0
    completion_tokens: int = 0
    fix_ids: tuple[str, ...] = ()


async def _draft(desk: Desk, asked: Asked, show: ShowText) -> _Draft:
    turn, voice, model = asked.turn, asked.voice, asked.model
    if not turn.question:
        return _Draft(NOTHING_ASKED, ReplySource.NOTICE)
    recalled: dict[frozenset[str], tuple[Recalled, ...]] = {}  # by what a model has learned, which is no fix for it
    fitting = await _recalled(desk, asked, model, recalled)
    if (known := word_for_word(fitting, turn.question, asked.before)) is not None:
        text = clean_reply(known.fix.answer)
        await show(text)
        return _Draft(text, ReplySource.FIX, fix_ids=(known.fix.id,))
    # The voice's own base comes last: it differs where the base was changed and the live model is still of the one before.
    # Before it, where a canary fails, comes the model that serves beside it.
    tuned = {one.name: one for one in (model, asked.deployment.model) if not one.is_base}
    names = dict.fromkeys((model.name, asked.deployment.model.name, model.base_model, voice.base_model))
    ladder = [
        _rung(desk, asked, await _recalled(desk, asked, tuned.get(name), recalled), name, tuned.get(name))
        for name in names
    ]
    for pause_s in (0.0, *desk.pauses_s):
        if pause_s:
            await asyncio.sleep(pause_s)
        draft, may_come_back = await _down_the_ladder(desk, turn, ladder, show)
        if draft is not None:
            return draft
        if not may_come_back:
            break
    return _Draft(NO_ANSWER, ReplySource.NOTICE)


@dataclass(frozen=True, slots=True)
class _Rung:
    """A model, and what it is asked with: a tuned one with the prompt it was trained with, its base with the full one."""

    name: str
    source: ReplySource
    prompt: str
    messages: tuple[Message, ...]
    fix_ids: tuple[str, ...]


def _rung(desk: Desk, asked: Asked, recalled: Sequence[Recalled], name: str, tuned: Model | None) -> _Rung:
    """A tuned model sees fixes only where it was trained to: one that was not answers worse with them."""
    question = asked.turn.question
    prompt = asked.voice.prompt(tuned.prompt if tuned else PromptKind.FULL)
    tokens, count_tokens = desk.budget_tokens, desk.count_tokens
    fitting = recalled if tuned is None or is_as_served(tuned.shape) else ()
    shown = shown_for(fitting, prompt, question, budget_tokens=tokens, count_tokens=count_tokens)
    messages = build_messages(
        prompt, asked.before, question, fixes=shown.messages, budget_tokens=tokens, count_tokens=count_tokens
    ).messages
    return _Rung(name, ReplySource.TUNED if tuned else ReplySource.BASE, prompt, messages, shown.fix_ids)


async def _recalled(
    desk: Desk, asked: Asked, model: Model | None, known: dict[frozenset[str], tuple[Recalled, ...]]
) -> tuple[Recalled, ...]:
    """The fixes that fit and are not in the model's weights; None is the base, which has learned nothing. `known` is filled."""
    if desk.recall is None:
        return ()
    place, now = Place(asked.voice.id, asked.channel), desk.now()
    learned = frozenset[str]()
    if model is not None and not model.is_base:
        learned = await desk.recall.learned_by(model.id, now)
    if learned not in known:
        known[learned] = await desk.recall.fixes_for(
            asked.turn.question, place, history=asked.before, learned=learned, now=now
        )
    return known[learned]


async def _down_the_ladder(
    desk: Desk, turn: Turn, ladder: Sequence[_Rung], show: ShowText
) -> tuple[_Draft | None, bool]:
    """The first model's words that come, if any; and whether asking again soon may help: every vendor was out of reach."""
    out_of_reach = 0
    for rung in ladder:
        try:
            draft = await _ask(desk, rung, show)
        except ProviderError as error:
            log.warning("turn %s: %s did not answer: %s", turn.id, rung.name, error)
            out_of_reach += error.kind is ErrorKind.UNREACHABLE
        else:
            if draft.text:
                return draft, False
            log.warning("turn %s: %s answered with nothing", turn.id, rung.name)
    return None, out_of_reach == len(ladder)


async def _ask(desk: Desk, rung: _Rung, show: ShowText) -> _Draft:
    """Stream one model's completion, showing it cleaned as it grows."""
    raw = ""
    last = Chunk("")
    async with contextlib.aclosing(desk.chat_model.stream(rung.name, rung.messages, desk.sampling)) as chunks:
        async for chunk in chunks:
            raw += chunk.text
            last = chunk
            if chunk.text:
                await show(clean_reply(raw))
    return _Draft(
        clean_reply(raw),
        rung.source,
        rung.name,
        rung.prompt,
        last.prompt_tokens,
        last.completion_tokens,
        rung.fix_ids,
    )


async def conversation_before(store: Store, turn: Turn) -> tuple[Message, ...]:
    """The conversation before a turn as messages, oldest first: what was asked, and what was said or corrected."""
    return said(await store.conversations.history(turn.conversation_id, before=turn, limit=HISTORY_TURNS))


# Platforms whose replies have to be brought to the person who asked: their own inbox takes such turns up and posts the answer.
BROUGHT = frozenset({"slack", "discord"})


async def pick_up_unanswered(desk: Desk, stop: asyncio.Event, *, every_s: float) -> None:
    """Answer turns that a dead process left behind, until `stop` is set; those of a chat platform are left to its inbox."""

    async def to_nobody(_: str) -> None:
        return

    while not stop.is_set():
        try:
            for turn in await desk.store.conversations.unanswered(desk.now()):
                if turn.platform in BROUGHT:
                    continue
                await answer(desk, turn, to_nobody)
        except DatabaseUnavailable as error:
            log.warning("unanswered questions wait: %s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)
