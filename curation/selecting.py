"""Pure: approved corrections → examples. What says the same becomes one, what asks the same stands in one group."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from sys import intern

from curation.contradictions import differing
from curation.examples import Example, Kind, LeftOut, Provenance, Selection, group_key
from curation.normal import key_of, normalised
from curation.similar import THRESHOLD, Asked, cluster
from curation.sketches import Sketches, jaccard, shingles
from storage.records import Correction, CorrectionState

TOPIC_CHARACTERS = 80
MOST_MERGED_INTO = 20  # examples of one question that an answer is compared with; a template has thousands


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a selection takes beside the corrections: who is in dispute, the channels conversations stand in (by their id),
    replies marked as good, and the time.
    """

    disputed: Collection[str] = ()
    places: Mapping[str, str] = field(default_factory=dict[str, str])
    marked: Sequence[Example] = ()
    at: datetime | None = None


PLAIN = Circumstances()


def select_examples(
    corrections: Sequence[Correction], beside: Circumstances = PLAIN, sketches: Sketches | None = None
) -> Selection:
    """Turn approved corrections (ordered by id, so oldest first) into examples. Anything not approved is ignored.

    Two that ask the same in the same history, or nearly the same and are answered nearly the same, become one: the newest
    speaks, the others are named in its lineage. The same question asked after another history is another example.
    Groups that share a question, or nearly, are joined, so that a question never stands on both sides of the split; so are
    imported answers whose conversations begin with the same two messages, because they are one conversation.
    """
    usable, left_out = _usable(corrections, beside)
    chosen, merged, outvoted = _newest(usable)
    left_out += outvoted
    asked = [Asked(c.id, c.question) for c in chosen] + [Asked(e.source_id, e.question) for e in beside.marked]
    clusters = cluster(asked, sketches=sketches).of
    chosen, near = _merged(chosen, clusters, merged)
    left_out += near
    spoken_for = {id: c.id for c in chosen for id in merged[c.id]}
    by_id = {c.id: c for c in usable}
    keys = _joined_groups(usable, {c.id: clusters[spoken_for.get(c.id, c.id)] for c in usable})
    topics = _topics(chosen, clusters)
    examples = [
        _example(c, keys[c.id], merged[c.id], by_id, _provenance(c, beside.places, topics.get(clusters[c.id], "")))
        for c in sorted(chosen, key=lambda c: c.id)
    ]
    corrected = {clusters[c.id] for c in chosen}
    left_out += [(e.source_id, LeftOut.CORRECTED) for e in beside.marked if clusters[e.source_id] in corrected]
    roots = {key: example.group_key for example in examples for key in example.own_keys}
    marked = [
        replace(e, group_key=roots.get(e.group_key, e.group_key))
        for e in beside.marked
        if clusters[e.source_id] not in corrected
    ]
    return Selection(tuple(examples), tuple(sorted(left_out)), tuple(marked))


def _usable(
    corrections: Iterable[Correction], beside: Circumstances
) -> tuple[list[Correction], list[tuple[str, LeftOut]]]:
    usable: list[Correction] = []
    left_out: list[tuple[str, LeftOut]] = []
    for correction in corrections:
        if correction.state is not CorrectionState.APPROVED:
            continue
        reason = _why_not(correction, beside)
        if reason is None:
            usable.append(correction)
        else:
            left_out.append((correction.id, reason))
    return usable, left_out


def _why_not(correction: Correction, beside: Circumstances) -> LeftOut | None:
    if not correction.question.strip() or not correction.corrected_text.strip():
        return LeftOut.EMPTY
    if not correction.is_for_training:
        return LeftOut.NOT_FOR_TRAINING
    if correction.id in beside.disputed:
        return LeftOut.DISPUTED
    if beside.at is not None and correction.expires_at is not None and correction.expires_at <= beside.at:
        return LeftOut.EXPIRED
    if beside.at is not None and correction.holds_from is not None and correction.holds_from > beside.at:
        return LeftOut.NOT_YET
    return None


Merged = defaultdict[str, list[str]]
"""Correction id → ids of those that it speaks for."""


