"""`/retrain` and `/finetone`: words in, a sentence or a preview out, seen by nobody else."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (slack_sdk's clients are loosely typed)

import logging
from dataclasses import dataclass
from typing import Any

from bot import moderation
from bot.office import commands, dataset, pairs, privacy, training
from bot.office.telling import Told
from bot.slack_app import configuring
from bot.slack_app.blocks import Block, actions, button, section, told_blocks, told_text
from bot.slack_app.outgoing import UNREACHABLE, is_refused, reason, send_file, whisper
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Commanded, SlackChannel
from bot.slack_app.workspaces import Workspaces
from storage.records import Actor, Right

log = logging.getLogger(__name__)

INTERRUPTED = "That was interrupted, and may be done already. `/finetone models` shows what serves now."
WHICH_MODEL = "Say which model, for example `/retrain promote 3`. `/finetone models` lists them."
NEVER_ASKED = "That person has never asked anything here."
OWN_DATA = "Everything I keep about you."
EXAMPLES = "Every approved example, one a line, as it is trained on."
SENT = "I have sent you the file as a direct message."
NOT_TAKEN = "Slack did not take the file ({why}). Please try again later."
MAY_NOT_SEND = (
    "I may not send files in this workspace yet. An admin of Slack pastes what `finetone slack manifest` prints under "
    "App Manifest on the app's page, and reinstalls the app there; then ask again."
)
DATASET_HELP = (
    "`/finetone dataset` counts the corrections and says what a run would make of them · `/finetone dataset newest` shows the "
    "newest examples · `/finetone dataset export` sends an admin all of them as a file."
)
RETRAIN_HELP = (
    "`/retrain` shows what a training run would do and asks before it starts. "
    "`/retrain dry-run` only shows it · `status` says where the open run is · `pause`, `resume` and `cancel` it · "
    "`rollback` serves the model before again · `promote 3` serves model 3 again · "
    "`release` with your reason lets the newest model serve although it is not proven, or ends its canary · "
    "`search 6 60` says what trying 6 settings in 60 minutes at most would do, and asks before it starts."
)
HELP = {  # by the right it takes; None: everybody
    None: "Mention me to ask. `/finetone channel` says when I speak here. "
    "`/finetone mydata` sends you what I keep about you, "
    "`/finetone forget` deletes your questions and what was learned from them.",
    Right.MODERATOR: "*For moderators*  On a message, ⋮ and More message shortcuts: mark good, correct, flag, why this answer, "
    "teach, retract · `/finetone queue` · `/finetone pairs` · `/finetone models` · `/finetone voice` · `/finetone dataset` · "
    "`/finetone dataset newest`",
    Right.ADMIN: "*For admins*  `/finetone channel` shows what is set here, and a form that changes it: when I speak, for "
    "whom, how often, in which language · `/finetone channel mention|auto|draft|off|training|no-training` sets one thing "
    "at once · `/finetone dataset export` · `/finetone forget @somebody`\n" + RETRAIN_HELP,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command is answered with: text in Slack's own markup, and blocks where a button belongs to it."""

    text: str
    blocks: list[Block] | None = None


async def commanded(parts: Parts, command: Commanded, respond: str, *, is_first_try: bool) -> str:
    """Do what a command says and answer at `respond`, Slack's address for that. Raises what the verbs raise.

    What is done stays done when the answer cannot be given: it is then whispered, and not done again.
    """
    actor = await parts.people.actor(command.by)
    if not is_first_try and command.words[:1] == ("rollback",):
        answer = Answer(INTERRUPTED)  # rolling back twice is going back two models
    else:
        answer = await _answer(parts, actor, command)
    try:
        await send(parts.workspaces, respond, answer.text, answer.blocks)
    except UNREACHABLE as error:
        log.info("a command is answered by a whisper (%s)", reason(error))
        client = await parts.client(command.by.team)
        await whisper(client, command.channel, command.by.user, answer.text, blocks=answer.blocks)
    return ""


async def send(workspaces: Workspaces, respond: str, text: str, blocks: list[Block] | None = None) -> None:
    """Answer a command where only who gave it sees it. Raises what Slack raises."""
    await workspaces.respond(
        respond, {"response_type": "ephemeral", "text": text, **({"blocks": blocks} if blocks else {})}
    )


async def _answer(parts: Parts, actor: Actor, command: Commanded) -> Answer:
    if command.command == "/retrain":
        return await _retrain(parts, actor, command.words)
    match command.words:
        case ("queue", *_):
            return _told(await commands.queue(parts, actor))
        case ("pairs", *rest):
            return await _pairs(parts, actor, rest)
        case ("models", *_):
            return _told(await commands.models(parts, actor))
        case ("voice", *_):
            return _told(await commands.voice(parts, actor))
        case ("channel", *rest):
            return await _channel(parts, actor, command, tuple(rest))
        case ("dataset", *rest):
            return await _dataset(parts, actor, command, tuple(rest))
        case ("mydata", *_):
            content = await privacy.own_data(parts, actor)
            return await _sent(parts, command, privacy.FILE_NAME, content, OWN_DATA)
        case ("forget", *rest):
            return await _forget(parts, actor, command, rest)
        case _:
            return Answer("\n".join(said for right, said in HELP.items() if right is None or right in actor.rights))


