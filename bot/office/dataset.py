"""The examples that a run would train on now: counted, shown, and as a file to take away."""

from bot import moderation
from bot.office.office import Office
from bot.office.telling import Line, Told, told
from bot.office.training import preview_lines
from bot.text import excerpt
from bot.wording import counted, words_of
from curation import requesting, versions
from curation.dataset import HELD_OUT_FILE, TRAIN_FILE
from curation.gathering import build_now, gather, pick
from storage.records import Actor, CorrectionState, Right

EXAMPLES_SHOWN = 5
NONE_YET = "There are no approved examples yet."
COUNTED = (CorrectionState.PROPOSED, CorrectionState.APPROVED, CorrectionState.REJECTED, CorrectionState.SUPERSEDED)


async def stats(office: Office, actor: Actor) -> Told:
    """How many corrections there are, and what a run would make of them. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see the dataset")
    counts = await office.store.corrections.count(office.voice.id)
    lines = [Line(counted(counts[state], "correction"), words_of(state)) for state in COUNTED]
    shown = await requesting.preview(office.workshop, await office.fresh_voice())
    return Told([*lines, *preview_lines(shown)], "The dataset")


async def newest(office: Office, actor: Actor) -> Told:
    """The newest examples. Raises NotAllowed."""
    moderation.require(actor, Right.MODERATOR, "see the dataset")
    press, voice = office.workshop.press, await office.fresh_voice()
    selection = (await pick(await gather(office.store, voice, press, at=office.now()), voice, press)).selection
    if not selection.examples:
        return told(NONE_YET)
    total = counted(len(selection.examples), "example")
    shown = selection.examples[: -EXAMPLES_SHOWN - 1 : -1]
    lines = [Line(f"• {excerpt(one.question, 120)} → {excerpt(one.answer, 200)}") for one in shown]
    return Told(lines, f"{total}, the newest first")


async def export(office: Office, actor: Actor) -> tuple[str, bytes] | None:
    """Every approved example, a line each as it is trained on: a file's name and bytes; None where there is none.

    Raises NotAllowed.
    """
    moderation.require(actor, Right.ADMIN, "export the dataset")
    workshop, voice = office.workshop, await office.fresh_voice()
    press = versions.keeping_everything(workshop.press)
    dataset = await build_now(office.store, voice, press, at=office.now())
    content = dataset.files[TRAIN_FILE] + dataset.files[HELD_OUT_FILE]
    return (f"{voice.name}-examples.jsonl", content) if content else None
