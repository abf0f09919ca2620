"""Pure: records as Block Kit. What people see in Slack is written here and nowhere else.

Limits (docs.slack.dev, Block Kit, read 2026-11-21): a section takes 3,000 characters, a markdown block 12,000, a button's
text 75 and its value 2,000; beyond about 13,200 characters in all a message is refused.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bot.diff import Piece
from bot.office.changes import Look, shown_diff
from bot.office.decisions import decision_sentence
from bot.office.rights import NAME_LIMIT
from bot.office.telling import Line, Offer, Told
from bot.office.verbs import Said, critical_offer
from bot.slack_app.markup import fallback, inline, outgoing, quoted, words
from bot.wording import REASONS, RUNS, SCOPES, critical_told, holds_told, words_of, words_of_run
from curation.suspicion import suspicions_in
from storage.records import Correction, CorrectionState, HandOver, Reply, Run, RunState, Scope

Block = dict[str, Any]

PART_LIMIT = 9_000  # characters of one message's text; leaves room for the blocks below it
SECTION_LIMIT = 2_900
DIFF_LIMIT = 2_600  # characters of a diff as it is sent
SENTENCE_LIMIT = 1_000

AUTOMATED = "AI reply, a teammate can correct it"
EDITED = "Edited by a teammate"
STOPPED = "Stopped on request"


@dataclass(frozen=True, slots=True)
class Shown:
    """A message's content: the blocks, and the text that stands for them in notifications and screen readers."""

    text: str
    blocks: list[Block]


# ---------------------------------------------------------------- the parts


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_LIMIT] or "…"}}


def verbatim(text: str) -> Block:
    """A section in which Slack makes no links by itself."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_LIMIT] or "…", "verbatim": True}}


def named(name: str) -> str:
    """Somebody's name for a card: people choose their own, so nothing in it acts."""
    return inline(name, NAME_LIMIT) or "somebody"


def facts(*texts: str) -> Block:
    """Short texts in two columns; at most ten."""
    return {"type": "section", "fields": [{"type": "mrkdwn", "text": text[:2_000] or "…"} for text in texts]}


def context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text[:SECTION_LIMIT] or "…"}]}


def button(label: str, action: str, value: str, *, style: str = "", confirm: str = "", said: str = "") -> Block:
    """`said` is what a screen reader says instead of the label."""
    found: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": label, "emoji": True},
        "action_id": action,
        "value": value,
    }
    if said:
        found["accessibility_label"] = said[:75]
    if style:
        found["style"] = style
    if confirm:
        found["confirm"] = {
            "title": {"type": "plain_text", "text": label[:100]},
            "text": {"type": "mrkdwn", "text": confirm[:300]},
            "confirm": {"type": "plain_text", "text": label[:30]},
            "deny": {"type": "plain_text", "text": "Not now"},
        }
    return found


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def said_blocks(said: Said) -> list[Block]:
    """A sentence to one person, with what they may do next."""
    return [section(words(said.text)), *_offered(said.offers)]


def told_blocks(told: Told) -> list[Block]:
    """Lines to one person, with what they may do next."""
    return [section(told_text(told)), *_offered(told.offers)]


def _offered(offers: Sequence[Offer]) -> list[Block]:
    buttons = [button(o.label, o.action, o.value, style=o.style, confirm=o.confirm) for o in offers]
    return [actions(*buttons)] if buttons else []


def shown_answer(answer: Said | Told) -> Shown:
    """What one person is told after a press or a form: a sentence with its buttons, or lines."""
    if isinstance(answer, Told):
        return Shown(told_text(answer), told_blocks(answer))
    return Shown(words(answer.text), said_blocks(answer))


def told_text(told: Told) -> str:
    """An answer's lines in Slack's own markup."""
    heading = [f"*{words(told.heading)}*"] if told.heading else []
    return "\n".join([*heading, *lines_of(told.lines)])


def lines_of(lines: Sequence[Line]) -> list[str]:
    return [f"{_label(line)}  {words(line.words)}" if line.label else words(line.words) for line in lines]


