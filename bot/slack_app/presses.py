"""Buttons, shortcuts and reactions: which verb each of them is."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace

from bot import moderation
from bot.office import commands, pairs, training, verbs
from bot.office.disputes import Ruling, settle_dispute
from bot.office.telling import Told
from bot.office.verbs import ANYBODYS, MINE, NOT_MINE, HumanAnswer, Offer, Remove, Said, Sign
from bot.slack_app import configuring, drafts, home, opening
from bot.slack_app.blocks import said_blocks, shown_answer
from bot.slack_app.markup import plain, words
from bot.slack_app.outgoing import tell, whisper
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Place, Pressed, Reacted
from bot.slack_app.removing import take_off
from storage.records import Actor, Posting, PostingKind, Reply, Right, Settlement

log = logging.getLogger(__name__)

SIGNS: Mapping[Sign, Collection[str]] = {
    Sign.GOOD: frozenset({"+1", "thumbsup", "white_check_mark", "heavy_check_mark", "ok_hand", "100"}),
    Sign.WRONG: frozenset({"-1", "thumbsdown", "x", "negative_squared_cross_mark"}),
    Sign.FLAG: frozenset({"triangular_flag_on_post", "rotating_light", "warning"}),
    Sign.CORRECT: frozenset({"pencil2", "memo", "pencil"}),
    Sign.RETRACT: frozenset({"wastebasket", "no_entry_sign"}),
    Sign.TEACH: frozenset({"mortar_board", "books"}),
}
"""Slack's names of reactions, by what they stand for."""

SHORTCUTS = frozenset({"ft_good", "ft_correct", "ft_flag", "ft_teach", "ft_why", "ft_retract"})


async def pressed(parts: Parts, press: Pressed, *, is_first_try: bool) -> str:
    """Do what a button or shortcut stands for, and say so to who pressed it."""
    actor = await parts.people.actor(press.by)
    said = await _done(parts, actor, press, is_first_try)
    if said is None:
        return "not a button of ours"
    client, shown = await parts.client(press.by.team), shown_answer(said)
    is_silent = isinstance(said, Said) and not said.text
    if press.channel and not is_silent:
        thread_ts = opening.thread_of(press)
        await whisper(client, press.channel, press.by.user, shown.text, blocks=shown.blocks, thread_ts=thread_ts)
    elif not press.channel:  # a button on the Home tab stands in no channel, and Home shows something else now
        if not is_silent:
            await tell(client, press.by.user, shown)
        await home.redraw(parts, press.by)
    return ""


async def _done(parts: Parts, actor: Actor, press: Pressed, is_first_try: bool) -> Said | Told | None:
    team, value = press.by.team, press.value
    match press.action:
        case "feedback":
            word, _, reply_id = value.partition(" ")
            return await _feedback(parts, actor, await _reply(parts, reply_id), is_good=word == "good")
        case "flag":
            return await verbs.flag(parts, actor, await _reply(parts, value))
        case "explain":
            return await opening.open_explanation(parts, value, press)
        case "why":
            return await commands.why(parts, actor, await _reply(parts, value), parts.surface.link)
        case "undo":
            return await verbs.undo(parts, actor, await _reply(parts, value))
        case "hand_over":
            return await verbs.ask_for_person(parts, actor, await _reply(parts, value))
        case "open_correct":
            return await opening.open_correction(parts, actor, await _reply(parts, value), press)
        case "retract":
            return await _retract(parts, actor, await _reply(parts, value))
        case "take_back":
            return await verbs.take_back(parts, actor, value)
        case "approve":
            return await verbs.approve(parts, actor, value)
        case "reject":
            return await opening.open_rejection(parts, actor, value, press)
        case "edit":
            return await opening.open_edit(parts, actor, value, press)
        case "expire":
            return await opening.open_expiry(parts, actor, value, press)
        case "mark_critical":
            return await verbs.mark_critical(parts, actor, value)
        case "unmark_critical":
            return await verbs.unmark_critical(parts, actor, value)
        case "settle_on":
            return await opening.open_date(parts, actor, value, press)
        case "settle_first" | "settle_second" | "settle_both" | "settle_neither" as action:
            return await settle_dispute(parts, actor, value, Ruling(Settlement(action.removeprefix("settle_"))))
        case "take":
            return await verbs.take_over(parts, actor, value)
        case "release":
            return await verbs.release(parts, actor, value)
        case "send_draft":
            return Said(await drafts.send(parts, actor, value, team, is_first_try=is_first_try))
        case "drop_draft":
            return Said(await drafts.drop(parts, actor, value, team, is_first_try=is_first_try))
        case "edit_draft":
            reply = await _reply(parts, value)
            return await opening.open_correction(parts, actor, reply, press, is_draft=True)
        case "start_retrain" | "home_retrain":
            return _said(await training.start(parts, actor, parts.surface, is_first_try=is_first_try))
        case "start_search":
            return _said(
                await training.start_search(parts, actor, value.split("/"), parts.surface, is_first_try=is_first_try)
            )
        case "pause_run":
            return _said(await training.pause_run(parts, actor, value))
        case "resume_run":
            return _said(await training.resume_run(parts, actor, value))
        case "cancel_run":
            return _said(await training.cancel_run(parts, actor, value))
        case "roll_back":
            return _said(await training.roll_back_run(parts, actor, value))
        case "pick_a" | "pick_b" | "pick_same" | "pick_neither" as action:
            return await pairs.pick(parts, actor, value, action.removeprefix(pairs.PICK))
        case "open_channel":
            return await configuring.open_settings(parts, actor, press)
        case "home_refresh":
            return Said("")
        case action if action in SHORTCUTS:
            return await _shortcut(parts, actor, press)
        case _:
            return None


