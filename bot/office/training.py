"""`/retrain`: the preview before, the run's one message while it lasts, going back after. The same words on every platform."""

from collections.abc import Awaitable, Callable, Sequence

from bot import moderation
from bot.office.cards import PlatformRefused, RunCard, Surface
from bot.office.office import Office
from bot.office.posting import posted
from bot.office.progress import progress_of
from bot.office.telling import Line, Told, told
from bot.watching import minutes, tokens_told
from bot.wording import RUNS, counted, moment, words_of, words_of_run
from curation import requesting, searching
from curation.dataset import TooFewExamples
from curation.search import USUAL_CAPS, Caps, caps_of
from curation.shutdowns import BaseDies
from storage.records import Actor, PostingKind, Purpose, Right, Run

PREVIEW = "What a training run would do now"
SEARCH = "What a search for settings would do now"
NONE_OPEN = "No training run is open."
NONE_YET = "There has been no training run yet. `/retrain` shows what one would do."


def preview_lines(shown: requesting.Preview) -> list[Line]:
    """What a run would do, line by line."""
    new = counted(shown.new, "correction")
    lines = [Line(f"{counted(shown.train, 'example')}, {new} new to the serving model", "To train on")]
    if not shown.refusal:
        lines.append(Line(f"{counted(shown.held_out, 'example')} to judge by", "Kept back"))
        lines.append(Line(tokens_told(shown), "Tokens"))
        lines.append(Line(minutes(shown.expected_seconds), "Time"))
        lines.append(Line(shown.cost, "Cost"))
    lines += [Line(f"{count}: {reason}", "Left out") for reason, count in shown.left_out.items()]
    lines.append(Line(f"{shown.waiting} for approval", "Waiting"))
    if shown.refusal:
        lines.append(Line(shown.refusal))
    if shown.instead:
        lines.append(Line(shown.instead))
    if shown.open_run is not None:
        lines.append(Line(f"A run is open: {words_of(shown.open_run.state)}. Starting joins it."))
    return lines


async def preview(office: Office, actor: Actor) -> tuple[Told, bool]:
    """What `/retrain` answers, and whether a run may be started. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, "start a training run")
    shown = await requesting.preview(office.workshop, await office.fresh_voice())
    return Told(preview_lines(shown), PREVIEW), not shown.refusal


async def status(office: Office, actor: Actor) -> Told:
    """Where the newest run stands. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, "see training runs")
    recent = await office.store.runs.recent(office.voice.id, 1, Purpose)
    if not recent:
        return told(NONE_YET)
    (run,) = recent
    lines, _ = await progress_of(office.store, run)
    what = "" if run.purpose is Purpose.RETRAIN else f"{RUNS[run.purpose]}: "
    return Told([Line(f"asked for {moment(run.requested_at)}"), *lines], f"{what}{words_of_run(run)}")


async def pause(office: Office, actor: Actor) -> Told:
    """Let the open run stand still. Raises NotAllowed."""
    return await _on_open_run(office, actor, "pause a training run", pause_run)


async def pause_run(office: Office, actor: Actor, run_id: str) -> Told:
    """Let this run stand still. Raises NotAllowed."""
    outcome = await moderation.pause_run(office.store, actor, run_id, now=office.now())
    office.wake_board()
    return told(outcome.said)


async def resume(office: Office, actor: Actor) -> Told:
    """Let the open run go on. Raises NotAllowed."""
    return await _on_open_run(office, actor, "resume a training run", resume_run)


async def resume_run(office: Office, actor: Actor, run_id: str) -> Told:
    """Let this run go on. Raises NotAllowed."""
    outcome = await moderation.resume_run(office.store, actor, run_id, now=office.now())
    office.wake_board()
    return told(outcome.said)


async def cancel(office: Office, actor: Actor) -> Told:
    """Stop the open run. Raises NotAllowed."""
    return await _on_open_run(office, actor, "cancel a training run", cancel_run)


async def cancel_run(office: Office, actor: Actor, run_id: str) -> Told:
    """Stop this run. Raises NotAllowed."""
    outcome = await moderation.cancel_run(office.store, actor, run_id, now=office.now())
    office.wake_board()
    return told(outcome.said)


async def serve_earlier(office: Office, actor: Actor, number: int | None) -> Told:
    """Serve the model before, or model `number`. Raises NotAllowed and NothingToRollBackTo."""
    voice = await office.fresh_voice()
    outcome = await moderation.roll_back(office.store, actor, voice, to_number=number, now=office.now())
    office.wake_board()
    return told(outcome.said)