async def _pairs(parts: Parts, actor: Actor, words: list[str]) -> Answer:
    """`pairs` shows a pair, `pairs 3 a` chooses."""
    number, side, *_ = [*words, "", ""]
    chosen = int(number) if number.isdecimal() and len(number) < 9 else None
    return _told(await pairs.pairs(parts, actor, chosen, side))


async def _retrain(parts: Parts, actor: Actor, words: tuple[str, ...]) -> Answer:
    match words:
        case () | ("now", *_):
            return await _preview(parts, actor, may_start=True)
        case ("dry-run", *_):
            return await _preview(parts, actor, may_start=False)
        case ("status", *_):
            return _told(await training.status(parts, actor))
        case ("pause", *_):
            return _told(await training.pause(parts, actor))
        case ("resume", *_):
            return _told(await training.resume(parts, actor))
        case ("cancel", *_):
            return _told(await training.cancel(parts, actor))
        case ("rollback",):
            return _told(await training.serve_earlier(parts, actor, None))
        case ("rollback" | "promote", number) if number.isdecimal():
            return _told(await training.serve_earlier(parts, actor, int(number)))
        case ("search", *caps):
            return await _search(parts, actor, caps)
        case ("release", *because):
            return _told(await training.release_model(parts, actor, " ".join(because)))
        case ("promote", *_):
            moderation.require(actor, Right.ADMIN, "promote a model")
            return Answer(WHICH_MODEL)
        case _:
            return Answer(RETRAIN_HELP)


async def _preview(parts: Parts, actor: Actor, *, may_start: bool) -> Answer:
    """What a run would do, with a button where one may be started."""
    shown, is_startable = await training.preview(parts, actor)
    blocks = [section(told_text(shown))]
    if may_start and is_startable:
        blocks.append(actions(button("Start training", "start_retrain", parts.voice.id, style="primary")))
    return Answer(shown.heading, blocks)


async def _search(parts: Parts, actor: Actor, words: list[str]) -> Answer:
    """What a search for settings would do, with a button where one may be started."""
    shown, caps = await training.search(parts, actor, words)
    blocks = [section(told_text(shown))]
    if caps:
        blocks.append(actions(button("Start the search", "start_search", caps, style="primary")))
    return Answer(shown.heading or told_text(shown), blocks)


async def _channel(parts: Parts, actor: Actor, command: Commanded, words: tuple[str, ...]) -> Answer:
    """What is set for the channel, with a button that opens the form for those who may."""
    place = SlackChannel(command.by.team, command.channel)
    text = told_text(await configuring.told_of(parts, actor, place, words))
    if place.is_direct or Right.ADMIN not in actor.rights:
        return Answer(text)
    return Answer(text, [section(text), actions(button("Change", "open_channel", place.key))])


def _told(told: Told) -> Answer:
    return Answer(told_text(told), told_blocks(told) if told.offers else None)


async def _dataset(parts: Parts, actor: Actor, command: Commanded, words: tuple[str, ...]) -> Answer:
    """The approved examples: counted, the newest, or all of them as a file."""
    match words:
        case () | ("stats", *_):
            return _told(await dataset.stats(parts, actor))
        case ("newest", *_):
            return _told(await dataset.newest(parts, actor))
        case ("export", *_):
            file = await dataset.export(parts, actor)
            return Answer(dataset.NONE_YET) if file is None else await _sent(parts, command, *file, EXAMPLES)
        case _:
            moderation.require(actor, Right.MODERATOR, "see the dataset")
            return Answer(DATASET_HELP)


async def _sent(parts: Parts, command: Commanded, name: str, content: bytes, said: str) -> Answer:
    """A file in the person's direct messages; or why Slack does not take it, with the next step."""
    client = await parts.client(command.by.team)
    try:
        await send_file(client, command.by.user, name, content, said)
    except UNREACHABLE as error:
        if not is_refused(error):
            raise
        log.warning("a file was not taken (%s)", reason(error))
        return Answer(MAY_NOT_SEND if reason(error) == "missing_scope" else NOT_TAKEN.format(why=reason(error)))
    return Answer(f"{said} {SENT}")


async def _forget(parts: Parts, actor: Actor, command: Commanded, words: list[str]) -> Answer:
    """Delete one's own questions, or as an admin a named person's."""
    whose: Actor | None = actor
    if words and words[0].startswith("<@"):
        moderation.require(actor, Right.ADMIN, "delete another person's questions")
        whose, words = await _named(parts, command.by.team, words[0]), words[1:]
        if whose is None:
            return Answer(NEVER_ASKED)

    is_own = whose.id == actor.id
    confirm_by = (
        "send `/finetone forget confirm`" if is_own else "send the same again with the word confirm at its end."
    )
    is_confirmed = "confirm" in words
    shown = await commands.forget(parts, actor, whose, confirm_by=confirm_by, is_confirmed=is_confirmed)
    return _told(shown)


async def _named(parts: Parts, team: str, mention: str) -> Actor | None:
    """Who a mention, <@U123|name>, is to us; None where they never asked. They may belong to another workspace."""
    user = mention[2:].split("|")[0].rstrip(">")
    known = await parts.store.people.find(parts.platform, f"{team}/{user}")
    if known is not None:
        return known
    try:
        answer = await (await parts.client(team)).users_info(user=user)
    except UNREACHABLE as error:
        log.info("whose %s is, is not known (%s)", user, reason(error))
        return None
    profile: dict[str, Any] = answer.get("user") or {}
    return await parts.store.people.find(parts.platform, f"{profile.get('team_id', team)}/{user}")
