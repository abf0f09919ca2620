"""Pure: recalled fixes → example exchanges for the prompt. The bot asks with it and datasets are built with it, so that a model
is trained on the very exchanges it will be served with."""

from collections.abc import Sequence
from dataclasses import dataclass

from curation.prompting import SHAPE, CountTokens
from curation.recall import Recalled
from curation.recall.gate import Candidate, is_repeat
from curation.recall.words import in_context, read, read_answer, stands_alone
from curation.scrub.scan import PLACEHOLDER
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


def shown_for(
    recalled: Sequence[Recalled], system_prompt: str, question: str, *, budget_tokens: int, count_tokens: CountTokens
) -> Shown:
    """The exchanges of one prompt, whoever builds it: they take at most half of what system prompt and question leave."""
    left = budget_tokens - count_tokens([system_prompt, question])
    return exchanges(recalled, budget_tokens=max(0, left // 2), count_tokens=count_tokens)


def word_for_word(recalled: Sequence[Recalled], question: str, history: Sequence[Message]) -> Recalled | None:
    """The fix that answers as it stands: the best one, where nearly the same was asked before it; None where none does.

    What means something else in every conversation ("how much is it?") is the same only after the same question. An answer
    with something personal taken out is not for other people's eyes.
    """
    if not recalled or not recalled[0].is_repeat or PLACEHOLDER.search(recalled[0].fix.answer):
        return None
    best, asked = recalled[0], in_context(question, history)
    if asked == question or stands_alone(read(question)):
        return best
    return best if is_repeat(read(asked), Candidate(read(best.asked), read_answer(""))) else None


def shape(finder: str | None) -> str:
    """What prompts look like, by name: without fixes ("chat-1"), or with those that `finder` finds."""
    return SHAPE if finder is None else f"{SHAPE} {FIXES_SHAPE} {finder}"


def is_as_served(shape: str) -> bool:
    """Whether prompts of this shape have fixes in them. A base's (""), which no training has used to any, may."""
    return not shape or len(shape.split()) > 1


def trained_for_another(trained: str, served: str) -> str:
    """What differs between the shape a model was trained on and the one that is served here, as a sentence; "" for nothing.

    A model trained without fixes is served without: there the finder is nothing to it.
    """
    if not trained or (there := trained.split()) == (here := served.split()) or (len(there) == 1 and there[0] == SHAPE):
        return ""
    return f"It was trained on prompts of the shape “{' '.join(there)}”, and here they have “{' '.join(here)}”."
