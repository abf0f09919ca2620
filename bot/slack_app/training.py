"""`/retrain`: the preview before, the run's one message while it lasts, going back after. Everything is said in one place."""

from collections.abc import Sequence

from bot import moderation
from bot.slack_app.blocks import Block, actions, button, context, run_card, section
from bot.slack_app.markup import inline
from bot.slack_app.outgoing import UNREACHABLE, direct_channel, is_refused, post, reason, sent_before
from bot.slack_app.parts import PLATFORM, Parts
from bot.slack_app.payloads import Pressed
from bot.watching import minutes
from bot.wording import counted, words_of
from curation import retrain
from storage.records import Actor, PostingKind, Right, Run, RunEvent, RunState, Voice

HELP = (
    "`/retrain` shows what a training run would do and asks before it starts. "
    "`/retrain dry-run` only shows it · `status` says where the open run is · `cancel` stops it · "
    "`rollback` serves the model before again · `promote 3` serves model 3 again."
)


def preview_lines(shown: retrain.Preview) -> list[str]:
    """What a run would do, line by line."""
    lines = [
        f"*To train on*  {counted(shown.train, 'example')}, {counted(shown.new, 'correction')} new to the serving model"
    ]
    if not shown.refusal:
        lines.append(f"*Kept back*  {counted(shown.held_out, 'example')} to judge by")
        lines.append(f"*Tokens*  {shown.train_tokens:,} per pass")
        lines.append(f"*Time*  {minutes(shown.expected_seconds)}")
    lines += [f"*Left out*  {count}: {reason}" for reason, count in shown.left_out.items()]
    lines.append(f"*Waiting*  {shown.waiting} for approval")
    if shown.refusal:
        lines.append(f"\n{shown.refusal}")
    return lines


async def preview(parts: Parts, actor: Actor, *, may_start: bool) -> tuple[str, list[Block]]:
    """What `/retrain` answers: the preview, with a button where a run may be started. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, "start a training run")
    shown = await retrain.preview(parts.workshop, await _voice(parts))
    blocks = [section("*What a training run would do now*"), section("\n".join(preview_lines(shown)))]
    if shown.open_run is not None:
        blocks.append(context(f"A run is open: {words_of(shown.open_run.state)}. Starting joins it."))
    if may_start and not shown.refusal:
        blocks.append(actions(button("Start training", "start_retrain", parts.voice.id, style="primary")))
    return "What a training run would do now", blocks


async def status(parts: Parts, actor: Actor) -> str:
    """Where the newest run stands. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, "see training runs")
    recent = await parts.store.runs.recent(parts.voice.id, limit=1)
    if not recent:
        return "There has been no training run yet. `/retrain` shows what one would do."
    (run,) = recent
    lines, _ = await progress_of(parts, run)
    return "\n".join([f"*{words_of(run.state)}*, asked for {run.requested_at:%-d %b %H:%M} UTC", *lines])


async def cancel(parts: Parts, actor: Actor) -> str:
    """Stop the open run. Raises NotAllowed."""
    moderation.require(actor, Right.ADMIN, "cancel a training run")
    run = await parts.store.runs.open_run(parts.voice.id)
    if run is None:
        return "No training run is open."
    return (await moderation.cancel_run(parts.store, actor, run.id, now=parts.now())).said


async def serve_earlier(parts: Parts, actor: Actor, number: int | None) -> str:
    """Serve the model before, or model `number`. Raises NotAllowed and NothingToRollBackTo."""
    outcome = await moderation.roll_back(parts.store, actor, await _voice(parts), to_number=number, now=parts.now())
    parts.wake_board()
    return outcome.said


async def pressed(parts: Parts, actor: Actor, press: Pressed, *, is_first_try: bool) -> str:
    """The buttons of preview and card. Raises what the verbs raise."""
    match press.action:
        case "cancel_run":
            said = (await moderation.cancel_run(parts.store, actor, press.value, now=parts.now())).said
        case "roll_back":
            said = await _roll_back_run(parts, actor, press.value)
        case _:
            outcome = await moderation.start_retrain(parts.workshop, actor, await _voice(parts))
            said = f"{outcome.said} {await _show(parts, outcome.record, press, is_first_try)}".rstrip()
    parts.wake_board()
    return said


async def _roll_back_run(parts: Parts, actor: Actor, run_id: str) -> str:
    """Serve the model before the run's, if the run's serves: a card may be old, and a press may be worked on twice."""
    moderation.require(actor, Right.ADMIN, "roll back")
    current = await parts.store.models.current(parts.voice.id)
    if current.model.run_id != run_id:
        return (
            f"Model {current.model.number} serves now, and it is not from this run, so nothing was changed. "
            "`/retrain rollback` serves the model before it."
        )
    return await serve_earlier(parts, actor, None)


async def _show(parts: Parts, run: Run, press: Pressed, is_first_try: bool) -> str:
    """Post the message that follows the run: in the ops channel, else to whoever started it. One per run.

    Returns "", or a sentence where Slack does not let us. On a later try the message may have been sent already.
    """
    team, ops = press.by.team, parts.rules.ops_channel
    posting, is_new = await parts.store.postings.intend(
        PLATFORM, PostingKind.RUN, run.id, 0, f"{team}/{ops or press.by.user}", at=parts.now()
    )
    if posting.message_key is not None or not (is_new or not is_first_try):
        return ""
    bot, client = await parts.workspaces.bot(team), await parts.client(team)
    try:
        channel = ops or await direct_channel(client, press.by.user)
        sent = "" if is_new else await sent_before(client, bot.user, channel, run.id, posting.created_at)
        ts = sent or (await post(client, channel, run_card(run, (), None), subject=run.id)).ts
    except UNREACHABLE as error:
        if not is_refused(error):
            raise
        await parts.store.postings.dropped(posting.id)
        return f"Slack does not let me show its progress ({reason(error)}); `/retrain status` tells."
    await parts.store.postings.landed(posting.id, ts, place=f"{team}/{channel}")
    return ""


async def progress_of(parts: Parts, run: Run) -> tuple[list[str], float | None]:
    """What can be said about a run, and how far it is (0 to 1; None where that cannot be counted)."""
    events = [event for _, event in await parts.store.runs.events(run.id)]
    lines = _told(events)
    evaluation = await parts.store.runs.evaluation(run.id)
    if evaluation is not None:
        lines.append(inline(evaluation.reason, 600))
    if run.state is RunState.PROMOTED:
        [number] = [model.number for model in await parts.store.models.list(run.voice_id) if model.run_id == run.id]
        lines.append(f"Model {number} has taken over.")
    elif not run.is_open and run.end_reason and inline(run.end_reason, 600) not in lines:
        lines.append(inline(run.end_reason, 600))
    return lines, _share(events)


def _told(events: Sequence[RunEvent]) -> list[str]:
    """Loss so far and the warnings."""
    losses = [event.numbers["train_loss"] for event in events if "train_loss" in event.numbers]
    lines = [f"Loss {losses[0]:.2f} → {losses[-1]:.2f} over {counted(len(losses), 'step')}"] if losses else []
    return lines + [f"⚠ {inline(event.text, 300)}" for event in events if event.level != "info"][-3:]


def _share(events: Sequence[RunEvent]) -> float | None:
    for event in reversed(events):
        numbers = event.numbers
        if numbers.get("to_evaluate"):
            return numbers["evaluated"] / numbers["to_evaluate"]
        if numbers.get("total_steps") and "step" in numbers:
            return numbers["step"] / numbers["total_steps"]
    return None


async def _voice(parts: Parts) -> Voice:
    return await parts.store.voices.get(parts.voice.id)
