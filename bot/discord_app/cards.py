"""Pure: records as cards for the team. What the team reads on Discord is written here and nowhere else.

A card is one container (components V2). Limits (docs.discord.com, components reference, read 2026-11-21): 40 components and 4,000
characters of text in one message. The container's own number marks what the card is about: it is how a card is found again.
"""

import zlib
from collections.abc import Collection, Sequence

import discord
from discord import ui

from bot.discord_app.answers import label_of, line_text, shortened
from bot.discord_app.buttons import Label, VerbButton
from bot.discord_app.markup import inline, outgoing
from bot.discord_app.quoting import DIFF, fitted, named
from bot.office.cards import DecisionNotice, HandOverCard, LearnedCard, ReviewCard, RunCard
from bot.office.changes import shown_diff
from bot.office.decisions import decision_sentence
from bot.office.verbs import Offer, critical_offer
from bot.wording import REASONS, RUNS, SCOPES, critical_told, holds_told, words_of, words_of_run
from curation.suspicion import suspicions_in
from storage.records import CorrectionState, Reply, RunState, Scope

TEXT_LIMIT = 3_900  # characters of all texts of a card together
DRAFT_LIMIT = 2_600  # characters of a reply on its draft's card
LINES_LIMIT = 3_000
WAITS, GOOD, BAD, OVER = 0xE8A33D, 0x3BA55D, 0xD83C3E, 0x80848E  # the stripe at a card's side

COLOURS = {
    CorrectionState.PROPOSED: WAITS,
    CorrectionState.APPROVED: GOOD,
    CorrectionState.REJECTED: BAD,
}
PRIMARY, DANGER = discord.ButtonStyle.primary, discord.ButtonStyle.danger


def card(subject: str, texts: Sequence[str], labels: Sequence[Label] = (), colour: int = OVER) -> ui.LayoutView:
    """A message for the team: texts below each other, and buttons under them. `subject` is what it is about."""
    view = ui.LayoutView(timeout=None)
    box: ui.Container[ui.LayoutView] = ui.Container(accent_colour=colour, id=mark_of(subject))
    for text in _within(texts):
        box.add_item(ui.TextDisplay(text))
    if labels:
        row: ui.ActionRow[ui.LayoutView] = ui.ActionRow()
        for label in labels:
            row.add_item(VerbButton(label))
        box.add_item(row)
    view.add_item(box)
    return view


def mark_of(subject: str) -> int:
    """The number a card about this carries: a component's number has 31 bits."""
    return zlib.crc32(subject.encode()) & 0x7FFFFFFF or 1


def _within(texts: Sequence[str]) -> list[str]:
    """The texts that are not empty, together within TEXT_LIMIT; the longest gives way."""
    kept = [text for text in texts if text.strip()]
    while (over := sum(map(len, kept)) - TEXT_LIMIT) > 0:
        at = max(range(len(kept)), key=lambda number: len(kept[number]))
        kept[at] = shortened(kept[at], max(100, len(kept[at]) - over))
    return kept


# ---------------------------------------------------------------- corrections


def review_card(shown: ReviewCard, link: str) -> ui.LayoutView:
    """A correction for the people who approve: what changes, why, and the decision or its buttons."""
    correction = shown.correction
    who, reason = named(shown.proposed_by), REASONS.get(correction.reason, words_of(correction.reason))
    question = fitted(correction.question, 700) or "(deleted by the customer)"
    diff, is_shortened = shown_diff(shown.pieces, DIFF)
    facts = [f"[See the thread]({link})"] if link else []
    facts += [] if correction.scope is Scope.VOICE else [SCOPES[correction.scope]]
    facts += [] if correction.is_for_training else ["Not for training"]
    facts += [told] if (told := holds_told(correction)) else []
    texts = [
        f"**Correction by {who}** · {reason}",
        f"**Question**  {question}",
        diff,
        "-# This is a long one, shown in part. **Edit** opens the whole text." if is_shortened else "",
        f"-# Note: {fitted(correction.note, 800)}" if correction.note else "",
        f"-# {' · '.join(facts)}" if facts else "",
        *(f"⚠️ **Look twice.** {inline(odd, 200)}" for odd in suspicions_in(correction)),
    ]
    colour = COLOURS.get(correction.state, OVER)
    if correction.state is CorrectionState.PROPOSED:
        return card(correction.id, texts, decision_labels(correction.id), colour)
    by = f" by {named(shown.decided_by)}" if shown.decided_by else ""
    mark = f" · {told}" if (told := critical_told(correction)) else ""
    labels = [label_of(critical_offer(correction))] if correction.state is CorrectionState.APPROVED else ()
    return card(correction.id, [*texts, f"**{words_of(correction.state)}**{by}{mark}"], labels, colour)


