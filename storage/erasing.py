"""What one person said, erased: from conversations, corrections, datasets and evaluations. What descends from it is marked.

A frozen version keeps its id, which is the hash of what it was; a line that is erased becomes ERASED_LINE, so that the others
keep their places. Everything happens in one transaction and is written down as an erasure, without the person's words or id.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.learned import erase_said
from storage.records import Actor, CorrectionState, Erasure, Part, PostingKind, TurnState
from storage.rows import chunks, row_of
from storage.schema import (
    actors,
    corrections,
    dataset_files,
    dataset_lines,
    dataset_versions,
    dispute_votes,
    disputes,
    erasures,
    evaluations,
    feedback,
    hand_overs,
    login_tokens,
    models,
    postings,
    replies,
    run_steps,
    runs,
    sessions,
    turns,
)

ERASED_LINE = b'{"erased": true}'
ERASED_NAME = "somebody who was forgotten"
FILES_OF_PART: Mapping[Part, tuple[str, ...]] = {
    Part.TRAIN: ("train.jsonl", "train.served.jsonl"),
    Part.HELD_OUT: ("held_out.jsonl", "held_out.served.jsonl"),
    Part.FLAGGED: ("flagged.jsonl",),
}
"""The files of a version whose line N is line N of the part; an older version has only the first."""
LINEAGE_FILE = "lineage.jsonl"  # where each line came from; its "topic" is somebody's question
OFF_TOPIC = "off_topic"  # its "kind" for a shipped question, answered in the manner of the corrections


async def erase_turns(
    connection: AsyncConnection, turn_ids: Sequence[str], at: datetime
) -> tuple[list[str], list[str]]:
    """Empty these questions, their replies and every correction of them, and take them out of other corrections' histories.

    Returns the ids of the corrections emptied, and of those that lost a part of their history. Part of a transaction.
    """
    if not turn_ids:
        return [], []
    touched = await _forget_in_histories(connection, turn_ids)
    emptied = {"question": "", "withdrawn_at": at, "state": TurnState.ANSWERED, "lease_until": None}
    await connection.execute(update(turns).where(turns.c.id.in_(turn_ids)).values(emptied))
    of_turns = select(replies.c.id).where(replies.c.turn_id.in_(turn_ids))
    gone: dict[str, Any] = {"history": [], "question": "", "served_text": "", "corrected_text": "", "note": ""}
    gone |= {"decision_note": "", "state": CorrectionState.ERASED}
    change = update(corrections).where(corrections.c.reply_id.in_(of_turns)).values(gone)
    erased = sorted((await connection.execute(change.returning(corrections.c.id))).scalars())
    for chunk in chunks(erased):  # what differed between it and another says what it said
        is_about_it = disputes.c.first.in_(chunk) | disputes.c.second.in_(chunk)
        gone_ids = select(disputes.c.id).where(is_about_it)
        await connection.execute(delete(dispute_votes).where(dispute_votes.c.dispute_id.in_(gone_ids)))
        await connection.execute(delete(disputes).where(is_about_it))
    await erase_said(connection, sorted({*erased, *touched}))
    unsaid = {"text": "", "corrected_text": None}
    await connection.execute(update(replies).where(replies.c.turn_id.in_(turn_ids)).values(unsaid))
    await _show_cards_anew(connection, turn_ids)
    return erased, sorted(touched - set(erased))


async def _show_cards_anew(connection: AsyncConnection, turn_ids: Sequence[str]) -> None:
    """The card of a hand-over quotes what was said."""
    of_conversations = select(turns.c.conversation_id).where(turns.c.id.in_(turn_ids))
    of_hand_overs = select(hand_overs.c.id).where(hand_overs.c.conversation_id.in_(of_conversations))
    is_card = (postings.c.kind == PostingKind.HAND_OVER) & postings.c.subject.in_(of_hand_overs)
    await connection.execute(update(postings).where(is_card).values(shown=""))


@uninterrupted
class Erasures:
    """What was erased for whom, and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase_person(self, actor: Actor, *, by: str, at: datetime) -> Erasure:
        """Erase what this person asked and said, and their name. Raises NotFound for an unknown actor.

        What they decided for the team (corrections they wrote for others' questions) stays, under no name.
        """
        async with self._database.writing() as connection:
            row = (await connection.execute(select(actors.c.id).where(actors.c.id == actor.id))).first()
            if row is None:
                raise NotFound("actor", actor.id)
            is_theirs = (turns.c.asked_by == actor.id) & turns.c.withdrawn_at.is_(None)
            asked = sorted((await connection.execute(select(turns.c.id).where(is_theirs))).scalars())
            erased, touched = await erase_turns(connection, asked, at)
            before = await _erased_before(connection, actor.id)
            marked = await _marked_near(connection, asked)
            versions = await _erase_lines(connection, {*erased, *touched, *before}, marked, at)
            n_judgements = await _forget_person(connection, actor)
            done = Erasure(
                id=new_id("erasure", at),
                at=at,
                by=by,
                person_hash=person_hash(actor),
                detail={
                    "questions": len(asked),
                    "judgements": n_judgements,
                    "corrections": erased,
                    "corrections_without_their_words": touched,
                    "versions": versions,
                    "models": await _mark_models(connection, [version["id"] for version in versions], at),
                    "vendors": await _held_by_vendors(connection, [version["id"] for version in versions]),
                },
            )
            await connection.execute(insert(erasures).values(row_of(done)))
            await record(connection, at, by, "erase_person", done.id, questions=len(asked), corrections=len(erased))
            return done

    async def list(self, limit: int) -> list[Erasure]:
        """The newest `limit` erasures, newest first."""
        statement = select(erasures).order_by(erasures.c.at.desc(), erasures.c.id.desc()).limit(limit)
        async with self._database.reading() as connection:
            return [Erasure(**row) for row in (await connection.execute(statement)).mappings()]


