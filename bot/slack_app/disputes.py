"""Pure: a dispute as Block Kit, and the form that asks from which day on one of two answers holds."""

from bot.disputing import BUTTONS, DATED, told, votes_told
from bot.office.cards import DisputeCard, DisputeSide
from bot.slack_app.blocks import Block, Shown, actions, button, context, named, section, verbatim
from bot.slack_app.form_parts import About, choice, date_input, modal
from bot.slack_app.markup import quoted
from bot.wording import moment, words_of
from curation.disputes import differences_told
from storage.records import Dispute, Settlement

SIDE_LIMIT = 1_200  # characters of one answer
FORM = "settle_on"
SETTLEMENT, DAY = "settlement", "day"
MOOT = "*No longer open:* not all that it is about is approved any more."


def dispute_card(card: DisputeCard) -> Shown:
    """Both sides with who wrote and who approved them, what differs, and the buttons or how it ended."""
    dispute = card.dispute
    title = "Two answers to one question" if card.second else "A second look doubts an approval"
    blocks = [section(f"*{title}*"), verbatim(f"*Question*  {quoted(card.first.correction.question, 400)}")]
    if card.second is not None:
        blocks += [_side("The older", card.first), _side("The newer", card.second)]
        if differs := differences_told(dispute):
            blocks.append(context(quoted(differs, 600)))
    else:
        if served := card.first.correction.served_text:
            blocks.append(verbatim(f"*What was said*\n{quoted(served, SIDE_LIMIT)}"))
        blocks.append(_side("What was approved", card.first))
        seen = f", who sees in what was said: {words_of(card.reason).lower()}" if card.reason else ""
        blocks.append(context(f"Doubted by {named(card.doubted_by)}{seen}"))
    votes = votes_told(dispute.kind, [(named(name), vote) for name, vote in card.votes], card.needed)
    if card.is_open:
        blocks += [context(votes)] if votes and card.needed > 1 else []
        blocks.append(actions(*_buttons(dispute)))
    elif dispute.settled_at is not None:
        blocks.append(context(f"*{told(dispute)}* {named(card.settled_by)}, {moment(dispute.settled_at)}"))
    else:
        blocks.append(context(MOOT))
    return Shown(title, blocks)


def date_form(about: About) -> Block:
    """The form by which an approver lets one answer hold from a day on, and the other one until then."""
    words = {Settlement.FIRST: "The older answer", Settlement.SECOND: "The newer answer"}
    return modal(
        FORM,
        "From a day on",
        "Vote",
        about,
        [
            choice(SETTLEMENT, "Which one holds from then on", [(str(each), words[each]) for each in reversed(DATED)]),
            date_input(DAY, "From which day on (UTC)", "Until then, the other one holds."),
        ],
    )


def _side(label: str, side: DisputeSide) -> Block:
    correction = side.correction
    by = f"{named(side.proposed_by)}, approved by {named(side.decided_by)}"
    when = f", {moment(correction.decided_at)}" if correction.decided_at else ""
    return verbatim(f"*{label}* · {by}{when}\n{quoted(correction.corrected_text, SIDE_LIMIT)}")


def _buttons(dispute: Dispute) -> list[Block]:
    found = [button(words, f"settle_{each}", dispute.id) for each, words in BUTTONS[dispute.kind].items()]
    return [*found, *([button("From a day on…", FORM, dispute.id)] if dispute.second else [])]
