import asyncio
from datetime import timedelta

import pytest

from storage.errors import NotFound
from storage.records import PROGRAM_ACTOR_ID, Right, Session
from storage.store import Store
from tests.conftest import Clock
from tests.storage.scenes import Scene


async def test_an_actor_is_the_same_person_the_second_time(any_store: Store, clock: Clock) -> None:
    first = await any_store.people.ensure_actor("console", "mo", "Mo", at=clock())
    second = await any_store.people.ensure_actor("console", "mo", "Mo", at=clock())
    assert second == first
    assert await any_store.people.actor(first.id) == first


async def test_ten_first_messages_at_once_make_one_actor(any_store: Store, other_store: Store, clock: Clock) -> None:
    at = clock()
    found = await asyncio.gather(
        *(store.people.ensure_actor("slack", "U1", "Ada", at=at) for store in [any_store, other_store] * 5)
    )
    assert len(set(found)) == 1


async def test_the_same_external_id_on_another_platform_is_somebody_else(any_store: Store, clock: Clock) -> None:
    slack = await any_store.people.ensure_actor("slack", "1", "Ada", at=clock())
    discord = await any_store.people.ensure_actor("discord", "1", "Ada", at=clock())
    assert slack.id != discord.id
    assert set(await any_store.people.actors([slack.id, discord.id, "actor_nobody"])) == {slack.id, discord.id}


async def test_a_new_name_is_taken_over_and_rights_stay(any_store: Store, clock: Clock) -> None:
    rights = {Right.ADMIN, Right.APPROVER}
    await any_store.people.ensure_actor("console", "mo", "Mo", rights, at=clock())
    renamed = await any_store.people.ensure_actor("console", "mo", "Moira", at=clock())
    assert (renamed.name, renamed.rights) == ("Moira", rights)


async def test_a_change_of_rights_is_in_the_audit_and_a_repetition_is_not(any_store: Store, clock: Clock) -> None:
    for rights in ({Right.ADMIN}, {Right.ADMIN}, set[Right]()):
        actor = await any_store.people.ensure_actor("console", "mo", "Mo", rights, at=clock())
    entries = await any_store.audit.entries(10, subject=actor.id)
    assert [(entry.verb, entry.actor_id, entry.detail) for entry in entries] == [
        ("set_rights", PROGRAM_ACTOR_ID, {"before": ["admin"], "after": []}),
        ("set_rights", PROGRAM_ACTOR_ID, {"before": [], "after": ["admin"]}),
    ]


async def test_changes_of_rights_at_once_are_audited_as_one_chain(
    any_store: Store, other_store: Store, clock: Clock
) -> None:
    actor = await any_store.people.ensure_actor("console", "mo", "Mo", at=clock())
    sets = [{Right.ADMIN}, {Right.APPROVER}, {Right.MODERATOR}] * 4
    await asyncio.gather(
        *(
            store.people.ensure_actor("console", "mo", "Mo", rights, at=clock())
            for store, rights in zip([any_store, other_store] * 6, sets, strict=True)
        )
    )
    chain = [entry.detail for entry in reversed(await any_store.audit.entries(99, subject=actor.id))]
    assert [change["before"] for change in chain] == [[], *(change["after"] for change in chain[:-1])]
    rights = (await any_store.people.actor(actor.id)).rights
    assert chain[-1]["after"] == sorted(right.value for right in rights)


async def test_the_program_is_an_actor_from_the_start(any_store: Store) -> None:
    program = await any_store.people.actor(PROGRAM_ACTOR_ID)
    assert (program.platform, program.name, program.rights) == ("finetone", "Finetone", frozenset())


async def test_an_unknown_actor_is_a_sentence(any_store: Store) -> None:
    with pytest.raises(NotFound, match="There is no actor 'actor_nobody'"):
        await any_store.people.actor("actor_nobody")


async def _redeem(
    scene: Scene, store: Store | None = None, *, session: str = "s", after_s: float = 0
) -> Session | None:
    now = scene.clock.advance(after_s)
    return await (store or scene.store).people.redeem_login_token(
        "token-hash", session_id_hash=session, csrf_token="csrf", now=now, expires_at=now + timedelta(hours=1)
    )


async def test_a_login_token_opens_one_session(scene: Scene) -> None:
    people = scene.store.people
    await people.add_login_token("token-hash", scene.moderator.id, scene.clock() + timedelta(minutes=5))
    session = await _redeem(scene)
    assert session is not None
    assert (session.id, session.actor, session.csrf_token) == ("s", scene.moderator, "csrf")
    assert await _redeem(scene, session="t") is None
    assert await people.session("t", scene.clock()) is None


async def test_two_clicks_on_the_same_link_sign_in_once(scene: Scene, other_store: Store) -> None:
    await scene.store.people.add_login_token("token-hash", scene.moderator.id, scene.clock() + timedelta(minutes=5))
    opened = await asyncio.gather(_redeem(scene, session="s"), _redeem(scene, other_store, session="t"))
    assert sorted(session is None for session in opened) == [False, True]


async def test_an_expired_login_token_opens_nothing(scene: Scene) -> None:
    await scene.store.people.add_login_token("token-hash", scene.moderator.id, scene.clock() + timedelta(minutes=5))
    assert await _redeem(scene, after_s=301) is None


async def test_a_session_ends_by_signing_out_or_by_time_and_shows_todays_rights(scene: Scene) -> None:
    people = scene.store.people
    await people.add_login_token("token-hash", scene.moderator.id, scene.clock() + timedelta(minutes=5))
    session = await _redeem(scene)
    assert session is not None
    await people.ensure_actor("console", "mo", "Mo", {Right.ADMIN}, at=scene.clock())
    later = await people.session("s", scene.clock())
    assert later is not None
    assert later.actor.has(Right.ADMIN)
    assert await people.session("s", session.expires_at) is None
    await people.end_session("s")
    await people.end_session("s")
    assert await people.session("s", scene.clock()) is None
