"""Statements given to the driver as compiled: the same values and the same errors as SQLAlchemy's own way gives."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update

from storage.database import Database
from storage.errors import ConstraintBroken, UnstorableText
from storage.ids import new_id
from storage.prepared import Prepared, insert_if_new
from storage.records import InboundEvent, Judgement
from storage.rows import row_of
from storage.schema import actors, deployments, feedback, inbound_events, replies, turns
from storage.store import open_store
from tests.storage.scenes import Scene, a_reply

AT = datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)
BY_KEY = Prepared(select(inbound_events).where(inbound_events.c.key == bindparam("event_key")).limit(1))


@pytest.fixture
async def database(any_url: str) -> AsyncIterator[Database]:
    async with await open_store(any_url) as store:
        yield store._database


def an_event(key: str = "k", **more: Any) -> dict[str, Any]:
    payload = {"text": "Wo ist es? 📦", "n": [1, None, True]}
    return row_of(InboundEvent(new_id("event", AT), "slack", key, "message", payload, AT, None, None, 1)) | more


async def test_what_goes_in_comes_out_as_it_was(database: Database):
    event = an_event()

    def work(connection: Connection) -> tuple[Any, Any]:
        assert insert_if_new(inbound_events).row(connection, event) == {"id": event["id"]}
        ordinary = connection.execute(select(inbound_events).where(inbound_events.c.key == "k")).mappings().one()
        return BY_KEY.row(connection, {"event_key": "k"}), dict(ordinary)

    prepared, ordinary = await database.write(work)
    assert prepared == ordinary == event


async def test_a_moment_of_another_zone_is_the_same_moment(database: Database):
    berlin = AT.astimezone(timezone(timedelta(hours=1)))

    def work(connection: Connection) -> Any:
        insert_if_new(inbound_events).row(connection, an_event(received_at=berlin))
        return BY_KEY.row(connection, {"event_key": "k"})

    assert (await database.write(work))["received_at"] == AT


async def test_what_is_there_is_not_inserted_again_and_what_is_not_there_is_no_row(database: Database):
    def work(connection: Connection) -> list[Any]:
        add = insert_if_new(inbound_events)
        return [
            add.row(connection, an_event()),
            add.row(connection, an_event()),
            BY_KEY.row(connection, {"event_key": "?"}),
        ]

    first, again, absent = await database.write(work)
    assert first is not None
    assert (again, absent) == (None, None)


async def test_values_that_the_statement_itself_says_go_in_as_well(database: Database):
    ends = Prepared(
        update(inbound_events)
        .where(inbound_events.c.key == bindparam("event_key"))
        .values(attempts=7, lease_until=None, done_at=AT)
        .returning(inbound_events.c.attempts, inbound_events.c.done_at)
    )

    def work(connection: Connection) -> Any:
        insert_if_new(inbound_events).row(connection, an_event())
        return ends.rows(connection, {"event_key": "k"})

    assert await database.write(work) == [{"attempts": 7, "done_at": AT}]


async def test_a_value_that_is_missing_is_a_bug_that_says_which(database: Database):
    with pytest.raises(KeyError, match="event_key"):
        await database.read(lambda connection: BY_KEY.row(connection, {}))


async def test_a_broken_rule_and_text_that_cannot_be_kept_are_the_errors_they_always_are(database: Database):
    add = Prepared(insert(feedback), columns=[column.name for column in feedback.c])
    row = {"id": "f", "reply_id": "reply_none", "actor_id": "actor_none", "judgement": Judgement.GOOD}
    row |= {"note": "", "flagged": False, "given_at": AT}
    with pytest.raises(ConstraintBroken, match="breaks its rules"):
        await database.write(lambda connection: add.row(connection, row))
    with pytest.raises(UnstorableText, match=r"U\+0000"):
        await database.write(lambda connection: insert_if_new(inbound_events).row(connection, an_event("\0")))
    with pytest.raises(ValueError, match="has no time zone"):
        await database.write(
            lambda connection: insert_if_new(inbound_events).row(
                connection, an_event(received_at=AT.replace(tzinfo=None))
            )
        )


async def test_every_kind_of_column_has_its_value(scene: Scene):
    """Numbers, documents, enums and moments: each type's way in and out is found for each driver."""
    await a_reply(scene)

    def work(connection: Connection) -> None:
        for table in (actors, turns, replies, deployments):
            ordinary = [dict(row) for row in connection.execute(select(table)).mappings()]
            assert Prepared(select(table)).rows(connection, {}) == ordinary
            assert ordinary

    await scene.store._database.read(work)
