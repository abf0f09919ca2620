"""Dataset versions: built from what is approved now, frozen with their lineage, and read back as card, diff and export.

A version's id is the hash of its two training files. Beside them lie files that say where each line came from, so that every
number on the card can be worked out again from the version alone.
"""

import asyncio
from dataclasses import replace
from datetime import datetime

from curation.agreement import Rating
from curation.card import Basis, Card, Origin, lineage_files, recompute
from curation.cleaning import require_clean, rules_for
from curation.examples import Example, Kind
from curation.export import Export, Limits, export
from curation.exporting import exportables
from curation.gathering import Material, Press, build, gather, pick
from curation.languages import language_of
from curation.prompting import CountTokens
from curation.version_diff import VersionDiff, compare_versions
from providers.quirks import Method, Quirks
from storage.records import PROGRAM_ACTOR_ID, DatasetLine, DatasetVersion, Part, Role, Side, Voice
from storage.store import Store


class PartlyErased(Exception):
    """Lines of the version were erased because somebody asked to be forgotten; what was worked out from it cannot be again."""

    def __init__(self, version: DatasetVersion) -> None:
        erased = f" on {version.erased_at:%-d %B %Y}" if version.erased_at else ""
        super().__init__(
            f"Lines of {version.id} were erased{erased}, because somebody asked to be forgotten. Build a new version: "
            "`finetone dataset build`."
        )


async def freeze(store: Store, voice: Voice, press: Press, *, by: str, at: datetime) -> DatasetVersion:
    """Build and keep a version. The same corrections give the same version, so twice is harmless.

    Contradictions that nobody was asked about yet become open disputes first. Raises TooFewExamples, PersonalDataLeft.
    """
    material = await gather(store, voice, press, at=at)
    picked = await pick(material, voice, press)
    await store.disputes.raise_(picked.found, PROGRAM_ACTOR_ID)
    dataset = await build(picked, material.sides, voice, press)
    await asyncio.to_thread(
        require_clean, dataset.files, rules_for(f"{voice.system_prompt}\n{voice.short_prompt}", press.rules.keep)
    )
    version = DatasetVersion(
        dataset.id,
        voice.id,
        at,
        by,
        len(dataset.train),
        len(dataset.held_out),
        dataset.train_tokens,
        dataset.card,
        prompt=press.prompt,
    )
    placed = [
        (side, position, example)
        for side, examples in ((Side.TRAIN, dataset.train), (Side.HELD_OUT, dataset.held_out))
        for position, example in enumerate(examples)
    ]
    lines = [line for place in placed for line in _sources(dataset.id, *place)]
    lines += [
        DatasetLine(dataset.id, Part.FLAGGED, at_, 0, Role.ANSWER, one.group_key, reply_id=one.reply_id)
        for at_, one in enumerate(dataset.flagged)
    ]
    origins = [_origin(*place) for place in placed]
    left_out = list(dataset.card["left_out_corrections"].items())
    files = {**dataset.files, **lineage_files(origins, left_out, await _ratings(store, voice, material))}
    return await store.datasets.freeze(version, files, lines, dataset.sides, at=at)


def _sources(version_id: str, side: Side, position: int, example: Example) -> list[DatasetLine]:
    """A line's sources: what its answer is from, what it speaks for, what is shown before it.

    An off-topic line has none among what people said; the version's lineage file names the shipped question.
    """
    by_role = [(Role.MERGED, id) for id in example.merged] + [(Role.FIX, id) for id in example.fix_ids]
    is_mark = example.provenance.kind is Kind.MARK
    answer = {"reply_id": example.source_id} if is_mark else {"correction_id": example.source_id}
    part, key = Part(side), example.group_key
    if example.provenance.kind is Kind.OFF_TOPIC:
        return []
    return [
        DatasetLine(version_id, part, position, 0, Role.ANSWER, key, **answer),
        *(
            DatasetLine(version_id, part, position, source, role, key, correction_id=id)
            for source, (role, id) in enumerate(by_role, 1)
        ),
    ]


def _origin(side: Side, position: int, example: Example) -> Origin:
    came_from = example.provenance
    return Origin(
        side,
        position,
        example.source_id,
        example.group_key,
        came_from.kind,
        channel=came_from.channel,
        reason=came_from.reason,
        language=language_of(example.answer) or "",
        moderator=came_from.moderator,
        topic=came_from.topic,
        day=came_from.day,
        merged=example.merged,
        fixes=example.fix_ids,
        manner_of=example.manner_of,
    )


async def _ratings(store: Store, voice: Voice, material: Material) -> list[Rating]:
    """What was wrong with a served reply, by who corrected it and by each second reviewer, where there was one."""
    reasons = {c.id: (c.proposed_by, str(c.reason)) for c in material.approved}
    opinions = [one for one in await store.reviews.opinions(voice.id) if one.correction_id in reasons]
    seen_twice = sorted({one.correction_id for one in opinions})
    return [Rating(id, *reasons[id]) for id in seen_twice] + [
        Rating(one.correction_id, one.actor_id, str(one.reason))
        for one in opinions
        if one.actor_id != reasons[one.correction_id][0]
    ]


# ---------------------------------------------------------------- reading


async def files_of(store: Store, version_id: str) -> dict[str, bytes]:
    """Every file of a version. Raises NotFound, and PartlyErased where they are not whole any more."""
    await _require_whole(store, version_id)
    return await store.datasets.files(version_id)


async def _require_whole(store: Store, version_id: str) -> None:
    version = await store.datasets.get(version_id)
    if version.erased_at is not None:
        raise PartlyErased(version)


async def card_of(store: Store, version_id: str, basis: Basis, count_tokens: CountTokens) -> Card:
    """The version's card. Raises NotFound and PartlyErased."""
    return recompute(version_id, await files_of(store, version_id), basis, count_tokens)


async def diff(store: Store, before_id: str, after_id: str) -> VersionDiff:
    """What changed from one version to another. Raises NotFound and PartlyErased."""
    return compare_versions(before_id, await files_of(store, before_id), after_id, await files_of(store, after_id))


async def export_for(
    store: Store, version_id: str, side: Side, vendor: Quirks, method: Method, *, limits: Limits | None
) -> Export:
    """One side of a version as a training file for a vendor, from the version's own files.

    Raises NotFound, PartlyErased and MethodUnsupported.
    """
    files = await files_of(store, version_id)
    prompt, examples = await asyncio.to_thread(exportables, files, side)
    return export(examples, vendor, method, system_prompt=prompt, limits=limits)


def keeping_everything(press: Press) -> Press:
    """The same, but for looking: however few examples there are."""
    return replace(press, rules=replace(press.rules, minimum_train=0, minimum_held_out=0))
