"""Dataset versions: what is in each, from whom, what was left out and why, what it would cost, and what changed between two."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here
from bot.diff import Piece, word_diff
from bot.flags import name_in
from bot.wording import words_of
from curation.card import UNKNOWN, Card
from curation.version_diff import LinePair, VersionLine, compare_versions
from curation.versions import PartlyErased, files_of
from storage.records import Actor, Correction, DatasetLine, Judgement, Message, Part, Reply, Role, Turn
from storage.store import Store

VERSIONS_SHOWN = 100
LINES_PER_PAGE = 50
DIFF_SHOWN = 100  # lines of one kind; `finetone dataset diff` writes them all
VALUES_SHOWN = 8  # of one dimension; the others are counted together

PARTS = {Part.TRAIN: "To train on", Part.HELD_OUT: "Kept back", Part.FLAGGED: "What not to say"}
DIMENSIONS = {
    "kind": "Made from",
    "reason": "Reason",
    "moderator": "Written by",
    "channel": "Channel",
    "language": "Language",
    "script": "Script",
}
KINDS = {
    "correction": "corrections",
    "mark": "replies marked as good",
    "import": "imported answers",
    "off_topic": "off-topic questions",
}
NOT_KNOWN = {"reason": "none given", "channel": "no channel", "language": "not told"}

router = APIRouter()


# ---------------------------------------------------------------- the list


@router.get("/datasets")
async def versions_list(visit: Here) -> Response:
    """The newest versions, and two to compare."""
    visit.require_team("datasets")
    found = await visit.store.datasets.list(visit.console.voice_id, VERSIONS_SHOWN)
    people = await visit.store.people.actors(version.created_by for version in found)
    numbers: dict[str, list[int]] = defaultdict(list)
    for model in await visit.store.models.list(visit.console.voice_id):
        numbers[model.dataset_version_id or ""].append(model.number)
    return await visit.page(
        "datasets.html",
        versions=[(version, name_in(people, version.created_by), numbers[version.id]) for version in found],
    )


# ---------------------------------------------------------------- one version


@dataclass(frozen=True, slots=True)
class Dimension:
    """How the examples fall over one property: (value, examples), the most frequent first; and how many have the rest."""

    title: str
    values: Sequence[tuple[str, int]]
    others: int  # values that are not listed
    in_others: int  # examples that have them
    cap: float | None  # the share that one value may have at most
    over: str  # who or what has more than that


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a dataset: what its answer was made from, the people behind it, and its other sources."""

    line: DatasetLine
    part: str
    question: str
    answer: str
    link: str
    by: str
    approved_by: str
    merged: Sequence[str]  # ids of corrections that say the same
    fixes: Sequence[str]  # ids of corrections that are shown before the question


@router.get("/datasets/{version_id}")
async def one_dataset(version_id: str, visit: Here, page: int = 1) -> Response:
    """The version's card, and each line with all that it was made from."""
    visit.require_team("datasets")
    version = await visit.store.datasets.get(version_id)
    try:
        card = await visit.parts.cards.card(version_id)
    except PartlyErased:
        card = None
    lines = await visit.store.datasets.lines(version_id)
    answers = [line for line in lines if line.role is Role.ANSWER]
    answers.sort(key=lambda line: (list(PARTS).index(line.part), line.position))
    pages = max(1, ceil(len(answers) / LINES_PER_PAGE))
    page = min(max(page, 1), pages)
    chosen = answers[(page - 1) * LINES_PER_PAGE : page * LINES_PER_PAGE]
    moderators = () if card is None else card.numbers.counts["moderator"]
    people = await visit.store.people.actors({*moderators, version.created_by})
    return await visit.page(
        "dataset.html",
        version=version,
        by=name_in(people, version.created_by),
        card=card,
        dimensions=_dimensions(card, people) if card is not None else (),
        lines=await _lines(visit.store, chosen, lines),
        page_number=page,
        pages=pages,
        others=[v for v in await visit.store.datasets.list(version.voice_id, VERSIONS_SHOWN) if v.id != version_id],
        models=[m for m in await visit.store.models.list(version.voice_id) if m.dataset_version_id == version_id],
    )


