"""What people may ask for by a command: the queue, the models, the voice, a channel's settings, to be forgotten, help."""

from collections.abc import Awaitable, Callable, Sequence

from bot import moderation
from bot.fixing import GONE, fixes_of, uses
from bot.flags import open_flags
from bot.office.office import Office
from bot.office.telling import Line, Told, told
from bot.readings import readings
from bot.text import excerpt
from bot.wording import counted, critical_told, moment
from storage.records import (
    Actor,
    ChannelMode,
    ChannelRules,
    Correction,
    CorrectionState,
    Posting,
    Reply,
    ReplySource,
    Right,
)

QUEUE_SHOWN = 10
FLAGS_SHOWN = 5
NOTHING_WAITS = "Nothing waits for approval."
MODELS_SHOWN = 10
PROMPT_SHOWN = 1_500  # characters

SOURCES = {
    ReplySource.TUNED: "the tuned model that served then",
    ReplySource.BASE: "the base model with the voice's prompt",
    ReplySource.FIX: "an approved correction, word for word: nearly the same was asked before",
    ReplySource.NOTICE: "a fixed sentence; no model was asked, or none answered",
}
TRAINING_WORDS = {"training": True, "no-training": False}


async def queue(office: Office, actor: Actor) -> Told:
    """What waits for a moderator's look, and the corrections that wait longest. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see the queue")
    flags = await open_flags(office.store, office.voice.id)
    looks = [
        Line(f"{excerpt(each.turn.question, 80)} → {excerpt(each.reply.standing_text, 120)}", f"⚑ Flagged by {each.by}")
        for each in flags[:FLAGS_SHOWN]
    ]
    if len(flags) > FLAGS_SHOWN:
        looks.append(Line(f"and {len(flags) - FLAGS_SHOWN} more flagged, listed in the console"))
    corrections = office.store.corrections
    waiting = await corrections.list(office.voice.id, (CorrectionState.PROPOSED,), limit=QUEUE_SHOWN)
    if not waiting:
        return Told([Line(NOTHING_WAITS), *looks])
    total = (await corrections.count(office.voice.id))[CorrectionState.PROPOSED]
    wait = "waits" if total == 1 else "wait"
    lines = [Line(f"• {excerpt(c.question, 80)} → {excerpt(c.corrected_text, 120)}") for c in waiting]
    return Told([*lines, *looks], f"{counted(total, 'correction')} {wait} for approval, the oldest first")


async def models(office: Office, actor: Actor) -> Told:
    """What served when, the newest first. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see the models")
    current = await office.store.models.current(office.voice.id)
    history = await office.store.models.deployments(office.voice.id, limit=MODELS_SHOWN)
    return Told(
        [
            Line(
                f"{'→' if d.id == current.id else '•'} model {d.model.number} since {moment(d.since)}: {excerpt(d.why, 150)}"
            )
            for d in history
        ]
    )


async def voice(office: Office, actor: Actor) -> Told:
    """The voice's prompt and base model. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see the voice")
    known = await office.fresh_voice()
    return Told([Line(excerpt(known.system_prompt, PROMPT_SHOWN))], f"{known.name} on {known.base_model}")


Link = Callable[[Posting], Awaitable[str]]
"""The address of a message of ours on the platform; "" where it has none."""


async def why(office: Office, actor: Actor, reply: Reply, link: Link) -> Told:
    """Which model gave an answer, since when it serves, and which approved fixes it was shown. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see where an answer comes from")
    lines = [Line(SOURCES[reply.source], "From"), Line(moment(reply.created_at), "Written")]
    if reply.model_name is not None:
        serving = await office.store.models.serving_at(reply.voice_id, reply.created_at)
        served = serving is not None and serving.id == reply.deployment_id
        number = f"model {serving.model.number}" if served and serving is not None else "no model of ours"
        lines.append(Line(f"{number} ({reply.model_name})", "Model"))
        if served and serving is not None:
            lines.append(Line(f"{moment(serving.since)}: {excerpt(serving.why, 150)}", "Serving since"))
    if reply.prompt_hash is not None:
        lines.append(Line(reply.prompt_hash, "Prompt"))
    if reply.fix_ids:
        lines.append(Line(f"{uses(reply)}.".capitalize()))
        lines += [
            await _fix(office, number, fix, link) for number, fix in enumerate(await fixes_of(office.store, reply), 1)
        ]
    if reply.corrected_text not in (None, reply.text):
        lines.append(Line("The words that stand there are a teammate's."))
    return Told(lines, "Why this answer")