def _newest(
    corrections: Sequence[Correction],
) -> tuple[list[Correction], Merged, list[tuple[str, LeftOut]]]:
    """One for each question in its history: the newest, which speaks for the others."""
    newest: dict[tuple[str, ...], Correction] = {}
    merged: Merged = defaultdict(list)
    left_out: list[tuple[str, LeftOut]] = []
    for correction in corrections:
        key = (*_said_before(correction), key_of(correction.question))
        if (older := newest.get(key)) is not None:
            same = older.corrected_text.strip() == correction.corrected_text.strip()
            left_out.append((older.id, LeftOut.DUPLICATE if same else LeftOut.OUTVOTED))
            merged[correction.id] += [*merged.pop(older.id, []), older.id]
        newest[key] = correction
    return list(newest.values()), merged, left_out


def _merged(
    corrections: Sequence[Correction], clusters: dict[str, str], merged: Merged
) -> tuple[list[Correction], list[tuple[str, LeftOut]]]:
    """Without those that a newer one of the same cluster says nearly word for word."""
    kept: dict[tuple[str, ...], list[Correction]] = {}
    left_out: list[tuple[str, LeftOut]] = []
    for correction in sorted(corrections, key=lambda c: c.id, reverse=True):
        beside = kept.setdefault((clusters[correction.id], *_said_before(correction)), [])
        newer = next((other for other in beside[:MOST_MERGED_INTO] if _says_the_same(correction, other)), None)
        if newer is None:
            beside.append(correction)
        else:
            left_out.append((correction.id, LeftOut.NEAR_DUPLICATE))
            merged[newer.id] += [*merged.pop(correction.id, []), correction.id]
    return [correction for beside in kept.values() for correction in beside], left_out


def _says_the_same(one: Correction, other: Correction) -> bool:
    mine, theirs = one.corrected_text, other.corrected_text
    if key_of(mine) == key_of(theirs):
        return True
    return jaccard(shingles(mine), shingles(theirs)) >= THRESHOLD and not differing(mine, theirs)


def _said_before(correction: Correction) -> tuple[str, ...]:
    return tuple(normalised(message.content) for message in correction.history)


def _topics(corrections: Sequence[Correction], clusters: Mapping[str, str]) -> dict[str, str]:
    """Of each cluster with more than one member: its oldest question."""
    members: dict[str, list[Correction]] = defaultdict(list)
    for correction in corrections:
        members[clusters[correction.id]].append(correction)
    return {
        name: " ".join(min(asked, key=lambda c: c.id).question.split())[:TOPIC_CHARACTERS]
        for name, asked in members.items()
        if len(asked) > 1
    }


def _provenance(correction: Correction, places: Mapping[str, str], topic: str) -> Provenance:
    return Provenance(
        Kind.IMPORT if correction.origin.startswith("import:") else Kind.CORRECTION,
        channel=places.get(correction.conversation_id or "", ""),
        reason="" if correction.reply_id is None else str(correction.reason),
        moderator=correction.proposed_by,
        topic=topic,
        day="" if correction.decided_at is None else intern(f"{correction.decided_at:%Y-%m-%d}"),
    )


def _example(
    correction: Correction, key: str, merged: Sequence[str], by_id: Mapping[str, Correction], provenance: Provenance
) -> Example:
    return Example(
        correction.id,
        key,
        correction.history,
        correction.question.strip(),
        correction.corrected_text.strip(),
        own_keys=tuple(dict.fromkeys(map(group_key, (correction, *(by_id[id] for id in sorted(merged)))))),
        served=correction.served_text or None,
        merged=tuple(sorted(merged)),
        provenance=provenance,
    )


def _shared_keys(correction: Correction, cluster_of: str) -> tuple[str, ...]:
    """What joins a correction to others: nearly the same question; and, imported without a conversation's id, the same
    opening.
    """
    question = "q:" + cluster_of
    if correction.conversation_id is not None:
        return (question,)
    said = [*(message.content for message in correction.history), correction.question, correction.corrected_text]
    return question, "o:" + "\n".join(normalised(text) for text in said[:2])


def _joined_groups(corrections: Sequence[Correction], clusters: dict[str, str]) -> dict[str, str]:
    """Connected components over (own group) and what is shared: correction id → the component's smallest group key."""
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    for correction in corrections:
        for shared in _shared_keys(correction, clusters[correction.id]):
            own, other = root(group_key(correction)), root(shared)
            parent[max(own, other)] = min(
                own, other
            )  # hexadecimal digits sort before "o" and "q": a group key is the root
    return {correction.id: root(group_key(correction)) for correction in corrections}
