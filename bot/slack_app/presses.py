"""Buttons, shortcuts and reactions: which verb each of them is."""

import logging

from bot import moderation
from bot.slack_app import drafts, home, training, verbs
from bot.slack_app.blocks import Shown, said_with
from bot.slack_app.markup import inline
from bot.slack_app.modals import edit_form, thumbs_down_form
from bot.slack_app.outgoing import tell, whisper
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Place, Pressed, Reacted
from bot.slack_app.verbs import NOT_MINE, Said
from storage.records import Actor, PostingKind, Reply, Right

log = logging.getLogger(__name__)

# Reactions by what they do. People's own words for “good” and “not right”, and signs that only moderators use.
GOOD = frozenset({"+1", "thumbsup", "white_check_mark", "heavy_check_mark", "ok_hand", "100"})
WRONG = frozenset({"-1", "thumbsdown", "x", "negative_squared_cross_mark"})
FLAG = frozenset({"triangular_flag_on_post", "rotating_light", "warning"})
CORRECT = frozenset({"pencil2", "memo", "pencil"})
RETRACT = frozenset({"wastebasket", "no_entry_sign"})
TEACH = frozenset({"mortar_board", "books"})

SHORTCUTS = frozenset({"ft_good", "ft_correct", "ft_flag", "ft_teach", "ft_retract"})


async def pressed(parts: Parts, press: Pressed, *, is_first_try: bool) -> str:
    """Do what a button or shortcut stands for, and say so to who pressed it."""
    actor = await parts.people.actor(press.by)
    said = await _done(parts, actor, press, is_first_try)
    if said is None:
        return "not a button of ours"
    client, blocks = await parts.client(press.by.team), said_with(said.text, said.buttons)
    if press.channel and said.text:
        thread_ts = verbs.thread_of(press)
        await whisper(client, press.channel, press.by.user, said.text, blocks=blocks, thread_ts=thread_ts)
    elif not press.channel:  # a button on the Home tab stands in no channel, and Home shows something else now
        if said.text:
            await tell(client, press.by.user, Shown(said.text, blocks))
        await home.redraw(parts, press.by)
    return ""


async def _done(parts: Parts, actor: Actor, press: Pressed, is_first_try: bool) -> Said | None:
    team, value = press.by.team, press.value
    match press.action:
        case "feedback":
            word, _, reply_id = value.partition(" ")
            return await _feedback(parts, actor, await _reply(parts, reply_id), is_good=word == "good")
        case "explain":
            return await verbs.opened(parts, press, thumbs_down_form(verbs.about(press, reply=value)))
        case "undo":
            return await verbs.undo(parts, actor, await _reply(parts, value))
        case "hand_over":
            return await verbs.ask_for_person(parts, actor, await _reply(parts, value))
        case "open_correct":
            return await verbs.open_correction(parts, actor, await _reply(parts, value), press)
        case "retract":
            return await verbs.retract(parts, actor, await _reply(parts, value), team)
        case "take_back":
            return await verbs.take_back(parts, actor, value)
        case "approve":
            outcome = await moderation.approve(
                parts.store, actor, value, team_of_one=parts.rules.team_of_one, now=parts.now()
            )
            return _decided(parts, outcome.said)
        case "reject":
            return _decided(parts, (await moderation.reject(parts.store, actor, value, now=parts.now())).said)
        case "edit":
            moderation.require(actor, Right.APPROVER, "edit a correction")
            form = edit_form(verbs.about(press, correction=value), await parts.store.corrections.get(value))
            return await verbs.opened(parts, press, form)
        case "take":
            return _decided(parts, (await moderation.take_over(parts.store, actor, value, now=parts.now())).said)
        case "release":
            return _decided(parts, (await moderation.release(parts.store, actor, value, now=parts.now())).said)
        case "send_draft":
            return Said(await drafts.send(parts, actor, value, team, is_first_try=is_first_try))
        case "drop_draft":
            return Said(await drafts.drop(parts, actor, value, team, is_first_try=is_first_try))
        case "edit_draft":
            reply = await _reply(parts, value)
            return await verbs.open_correction(parts, actor, reply, press, is_draft=True)
        case "start_retrain" | "cancel_run" | "roll_back":
            return Said(await training.pressed(parts, actor, press, is_first_try=is_first_try))
        case "home_retrain" | "home_refresh":
            return Said(await home.pressed(parts, actor, press, is_first_try=is_first_try))
        case action if action in SHORTCUTS:
            return await _shortcut(parts, actor, press)
        case _:
            return None


async def _feedback(parts: Parts, actor: Actor, reply: Reply, *, is_good: bool) -> Said:
    """Anyone's thumb. Slack sends it again on every press and tells of no taking back, so the last one counts."""
    return await (verbs.good if is_good else verbs.wrong)(parts, actor, reply)


