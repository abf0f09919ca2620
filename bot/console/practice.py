"""The practice channel: ask as a customer, watch the reply come in, judge it, correct it where it stands."""

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from bot.answering import record
from bot.chat import Question
from bot.console.console import Parts
from bot.console.visit import Here, Visit
from bot.fixing import fixes_of, uses
from bot.moderation import Draft, NotAllowed, correct, mark, require, unmark
from bot.text import TextRefused
from bot.wording import REASONS
from storage.errors import NotFound
from storage.records import Correction, Feedback, Judgement, Reply, Right, Turn

PLATFORM = "console"
TURNS_SHOWN = 100  # of a conversation; a practice conversation is started anew long before
CONVERSATION_COOKIE = "finetone_conversation"
STREAM_S = 25.0  # a stream ends after this and the browser reconnects, so that no open page holds up a shutdown
POLL_S = 0.5  # between two looks for a reply that another process is writing

PLACE_LOST = "The page has lost its place, so nothing was sent. Copy your question, reload the page and send it again."

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ShownTurn:
    """A turn as the channel shows it to one reader."""

    turn: Turn
    reply: Reply | None
    mine: Feedback | None  # the reader's own judgement
    corrections: Sequence[Correction]  # oldest first; empty for readers who may not see them
    model_number: int | None  # None for a notice
    uses: str  # of approved fixes; "" for none, and for readers who may not see it
    fixes: Sequence[Correction]
    said: str = ""  # what was just done here


@router.get("/")
async def channel(visit: Here) -> Response:
    """The conversation this browser is in."""
    return await _channel(visit, _key(visit.request.cookies.get(CONVERSATION_COOKIE, "")))


@router.post("/conversations")
async def begin_conversation(visit: Here) -> Response:
    """Leave the conversation; the next question opens another."""
    response = visit.go("/")
    response.delete_cookie(CONVERSATION_COOKIE)
    return response


@router.post("/ask")
async def ask(visit: Here) -> Response:
    """Record a question and begin its reply. The same form sent twice is one turn."""
    key, conversation_key = _key(visit.text("key")), _key(visit.text("conversation"))
    try:
        if key is None or conversation_key is None:
            raise TextRefused(PLACE_LOST)
        question = Question(PLATFORM, conversation_key, key, visit.text("text"), visit.actor)
        turn, _ = await record(visit.store, await visit.voice(), question, now=visit.console.now())
    except TextRefused as refused:
        return await _ask_again(visit, conversation_key, str(refused))
    _require_own(visit, turn)
    reply = await visit.store.conversations.reply_to(turn.id)
    if reply is None:
        visit.parts.live.write(turn)
    if visit.is_in_page:
        response: Response = visit.fragment(
            "_asked.html", shown=await _shown(visit, turn, reply), key=str(uuid.uuid4())
        )
    else:
        response = visit.go(f"/#turn-{turn.id}")
    response.set_cookie(CONVERSATION_COOKIE, conversation_key, httponly=True, samesite="lax")
    return response


async def _ask_again(visit: Visit, conversation_key: str | None, problem: str) -> Response:
    """The sentence beside the form, with what was typed still in it."""
    if not visit.is_in_page:
        return await _channel(visit, conversation_key, 422, problem=problem, text=visit.text("text"))
    response = visit.fragment("_problem.html", 422, sentence=problem)
    response.headers.update({"HX-Retarget": "#ask-problem", "HX-Reswap": "innerHTML"})
    return response


async def _channel(visit: Visit, conversation_key: str | None, status: int = 200, **form: str) -> HTMLResponse:
    """The page, with the conversation of this key; None for one that has not begun."""
    turns: Sequence[tuple[Turn, Reply | None]] = ()
    if conversation_key is not None:
        voice_id, now = visit.console.voice_id, visit.console.now()
        conversation = await visit.store.conversations.ensure(voice_id, PLATFORM, conversation_key, at=now)
        if conversation.voice_id == voice_id:
            turns = await visit.store.conversations.recent_turns(conversation.id, TURNS_SHOWN)
        else:  # the cookie is from when another voice was practised here
            conversation_key = None
    return await visit.page(
        "practice.html",
        status,
        turns=await _all_shown(visit, [(turn, reply) for turn, reply in turns if _may_see(visit, turn)]),
        key=str(uuid.uuid4()),
        conversation=conversation_key or str(uuid.uuid4()),
        problem=form.get("problem", ""),
        text=form.get("text", ""),
    )


# ---------------------------------------------------------------- one turn


@router.get("/turns/{turn_id}")
async def one_turn(turn_id: str, visit: Here) -> Response:
    """A turn as it now stands."""
    turn = await visit.store.conversations.turn(turn_id)
    _require_own(visit, turn)
    shown = await _shown(visit, turn, await visit.store.conversations.reply_to(turn.id))
    if visit.is_in_page:
        return visit.fragment("_turn.html", shown=shown)
    return await visit.page("turn.html", shown=shown)


@router.get("/turns/{turn_id}/stream")
async def follow_reply(turn_id: str, visit: Here) -> Response:
    """The reply as it grows: each event is the whole text so far as a JSON string; `done` when it is saved."""
    turn = await visit.store.conversations.turn(turn_id)
    _require_own(visit, turn)
    return StreamingResponse(_events(visit.parts, turn), media_type="text/event-stream")


