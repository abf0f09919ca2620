"""Everything a dataset version is made from, read once; and what is chosen of it, before anything is frozen."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from curation.as_served import AsServed
from curation.checks import Check, declared
from curation.cleaning import rules_for
from curation.dataset import Dataset, Rules, build_dataset
from curation.disputes import disputes_among
from curation.examples import Selection
from curation.marks import Flagged, Marked, MarkPolicy, examples_of, trusted, worth_reading
from curation.prompting import HISTORY_TURNS, SHAPE, CountTokens, said
from curation.recall import Fix, fix_of
from curation.scrub import Person, Placeholders, scrub_conversation
from curation.selecting import Circumstances, select_examples
from curation.sketches import Sketches
from curation.voice_card import checks_of
from storage.disputes import blocked
from storage.records import (
    Conversation,
    Correction,
    Dispute,
    Held,
    MarkedReply,
    Message,
    PromptKind,
    Right,
    Side,
    Voice,
)
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Press:
    """What building takes beside the store: the rules, who counts tokens, which of the voice's prompts lines begin with.

    `as_served` shows each example the fixes it would be served with; None builds without.
    """

    rules: Rules
    count_tokens: CountTokens
    counter_name: str
    prompt: PromptKind = PromptKind.FULL
    as_served: AsServed | None = None

    @property
    def shape(self) -> str:
        """Of the prompts that lines have, by name."""
        return SHAPE if self.as_served is None else self.as_served.shape


@dataclass(frozen=True, slots=True)
class Material:
    """What a version can be made from."""

    approved: Sequence[Correction]
    disputed: frozenset[str]  # ids of corrections in open disputes
    asked_about: frozenset[tuple[str, str]]  # pairs that were ever in dispute
    marked: Sequence[Marked]
    places: Mapping[str, str]  # conversation id → channel
    sides: Mapping[str, Side]
    checks: tuple[Check, ...]  # what answers of the voice keep to
    at: datetime


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen of the material, and the contradictions that were found in it: both sides of each are left out."""

    selection: Selection
    flagged: tuple[Flagged, ...]
    found: tuple[Dispute, ...]
    fixes: tuple[Fix, ...]  # what is chosen, as recall shows it
    checks: tuple[Check, ...]  # what answers of the voice keep to


async def gather(store: Store, voice: Voice, press: Press, *, at: datetime) -> Material:
    """Read it."""
    approved = await store.corrections.approved(voice.id)
    places = await places_of(store, approved)
    return Material(
        approved,
        blocked(await store.disputes.open(voice.id)),
        await store.disputes.pairs(voice.id),
        await _marked(store, voice, press.rules, at),
        places,
        await store.datasets.sides(voice.id),
        declared(await checks_of(store, voice.id)),
        at,
    )


async def places_of(store: Store, corrections: Iterable[Correction]) -> dict[str, str]:
    """Of the conversations these were made in, by id: the channel each stands in."""
    wanted = {c.conversation_id for c in corrections if c.conversation_id is not None}
    return {c.id: place_of(c) for c in await store.conversations.many(wanted)}


def place_of(conversation: Conversation) -> str:
    """The channel a conversation stands in: its platform, and the platform's key of it where it has channels."""
    channel, _, _ = conversation.external_id.rpartition("/")
    return f"{conversation.platform}/{channel}" if channel else conversation.platform


async def pick(material: Material, voice: Voice, press: Press) -> Picked:
    """Choose, off the event loop: with 100,000 corrections it takes seconds."""
    return await asyncio.to_thread(_pick, material, voice, press)


def _pick(material: Material, voice: Voice, press: Press) -> Picked:
    sketches = Sketches()  # of the questions: contradictions and near-duplicates are looked for among the same ones
    found = disputes_among(material.approved, material.places, material.asked_about, at=material.at, sketches=sketches)
    good, bad = examples_of(material.marked)
    beside = Circumstances(material.disputed | blocked(found), material.places, good, material.at)
    selection = select_examples(material.approved, beside, sketches)
    chosen = {example.source_id for example in selection.examples}
    fixes = [
        fix_of(c, channel=material.places.get(c.conversation_id or "", ""), expires_at=c.expires_at)
        for c in material.approved
        if c.id in chosen
    ]
    return Picked(selection, tuple(bad), tuple(found), tuple(fixes), material.checks)