async def _feedback(parts: Parts, actor: Actor, reply: Reply, *, is_good: bool) -> Said:
    """Anyone's thumb. Slack sends it again on every press and tells of no taking back, so the last one counts."""
    if is_good:
        return await verbs.good(parts, actor, reply)
    return _with_why(actor, reply, await verbs.wrong(parts, actor, reply))


def _with_why(actor: Actor, reply: Reply, said: Said) -> Said:
    """The buttons of a moderator who has found an answer wrong, and one that says where it comes from."""
    if not actor.has(Right.MODERATOR):
        return said
    return replace(said, offers=(*said.offers, Offer("Why this answer?", "why", reply.id)))


async def _shortcut(parts: Parts, actor: Actor, press: Pressed) -> Said | Told:
    reply = await parts.reply_at(press.channel_key, press.message_ts)
    if press.action == "ft_teach" or (press.action == "ft_correct" and reply is None):
        moderation.require(actor, Right.MODERATOR, "teach from a thread")
        if reply is not None:
            return Said(MINE)
        place = Place(press.by.team, press.channel, press.message_ts, press.thread_ts)
        return await _teach(parts, actor, place, press.message_text)
    if reply is None:
        return Said(NOT_MINE)
    match press.action:
        case "ft_good":
            return await verbs.good(parts, actor, reply)
        case "ft_flag":
            return await verbs.flag(parts, actor, reply)
        case "ft_why":
            return await commands.why(parts, actor, reply, parts.surface.link)
        case "ft_retract":
            return await _retract(parts, actor, reply)
        case _:
            return await opening.open_correction(parts, actor, reply, press)


async def reacted(parts: Parts, reaction: Reacted) -> str:
    """Do what a reaction stands for. Customers' thumbs are counted silently; moderators hear what came of theirs."""
    sign = next((sign for sign, names in SIGNS.items() if reaction.name in names), None)
    if sign is None or not reaction.ts:
        return "not a sign of ours"
    reply = await parts.reply_at(reaction.channel_key, reaction.ts)
    if reply is None and sign is not Sign.TEACH:
        return "not on an answer of ours"
    actor = await parts.people.actor(reaction.by)
    is_moderator = Right.MODERATOR in actor.rights
    if not is_moderator and sign not in ANYBODYS:
        return "a moderator's sign"
    said = await _by_reaction(parts, actor, reaction, sign, reply)
    if said.text and is_moderator:
        client = await parts.client(reaction.by.team)
        await whisper(client, reaction.channel, reaction.by.user, words(said.text), blocks=said_blocks(said))
    return ""


async def _by_reaction(parts: Parts, actor: Actor, reaction: Reacted, sign: Sign, reply: Reply | None) -> Said:
    if reply is None:
        return await _taught(parts, actor, reaction)
    said = await verbs.signed(parts, actor, reply, sign, _remover(parts), is_added=reaction.is_added)
    return _with_why(actor, reply, said) if sign is Sign.WRONG and reaction.is_added else said


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
        return await verbs.unteach(parts, actor, _answer_at(place))
    return await _teach(parts, actor, place, message.get("text", ""))


async def _teach(parts: Parts, teacher: Actor, place: Place, text: str) -> Said:
    moderation.require(teacher, Right.MODERATOR, "teach from a thread")
    bot = await parts.workspaces.bot(place.team)
    as_said = plain(text, bot.user, await parts.people.staff(place.team))
    return await verbs.teach(parts, teacher, _answer_at(place), as_said)


def _answer_at(place: Place) -> HumanAnswer:
    return HumanAnswer(place.conversation_key, place.key, place.channel_key)


async def _retract(parts: Parts, actor: Actor, reply: Reply) -> Said:
    return await verbs.retract(parts, actor, reply, _remover(parts))


def _remover(parts: Parts) -> Remove:
    async def remove(posting: Posting) -> None:
        await take_off(parts, posting)

    return remove


def _said(told: Told) -> Said:
    return Said(" ".join(line.words for line in told.lines))


async def _reply(parts: Parts, reply_id: str) -> Reply:
    return await parts.store.conversations.reply(reply_id)


async def is_reply_removed(parts: Parts, channel_key: str, ts: str) -> bool:
    """Note that a message of ours was deleted by somebody; whether it was one."""
    posting = await parts.store.postings.at(parts.platform, channel_key, ts)
    if posting is None:
        return False
    await parts.store.postings.removed(posting.id, at=parts.now())
    return posting.kind is PostingKind.REPLY