async def _shortcut(parts: Parts, actor: Actor, press: Pressed) -> Said:
    reply = await parts.reply_at(press.channel_key, press.message_ts)
    if press.action == "ft_teach" or (press.action == "ft_correct" and reply is None):
        moderation.require(actor, Right.MODERATOR, "teach from a thread")
        if reply is not None:
            return Said("That is an answer of mine. Choose the person's answer that I should learn from.")
        place = Place(press.by.team, press.channel, press.message_ts, press.thread_ts)
        return await verbs.teach(parts, actor, place, press.message_text)
    if reply is None:
        return Said(NOT_MINE)
    match press.action:
        case "ft_good":
            return await verbs.good(parts, actor, reply)
        case "ft_flag":
            return await verbs.flag(parts, actor, reply)
        case "ft_retract":
            return await verbs.retract(parts, actor, reply, press.by.team)
        case _:
            return await verbs.open_correction(parts, actor, reply, press)


async def reacted(parts: Parts, reaction: Reacted) -> str:
    """Do what a reaction stands for. Customers' thumbs are counted silently; moderators hear what came of theirs."""
    verb = next(
        (verb for verb, names in _REACTIONS.items() if reaction.name in names),
        "",
    )
    if not verb or not reaction.ts:
        return "not a sign of ours"
    reply = await parts.reply_at(reaction.channel_key, reaction.ts)
    if reply is None and verb != "teach":
        return "not on an answer of ours"
    actor = await parts.people.actor(reaction.by)
    is_moderator = Right.MODERATOR in actor.rights
    if not is_moderator and verb not in ("good", "wrong"):
        return "a moderator's sign"
    said = await _by_reaction(parts, actor, reaction, verb, reply)
    if said.text and is_moderator:
        client = await parts.client(reaction.by.team)
        blocks = said_with(said.text, said.buttons)
        await whisper(client, reaction.channel, reaction.by.user, said.text, blocks=blocks)
    return ""


async def _by_reaction(parts: Parts, actor: Actor, reaction: Reacted, verb: str, reply: Reply | None) -> Said:
    if reply is None:
        return await _taught(parts, actor, reaction)
    if not reaction.is_added:  # taking the reaction back is taking the judgement back
        return await verbs.unsign(parts, actor, reply, verb)
    match verb:
        case "good":
            return await verbs.good(parts, actor, reply)
        case "wrong":
            return await verbs.wrong(parts, actor, reply)
        case "flag":
            return await verbs.flag(parts, actor, reply)
        case "retract":
            return await verbs.retract(parts, actor, reply, reaction.by.team)
        case "correct":
            return Said(_OPEN_FORM, (verbs.correct_button(reply),))
        case _:
            return Said("That is an answer of mine. Put this sign on the person's answer that I should learn from.")


async def _taught(parts: Parts, actor: Actor, reaction: Reacted) -> Said:
    """Learn from the message under the reaction, which has to be read: a reaction carries no text."""
    client = await parts.client(reaction.by.team)
    answer = await client.conversations_replies(  # pyright: ignore[reportUnknownMemberType]
        channel=reaction.channel, ts=reaction.ts, oldest=reaction.ts, latest=reaction.ts, inclusive=True, limit=15
    )
    found: list[dict[str, str]] = answer.get("messages") or []
    message = next((m for m in found if m.get("ts") == reaction.ts), None)
    if message is None:
        return Said("I could not read that message, so I did not learn from it.")
    place = Place(reaction.by.team, reaction.channel, reaction.ts, message.get("thread_ts") or reaction.ts)
    if not reaction.is_added:
        return await verbs.unteach(parts, actor, place)
    return await verbs.teach(parts, actor, place, message.get("text", ""))


_REACTIONS = {"good": GOOD, "wrong": WRONG, "flag": FLAG, "correct": CORRECT, "retract": RETRACT, "teach": TEACH}
_OPEN_FORM = "What should that answer have been?"


async def _reply(parts: Parts, reply_id: str) -> Reply:
    return await parts.store.conversations.reply(reply_id)


def _decided(parts: Parts, said: str) -> Said:
    parts.wake_board()
    return Said(inline(said, 500))


async def is_reply_removed(parts: Parts, channel_key: str, ts: str) -> bool:
    """Note that a message of ours was deleted by somebody; whether it was one."""
    posting = await parts.store.postings.at(PLATFORM, channel_key, ts)
    if posting is None:
        return False
    await parts.store.postings.removed(posting.id, at=parts.now())
    return posting.kind is PostingKind.REPLY