async def _events(parts: Parts, turn: Turn) -> AsyncGenerator[str]:
    """What this process writes, as it writes it; a reply that another process writes, once it is saved.

    A stream that ends without `done` is taken up again by the browser, from wherever the reply then is.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + STREAM_S
    yield "retry: 500\n\n"
    async for text in parts.live.texts(turn.id, until):
        yield f"data: {json.dumps(text)}\n\n"
    while (reply := await parts.console.store.conversations.reply_to(turn.id)) is None:
        if loop.time() >= until:
            return
        yield ": the reply is not there yet\n\n"
        await asyncio.sleep(POLL_S)
    yield f"data: {json.dumps(reply.text)}\n\nevent: done\ndata: {{}}\n\n"


@router.post("/replies/{reply_id}/feedback")
async def give_feedback(reply_id: str, visit: Here) -> Response:
    """Good, not right (which asks for a moderator), or none: the judgement is taken back."""
    turn, reply = await _own_reply(visit, reply_id)
    now = visit.console.now()
    match visit.text("judgement"):
        case "good":
            said = (await mark(visit.store, visit.actor, reply.id, Judgement.GOOD, now=now)).said
        case "wrong":
            said = (await mark(visit.store, visit.actor, reply.id, Judgement.WRONG, flag=True, now=now)).said
        case _:
            said = (await unmark(visit.store, visit.actor, reply.id, now=now)).said
    if visit.is_in_page:
        return visit.fragment("_judge.html", shown=await _shown(visit, turn, reply), judged=said)
    return visit.go(_way_back(visit, turn), said)


# ---------------------------------------------------------------- correcting


@router.get("/replies/{reply_id}/correct")
async def correction_form(reply_id: str, visit: Here) -> Response:
    """A form with the reply in it."""
    require(visit.actor, Right.MODERATOR, "correct a reply")
    _, reply = await _own_reply(visit, reply_id)
    return await _correction_form(visit, reply_id, Draft(reply.text, Judgement.TONE))


@router.post("/replies/{reply_id}/correct")
async def propose_correction(reply_id: str, visit: Here) -> Response:
    """Propose what the reply should have been; a refusal keeps what was typed."""
    require(visit.actor, Right.MODERATOR, "correct a reply")
    turn, reply = await _own_reply(visit, reply_id)
    reason = visit.text("reason")
    draft = Draft(
        visit.text("text"), Judgement(reason) if reason in set(REASONS) else Judgement.WRONG, visit.text("note")
    )
    try:
        outcome = await correct(visit.store, visit.actor, reply_id, draft, now=visit.console.now())
    except TextRefused as refused:
        return await _correction_form(visit, reply_id, draft, str(refused), 422)
    except NotAllowed as refused:
        return await _correction_form(visit, reply_id, draft, str(refused), 403)
    if not visit.is_in_page:
        return visit.go(_way_back(visit, turn), outcome.said)
    response = visit.fragment("_turn.html", shown=await _shown(visit, turn, reply, outcome.said))
    response.headers.update(
        {"HX-Retarget": f"#turn-{turn.id}", "HX-Reswap": "outerHTML", "HX-Trigger": "review-changed"}
    )
    return response


async def _correction_form(
    visit: Visit, reply_id: str, draft: Draft, problem: str = "", status: int = 200
) -> HTMLResponse:
    reply = await visit.store.conversations.reply(reply_id)
    turn = await visit.store.conversations.turn(reply.turn_id)
    back = visit.request.query_params.get("back") or visit.text("back")
    values = {"reply": reply, "turn": turn, "draft": draft, "problem": problem, "reasons": REASONS, "back": back}
    if visit.is_in_page:
        return visit.fragment("_correct.html", status, **values)
    return await visit.page("correct.html", status, **values)


# ---------------------------------------------------------------- parts


def _key(value: str) -> str | None:
    """A key made by a page of ours, which is a UUID; None for anything else."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        return None


def _may_see(visit: Visit, turn: Turn) -> bool:
    """Whether the reader asked this themselves or belongs to the team."""
    return turn.asked_by == visit.actor.id or bool(visit.actor.rights)


def _require_own(visit: Visit, turn: Turn) -> None:
    """Raise NotFound for what the reader may not see: others need not even know that it is there."""
    if not _may_see(visit, turn):
        raise NotFound("turn", turn.id)


async def _own_reply(visit: Visit, reply_id: str) -> tuple[Turn, Reply]:
    reply = await visit.store.conversations.reply(reply_id)
    turn = await visit.store.conversations.turn(reply.turn_id)
    _require_own(visit, turn)
    return turn, reply


def _way_back(visit: Visit, turn: Turn) -> str:
    """Where a form without htmx leads: to the page it stood on."""
    return "/review" if visit.text("back") == "/review" else f"/#turn-{turn.id}"


async def _shown(visit: Visit, turn: Turn, reply: Reply | None, said: str = "") -> ShownTurn:
    return (await _all_shown(visit, [(turn, reply)], said))[0]


async def _all_shown(visit: Visit, turns: Sequence[tuple[Turn, Reply | None]], said: str = "") -> list[ShownTurn]:
    """Everything about these turns that this reader may see."""
    store, actor = visit.store, visit.actor
    feedback = await store.feedback.for_replies([reply.id for _, reply in turns if reply is not None])
    numbers = {model.name: model.number for model in await store.models.list(visit.console.voice_id)}
    shown: list[ShownTurn] = []
    for turn, reply in turns:
        if reply is None:
            shown.append(ShownTurn(turn, None, None, (), None, "", (), said))
            continue
        mine = next((given for given in feedback.get(reply.id, ()) if given.actor_id == actor.id), None)
        corrections = await store.corrections.for_reply(reply.id) if actor.rights else ()
        number = numbers.get(reply.model_name) if reply.model_name else None
        fixes = await fixes_of(store, reply) if actor.rights and reply.fix_ids else ()
        used = uses(reply) if actor.rights else ""
        shown.append(ShownTurn(turn, reply, mine, corrections, number, used, fixes, said))
    return shown
