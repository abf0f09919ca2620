"""The Home tab: for the team where things stand, for everybody else how to ask."""

import logging

from bot.flags import open_flags
from bot.office.progress import progress_of
from bot.slack_app.blocks import Block, actions, bar, button, context, decision_buttons, facts, header, named, section
from bot.slack_app.form_parts import About
from bot.slack_app.manifest import PROMPTS
from bot.slack_app.markup import inline
from bot.slack_app.outgoing import UNREACHABLE, direct_channel, reason
from bot.slack_app.parts import Parts
from bot.slack_app.payloads import Person
from bot.wording import counted, moment, words_of, words_of_run
from curation import requesting
from storage.records import Actor, CorrectionState, Judgement, Right, RunState

log = logging.getLogger(__name__)

QUEUE_SHOWN = 5
FLAGS_SHOWN = 5
COST_LIMIT = 200  # characters, in a question that takes 300


async def publish(parts: Parts, person: Person) -> None:
    """Put today's Home on somebody's screen."""
    actor = await parts.people.actor(person)
    blocks = await team_blocks(parts, actor) if actor.rights else help_blocks()
    client = await parts.client(person.team)
    await client.views_publish(  # pyright: ignore[reportUnknownMemberType]
        user_id=person.user, view={"type": "home", "blocks": blocks, "private_metadata": About().packed()}
    )


async def redraw(parts: Parts, person: Person) -> None:
    """Publish after a press; what Slack refuses is drawn at the next look, and is no reason to do the press again."""
    try:
        await publish(parts, person)
    except UNREACHABLE as error:
        log.info("a Home was not drawn (%s)", reason(error))


def help_blocks() -> list[Block]:
    """What a customer sees: how to ask, and nothing of the inside."""
    return [
        header("Ask me anything"),
        section(
            "Mention me in a channel, or write to me under *Messages*. I answer in a thread; follow-ups there need no mention."
        ),
        section(
            "My answers are written by an AI. *Helpful* and *Not right* under an answer tell the team how I did, "
            "and *Needs a human* asks a person to take over."
        ),
    ]


async def team_blocks(parts: Parts, actor: Actor) -> list[Block]:
    """What the team sees: the serving model, the queue, the dataset, the last run, and how people judge the answers."""
    store, voice_id = parts.store, parts.voice.id
    deployment = await store.models.current(voice_id)
    counts = await store.corrections.count(voice_id)
    judged = await store.feedback.counts(voice_id)
    shown = await requesting.preview(parts.workshop, await store.voices.get(voice_id))
    recent = await store.runs.recent(voice_id, limit=1)
    decided = counts[CorrectionState.APPROVED] + counts[CorrectionState.REJECTED] + counts[CorrectionState.SUPERSEDED]
    accepted = counts[CorrectionState.APPROVED] + counts[CorrectionState.SUPERSEDED]
    judgements = sum(judged.values())
    needed = parts.workshop.recipe.rules.minimum_train
    model = deployment.model
    blocks: list[Block] = [
        header(parts.voice.name),
        section(f"*Model {model.number}* serves since {moment(deployment.since)}\n{inline(deployment.why, 300)}"),
        facts(
            f"*Waiting for approval*\n{counted(counts[CorrectionState.PROPOSED], 'correction')}",
            f"*To train on*\n{counted(shown.train, 'example')}, {shown.new or 'none'} new to model {model.number}",
            f"*Approved*\n{_share(accepted, decided, 'decision')}",
            f"*Found helpful*\n{_share(judged[Judgement.GOOD], judgements, 'judgement')}",
        ),
    ]
    if shown.train < needed:
        blocks.append(context(f"{bar(shown.train / needed)} of the {needed} examples a run needs at least"))
    if recent:
        (run,) = recent
        lines, share = await progress_of(store, run)
        blocks.append(section(f"*Last run*  {words_of_run(run)}, {moment(run.updated_at)}"))
        if run.is_open and share is not None:
            blocks.append(context(bar(share)))
        if lines and run.state is not RunState.PROMOTED:  # why it was promoted stands above, with the model
            blocks.append(context(inline(lines[-1].words, 400)))
    elements = [button("Refresh", "home_refresh", "home")]
    if Right.ADMIN in actor.rights and not shown.refusal:
        elements.insert(
            0,
            button(
                "Retrain",
                "home_retrain",
                "home",
                style="primary",
                confirm=f"Train on {counted(shown.train, 'example')} ({shown.train_tokens:,} tokens per pass)?\n"
                f"*Cost*  {inline(shown.cost, COST_LIMIT)}",
            ),
        )
    blocks.append(actions(*elements))
    if Right.MODERATOR in actor.rights:
        blocks += await _flagged(parts)
    return blocks + (await _queue(parts) if Right.APPROVER in actor.rights else [])


async def _flagged(parts: Parts) -> list[Block]:
    """The replies somebody flagged last and no moderator has looked at, each with what a moderator may do about it."""
    flags = await open_flags(parts.store, parts.voice.id)
    blocks: list[Block] = [{"type": "divider"}, header("Flagged")] if flags else []
    for each in flags[:FLAGS_SHOWN]:
        reply = each.reply
        said = f"*{inline(each.turn.question, 150)}*\n{inline(reply.standing_text, 500)}"
        note = f": {inline(each.flag.note, 300)}" if each.flag.note else ""
        blocks.append(section(said))
        blocks.append(context(f"{words_of(each.flag.judgement)}, says {named(each.by)}{note}"))
        blocks.append(
            actions(
                button("It is good", "feedback", f"good {reply.id}"),
                button("Correct", "open_correct", reply.id, style="primary"),
                button("Why this answer?", "why", reply.id),
                button("Retract", "retract", reply.id, style="danger", confirm="The answer is taken off Slack."),
            )
        )
    if len(flags) > FLAGS_SHOWN:
        blocks.append(context(f"and {len(flags) - FLAGS_SHOWN} more, listed in the console"))
    return blocks


async def _queue(parts: Parts) -> list[Block]:
    """The corrections that wait longest, each with its buttons."""
    waiting = await parts.store.corrections.list(parts.voice.id, (CorrectionState.PROPOSED,), limit=QUEUE_SHOWN)
    blocks: list[Block] = [{"type": "divider"}, header("Waiting for approval")] if waiting else []
    for correction in waiting:
        blocks.append(section(f"*{inline(correction.question, 150)}*\n{inline(correction.corrected_text, 500)}"))
        blocks.append(actions(*decision_buttons(correction.id)))
    return blocks


async def on_screen(parts: Parts, person: Person) -> None:
    """Somebody opened Messages: offer them ways to begin."""
    client = await parts.client(person.team)
    channel = await direct_channel(client, person.user)
    await client.assistant_threads_setSuggestedPrompts(  # pyright: ignore[reportUnknownMemberType]
        channel_id=channel,
        title="How can I help?",
        prompts=[{"title": title, "message": message} for title, message in PROMPTS],
    )


def _share(part: int, whole: int, noun: str) -> str:
    return f"{part / whole:.0%} of {counted(whole, noun)}" if whole else f"no {noun} yet"
