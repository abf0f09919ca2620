"""Pure: a reply that moderators are asked about, as Block Kit."""

from bot.office.cards import DoubtCard
from bot.office.doubts import ASKED, THANKS
from bot.slack_app.blocks import Shown, actions, button, context, named, section, verbatim
from bot.slack_app.markup import quoted
from bot.wording import counted

TEXT_LIMIT = 2_000


def doubt_card(card: DoubtCard) -> Shown:
    """The question, the reply and the verbs; or who answered."""
    blocks = [
        section(f"*{ASKED}*"),
        verbatim(f"*Question*  {quoted(card.question, 400)}"),
        verbatim(f"*Answer*  {quoted(card.reply.standing_text, TEXT_LIMIT)}"),
        context(f"Asked by {counted(card.askers, 'person', 'people')} of late"),
    ]
    if card.answered_by:
        return Shown(ASKED, [*blocks, context(f"*{THANKS}*, {named(card.answered_by)}")])
    id = card.reply.id
    buttons = [
        button("Good", "feedback", f"good {id}", style="primary"),
        button("Flag", "flag", id),
        button("Correct", "open_correct", id),
    ]
    return Shown(ASKED, [*blocks, actions(*buttons)])