async def _fix(office: Office, number: int, fix: Correction, link: Link) -> Line:
    """A fix, its label leading to the answer that was corrected where that stands on this platform."""
    at = ""
    if fix.reply_id is not None:
        corrected = await office.postings_of(await office.store.conversations.reply(fix.reply_id))
        at = await link(corrected[0]) if corrected else ""
    people = await office.store.people.actors({fix.decided_by} if fix.decided_by else ())
    by = next((f" by {actor.name}" for actor in people.values()), "")
    when = f", approved{by} on {moment(fix.decided_at)}" if fix.decided_at is not None else ""
    is_over = fix.expires_at is not None and fix.expires_at <= office.now()
    gone = f"; {GONE[fix.state]}" if fix.state in GONE else "; its time is over since" if is_over else ""
    said = f"{excerpt(fix.question, 80)} → {excerpt(fix.corrected_text, 120)}" if fix.question else "Its words are gone"
    model = next(iter(await readings(office.store, fix.id)), "")
    more = "".join(f"; {told}" for told in (critical_told(fix), model) if told)
    return Line(f"{said}{when}{gone}{more}", f"Fix {number}", at)


async def channel(office: Office, actor: Actor, channel_key: str, words: Sequence[str]) -> Told:
    """What is set for a channel; or, with words, set it. Raises NotAllowed."""
    mode: ChannelMode | None = None
    may_train: bool | None = None
    for word in words:
        if word in list(ChannelMode):
            mode = ChannelMode(word)
        elif word in TRAINING_WORDS:
            may_train = TRAINING_WORDS[word]
        else:
            choices = "mention, auto, draft, off, training or no-training"
            return told(f"“{excerpt(word, 30)}” is no setting. Say {choices}.")
    if words:
        return await set_channel(office, actor, channel_key, mode=mode, may_train=may_train)
    mode = await office.mode(channel_key)
    may_train = await office.may_train(channel_key)
    return told(f"This channel is set to {mode}. {moderation.MODE_WORDS[mode]} {_consent(may_train)}")


async def set_channel(
    office: Office,
    actor: Actor,
    channel_key: str,
    *,
    mode: ChannelMode | None = None,
    may_train: bool | None = None,
    rules: ChannelRules | None = None,
) -> Told:
    """Set it for a channel; what is None stays as it is. Raises NotAllowed."""
    mode = mode or await office.mode(channel_key)
    may_train = await office.may_train(channel_key) if may_train is None else may_train
    if mode is ChannelMode.DRAFT and not office.rules.review_channel:
        setting = f"FINETONE_{office.platform.upper()}_REVIEW_CHANNEL"
        return told(f"Drafts need a review channel. Set {setting} to its id first, then say this again.")
    outcome = await moderation.set_channel(
        office.store,
        actor,
        office.platform,
        channel_key,
        mode=mode,
        is_training_allowed=may_train,
        rules=rules,
        now=office.now(),
    )
    return told(f"{outcome.said} {_consent(may_train)}")


def _consent(may_train: bool) -> str:
    return f"Corrections made here {'may' if may_train else 'may not'} be trained on."


async def forget(office: Office, actor: Actor, whose: Actor, *, confirm_by: str, is_confirmed: bool) -> Told:
    """Forget a person: their questions with all that was made of them, and their name. Oneself, or as an admin another.

    Asked for twice, because nothing brings it back: `confirm_by` is what the person does the second time. Messages that
    stand on the platform are taken away by the board. Raises NotAllowed.
    """
    if whose.id != actor.id:
        moderation.require(actor, Right.ADMIN, "delete another person's questions")
    turns = await office.store.conversations.asked_by(whose.id)
    if not turns:
        return told("There is nothing to delete.")
    of = "your" if whose.id == actor.id else f"{excerpt(whose.name, 80)}'s"
    questions = counted(len(turns), "question")
    if not is_confirmed:
        return told(
            f"This deletes {of} {questions}, the answers, and every correction made from them. "
            f"Nothing brings them back. To do it, {confirm_by}"
        )
    outcome = await moderation.forget_person(office.store, actor, whose, now=office.now())
    office.wake_board()
    return told(
        f"Deleted: {of} {questions}, with the answers and the corrections made from them.", *outcome.said.splitlines()
    )