async def build(picked: Picked, known_sides: Mapping[str, Side], voice: Voice, press: Press) -> Dataset:
    """What would be frozen, off the event loop. Raises TooFewExamples."""
    return await asyncio.to_thread(_build, picked, known_sides, voice, press)


def _build(picked: Picked, known_sides: Mapping[str, Side], voice: Voice, press: Press) -> Dataset:
    prompt, count_tokens = voice.prompt(press.prompt), press.count_tokens
    served = None
    if press.as_served is not None:
        served = press.as_served.over(picked.fixes, voice.id, prompt, count_tokens, picked.checks)
    return build_dataset(
        picked.selection,
        known_sides,
        system_prompt=prompt,
        rules=press.rules,
        count_tokens=count_tokens,
        counter_name=press.counter_name,
        flagged=picked.flagged,
        served=served,
        shape=press.shape,
    )


async def build_now(store: Store, voice: Voice, press: Press, *, at: datetime) -> Dataset:
    """What would be frozen of what is approved now. Raises TooFewExamples."""
    material = await gather(store, voice, press, at=at)
    return await build(await pick(material, voice, press), material.sides, voice, press)


# ---------------------------------------------------------------- marks


async def _marked(store: Store, voice: Voice, rules: Rules, at: datetime) -> list[Marked]:
    """Marked replies that become something, without personal data, from channels whose words may be trained on."""
    marked = await store.feedback.marked(voice.id, until=at)
    counting = await _counting(store, voice, marked, rules.marks)
    hold = (await store.holds.open(voice.id)).get(Held.MARKS)
    worth = worth_reading(marked, counting, rules.marks, held_since=None if hold is None else hold.since)
    if not worth:
        return []
    places = {c.id: place_of(c) for c in await store.conversations.many({each.turn.conversation_id for each in worth})}
    closed = await _closed_to_training(store, {each.turn.platform for each in worth})
    askers = await store.people.actors({each.turn.asked_by for each in worth})
    found: list[Marked] = []
    for each in worth:
        place = places[each.turn.conversation_id]
        if place in closed:
            continue
        history = said(
            await store.conversations.history(each.turn.conversation_id, before=each.turn, limit=HISTORY_TURNS)
        )
        asker = askers.get(each.turn.asked_by)
        names = [] if asker is None or asker.rights else [Person((asker.name,))]
        found.append(_clean(Marked(each, history, place), voice, rules, names))
    return found


async def _counting(store: Store, voice: Voice, marked: Sequence[MarkedReply], policy: MarkPolicy) -> frozenset[str]:
    """The moderators whose marks count."""
    people = await store.people.actors({given.actor_id for each in marked for given in each.feedback})
    moderators = [id for id, actor in people.items() if actor.has(Right.MODERATOR)]
    decided = await store.corrections.decided_of(voice.id)
    return trusted(decided, moderators, policy)


async def _closed_to_training(store: Store, platforms: set[str]) -> frozenset[str]:
    """Channels whose words may not be trained on."""
    channels = [channel for platform in sorted(platforms) for channel in await store.channels.list(platform)]
    return frozenset(f"{one.platform}/{one.place}" for one in channels if not one.is_training_allowed)


def _clean(marked: Marked, voice: Voice, rules: Rules, names: Sequence[Person]) -> Marked:
    """Without personal data, as a correction is on approval."""
    turn, reply = marked.reply.turn, marked.reply.reply
    texts = [*(message.content for message in marked.history), turn.question, reply.text]
    scrub = rules_for(voice.system_prompt, rules.keep, names)
    *before, question, answer = [
        one.text for one in scrub_conversation(texts, Placeholders(secrets.token_bytes(16)), scrub)
    ]
    history = tuple(Message(old.role, new) for old, new in zip(marked.history, before, strict=True))
    clean = replace(marked.reply, turn=replace(turn, question=question), reply=replace(reply, text=answer))
    return Marked(clean, history, marked.channel)
