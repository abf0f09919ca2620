"""Who acts: actors, their rights, and how a browser comes to speak for one. Keeps hashes of tokens, never a token."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.audit import record
from storage.database import Database, reading_unit, uninterrupted
from storage.errors import NotFound
from storage.ids import new_id
from storage.prepared import Prepared
from storage.records import PROGRAM_ACTOR_ID, Actor, Right, Session
from storage.rows import is_inserted
from storage.schema import actors, login_tokens, sessions

_FIND = select(actors).where(
    actors.c.platform == bindparam("platform"), actors.c.external_id == bindparam("external_id")
)
_FOUND = Prepared(_FIND)


@uninterrupted
class People:
    """Actors, login tokens and sessions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure_actor(
        self, platform: str, external_id: str, name: str, rights: Iterable[Right] | None = None, *, at: datetime
    ) -> Actor:
        """Return the actor of this platform account, created or brought up to date.

        `rights` None keeps the rights there are (none for a new actor); otherwise they are set, and a change is audited.
        """
        wanted = None if rights is None else frozenset(rights)
        async with self._database.reading() as connection:
            known = await _find(connection, platform, external_id)
        if known is not None and known.name == name and wanted in (None, known.rights):
            return known
        async with self._database.writing() as connection:
            new = {"id": new_id("actor", at), "platform": platform, "external_id": external_id, "name": name}
            await is_inserted(connection, actors, {**new, "rights": _words(frozenset()), "created_at": at})
            before = await _find(connection, platform, external_id, lock=True)
            if before is None:
                raise NotFound("actor", external_id)
            after = Actor(before.id, platform, external_id, name, before.rights if wanted is None else wanted)
            if after != before:
                changes = {"name": after.name, "rights": _words(after.rights)}
                await connection.execute(update(actors).where(actors.c.id == after.id).values(changes))
            if after.rights != before.rights:
                detail = {"before": _words(before.rights), "after": _words(after.rights)}
                await record(connection, at, PROGRAM_ACTOR_ID, "set_rights", after.id, **detail)
            return after

    @reading_unit
    def find(self, connection: Connection, platform: str, external_id: str) -> Actor | None:
        """The actor of this platform account, if it is known."""
        found = _FOUND.row(connection, {"platform": platform, "external_id": external_id})
        return actor_in(found) if found else None

    async def actor(self, actor_id: str) -> Actor:
        """The actor with this id. Raises NotFound."""
        found = await self.actors([actor_id])
        if not found:
            raise NotFound("actor", actor_id)
        return found[actor_id]

    async def actors(self, ids: Iterable[str]) -> dict[str, Actor]:
        """The actors with these ids, by id; unknown ids are left out."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        async with self._database.reading() as connection:
            rows = await connection.execute(select(actors).where(actors.c.id.in_(wanted)))
            return {row["id"]: actor_in(row) for row in rows.mappings()}

    async def add_login_token(self, token_hash: str, actor_id: str, expires_at: datetime) -> None:
        """Let whoever holds the token of this hash sign in as the actor, once, before `expires_at`."""
        async with self._database.writing() as connection:
            row = {"token_hash": token_hash, "actor_id": actor_id, "expires_at": expires_at}
            await connection.execute(insert(login_tokens).values(row))

    async def redeem_login_token(
        self, token_hash: str, *, session_id_hash: str, csrf_token: str, now: datetime, expires_at: datetime
    ) -> Session | None:
        """Exchange a login token for a session until `expires_at`; None when it is unknown, used or expired.

        The session's id is the hash that was passed in: what the cookie holds is never stored.
        """
        use = (
            update(login_tokens)
            .where(
                login_tokens.c.token_hash == token_hash,
                login_tokens.c.used_at.is_(None),
                login_tokens.c.expires_at > now,
            )
            .values(used_at=now)
            .returning(login_tokens.c.actor_id)
        )
        async with self._database.writing() as connection:
            actor_id = (await connection.execute(use)).scalar_one_or_none()
            if actor_id is None:
                return None
            row = {"id": session_id_hash, "actor_id": actor_id, "csrf_token": csrf_token}
            await connection.execute(insert(sessions).values(row | {"created_at": now, "expires_at": expires_at}))
            return await _session(connection, session_id_hash, now)

    async def session(self, session_id_hash: str, now: datetime) -> Session | None:
        """The session with this hashed id, its actor with today's rights; None when it has ended or expired."""
        async with self._database.reading() as connection:
            return await _session(connection, session_id_hash, now)

    async def end_session(self, session_id_hash: str) -> None:
        """Sign out. No effect on a session that has ended."""
        async with self._database.writing() as connection:
            await connection.execute(delete(sessions).where(sessions.c.id == session_id_hash))


async def _find(connection: AsyncConnection, platform: str, external_id: str, *, lock: bool = False) -> Actor | None:
    wanted = {"platform": platform, "external_id": external_id}
    rows = await connection.execute(_FIND.with_for_update() if lock else _FIND, wanted)
    row = rows.mappings().one_or_none()
    return actor_in(row) if row else None


async def _session(connection: AsyncConnection, session_id_hash: str, now: datetime) -> Session | None:
    statement = (
        select(actors, sessions.c.csrf_token, sessions.c.expires_at)
        .join(sessions, sessions.c.actor_id == actors.c.id)
        .where(sessions.c.id == session_id_hash, sessions.c.expires_at > now)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return Session(session_id_hash, actor_in(row), row["csrf_token"], row["expires_at"]) if row else None


def actor_in(row: Mapping[Any, Any], prefix: str = "") -> Actor:
    """The actor whose columns a row holds, each named with the prefix."""
    rights = frozenset(Right(word) for word in row[f"{prefix}rights"])
    return Actor(
        row[f"{prefix}id"], row[f"{prefix}platform"], row[f"{prefix}external_id"], row[f"{prefix}name"], rights
    )


def _words(rights: frozenset[Right]) -> list[str]:
    return sorted(right.value for right in rights)
