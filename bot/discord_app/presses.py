"""The team's buttons and forms: which verb each of them is."""

from collections.abc import Awaitable, Callable

from bot.discord_app import correcting, drafts
from bot.discord_app.answers import CONFIRMING, Reading
from bot.discord_app.interactions import Asked, Feature, Work
from bot.discord_app.parts import Parts
from bot.discord_app.replying import take_away
from bot.moderation.comparing import SIDES
from bot.office import pairs, training, verbs
from bot.office.telling import Told
from bot.office.verbs import Offer, Remove, Said
from storage.records import Actor, Posting, Reply

SURE = {
    "retract": Offer("Retract", "retract", "", "danger", "The answer is removed for everybody."),
    "cancel_run": Offer("Cancel the run", "cancel_run", "", "danger", "The training job is stopped."),
    "roll_back": Offer("Roll back", "roll_back", "", "danger", "The model before it serves again."),
}
"""What is asked before it is done, and the button that does it."""


def by_id(verb: Callable[[Parts, Actor, str], Awaitable[Said]]) -> Work:
    """A verb of the office that needs nothing but the id a button carries."""

    async def work(parts: Parts, actor: Actor, asked: Asked) -> Said:
        return await verb(parts, actor, asked.about)

    return work


def confirming(offer: Offer) -> Work:
    """Ask whether it is meant."""

    async def work(parts: Parts, actor: Actor, asked: Asked) -> Said:
        return Said(offer.confirm, (Offer(offer.label, offer.action, asked.about, offer.style),))

    return work


async def retract(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """Take a reply off Discord."""
    return await retract_reply(parts, actor, await parts.store.conversations.reply(asked.about))


async def retract_reply(parts: Parts, actor: Actor, reply: Reply) -> Said:
    """Take a reply off Discord. Raises NotAllowed, and what Discord raises."""
    said = await verbs.retract(parts, actor, reply, remover(parts))
    parts.wake_board()
    return said


def remover(parts: Parts) -> Remove:
    """How a message of ours is taken off Discord."""

    async def remove(posting: Posting) -> None:
        await take_away(parts.client, posting, parts.removing)

    return remove


async def start_retrain(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The preview's button."""
    return _said(await training.start(parts, actor, parts.surface, is_first_try=asked.is_first_try))


async def start_search(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The button under what a search would do; the caps are in it."""
    words = asked.about.split("/")
    return _said(await training.start_search(parts, actor, words, parts.surface, is_first_try=asked.is_first_try))


async def cancel_run(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """A run's card."""
    return _said(await training.cancel_run(parts, actor, asked.about))


async def pause_run(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """A run's card."""
    return _said(await training.pause_run(parts, actor, asked.about))


async def resume_run(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The card of a run that is paused."""
    return _said(await training.resume_run(parts, actor, asked.about))


async def roll_back(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The card of a run that was promoted."""
    return _said(await training.roll_back_run(parts, actor, asked.about))


def pick(side: str) -> Work:
    """A button under a pair of answers without names; the next pair follows."""

    async def work(parts: Parts, actor: Actor, asked: Asked) -> Reading:
        return Reading(await pairs.pick(parts, actor, asked.about, side))

    return work


def _said(told: Told) -> Said:
    return Said(" ".join(line.words for line in told.lines))


FEATURE = Feature(
    works={
        "form correct": correcting.corrected,
        "form edit": correcting.revised,
        "form reject": correcting.rejected,
        "form expire": correcting.expires,
        "form edit_draft": drafts.edited,
        "press retract": retract,
        "press take_back": by_id(verbs.take_back),
        "press approve": by_id(verbs.approve),
        "press mark_critical": by_id(verbs.mark_critical),
        "press unmark_critical": by_id(verbs.unmark_critical),
        "press take": by_id(verbs.take_over),
        "press release": by_id(verbs.release),
        "press send_draft": drafts.send,
        "press drop_draft": drafts.drop,
        "press start_retrain": start_retrain,
        "press start_search": start_search,
        "press pause_run": pause_run,
        "press resume_run": resume_run,
        "press cancel_run": cancel_run,
        "press roll_back": roll_back,
        **{f"press {pairs.PICK}{side}": pick(side) for side in SIDES},
        **{f"press {CONFIRMING}{verb}": confirming(offer) for verb, offer in SURE.items()},
    },
    opens={
        "press open_correct": correcting.open_correction,
        "press edit": correcting.open_edit,
        "press reject": correcting.open_rejection,
        "press expire": correcting.open_expiry,
        "press edit_draft": drafts.open_edit,
    },
)