def person_hash(actor: Actor) -> str:
    """What a person is called in an erasure: whoever knows their id can find theirs, nobody can read the id from it."""
    return hashlib.sha256(f"{actor.platform}\0{actor.external_id}".encode()).hexdigest()


async def _erased_before(connection: AsyncConnection, actor_id: str) -> set[str]:
    """Corrections that a version may hold with this person's words although those were withdrawn before: of their own
    questions, and of all others in conversations where one of theirs was withdrawn.
    """
    own = (
        select(corrections.c.id)
        .join(replies, replies.c.id == corrections.c.reply_id)
        .join(turns, turns.c.id == replies.c.turn_id)
        .where(turns.c.asked_by == actor_id)
    )
    withdrawn = select(turns.c.conversation_id).where(turns.c.asked_by == actor_id, turns.c.withdrawn_at.is_not(None))
    beside = select(corrections.c.id).where(corrections.c.conversation_id.in_(withdrawn))
    return {*(await connection.execute(own)).scalars(), *(await connection.execute(beside)).scalars()}


async def _forget_in_histories(connection: AsyncConnection, turn_ids: Sequence[str]) -> set[str]:
    """Take these questions, with the answers to them, out of the histories of corrections; the corrections' ids.

    A history may hold a question without its personal data, or as it was before it was edited: so what stays in it is only
    what somebody else asked there, word for word.
    """
    of_theirs = select(turns.c.conversation_id).where(turns.c.id.in_(turn_ids))
    statement = select(turns.c.id, turns.c.question, turns.c.conversation_id).where(
        turns.c.conversation_id.in_(of_theirs)
    )
    asked = (await connection.execute(statement)).all()
    theirs = set(turn_ids)
    words_of_others = {question for id, question, _ in asked if question and id not in theirs}
    in_conversations = sorted({conversation_id for _, _, conversation_id in asked})
    statement = select(corrections.c.id, corrections.c.history).where(
        corrections.c.conversation_id.in_(in_conversations), corrections.c.state != CorrectionState.ERASED
    )
    touched: set[str] = set()
    for id, history in (await connection.execute(statement)).all():
        kept: list[Mapping[str, Any]] = []
        is_answer_to_them = False
        for message in history:
            if message["role"] == "user":
                is_answer_to_them = message["content"] not in words_of_others
            if not is_answer_to_them:
                kept.append(message)
        if len(kept) < len(history):
            touched.add(id)
            await connection.execute(update(corrections).where(corrections.c.id == id).values(history=kept))
    return touched


