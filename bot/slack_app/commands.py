"""`/retrain` and `/finetone`: words in, a sentence or a preview out, seen by nobody else."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (slack_sdk's clients are loosely typed)

import logging
from typing import Any

from bot import moderation
from bot.slack_app import training
from bot.slack_app.blocks import Block
from bot.slack_app.forgetting import forget_question
from bot.slack_app.markup import inline
from bot.slack_app.outgoing import UNREACHABLE, reason, whisper
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Commanded
from bot.slack_app.workspaces import Workspaces
from bot.wording import counted, moment
from storage.records import Actor, ChannelMode, CorrectionState, Right

log = logging.getLogger(__name__)

Answer = tuple[str, list[Block] | None]

INTERRUPTED = "That was interrupted, and may be done already. `/finetone models` shows what serves now."
HELP = {  # by the right it takes; None: everybody
    None: "Mention me to ask. `/finetone channel` says when I speak here. "
    "`/finetone forget` deletes your questions and what was learned from them.",
    Right.MODERATOR: "*For moderators*  `/finetone queue` · `/finetone models` · `/finetone voice`",
    Right.ADMIN: "*For admins*  `/finetone channel mention|auto|draft|off` decides when I speak here, `training` or "
    "`no-training` whether corrections made here may be learned from · `/finetone forget @somebody`\n" + training.HELP,
}


async def commanded(parts: Parts, command: Commanded, respond: str, *, is_first_try: bool) -> str:
    """Do what a command says and answer at `respond`, Slack's address for that. Raises what the verbs raise.

    What is done stays done when the answer cannot be given: it is then whispered, and not done again.
    """
    actor = await parts.people.actor(command.by)
    if not is_first_try and command.words[:1] == ("rollback",):
        text, blocks = INTERRUPTED, None  # rolling back twice is going back two models
    else:
        text, blocks = await _answer(parts, actor, command)
    try:
        await send(parts.workspaces, respond, text, blocks)
    except UNREACHABLE as error:
        log.info("a command is answered by a whisper (%s)", reason(error))
        client = await parts.client(command.by.team)
        await whisper(client, command.channel, command.by.user, text, blocks=blocks)
    return ""


async def send(workspaces: Workspaces, respond: str, text: str, blocks: list[Block] | None = None) -> None:
    """Answer a command where only who gave it sees it. Raises what Slack raises."""
    await workspaces.respond(
        respond, {"response_type": "ephemeral", "text": text, **({"blocks": blocks} if blocks else {})}
    )


async def _answer(parts: Parts, actor: Actor, command: Commanded) -> Answer:
    words = command.words
    if command.command == "/retrain":
        return await _retrain(parts, actor, words)
    match words:
        case ("queue", *_):
            return await _queue(parts, actor), None
        case ("models", *_):
            return await _models(parts, actor), None
        case ("voice", *_):
            moderation.require(actor, Right.MODERATOR, "see the voice")
            voice = await parts.store.voices.get(parts.voice.id)
            return f"*{voice.name}* on {voice.base_model}\n{inline(voice.system_prompt, 1500)}", None
        case ("channel", *rest):
            return await _channel(parts, actor, command.channel_key, rest), None
        case ("forget", *rest):
            return await _forget(parts, actor, command, rest), None
        case _:
            return "\n".join(said for right, said in HELP.items() if right is None or right in actor.rights), None


async def _retrain(parts: Parts, actor: Actor, words: tuple[str, ...]) -> Answer:
    match words:
        case () | ("now", *_):
            return await training.preview(parts, actor, may_start=True)
        case ("dry-run", *_):
            return await training.preview(parts, actor, may_start=False)
        case ("status", *_):
            return await training.status(parts, actor), None
        case ("cancel", *_):
            return await training.cancel(parts, actor), None
        case ("rollback",):
            return await training.serve_earlier(parts, actor, None), None
        case ("rollback" | "promote", number) if number.isdecimal():
            return await training.serve_earlier(parts, actor, int(number)), None
        case ("promote", *_):
            moderation.require(actor, Right.ADMIN, "promote a model")
            return "Say which model, for example `/retrain promote 3`. `/finetone models` lists them.", None
        case _:
            return training.HELP, None


async def _queue(parts: Parts, actor: Actor) -> str:
    moderation.require(actor, Right.MODERATOR, "see the queue")
    waiting = await parts.store.corrections.list(parts.voice.id, (CorrectionState.PROPOSED,), limit=10)
    if not waiting:
        return "Nothing waits for approval."
    total = (await parts.store.corrections.count(parts.voice.id))[CorrectionState.PROPOSED]
    lines = [f"• {inline(c.question, 80)} → {inline(c.corrected_text, 120)}" for c in waiting]
    wait = "waits" if total == 1 else "wait"
    return "\n".join([f"*{counted(total, 'correction')}* {wait} for approval, the oldest first:", *lines])


async def _models(parts: Parts, actor: Actor) -> str:
    moderation.require(actor, Right.MODERATOR, "see the models")
    current = await parts.store.models.current(parts.voice.id)
    history = await parts.store.models.deployments(parts.voice.id, limit=10)
    lines = [
        f"{'→' if d.id == current.id else '•'} model {d.model.number} since {moment(d.since)}: {inline(d.why, 150)}"
        for d in history
    ]
    return "\n".join(lines)


async def _channel(parts: Parts, actor: Actor, channel_key: str, words: list[str]) -> str:
    known = await parts.store.channels.get(PLATFORM, channel_key)
    mode = await parts.mode(channel_key)
    may_train = known is None or known.is_training_allowed
    if not words:
        return (
            f"This channel is set to *{mode}*. {moderation.MODE_WORDS[mode]} Corrections made here "
            f"{'may' if may_train else 'may not'} be trained on."
        )
    for word in words:
        if word in list(ChannelMode):
            mode = ChannelMode(word)
        elif word in ("training", "no-training"):
            may_train = word == "training"
        else:
            return f"`{inline(word, 30)}` is no setting. Say `mention`, `auto`, `draft`, `off`, `training` or `no-training`."
    if mode is ChannelMode.DRAFT and not parts.rules.review_channel:
        return "Drafts need a review channel. Set FINETONE_SLACK_REVIEW_CHANNEL to its id first, then say this again."
    outcome = await moderation.set_channel(
        parts.store, actor, PLATFORM, channel_key, mode=mode, is_training_allowed=may_train, now=parts.now()
    )
    return f"{outcome.said} Corrections made here {'may' if may_train else 'may not'} be trained on."


async def _forget(parts: Parts, actor: Actor, command: Commanded, words: list[str]) -> str:
    """Delete one's own questions, or as an admin a named person's. Asked for twice, because nothing brings them back."""
    whose: Actor | None = actor
    if words and words[0].startswith("<@"):
        moderation.require(actor, Right.ADMIN, "delete another person's questions")
        whose, words = await _named(parts, command.by.team, words[0]), words[1:]
        if whose is None:
            return "That person has never asked anything here."
    turns = await parts.store.conversations.asked_by(whose.id)
    if not turns:
        return "There is nothing to delete."
    of = "your" if whose.id == actor.id else f"{inline(whose.name, 80)}'s"
    if "confirm" not in words:
        said = " ".join(["/finetone", *command.words, "confirm"])
        return (
            f"This deletes {of} {counted(len(turns), 'question')}, the answers, and every correction made from them. "
            f"Nothing brings them back. To do it: `{said}`"
        )
    for turn in turns:
        await forget_question(parts, turn)
    return f"Deleted: {of} {counted(len(turns), 'question')}, with the answers and the corrections made from them."


async def _named(parts: Parts, team: str, mention: str) -> Actor | None:
    """Who a mention, <@U123|name>, is to us; None where they never asked. They may belong to another workspace."""
    user = mention[2:].split("|")[0].rstrip(">")
    known = await parts.store.people.find(PLATFORM, f"{team}/{user}")
    if known is not None:
        return known
    try:
        answer = await (await parts.client(team)).users_info(user=user)
    except UNREACHABLE as error:
        log.info("whose %s is, is not known (%s)", user, reason(error))
        return None
    profile: dict[str, Any] = answer.get("user") or {}
    return await parts.store.people.find(PLATFORM, f"{profile.get('team_id', team)}/{user}")