def _label(line: Line) -> str:
    return f"*<{line.link}|{words(line.label)}>*" if line.link else f"*{words(line.label)}*"


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text[:150]}}


# ---------------------------------------------------------------- a reply


def controls(reply: Reply) -> list[Block]:
    """What stands under a reply's last part: whose it is, what one thinks of it, and a way to a person."""
    feedback: Block = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {
            "text": {"type": "plain_text", "text": "Helpful"},
            "value": f"good {reply.id}",
            "accessibility_label": "This reply was helpful",
        },
        "negative_button": {
            "text": {"type": "plain_text", "text": "Not right"},
            "value": f"wrong {reply.id}",
            "accessibility_label": "This reply was not right",
        },
    }
    human = button("Needs a human", "hand_over", reply.id, said="Ask for a person from the team")
    whose = AUTOMATED if reply.corrected_text in (None, reply.text) else EDITED
    return [context(whose), {"type": "context_actions", "elements": [feedback]}, actions(human)]


def follow_up(said: str, reply: Reply) -> Shown:
    """A question back under a reply, with the reply's own controls."""
    return Shown(said, [section(words(said)), *controls(reply)[1:]])


def reply_part(text: str, reply: Reply | None, *, is_stopped: bool = False) -> Shown:
    """One message of a reply, `text` being outgoing already; `reply` for the last part, which carries the controls.

    `is_stopped`: somebody did not let it be said to its end.
    """
    blocks: list[Block] = [{"type": "markdown", "text": text}]
    if reply is None:
        return Shown(fallback(text), blocks)
    return Shown(fallback(text), [*blocks, *([context(STOPPED)] if is_stopped else []), *controls(reply)])


# ---------------------------------------------------------------- cards


LOOK = Look(quoted, lambda text: f"~{text}~", lambda text: f"*{text}*", DIFF_LIMIT)
"""How a diff looks in Slack: ~struck out~ for what goes, *bold* for what comes."""


def review_card(correction: Correction, pieces: Sequence[Piece], proposed_by: str, decided_by: str, link: str) -> Shown:
    """A correction for the people who approve: what changes, why, and the decision or its buttons."""
    who = named(proposed_by)
    reason = REASONS.get(correction.reason, words_of(correction.reason))
    changes, is_shortened = shown_diff(pieces, LOOK)
    blocks = [
        section(f"*Correction by {who}* · {reason}"),
        verbatim(f"*Question*  {quoted(correction.question, 400) or '(deleted by the customer)'}"),
        verbatim(changes),
    ]
    if is_shortened:
        blocks.append(context("This is a long one, shown in part. *Edit* opens the whole text."))
    if correction.note:
        blocks.append(context(f"Note: {inline(correction.note, 600)}"))
    facts = [f"<{link}|See the thread>"] if link else []
    facts += [] if correction.scope is Scope.VOICE else [SCOPES[correction.scope]]
    facts += [] if correction.is_for_training else ["Not for training"]
    facts += [told] if (told := holds_told(correction)) else []
    if facts:
        blocks.append(context(" · ".join(facts)))
    for odd in suspicions_in(correction):
        blocks.append(verbatim(f":warning: *Look twice.* {quoted(odd, 200)}"))
    if correction.state is CorrectionState.PROPOSED:
        blocks.append(actions(*decision_buttons(correction.id)))
    else:
        by = f" by {named(decided_by)}" if decided_by else ""
        mark = f" · {told}" if (told := critical_told(correction)) else ""
        blocks.append(context(f"*{words_of(correction.state)}*{by}{mark}"))
    if correction.state is CorrectionState.APPROVED:
        blocks += _offered([critical_offer(correction)])
    return Shown(f"Correction by {who}: {words_of(correction.state)}", blocks)


def decision_buttons(correction_id: str) -> list[Block]:
    return [
        button("Approve", "approve", correction_id, style="primary"),
        button("Edit", "edit", correction_id),
        button("Reject", "reject", correction_id, style="danger"),
        button("Holds until…", "expire", correction_id),
    ]