def _dimensions(card: Card, people: Mapping[str, Actor]) -> list[Dimension]:
    found: list[Dimension] = []
    for name, title in DIMENSIONS.items():
        counts = [(_value(name, value, people), n) for value, n in card.numbers.counts[name].items()]
        over = card.numbers.over_cap.get(name)
        if list(card.numbers.counts[name]) in ([], [UNKNOWN]):
            continue
        rest = counts[VALUES_SHOWN:]
        found.append(
            Dimension(
                title,
                counts[:VALUES_SHOWN],
                len(rest),
                sum(n for _, n in rest),
                card.basis.caps.get(name),
                _value(name, over.value, people) if over is not None else "",
            )
        )
    return found


def _value(name: str, value: str, people: Mapping[str, Actor]) -> str:
    if value == UNKNOWN:
        return NOT_KNOWN.get(name, UNKNOWN)
    match name:
        case "moderator":
            return name_in(people, value)
        case "reason":
            return words_of(value) if value in set(Judgement) else value
        case "kind":
            return KINDS.get(value, value)
        case _:
            return value


async def _lines(store: Store, chosen: Sequence[DatasetLine], lines: Sequence[DatasetLine]) -> list[ShownLine]:
    sources: dict[tuple[Part, int, Role], list[str]] = defaultdict(list)
    for line in lines:
        sources[line.part, line.position, line.role].append(line.source_id)
    corrections = {c.id: c for c in await store.corrections.many(line.source_id for line in chosen)}
    marked = {id: await _marked(store, id) for line in chosen if (id := line.reply_id) is not None}
    ids = {id for c in corrections.values() for id in (c.proposed_by, c.decided_by) if id}
    people = await store.people.actors({*ids, *(id for _, _, given in marked.values() for id in given)})
    shown: list[ShownLine] = []
    for line in chosen:
        merged, fixes = (sources[line.part, line.position, role] for role in (Role.MERGED, Role.FIX))
        if (correction := corrections.get(line.source_id)) is not None:
            shown.append(_of_correction(line, correction, people, merged, fixes))
        elif line.reply_id is not None:
            turn, reply, given = marked[line.reply_id]
            by = ", ".join(name_in(people, id) for id in given) or "nobody any more"
            text = reply.standing_text
            link = f"/turns/{turn.id}"
            shown.append(ShownLine(line, PARTS[line.part], turn.question, text, link, by, "", merged, fixes))
    return shown


def _of_correction(
    line: DatasetLine, made_from: Correction, people: Mapping[str, Actor], merged: Sequence[str], fixes: Sequence[str]
) -> ShownLine:
    return ShownLine(
        line,
        PARTS[line.part],
        made_from.question,
        made_from.corrected_text,
        f"/corrections/{made_from.id}",
        name_in(people, made_from.proposed_by),
        name_in(people, made_from.decided_by),
        merged,
        fixes,
    )


async def _marked(store: Store, reply_id: str) -> tuple[Turn, Reply, Sequence[str]]:
    """A marked reply, its turn, and who marked it: as good, or for what is not to be said as not right."""
    reply = await store.conversations.reply(reply_id)
    given = await store.feedback.for_reply(reply_id)
    good = [each.actor_id for each in given if each.judgement is Judgement.GOOD]
    return await store.conversations.turn(reply.turn_id), reply, good or [each.actor_id for each in given]


# ---------------------------------------------------------------- what changed between two


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A line in both versions, and what differs in its question and in its answer."""

    before: VersionLine
    after: VersionLine
    asked: Sequence[Piece]
    answer: Sequence[Piece]


@router.get("/datasets/{after_id}/diff")
async def version_diff(after_id: str, visit: Here, before: str = "") -> Response:
    """What changed from one version to another, line by line."""
    visit.require_team("datasets")
    after = await visit.store.datasets.get(after_id)
    older = await visit.store.datasets.get(before)
    old, new = await files_of(visit.store, older.id), await files_of(visit.store, after.id)
    found = await asyncio.to_thread(compare_versions, older.id, old, after.id, new)
    prompts = ["\n".join(said) for said in found.prompts]
    return await visit.page(
        "dataset_diff.html",
        before=older,
        after=after,
        changes=found,
        prompt=word_diff(*prompts) if found.is_prompt_changed else (),
        changed=[_pair(each) for each in found.changed[:DIFF_SHOWN]],
        shown=DIFF_SHOWN,
    )


def _pair(pair: LinePair) -> ShownPair:
    before, after = pair.before, pair.after
    asked = word_diff(asked_text(before.asked), asked_text(after.asked))
    return ShownPair(before, after, asked, word_diff(before.answer, after.answer))


def asked_text(messages: Sequence[Message]) -> str:
    """What was said before an answer, a line each."""
    return "\n".join(message.content for message in messages)
