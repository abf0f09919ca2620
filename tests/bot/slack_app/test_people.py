"""Rights from lists and user groups: by workspace, never by accident, and gone when Slack says so."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.slack_app.payloads import Person
from bot.slack_app.people import People, Roster, roster_of
from bot.slack_app.workspaces import NotInstalled
from storage.records import Right
from storage.store import Store
from tests.conftest import Clock

HOME, OTHER = "T1", "T2"
MODERATOR, APPROVER, ADMIN = Right.MODERATOR, Right.APPROVER, Right.ADMIN


@dataclass
class Workspace:
    """What Slack would tell: who is in a group, and what somebody is called."""

    groups: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    names: dict[str, str] = field(default_factory=dict[str, str])
    is_away: bool = False
    asked: list[str] = field(default_factory=list[str])

    async def client(self, team: str) -> "Workspace":
        if team not in (HOME, OTHER):
            raise NotInstalled(team)
        return self

    async def usergroups_users_list(self, *, usergroup: str) -> dict[str, Any]:
        self.asked.append(usergroup)
        if self.is_away:
            raise TimeoutError
        return {"users": self.groups.get(usergroup, [])}

    async def users_info(self, *, user: str) -> dict[str, Any]:
        self.asked.append(user)
        if self.is_away:
            raise TimeoutError
        return {"user": {"name": f"{user}.name", "profile": {"display_name": self.names.get(user, "")}}}


@dataclass
class Office:
    people: People
    workspace: Workspace
    clock: Clock

    async def rights(self, user: str, *, team: str = HOME, home_team: str | None = None) -> frozenset[Right]:
        return (await self.people.actor(Person(team, user, home_team or team))).rights


def office(store: Store, clock: Clock, roster: Roster) -> Office:
    workspace = Workspace()

    async def home_team() -> str:
        return HOME

    people = People(store, workspace, roster, home_team, lambda: clock.now)  # type: ignore[arg-type]
    return Office(people, workspace, clock)


ROSTER = roster_of("U1, S1,T2/U9,,T2/S9", " U2 ", "U3,S3")


@pytest.mark.parametrize(
    ("user", "groups", "expected"),
    [
        pytest.param("U1", [], {MODERATOR}, id="a moderator"),
        pytest.param("U2", [], {MODERATOR, APPROVER}, id="an approver may moderate"),
        pytest.param("U3", [], {MODERATOR, APPROVER, ADMIN}, id="an admin may everything"),
        pytest.param("U4", ["S1"], {MODERATOR}, id="by group"),
        pytest.param("U2", ["S1"], {MODERATOR, APPROVER}, id="by list and group"),
        pytest.param("U4", ["S2"], set(), id="another group"),
        pytest.param("U4", [], set(), id="nobody"),
        pytest.param("", [], set(), id="no id"),
        pytest.param("S1", [], {MODERATOR}, id="ids are only compared"),
        pytest.param("U9", ["S9"], set(), id="who is named for another workspace"),
    ],
)
def test_lists_and_groups_give_their_right_and_those_below(user: str, groups: list[str], expected: set[Right]):
    assert ROSTER.within(HOME, is_home=True).rights(user, groups) == expected


def test_ids_without_a_workspace_count_at_home_and_ids_with_one_only_there():
    assert ROSTER.within(OTHER, is_home=False) == roster_of("U9,S9", "", "")
    assert ROSTER.within("T3", is_home=False) == roster_of("", "", "")


def test_an_empty_setting_names_nobody():
    assert roster_of("", " , ", ",").rights("", [""]) == frozenset()


async def test_a_user_id_of_another_workspace_never_counts(store: Store, clock: Clock):
    there = office(store, clock, ROSTER)
    there.workspace.groups = {"S1": ["U5"], "S9": ["U6"]}
    assert await there.rights("U3", team=OTHER) == frozenset()
    assert await there.rights("U5", team=OTHER) == frozenset()
    assert await there.rights("U3", team=HOME, home_team="T0ELSEWHERE") == frozenset()
    assert await there.rights("U5", team=HOME, home_team="T0ELSEWHERE") == frozenset()
    assert await there.rights("U6", team=OTHER) == {MODERATOR}
    assert await there.rights("U6", team=HOME) == frozenset()


async def test_a_group_is_asked_for_once_in_five_minutes_and_when_it_changed(store: Store, clock: Clock):
    there = office(store, clock, roster_of("S1", "", ""))
    there.workspace.groups["S1"] = ["U1"]
    for _ in range(3):
        assert await there.rights("U1") == {MODERATOR}
    assert there.workspace.asked.count("S1") == 1
    there.workspace.groups["S1"] = []
    clock.advance(299)
    assert await there.rights("U1") == {MODERATOR}
    clock.advance(2)
    assert await there.rights("U1") == frozenset()
    there.workspace.groups["S1"] = ["U1"]
    there.people.forget_groups(OTHER)
    assert await there.rights("U1") == frozenset()
    there.people.forget_groups(HOME)
    assert await there.rights("U1") == {MODERATOR}


async def test_while_slack_does_not_tell_nobody_gains_a_right_and_it_is_asked_again_soon(store: Store, clock: Clock):
    there = office(store, clock, roster_of("S1", "", ""))
    there.workspace.groups["S1"], there.workspace.is_away = ["U1"], True
    assert await there.rights("U1") == frozenset()
    there.workspace.is_away = False
    assert await there.rights("U1") == frozenset()  # not at every act
    clock.advance(31)
    assert await there.rights("U1") == {MODERATOR}


async def test_who_had_a_right_keeps_it_for_an_hour_of_slacks_silence_unless_the_group_changed(
    store: Store, clock: Clock
):
    there = office(store, clock, roster_of("S1", "", ""))
    there.workspace.groups["S1"] = ["U1"]
    assert await there.rights("U1") == {MODERATOR}
    there.workspace.is_away = True
    clock.advance(3_000)
    assert await there.rights("U1") == {MODERATOR}
    clock.advance(700)
    assert await there.rights("U1") == frozenset()
    there.workspace.is_away = False
    clock.advance(31)
    assert await there.rights("U1") == {MODERATOR}
    there.workspace.is_away = True
    there.people.forget_groups(HOME)
    assert await there.rights("U1") == frozenset()


async def test_staff_are_everybody_with_a_right_here(store: Store, clock: Clock):
    there = office(store, clock, ROSTER)
    there.workspace.groups = {"S1": ["U5"], "S3": ["U6"], "S9": ["U7"]}
    assert await there.people.staff(HOME) == {"U1", "U2", "U3", "U5", "U6"}
    assert await there.people.staff(OTHER) == {"U9", "U7"}


@pytest.mark.parametrize(
    ("display_name", "pressed_as", "expected"),
    [
        pytest.param("Mia", "mia.k", "Mia", id="what they call themselves"),
        pytest.param("", "mia.k", "U1.name", id="the account's name"),
        pytest.param(" Mia\n\u202e K. ", "", "Mia K.", id="on one line, with nothing hidden"),
        pytest.param("x" * 300, "", "x" * 79 + "…", id="not endless"),
        pytest.param("\u200b", "", "U1", id="an invisible name"),
    ],
)
async def test_people_are_called_as_they_call_themselves(
    store: Store, clock: Clock, display_name: str, pressed_as: str, expected: str
):
    there = office(store, clock, ROSTER)
    there.workspace.names["U1"] = display_name
    assert (await there.people.actor(Person(HOME, "U1", HOME, pressed_as))).name == expected


async def test_a_name_is_asked_for_once_and_again_while_it_is_not_known(store: Store, clock: Clock):
    there = office(store, clock, roster_of("", "", ""))
    there.workspace.is_away = True
    assert (await there.people.actor(Person(HOME, "U1", HOME))).name == "U1"
    there.workspace.is_away, there.workspace.names["U1"] = False, "Mia"
    for _ in range(3):
        assert (await there.people.actor(Person(HOME, "U1", HOME))).name == "Mia"
    assert there.workspace.asked == ["U1", "U1"]


async def test_a_workspace_that_removed_the_app_gives_nobody_a_right(store: Store, clock: Clock):
    there = office(store, clock, roster_of("T3/S1", "", ""))
    assert await there.rights("U1", team="T3") == frozenset()