def decision(correction: Correction, decided_by: str) -> Shown:
    """What became of a correction, for who proposed it."""
    who = named(decided_by)
    said = decision_sentence(
        correction,
        f"*{who} approved*",
        f"*{who} rejected*",
        inline(correction.question, 120),
        inline(correction.decision_note, 500),
    )
    return Shown(said, [section(said)])


def learned_card(heading: str, lines: Sequence[Line]) -> Shown:
    """What a model learned, for who proposed it."""
    said = [section(f"*{words(heading)}*"), section("\n".join(lines_of(lines))[:SECTION_LIMIT])]
    return Shown(words(heading), said)


def hand_over_card(
    hand_over: HandOver, asked_by: str, taken_by: str, summary: Sequence[tuple[str, str]], link: str
) -> Shown:
    """A conversation that wants a person: who asks, what was said so far, and who looks after it."""
    who = named(asked_by)
    where = f"<{link}|Open the thread>" if link else "The thread could not be linked."
    stepped_in = hand_over.taken_at == hand_over.asked_at  # nobody asked: somebody of the team simply began to answer
    title = f"{who} answers a customer" if stepped_in else f"A person is needed, asked for by {who}"
    blocks = [section(f"*{title}*\n{where}")]
    if hand_over.reason and not stepped_in:
        blocks.append(context(inline(hand_over.reason, 600)))
    lines = [f"*{speaker}*  {inline(text, 300)}" for speaker, text in summary if text.strip()]
    if lines:
        blocks.append(section("\n".join(lines)[:SECTION_LIMIT]))
    if hand_over.released_at is not None:
        blocks.append(context("*Resolved.* The bot answers there again."))
        return Shown(f"{title}. Resolved.", blocks)
    if hand_over.taken_by is not None:
        blocks.append(context(f"{named(taken_by)} looks after it. The bot is silent there."))
        blocks.append(actions(button("Resolved", "release", hand_over.id, style="primary")))
    else:
        blocks.append(
            actions(
                button("I'll take it", "take", hand_over.id, style="primary"),
                button("Resolved", "release", hand_over.id),
            )
        )
    return Shown(title, blocks)


def draft_card(reply: Reply, question: str, link: str, domains: Collection[str] = ()) -> Shown:
    """A reply that nobody has seen yet, for a moderator to send, change or drop."""
    where = f" · <{link}|See the question>" if link else ""
    blocks = [
        section(f"*Draft*{where}\n*Question*  {inline(question, 400)}"),
        {"type": "markdown", "text": outgoing(reply.text, domains)[:PART_LIMIT] or "…"},
        actions(
            button("Send", "send_draft", reply.id, style="primary"),
            button("Edit and send", "edit_draft", reply.id),
            button("Drop", "drop_draft", reply.id, style="danger"),
        ),
    ]
    return Shown(f"Draft for: {inline(question, 150)}", blocks)


def run_card(run: Run, lines: Sequence[Line], progress: float | None) -> Shown:
    """A training run in one message: where it stands, how far, and what the evaluation said."""
    title = f"*{RUNS[run.purpose]}* · {words_of_run(run)}"
    blocks = [section(title)]
    if run.is_open and progress is not None:
        blocks.append(context(bar(progress)))
    if lines:
        blocks.append(section("\n".join(lines_of(lines))[:SECTION_LIMIT]))
    if run.is_open:
        change = button("Resume", "resume_run", run.id) if run.is_paused else button("Pause", "pause_run", run.id)
        cancel = button("Cancel", "cancel_run", run.id, style="danger", confirm="The training job is stopped.")
        blocks.append(actions(change, cancel))
    elif run.state is RunState.PROMOTED:
        blocks.append(actions(button("Roll back", "roll_back", run.id, confirm="The model before it serves again.")))
    return Shown(f"{RUNS[run.purpose]}: {words_of_run(run)}", blocks)


def bar(share: float, width: int = 20) -> str:
    """A bar of text with its per cent, for 0 to 1."""
    share = max(0.0, min(1.0, share))
    full = round(share * width)
    return f"{'█' * full}{'░' * (width - full)} {share:.0%}"  # not as code, which Slack draws in red
