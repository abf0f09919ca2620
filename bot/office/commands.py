"""What people may ask for by a command: the queue, the models, the voice, a channel's settings, to be forgotten, help."""

from collections.abc import Awaitable, Callable, Sequence

from bot import moderation
from bot.office.office import Office
from bot.office.telling import Line, Told, told
from bot.text import excerpt
from bot.wording import counted, moment
from storage.records import Actor, ChannelMode, CorrectionState, Right, Turn

QUEUE_SHOWN = 10
MODELS_SHOWN = 10
PROMPT_SHOWN = 1_500  # characters

TRAINING_WORDS = {"training": True, "no-training": False}


async def queue(office: Office, actor: Actor) -> Told:
    """The corrections that wait longest. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see the queue")
    corrections = office.store.corrections
    waiting = await corrections.list(office.voice.id, (CorrectionState.PROPOSED,), limit=QUEUE_SHOWN)
    if not waiting:
        return told("Nothing waits for approval.")
    total = (await corrections.count(office.voice.id))[CorrectionState.PROPOSED]
    wait = "waits" if total == 1 else "wait"
    lines = [Line(f"• {excerpt(c.question, 80)} → {excerpt(c.corrected_text, 120)}") for c in waiting]
    return Told(lines, f"{counted(total, 'correction')} {wait} for approval, the oldest first")


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


async def channel(office: Office, actor: Actor, channel_key: str, words: Sequence[str]) -> Told:
    """What is set for a channel; or, with words, set it. Raises NotAllowed."""
    known = await office.store.channels.get(office.platform, channel_key)
    mode = await office.mode(channel_key)
    may_train = known is None or known.is_training_allowed
    if not words:
        return told(f"This channel is set to {mode}. {moderation.MODE_WORDS[mode]} {_consent(may_train)}")
    for word in words:
        if word in list(ChannelMode):
            mode = ChannelMode(word)
        elif word in TRAINING_WORDS:
            may_train = TRAINING_WORDS[word]
        else:
            choices = "mention, auto, draft, off, training or no-training"
            return told(f"“{excerpt(word, 30)}” is no setting. Say {choices}.")
    if mode is ChannelMode.DRAFT and not office.rules.review_channel:
        setting = f"FINETONE_{office.platform.upper()}_REVIEW_CHANNEL"
        return told(f"Drafts need a review channel. Set {setting} to its id first, then say this again.")
    outcome = await moderation.set_channel(
        office.store, actor, office.platform, channel_key, mode=mode, is_training_allowed=may_train, now=office.now()
    )
    return told(f"{outcome.said} {_consent(may_train)}")


def _consent(may_train: bool) -> str:
    return f"Corrections made here {'may' if may_train else 'may not'} be trained on."


async def forget(
    office: Office,
    actor: Actor,
    whose: Actor,
    forget_question: Callable[[Turn], Awaitable[None]],
    *,
    confirm_by: str,
    is_confirmed: bool,
) -> Told:
    """Delete somebody's questions with all that was made of them; one's own, or as an admin another's. Raises NotAllowed.

    Asked for twice, because nothing brings them back: `confirm_by` is what the person does the second time.
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
    for turn in turns:
        await forget_question(turn)
    return told(f"Deleted: {of} {questions}, with the answers and the corrections made from them.")