async def release_model(office: Office, actor: Actor, why: str) -> Told:
    """Let the newest candidate serve all, for this reason. Raises NotAllowed and NothingToRelease."""
    outcome = await moderation.release_model(office.store, actor, await office.fresh_voice(), why, now=office.now())
    office.wake_board()
    return told(outcome.said)


async def roll_back_run(office: Office, actor: Actor, run_id: str) -> Told:
    """Serve the model before the run's, if the run's serves: a card may be old, and a press may be worked on twice."""
    moderation.require(actor, Right.ADMIN, "roll back")
    current = await office.store.models.current(office.voice.id)
    if current.model.run_id != run_id:
        return told(
            f"Model {current.model.number} serves now, and it is not from this run, so nothing was changed. "
            "`/retrain rollback` serves the model before it."
        )
    return await serve_earlier(office, actor, None)


async def start(office: Office, actor: Actor, surface: Surface, *, is_first_try: bool) -> Told:
    """Start a run, or join the open one, and post the one message that follows it. Raises what starting raises."""
    outcome = await moderation.start_retrain(office.workshop, actor, await office.fresh_voice())
    office.wake_board()
    sentences = [outcome.said, await _followed(office, actor, outcome.record, surface, seeks=not is_first_try)]
    return told(" ".join(sentence for sentence in sentences if sentence))


async def search(office: Office, actor: Actor, words: Sequence[str]) -> tuple[Told, str]:
    """What a search for settings would do within these caps (trials, minutes, highest cost), and the caps for its button.

    "" where it may not be started. Raises NotAllowed and SearchRefused.
    """
    moderation.require(actor, Right.ADMIN, "search for settings")
    caps = _caps(words)
    try:
        shown = await searching.preview_search(office.workshop, await office.fresh_voice(), caps)
    except (TooFewExamples, BaseDies) as refused:
        return told(str(refused)), ""
    lines = [
        Line(str(shown)),
        Line(f"First as runs train now ({shown.plan.trials[0]}), then others drawn from a grid.", "Tried"),
        Line(shown.cost, "Cost"),
        Line("Nothing is promoted; you hear which settings did best."),
    ]
    if shown.warning:
        lines.append(Line(f"⚠ {shown.warning}"))
    cost = "" if caps.cost is None else f"{caps.cost:f}"
    return Told(lines, SEARCH), f"{caps.trials}/{caps.minutes:g}/{cost}"


async def start_search(
    office: Office, actor: Actor, words: Sequence[str], surface: Surface, *, is_first_try: bool
) -> Told:
    """Start a search, or join the open one, and post the one message that follows it. Raises what starting raises."""
    outcome = await moderation.start_search(office.workshop, actor, await office.fresh_voice(), _caps(words))
    office.wake_board()
    sentences = [outcome.said, await _followed(office, actor, outcome.record, surface, seeks=not is_first_try)]
    return told(" ".join(sentence for sentence in sentences if sentence))


def _caps(words: Sequence[str]) -> Caps:
    """Caps as they are typed: trials, minutes, highest cost; those left out as usual. Raises SearchRefused."""
    trials, minutes, cost, *_ = [*words, *USUAL_CAPS[len(words) :]]
    return caps_of(trials, minutes, cost)


async def _followed(office: Office, actor: Actor, run: Run, surface: Surface, *, seeks: bool) -> str:
    """Post the run's message: in the ops channel, else to whoever started it. Returns "", or why the platform does not let us."""
    try:
        place = await surface.place_of(PostingKind.RUN) or await surface.direct_place(actor.external_id)
        await posted(office, surface, PostingKind.RUN, run.id, place, RunCard(run, (), None), seeks=seeks)
    except PlatformRefused as refused:
        if not refused.is_final:
            raise
        return f"I am not allowed to show its progress ({refused}); `/retrain status` tells."
    return ""


async def _on_open_run(
    office: Office, actor: Actor, what: str, act: Callable[[Office, Actor, str], Awaitable[Told]]
) -> Told:
    """Do it to the open run, where there is one. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, what)
    for purpose in Purpose:  # a retrain first
        if (run := await office.store.runs.open_run(office.voice.id, purpose)) is not None:
            return await act(office, actor, run.id)
    return told(NONE_OPEN)
