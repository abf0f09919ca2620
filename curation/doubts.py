"""Ask less, learn more: which replies moderators are asked about. Those on frequent topics that no approved correction answers,
where the model that serves and another one disagree most; a topic at most once in 30 days, and a few a day.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from curation.nearness import score
from curation.prompting import build_messages
from curation.similar import Asked, cluster
from curation.workshop import Workshop
from providers.base import ProviderError
from storage.records import AskedOnce, Deployment, Doubt, Model, Voice

log = logging.getLogger(__name__)

LOOKED_BACK = timedelta(days=14)  # for what is asked now
LOOKED_AT = 2_000  # questions, the newest
NOT_AGAIN = timedelta(days=30)
LEAST_ASKERS = 2  # people who ask nearly the same; what one person asks is not frequent
MOST_TRIED = 10  # topics that both models are asked, the most frequent
LEAST_DISAGREEMENT = 0.5  # of two answers, 1 - their nearness; below, they say much the same

IsAnswered = Callable[[str], Awaitable[bool]]
"""Whether an approved correction answers a question."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What several people ask: the newest question of it, with its reply."""

    reply_id: str
    question: str
    askers: int


def topics(asked: Sequence[AskedOnce], known: Collection[str]) -> list[Topic]:
    """What at least LEAST_ASKERS ask nearly alike, the most asked first; none that `known` questions ask already.

    `asked` is oldest first. Of as many askers, the newest topic comes first.
    """
    before = [Asked(f"known/{number}", question) for number, question in enumerate(known)]
    asked_now = [Asked(each.reply_id, each.question) for each in asked if each.question.strip()]
    by_id = {each.reply_id: (place, each) for place, each in enumerate(asked)}
    members: dict[str, list[str]] = defaultdict(list)
    for id, root in cluster([*before, *asked_now]).of.items():
        members[root].append(id)
    found: list[tuple[int, Topic]] = []
    for ids in members.values():
        if any(id not in by_id for id in ids):
            continue
        place, newest = max((by_id[id] for id in ids), key=lambda each: each[0])
        askers = len({by_id[id][1].asked_by for id in ids})
        if askers >= LEAST_ASKERS:
            found.append((place, Topic(newest.reply_id, newest.question, askers)))
    return [topic for _, topic in sorted(found, key=lambda each: (-each[1].askers, -each[0]))]


def most_doubtful(tried: Sequence[tuple[Topic, float]], number: int) -> list[tuple[Topic, float]]:
    """The `number` on which answers disagree most, and disagree at all; of equal ones the more frequent."""
    doubtful = [each for each in tried if each[1] >= LEAST_DISAGREEMENT]
    return sorted(doubtful, key=lambda each: (-each[1], -each[0].askers, each[0].reply_id))[:number]


def rival(deployment: Deployment, models: Sequence[Model]) -> Model | None:
    """Whom the model that serves is compared with: the canary, else the newest other one; None where it is the only one."""
    if deployment.canary is not None:
        return deployment.canary
    others = [model for model in models if model.id != deployment.model.id]
    return max(others, key=lambda model: model.number) if others else None


async def look_for_doubts(workshop: Workshop, voice: Voice, a_day: int, is_answered: IsAnswered) -> list[Doubt]:
    """Choose what moderators are asked about today; [] where today's are chosen, or nothing is in doubt.

    Raises ProviderError where the model that serves does not answer.
    """
    store, now = workshop.store, workshop.now()
    earlier = await store.doubts.chosen_since(voice.id, now - NOT_AGAIN)
    left = a_day - sum(doubt.chosen_at > now - timedelta(days=1) for doubt, _ in earlier)
    serving = await store.models.current(voice.id)
    other = rival(serving, await store.models.list(voice.id))
    if left <= 0 or other is None:
        return []
    asked = await store.doubts.asked_since(voice.id, now - LOOKED_BACK, LOOKED_AT)
    frequent = await asyncio.to_thread(topics, asked, [question for _, question in earlier if question])
    tried: list[tuple[Topic, float]] = []
    for topic in frequent:
        if len(tried) == MOST_TRIED:
            break
        if await is_answered(topic.question):
            continue
        ours = await _answer(workshop, voice, serving.model, topic.question)
        try:
            theirs = await _answer(workshop, voice, other, topic.question)
        except ProviderError as error:
            log.info("%s cannot be compared with, so moderators are asked nothing: %s", other.name, error.kind)
            return []
        tried.append((topic, 1 - score(ours, theirs)))
    found = [
        Doubt(topic.reply_id, voice.id, topic.askers, round(disagreement, 4), now)
        for topic, disagreement in most_doubtful(tried, left)
    ]
    return await store.doubts.choose(found, a_day)


async def _answer(workshop: Workshop, voice: Voice, model: Model, question: str) -> str:
    prompted = build_messages(
        voice.prompt(model.prompt),
        (),
        question,
        budget_tokens=workshop.recipe.budget_tokens,
        count_tokens=workshop.count_tokens,
    )
    chunks = workshop.chat_model.stream(model.name, prompted.messages, workshop.recipe.sampling)
    return "".join([chunk.text async for chunk in chunks])
