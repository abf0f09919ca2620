"""What a moderator hears of what a serving model made of their corrections: learned, or said too often. One message a model."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from bot.office.cards import LearnedCard
from bot.office.office import Office
from bot.office.telling import Line
from bot.readings import LEARNED
from bot.text import clean_reply, excerpt
from bot.wording import counted
from storage.learned import told_to
from storage.records import AskedAs, Correction, LearnedVerdict, Model
from storage.store import Store

SHOWN = 8  # corrections in one message
MOST_AT_ONE_LOOK = 10_000  # learned corrections: more than one run can judge, so that a message tells all of its model
NEWS_FOR = timedelta(days=14)  # after a verdict: longer than a canary lasts
LEFT_ONE = "The fix has left its prompt. Should another model serve, the fix comes back by itself."
LEFT_MANY = "Their fixes have left its prompt. Should another model serve, they come back by themselves."


TOO_MUCH = "A correction of its answer there teaches the next model the difference."


async def card_of(office: Office, model_id: str, actor_id: str, correction_ids: Collection[str]) -> LearnedCard:
    """What it says of these, each with the answer the model gave with no fix in its prompt; then of those it says too often."""
    store = office.store
    model = await store.models.get(model_id)
    verdicts = {each.correction_id: each.verdict for each in await store.learned.of_model(model_id)}
    corrections = sorted(await store.corrections.many(correction_ids), key=lambda each: each.id)
    in_weights = [each for each in corrections if verdicts[each.id] is LearnedVerdict.LEARNED]
    over = [each for each in corrections if verdicts[each.id] is LearnedVerdict.OVER_GENERALISED]
    lines = [*await _learned_lines(office, model, in_weights), *await _over_lines(store, model, over)]
    heading = f"{LEARNED[0].upper()}{LEARNED[1:]}" if in_weights else "Over-generalised"
    return LearnedCard(told_to(model_id, actor_id), f"{heading} by model {model.number}", lines)


async def _learned_lines(office: Office, model: Model, corrections: Sequence[Correction]) -> list[Line]:
    if not corrections:
        return []
    one = len(corrections) == 1
    yours = "Your correction is" if one else f"{counted(len(corrections), 'correction')} of yours are"
    serves = (await office.store.models.current(office.voice.id)).model.id == model.id
    now = "which serves now" if serves else "which served and does no more"
    lines = [Line(f"{yours} in the weights of model {model.number}, {now}. Asked with no fix in its prompt, it says:")]
    for each in corrections[:SHOWN]:
        said = await office.store.learned.answers(each.id, model.id)
        right = next((answer.answer for answer in said if answer.asked_as is AskedAs.ALONE and answer.is_right), "")
        lines.append(Line(excerpt(clean_reply(right), 300), excerpt(each.question, 120)))
    return [*lines, *_more(corrections), Line(LEFT_ONE if one else LEFT_MANY)]


async def _over_lines(store: Store, model: Model, corrections: Sequence[Correction]) -> list[Line]:
    if not corrections:
        return []
    one = len(corrections) == 1
    yours = "Your correction is" if one else f"{counted(len(corrections), 'correction')} of yours are"
    stays = "so its fix stays" if one else "so their fixes stay"
    lines = [
        Line(
            f"{yours} over-generalised by model {model.number}: right, but also said where another answer is, {stays}."
        )
    ]
    for each in corrections[:SHOWN]:
        said = await store.learned.answers(each.id, model.id)
        reached = [one.question for one in said if one.asked_as is AskedAs.NEIGHBOUR and not one.is_right]
        where = (
            ", ".join(f"“{excerpt(question, 120)}”" for question in reached if question) or "a question erased since"
        )
        lines.append(Line(f"also said to {where}", excerpt(each.question, 120)))
    return [*lines, *_more(corrections), Line(TOO_MUCH)]


def _more(corrections: Sequence[Correction]) -> list[Line]:
    return [Line(f"And {len(corrections) - SHOWN} more.")] if len(corrections) > SHOWN else []