def decision_labels(correction_id: str) -> list[Label]:
    return [
        Label("approve", correction_id, "Approve", PRIMARY),
        Label("edit", correction_id, "Edit"),
        Label("reject", correction_id, "Reject", DANGER),
        Label("expire", correction_id, "Holds until…"),
    ]


def decision(notice: DecisionNotice) -> str:
    """What became of a correction, for who proposed it; a message's content."""
    correction = notice.correction
    who = named(notice.decided_by)
    return decision_sentence(
        correction,
        f"**{who} approved**",
        f"**{who} rejected**",
        inline(correction.question, 120),
        inline(correction.decision_note, 500),
    )


def learned_card(shown: LearnedCard) -> ui.LayoutView:
    """What a model learned, for who proposed it."""
    said = "\n".join(line_text(line) for line in shown.lines)
    return card(shown.subject, [f"**{inline(shown.heading, 200)}**", shortened(said, LINES_LIMIT)], (), GOOD)


# ---------------------------------------------------------------- people, drafts, runs


def hand_over_card(shown: HandOverCard, link: str) -> ui.LayoutView:
    """A conversation that wants a person: who asks, what was said so far, and who looks after it."""
    hand_over, who = shown.hand_over, named(shown.asked_by)
    stepped_in = hand_over.taken_at == hand_over.asked_at  # nobody asked: somebody of the team simply began to answer
    title = f"{who} answers a customer" if stepped_in else f"A person is needed, asked for by {who}"
    where = f"[Open the conversation]({link})" if link else "The conversation could not be linked."
    said = [f"**{speaker}**  {fitted(text, 400)}" for speaker, text in shown.said if text.strip()]
    reason = f"-# {fitted(hand_over.reason, 600)}" if hand_over.reason and not stepped_in else ""
    texts = [f"**{title}**\n{where}", reason, "\n".join(said)]
    if hand_over.released_at is not None:
        return card(hand_over.id, [*texts, "**Resolved.** The bot answers there again."])
    if hand_over.taken_by is not None:
        texts.append(f"{named(shown.taken_by)} looks after it. The bot is silent there.")
        return card(hand_over.id, texts, [Label("release", hand_over.id, "Resolved", PRIMARY)], GOOD)
    labels = [Label("take", hand_over.id, "I'll take it", PRIMARY), Label("release", hand_over.id, "Resolved")]
    return card(hand_over.id, texts, labels, WAITS)


def draft_card(
    reply: Reply, question: str, link: str, domains: Collection[str] = (), decided: str = ""
) -> ui.LayoutView:
    """A reply that nobody has seen yet, for a moderator to send, change or drop; or, `decided`, what became of it."""
    where = f" · [See the question]({link})" if link else ""
    texts = [
        f"**Draft**{where}\n**Question**  {fitted(question, 800)}",
        shortened(outgoing(reply.standing_text, domains), DRAFT_LIMIT) or "…",
    ]
    if decided:
        return card(reply.turn_id, [*texts, f"**{decided}**"])
    labels = [
        Label("send_draft", reply.id, "Send", PRIMARY),
        Label("edit_draft", reply.id, "Edit and send"),
        Label("drop_draft", reply.id, "Drop", DANGER),
    ]
    return card(reply.turn_id, texts, labels, WAITS)


def run_card(shown: RunCard) -> ui.LayoutView:
    """A training run in one message: where it stands, how far, and what the evaluation said."""
    run = shown.run
    texts = [f"**{RUNS[run.purpose]}** · {words_of_run(run)}"]
    if run.is_open and shown.share is not None:
        texts.append(bar(shown.share))
    texts.append(shortened("\n".join(line_text(line) for line in shown.lines), LINES_LIMIT))
    if run.is_open:
        offer = Offer("Cancel", "cancel_run", run.id, "danger", "The training job is stopped.")
        change = Label("resume_run", run.id, "Resume") if run.is_paused else Label("pause_run", run.id, "Pause")
        return card(run.id, texts, [change, label_of(offer)], WAITS)
    if run.state is RunState.PROMOTED:
        offer = Offer("Roll back", "roll_back", run.id, "", "The model before it serves again.")
        return card(run.id, texts, [label_of(offer)], GOOD)
    return card(run.id, texts)


def bar(share: float, width: int = 20) -> str:
    """A bar of text with its per cent, for 0 to 1."""
    share = max(0.0, min(1.0, share))
    full = round(share * width)
    return f"`{'█' * full}{'░' * (width - full)}` {share:.0%}"