async def _marked_near(connection: AsyncConnection, turn_ids: Sequence[str]) -> set[str]:
    """Replies of the conversations these questions stand in: a line made from a mark has the conversation in it."""
    near = select(turns.c.conversation_id).where(turns.c.id.in_(turn_ids))
    found = await connection.execute(select(replies.c.id).where(replies.c.conversation_id.in_(near)))
    return set(found.scalars())


async def _erase_lines(
    connection: AsyncConnection, ids: Collection[str], reply_ids: Collection[str], at: datetime
) -> list[dict[str, Any]]:
    """Blank every line of every version that has one of these corrections or marked replies as a source, and the samples
    asked from them.
    """
    by_version: dict[str, dict[Part, set[int]]] = {}
    for column, sought in ((dataset_lines.c.correction_id, ids), (dataset_lines.c.reply_id, reply_ids)):
        for chunk in chunks(sorted(sought)):
            for row in (await connection.execute(select(dataset_lines).where(column.in_(chunk)))).mappings():
                by_version.setdefault(row["version_id"], {}).setdefault(row["part"], set()).add(row["position"])
    done: list[dict[str, Any]] = []
    for version_id, parts in sorted(by_version.items()):
        before = await _hashes(connection, version_id)
        if off_topic := await _off_topic(connection, version_id):
            parts.setdefault(Part.TRAIN, set()).update(off_topic)
        for part, positions in parts.items():
            for name in FILES_OF_PART[part]:
                if name in before:
                    await _blank(connection, version_id, name, positions)
        if LINEAGE_FILE in before:
            await _blank_topics(connection, version_id)
        await connection.execute(
            update(dataset_versions).where(dataset_versions.c.id == version_id).values(erased_at=at)
        )
        await _erase_samples(connection, version_id, ids)
        n_lines = sum(len(positions) for positions in parts.values())
        after = await _hashes(connection, version_id)
        done.append({"id": version_id, "lines": n_lines, "before": before, "after": after})
    return done


async def _hashes(connection: AsyncConnection, version_id: str) -> dict[str, str]:
    """SHA-256 of each of the version's files, by name."""
    statement = select(dataset_files.c.name, dataset_files.c.content).where(dataset_files.c.version_id == version_id)
    rows = (await connection.execute(statement.order_by(dataset_files.c.name))).all()
    return {name: hashlib.sha256(content).hexdigest() for name, content in rows}


async def _blank(connection: AsyncConnection, version_id: str, name: str, positions: Collection[int]) -> None:
    is_it = (dataset_files.c.version_id == version_id) & (dataset_files.c.name == name)
    content = (await connection.execute(select(dataset_files.c.content).where(is_it))).scalar_one()
    lines = bytes(content).split(b"\n")
    for position in positions:
        lines[position] = ERASED_LINE
    await connection.execute(update(dataset_files).where(is_it).values(content=b"\n".join(lines)))


async def _off_topic(connection: AsyncConnection, version_id: str) -> set[int]:
    """The lines to train on that are shipped questions: their answers open and close in somebody's words."""
    is_it = (dataset_files.c.version_id == version_id) & (dataset_files.c.name == LINEAGE_FILE)
    content = (await connection.execute(select(dataset_files.c.content).where(is_it))).scalar_one_or_none() or b""
    rows = [json.loads(line) for line in bytes(content).split(b"\n") if line]
    return {row["position"] for row in rows if row["kind"] == OFF_TOPIC}


