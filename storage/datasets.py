"""Frozen dataset versions: their bytes, the lineage of every line, and the side each group is on for ever."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.errors import NotFound, SideMoved
from storage.records import DatasetLine, DatasetVersion, Side
from storage.rows import insert_new, is_inserted, row_of
from storage.schema import dataset_files, dataset_lines, dataset_versions, split_sides

_IN_ORDER = (dataset_lines.c.part, dataset_lines.c.position, dataset_lines.c.source)


@uninterrupted
class Datasets:
    """The dataset versions of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sides(self, voice_id: str) -> dict[str, Side]:
        """The side of every group the voice ever froze, by group key."""
        async with self._database.reading() as connection:
            return await _sides(connection, voice_id)

    async def freeze(
        self,
        version: DatasetVersion,
        files: Mapping[str, bytes],
        lines: Sequence[DatasetLine],
        sides: Mapping[str, Side],
        *,
        at: datetime,
    ) -> DatasetVersion:
        """Save a version with its files (name → bytes), the lineage of its lines and the sides of its groups.

        A version of this id that exists is returned as it is; one with erased lines is whole again, because what was built
        without the erased words has none of them. Raises SideMoved, with nothing saved, when a group of `sides` is already
        on the other side.
        """
        async with self._database.writing() as connection:
            if not await is_inserted(connection, dataset_versions, row_of(version)):
                known = await _get(connection, version.id)
                if known.erased_at is None:
                    return known
                await _make_room(connection, version)
            await _keep_sides(connection, version.voice_id, sides, at)
            for name, content in files.items():
                row = {"version_id": version.id, "name": name, "content": content}
                await connection.execute(insert(dataset_files).values(row))
            if lines:
                await connection.execute(insert(dataset_lines), [row_of(line) for line in lines])
            counts = {"train_count": version.train_count, "held_out_count": version.held_out_count}
            await record(connection, at, version.created_by, "freeze", version.id, **counts)
            return version

    async def get(self, version_id: str) -> DatasetVersion:
        """The version with this id. Raises NotFound."""
        async with self._database.reading() as connection:
            return await _get(connection, version_id)

    async def file(self, version_id: str, name: str) -> bytes:
        """The bytes of one of the version's files. Raises NotFound."""
        is_it = (dataset_files.c.version_id == version_id) & (dataset_files.c.name == name)
        async with self._database.reading() as connection:
            content = (await connection.execute(select(dataset_files.c.content).where(is_it))).scalar_one_or_none()
            if content is None:
                raise NotFound("dataset file", f"{version_id}/{name}")
            return bytes(content)

    async def files(self, version_id: str) -> dict[str, bytes]:
        """Every file of the version by name; none for an unknown one."""
        statement = select(dataset_files.c.name, dataset_files.c.content).where(
            dataset_files.c.version_id == version_id
        )
        async with self._database.reading() as connection:
            return {name: bytes(content) for name, content in (await connection.execute(statement)).all()}

    async def lines(self, version_id: str) -> list[DatasetLine]:
        """What each line was made from, by part, position and source."""
        statement = select(dataset_lines).where(dataset_lines.c.version_id == version_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(*_IN_ORDER))
            return [DatasetLine(**row) for row in rows.mappings()]

    async def versions_with(self, correction_id: str) -> list[DatasetLine]:
        """Every line this correction ever was a source of, oldest version first."""
        statement = (
            select(dataset_lines)
            .join(dataset_versions, dataset_versions.c.id == dataset_lines.c.version_id)
            .where(dataset_lines.c.correction_id == correction_id)
            .order_by(dataset_versions.c.created_at, dataset_lines.c.version_id, *_IN_ORDER)
        )
        async with self._database.reading() as connection:
            return [DatasetLine(**row) for row in (await connection.execute(statement)).mappings()]

    async def list(self, voice_id: str, limit: int) -> list[DatasetVersion]:
        """The voice's newest `limit` versions, newest first."""
        statement = (
            select(dataset_versions)
            .where(dataset_versions.c.voice_id == voice_id)
            .order_by(dataset_versions.c.created_at.desc(), dataset_versions.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            return [DatasetVersion(**row) for row in (await connection.execute(statement)).mappings()]


async def _get(connection: AsyncConnection, version_id: str) -> DatasetVersion:
    statement = select(dataset_versions).where(dataset_versions.c.id == version_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("dataset version", version_id)
    return DatasetVersion(**row)


async def _make_room(connection: AsyncConnection, version: DatasetVersion) -> None:
    """Put the version in the place of what was left of it."""
    for table in (dataset_files, dataset_lines):
        await connection.execute(delete(table).where(table.c.version_id == version.id))
    is_it = dataset_versions.c.id == version.id
    await connection.execute(update(dataset_versions).where(is_it).values(row_of(version)))


async def _sides(connection: AsyncConnection, voice_id: str) -> dict[str, Side]:
    statement = select(split_sides.c.group_key, split_sides.c.side).where(split_sides.c.voice_id == voice_id)
    return {row["group_key"]: row["side"] for row in (await connection.execute(statement)).mappings()}


async def _keep_sides(connection: AsyncConnection, voice_id: str, sides: Mapping[str, Side], at: datetime) -> None:
    """Insert the sides of new groups; of two versions frozen at once the first one decides, the other one raises."""
    rows = [
        {"voice_id": voice_id, "group_key": group_key, "side": side, "since": at}
        for group_key, side in sorted(sides.items())
    ]
    await insert_new(connection, split_sides, rows, key="group_key")
    kept = await _sides(connection, voice_id)
    for group_key, asked in sides.items():
        if kept[group_key] is not asked:
            raise SideMoved(group_key, kept[group_key], asked)
