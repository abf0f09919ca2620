"""Disputes on Discord: their cards, the form that asks for a day, and what their buttons do."""

from discord import ui

from bot.discord_app.buttons import Label, custom_id
from bot.discord_app.cards import GOOD, OVER, WAITS, card
from bot.discord_app.interactions import Asked, Feature, Work
from bot.discord_app.modals import choice_field, line_field
from bot.discord_app.parts import Parts
from bot.discord_app.quoting import fitted, named
from bot.disputing import BUTTONS, DATED, told, votes_told
from bot.office.cards import DisputeCard, DisputeSide
from bot.office.disputes import Ruling, open_dispute, settle_dispute
from bot.office.verbs import Said
from bot.wording import moment, words_of
from curation.disputes import differences_told
from storage.records import Actor, Settlement

SIDE_LIMIT = 1_000  # characters of one answer, of the 4,000 of a card
SETTLEMENT, DAY = "settlement", "day"
MOOT = "**No longer open:** not all that it is about is approved any more."


def dispute_card(shown: DisputeCard) -> ui.LayoutView:
    """Both sides with who wrote and who approved them, what differs, and the buttons or how it ended."""
    dispute = shown.dispute
    title = "Two answers to one question" if shown.second else "A second look doubts an approval"
    texts = [f"**{title}**", f"**Question**  {fitted(shown.first.correction.question, 500)}"]
    if shown.second is not None:
        texts += [_side("The older", shown.first), _side("The newer", shown.second)]
        texts.append(f"-# {fitted(differs, 500)}" if (differs := differences_told(dispute)) else "")
    else:
        served = shown.first.correction.served_text
        texts.append(f"**What was said**\n{fitted(served, SIDE_LIMIT)}" if served else "")
        texts.append(_side("What was approved", shown.first))
        seen = f", who sees in what was said: {words_of(shown.reason).lower()}" if shown.reason else ""
        texts.append(f"-# Doubted by {named(shown.doubted_by)}{seen}")
    if shown.is_open:
        votes = votes_told(dispute.kind, [(named(name), vote) for name, vote in shown.votes], shown.needed)
        labels = [Label(f"settle_{each}", dispute.id, words) for each, words in BUTTONS[dispute.kind].items()]
        labels += [Label("settle_on", dispute.id, "From a day on…")] if dispute.second else []
        return card(dispute.id, [*texts, f"-# {votes}" if votes and shown.needed > 1 else ""], labels, WAITS)
    if dispute.settled_at is None:
        return card(dispute.id, [*texts, MOOT], (), OVER)
    ended = f"**{told(dispute)}** {named(shown.settled_by)}, {moment(dispute.settled_at)}"
    return card(dispute.id, [*texts, ended], (), GOOD)


def date_form(dispute_id: str) -> ui.Modal:
    """The form by which an approver lets one answer hold from a day on, and the other one until then."""
    words = {Settlement.FIRST: "The older answer", Settlement.SECOND: "The newer answer"}
    form = ui.Modal(title="From a day on", custom_id=custom_id("settle_on", dispute_id))
    form.add_item(
        choice_field(SETTLEMENT, "Which one holds from then on", [(str(e), words[e]) for e in reversed(DATED)])
    )
    form.add_item(line_field(DAY, "From which day on (UTC), as 2026-12-01", limit=10))
    return form


def _side(label: str, side: DisputeSide) -> str:
    correction = side.correction
    by = f"{named(side.proposed_by)}, approved by {named(side.decided_by)}"
    when = f", {moment(correction.decided_at)}" if correction.decided_at else ""
    return f"**{label}** · {by}{when}\n{fitted(correction.corrected_text, SIDE_LIMIT)}"


def _settling(settlement: Settlement) -> Work:
    async def work(parts: Parts, actor: Actor, asked: Asked) -> Said:
        return await settle_dispute(parts, actor, asked.about, Ruling(settlement))

    return work


async def open_date(parts: Parts, actor: Actor, asked: Asked) -> ui.Modal | Said:
    """Ask from which day on. Raises NotAllowed, NotFound, AlreadySettled."""
    return date_form((await open_dispute(parts, actor, asked.about)).id)


async def settled_on(parts: Parts, actor: Actor, asked: Asked) -> Said:
    """The form with the day was sent."""
    ruling = Ruling(Settlement(asked.inputs.get(SETTLEMENT)), str(asked.inputs.get(DAY) or ""))
    return await settle_dispute(parts, actor, asked.about, ruling)


FEATURE = Feature(
    works={
        "form settle_on": settled_on,
        **{f"press settle_{settlement}": _settling(settlement) for settlement in Settlement},
    },
    opens={"press settle_on": open_date},
)
