"""Pure: recalled fixes → example exchanges for the prompt. The bot asks with it and datasets are built with it, so that a model
is trained on the very exchanges it will be served with."""

from collections.abc import Sequence
from dataclasses import dataclass

from curation.prompting import CountTokens
from curation.recall import Recalled
from storage.records import Message

FIXES_SHAPE = "fixes-1"  # raise when order, number or wording below changes: see SHAPE in curation/prompting.py
FIXES = (
    2  # the number measured best: more neighbours are more often wrong together, and a small model copies the wrong one
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The exchanges to put between the system prompt and the history, and the ids of the corrections in them, best first."""

    messages: tuple[Message, ...]
    fix_ids: tuple[str, ...]
    tokens: int  # that the messages' contents take of the budget


def exchanges(
    recalled: Sequence[Recalled], *, budget_tokens: int, count_tokens: CountTokens, limit: int = FIXES
) -> Shown:
    """Each fix as a question of the user's and the answer it should have had; the likeliest stands last, next to the question.

    `recalled` is best first, as recall gives it. At most `limit` are taken, and only whole exchanges that fit what is left
    of `budget_tokens`: a long one is passed over for a shorter one behind it. Of a follow-up the question before it is part,
    as it was when it was found. Nothing recalled, or no room: no messages.
    """
    taken: list[tuple[str, tuple[Message, ...]]] = []
    left = budget_tokens
    for each in recalled:
        if len(taken) >= limit:
            break
        exchange = (Message("user", each.asked), Message("assistant", each.fix.answer))
        tokens = count_tokens([message.content for message in exchange])
        if tokens <= left:
            left -= tokens
            taken.append((each.fix.id, exchange))
    messages = tuple(message for _, exchange in reversed(taken) for message in exchange)
    return Shown(messages, tuple(fix_id for fix_id, _ in taken), budget_tokens - left)