async def _blank_topics(connection: AsyncConnection, version_id: str) -> None:
    """A topic is named by the oldest question of several, which may stand beside other people's lines."""
    is_it = (dataset_files.c.version_id == version_id) & (dataset_files.c.name == LINEAGE_FILE)
    content = bytes((await connection.execute(select(dataset_files.c.content).where(is_it))).scalar_one())
    rows = [{**json.loads(line), "topic": ""} for line in content.split(b"\n") if line]
    blanked = b"".join(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n" for row in rows)
    await connection.execute(update(dataset_files).where(is_it).values(content=blanked))


async def _erase_samples(connection: AsyncConnection, version_id: str, ids: Collection[str]) -> None:
    """The words of evaluated samples go, their scores stay."""
    of_runs = select(runs.c.id).where(runs.c.dataset_version_id == version_id)
    statement = select(evaluations.c.run_id, evaluations.c.samples).where(evaluations.c.run_id.in_(of_runs))
    for run_id, samples in (await connection.execute(statement)).all():
        nothing: dict[str, Any] = {
            "question": "",
            "reference": "",
            "incumbent_text": "",
            "candidate_text": "",
            "beside": [],
        }
        kept = [{**sample, **nothing} if sample["correction_id"] in ids else sample for sample in samples]
        await connection.execute(update(evaluations).where(evaluations.c.run_id == run_id).values(samples=kept))


async def _forget_person(connection: AsyncConnection, actor: Actor) -> int:
    """Their judgements, their name and every way in; how many judgements."""
    given = await connection.execute(delete(feedback).where(feedback.c.actor_id == actor.id))
    await connection.execute(delete(sessions).where(sessions.c.actor_id == actor.id))
    await connection.execute(delete(login_tokens).where(login_tokens.c.actor_id == actor.id))
    nobody: dict[str, Any] = {"name": ERASED_NAME, "external_id": f"erased/{person_hash(actor)}", "rights": []}
    await connection.execute(update(actors).where(actors.c.id == actor.id).values(nobody))
    return given.rowcount


async def _mark_models(connection: AsyncConnection, version_ids: Sequence[str], at: datetime) -> list[dict[str, Any]]:
    """Models that were trained on these versions carry in their weights what was erased."""
    is_trained = models.c.dataset_version_id.in_(version_ids)
    found = await connection.execute(
        update(models).where(is_trained).values(erased_at=at).returning(models.c.id, models.c.number, models.c.name)
    )
    return [{"id": id, "number": number, "name": name} for id, number, name in sorted(found.all())]


async def _held_by_vendors(connection: AsyncConnection, version_ids: Sequence[str]) -> list[dict[str, Any]]:
    """What whoever trains may still hold: files that were uploaded, jobs, tuned models."""
    columns = (runs.c.id, runs.c.training_file_id, runs.c.job_id, runs.c.candidate_name, runs.c.plan)
    statement = select(*columns).where(runs.c.dataset_version_id.in_(version_ids)).order_by(runs.c.id)
    held: list[dict[str, Any]] = []
    is_theirs = run_steps.c.run_id.in_(select(runs.c.id).where(runs.c.dataset_version_id.in_(version_ids)))
    over = select(run_steps).where(is_theirs).order_by(run_steps.c.run_id, run_steps.c.step)
    for step in (await connection.execute(over)).mappings():
        left = {"training_file": step["training_file_id"], "job": step["job_id"], "model": step["model_name"]}
        held.append({"run": step["run_id"], **left})
    for run, file, job, model, plan in (await connection.execute(statement)).all():
        held += [{"run": run, "training_file": file, "job": job, "model": model}] if file is not None else []
        held += [{"run": run, **trial} for trial in plan.get("at_vendor", ())]  # a search trains several times
    return held


def as_json(erasure: Erasure) -> str:
    """The certificate as a file to keep."""
    said = {"erasure": erasure.id, "at": erasure.at.isoformat(), "person_sha256": erasure.person_hash, **erasure.detail}
    return json.dumps(said, ensure_ascii=False, indent=2)
