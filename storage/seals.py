"""The audit's chain: each entry is sealed with a hash over itself and the hash before, so that a change later shows.

Entries are sealed in small batches a moment after they were written, not in their own transactions: a chain is one queue, and
customers' answers do not wait in it. Whoever can write to the database can of course write a whole new chain; that shows by
its head, the newest hash, once somebody has kept an earlier one elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database, uninterrupted
from storage.schema import audit, seals

BATCH = 500  # entries sealed in one transaction, or read at once to be verified
LATE = (
    10_000  # ids before the newest sealed one among which an unsealed entry is looked for: its transaction took longer
)
PROBLEMS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What walking the chain has shown. `head` is the newest hash, 64 hex digits; sealed entries are counted."""

    sealed: int
    unsealed: int  # written a moment ago; the next seal takes them
    head: str
    problems: tuple[str, ...]  # sentences, the first PROBLEMS_TOLD; () where nothing was changed

    @property
    def holds(self) -> bool:
        return not self.problems


@uninterrupted
class Seals:
    """The chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seal(self) -> int:
        """Seal what is not sealed yet, a batch at most; how many entries."""
        async with self._database.reading() as connection:
            if not await _unsealed(connection, 1):
                return 0
        async with self._database.writing() as connection:
            # The first seal is the queue: whoever holds it seals, others wait for it.
            await connection.execute(select(seals.c.seq).where(seals.c.seq == 0).with_for_update())
            newest = (await connection.execute(select(seals).order_by(seals.c.seq.desc()).limit(1))).mappings().one()
            seq, before = newest["seq"], newest["hash"]
            rows: list[dict[str, Any]] = []
            for entry in await _unsealed(connection, BATCH):
                seq, before = seq + 1, _hash(before, entry)
                rows.append({"seq": seq, "entry_id": entry["id"], "hash": before})
            if rows:
                await connection.execute(insert(seals), rows)
            return len(rows)

    async def verify(self, kept_head: str = "") -> Verdict:
        """Walk the whole chain. `kept_head` is a head that somebody kept: it has to be in the chain."""
        problems: list[str] = []
        expected, seq, is_kept_there = "0" * 64, 0, not kept_head or kept_head == "0" * 64
        async with self._database.reading() as connection:
            while batch := await _sealed_after(connection, seq):
                for row in batch:
                    problems += _problems(row, seq + 1, expected)
                    seq, expected = row["seq"], row["hash"]
                    is_kept_there = is_kept_there or expected == kept_head
            unsealed = (await connection.execute(select(func.count()).where(_is_unsealed()))).scalar_one()
        if not is_kept_there:
            problems.append(
                f"The head that was kept, {kept_head}, is not in the chain: what it sealed was cut off or replaced."
            )
        return Verdict(seq, unsealed, expected, tuple(problems[:PROBLEMS_TOLD]))


def _problems(row: Mapping[str, Any], seq: int, before: str) -> list[str]:
    """What is wrong with one sealed entry, where it should be number `seq` after the hash `before`."""
    if row["seq"] != seq:
        return [f"Seals {seq} to {row['seq'] - 1} are gone."]
    if row["at"] is None:
        return [f"Entry {row['entry_id']} was sealed and is gone."]
    if _hash(before, row) != row["hash"]:
        return [f"Entry {row['entry_id']} ({row['verb']}) is not what was sealed, or its seal was changed."]
    return []


def _hash(before: str, entry: Mapping[str, Any]) -> str:
    """SHA-256 over the hash before and the entry, as JSON with sorted keys."""
    at: datetime = entry["at"]
    said = {name: entry[name] for name in ("id", "actor_id", "verb", "subject", "detail")}
    text = json.dumps({**said, "at": at.isoformat(), "before": before}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_unsealed() -> ColumnElement[bool]:
    newest = select(func.coalesce(func.max(seals.c.entry_id), 0)).scalar_subquery()
    is_sealed = select(seals.c.entry_id).where(seals.c.entry_id == audit.c.id).exists()
    return (audit.c.id > newest - LATE) & ~is_sealed


async def _unsealed(connection: AsyncConnection, limit: int) -> list[Mapping[str, Any]]:
    statement = select(audit).where(_is_unsealed()).order_by(audit.c.id).limit(limit)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def _sealed_after(connection: AsyncConnection, seq: int) -> list[Mapping[str, Any]]:
    """The next seals with their entries; the entry's columns are None where it is gone."""
    entry = [audit.c.id, audit.c.at, audit.c.actor_id, audit.c.verb, audit.c.subject, audit.c.detail]
    statement = (
        select(seals, *entry)
        .outerjoin(audit, audit.c.id == seals.c.entry_id)
        .where(seals.c.seq > seq)
        .order_by(seals.c.seq)
        .limit(BATCH)
    )
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
