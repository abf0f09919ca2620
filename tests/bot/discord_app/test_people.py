"""Rights come from roles and people's own ids, at the moment they act."""

import pytest

from bot.discord_app.payloads import DIRECT, Person
from bot.discord_app.people import People, roster_of
from storage.records import Right
from storage.store import Store
from tests.conftest import Clock

ALL = frozenset(Right)


def person(id: str = "1", *roles: str, guild: str = "9", name: str = "cleo") -> Person:
    return Person(id, name, roles, guild)


@pytest.mark.parametrize(
    ("who", "rights"),
    [
        (person("1"), frozenset()),
        (person("1", "70"), {Right.MODERATOR}),
        (person("1", "71"), {Right.MODERATOR, Right.APPROVER}),
        (person("5"), ALL),
        (person("5", guild=DIRECT), ALL),
        (person("1", "70", "99"), {Right.MODERATOR}),
        (person("70"), {Right.MODERATOR}),
        (person("1", guild=DIRECT), frozenset()),
    ],
)
def test_a_role_or_ones_own_id_gives_the_right_and_those_below_it(who: Person, rights: frozenset[Right]):
    assert roster_of("70, 72", "71", "5").rights(who) == rights


def test_empty_lists_give_nobody_anything():
    assert roster_of("", " , ", "").rights(person("", "")) == frozenset()


async def test_a_role_taken_away_is_a_right_taken_away(store: Store, clock: Clock):
    people = People(store, roster_of("70", "", ""), clock)
    assert Right.MODERATOR in (await people.actor(person("1", "70"))).rights
    assert (await people.actor(person("1"))).rights == frozenset()


async def test_in_private_nobody_has_what_their_role_gives_and_nobody_loses_it_elsewhere(store: Store, clock: Clock):
    people = People(store, roster_of("70", "", ""), clock)
    known = await people.actor(person("1", "70"))
    private = await people.actor(person("1", guild=DIRECT))
    assert (private.id, private.rights) == (known.id, frozenset())
    kept = await store.people.find("discord", "1")
    assert kept is not None
    assert kept.rights == {Right.MODERATOR}


async def test_a_new_name_is_taken_over_and_a_hostile_one_is_cleaned(store: Store, clock: Clock):
    people = People(store, roster_of("", "", ""), clock)
    assert (await people.actor(person(name="Cleo"))).name == "Cleo"
    assert (await people.actor(person(name="Cle\u202eo\n" + "x" * 200))).name.startswith("Cleo x")
    assert len((await people.actor(person(name="x" * 200))).name) <= 80
    assert (await people.actor(person(name="\u200b"))).name == "1"
