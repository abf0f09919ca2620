"""Dataset versions: built from what is approved now, frozen with their lineage, and read back as card, diff and export.

A version's id is the hash of its two training files. Beside them lie files that say where each line came from, so that every
number on the card can be worked out again from the version alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from curation.card import Basis, Card, Kind, Origin, lineage_files, recompute
from curation.cleaning import require_clean, rules_for
from curation.dataset import Dataset, Rules, build_dataset
from curation.examples import Example, select_examples
from curation.export import Export, Exportable, Limits, export
from curation.languages import language_of
from curation.prompting import CountTokens
from curation.version_diff import VersionDiff, compare_versions
from providers.quirks import Method, Quirks
from storage.records import Conversation, Correction, DatasetLine, DatasetVersion, Part, Role, Side, Voice
from storage.store import Store


class PartlyErased(Exception):
    """Lines of the version were erased because somebody asked to be forgotten; what was worked out from it cannot be again."""

    def __init__(self, version: DatasetVersion) -> None:
        erased = f" on {version.erased_at:%-d %B %Y}" if version.erased_at else ""
        super().__init__(
            f"Lines of {version.id} were erased{erased}, because somebody asked to be forgotten. Build a new version: "
            "`finetone dataset build`."
        )


@dataclass(frozen=True, slots=True)
class Press:
    """What building takes beside the store: the rules, and who counts tokens."""

    rules: Rules
    count_tokens: CountTokens
    counter_name: str


async def build(store: Store, voice: Voice, press: Press, approved: Sequence[Correction]) -> Dataset:
    """What would be frozen of these, the voice's approved corrections. Raises TooFewExamples."""
    return build_dataset(
        select_examples(approved),
        await store.datasets.sides(voice.id),
        system_prompt=voice.system_prompt,
        rules=press.rules,
        count_tokens=press.count_tokens,
        counter_name=press.counter_name,
    )


async def freeze(store: Store, voice: Voice, press: Press, *, by: str, at: datetime) -> DatasetVersion:
    """Build and keep a version. The same corrections give the same version, so twice is harmless.

    Raises TooFewExamples, PersonalDataLeft.
    """
    approved = await store.corrections.approved(voice.id)
    dataset = await build(store, voice, press, approved)
    require_clean(dataset.files, rules_for(voice.system_prompt, press.rules.keep))
    version = DatasetVersion(
        dataset.id,
        voice.id,
        at,
        by,
        len(dataset.train),
        len(dataset.held_out),
        dataset.train_tokens,
        dataset.card,
    )
    placed = [
        (side, position, example)
        for side, examples in ((Side.TRAIN, dataset.train), (Side.HELD_OUT, dataset.held_out))
        for position, example in enumerate(examples)
    ]
    lines = [
        DatasetLine(dataset.id, Part(side), at_, 0, Role.ANSWER, one.group_key, one.correction_id)
        for side, at_, one in placed
    ]
    origins = await _origins(store, approved, placed)
    left_out = list(dataset.card["left_out_corrections"].items())
    files = {**dataset.files, **lineage_files(origins, left_out, ratings=())}
    return await store.datasets.freeze(version, files, lines, dataset.sides, at=at)


async def _origins(
    store: Store, approved: Sequence[Correction], placed: Sequence[tuple[Side, int, Example]]
) -> list[Origin]:
    corrections = {c.id: c for c in approved}
    wanted = {id for c in corrections.values() if (id := c.conversation_id) is not None}
    conversations = {c.id: c for c in await store.conversations.many(wanted)}
    return [
        _origin(side, position, one, corrections[one.correction_id], conversations) for side, position, one in placed
    ]


def _origin(
    side: Side, position: int, example: Example, made_from: Correction, conversations: Mapping[str, Conversation]
) -> Origin:
    conversation = conversations.get(made_from.conversation_id or "")
    return Origin(
        side,
        position,
        made_from.id,
        example.group_key,
        Kind.IMPORT if made_from.origin.startswith("import:") else Kind.CORRECTION,
        channel="" if conversation is None else place_of(conversation),
        reason="" if made_from.reply_id is None else str(made_from.reason),
        language=language_of(example.answer) or "",
        moderator=made_from.proposed_by,
        day="" if made_from.decided_at is None else f"{made_from.decided_at:%Y-%m-%d}",
    )


def place_of(conversation: Conversation) -> str:
    """The channel a conversation stands in: its platform, and the platform's key of it where it has channels."""
    channel, _, _ = conversation.external_id.rpartition("/")
    return f"{conversation.platform}/{channel}" if channel else conversation.platform


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
    store: Store, version_id: str, side: Side, vendor: Quirks, method: Method, *, prompt: str, limits: Limits | None
) -> Export:
    """One side of a version as a training file for a vendor. Raises NotFound, PartlyErased and MethodUnsupported."""
    await _require_whole(store, version_id)
    lines = [line for line in await store.datasets.lines(version_id) if line.part == side and line.role is Role.ANSWER]
    corrections = {c.id: c for c in await store.corrections.many(line.source_id for line in lines)}
    examples: list[Exportable] = []
    for line in sorted(lines, key=lambda line: line.position):
        made_from = corrections[line.source_id]
        served = made_from.served_text or None
        examples.append(
            Exportable(line.source_id, made_from.history, made_from.question, made_from.corrected_text, served)
        )
    return export(examples, vendor, method, system_prompt=prompt, limits=limits)


def keeping_everything(press: Press) -> Press:
    """The same, but for looking: however few examples there are."""
    return replace(press, rules=replace(press.rules, minimum_train=0, minimum_held_out=0))
