"""Who somebody is to us: their rights come from lists of people and user groups, looked up on the server for every act."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (slack_sdk answers are loosely typed)

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.office.rights import NAME_LIMIT, Members, members_of, rights_of
from bot.slack_app.outgoing import UNREACHABLE, reason
from bot.slack_app.payloads import Person
from bot.slack_app.workspaces import NotInstalled, Workspaces
from bot.text import clean, excerpt
from storage.records import Actor, Right
from storage.store import Store

log = logging.getLogger(__name__)

PLATFORM = "slack"
GROUP_KEPT_FOR = timedelta(minutes=5)  # Slack also tells us when a group changes
GROUP_ASKED_AGAIN = timedelta(seconds=30)  # after Slack did not tell
GROUP_BELIEVED_FOR = timedelta(hours=1)  # while Slack does not tell, what it said last


@dataclass(frozen=True, slots=True)
class Roster:
    """Slack ids by right: people (U…, W…) and user groups (S…).

    An id is only unique within its workspace: T…/U… counts in that workspace, one written alone in the home workspace.
    """

    members: Members

    def within(self, team: str, *, is_home: bool) -> "Roster":
        """The ids that count in a workspace, written alone."""
        here = f"{team}/"
        return Roster(
            {
                right: frozenset(
                    id.removeprefix(here) for id in ids if id.startswith(here) or (is_home and "/" not in id)
                )
                for right, ids in self.members.items()
            }
        )

    def rights(self, user: str, groups: Collection[str]) -> frozenset[Right]:
        """What somebody may do who is in these groups."""
        return rights_of(self.members, user, groups)

    @property
    def groups(self) -> frozenset[str]:
        """Every user group that is named."""
        return frozenset(id for ids in self.members.values() for id in ids if id.startswith("S"))


@dataclass(frozen=True, slots=True)
class _Group:
    """Who is in a user group, as Slack said at `told_at`; not to be asked again before `ask_at`."""

    members: frozenset[str]
    told_at: datetime
    ask_at: datetime


class People:
    """Actors of one platform account each, with today's rights."""

    def __init__(
        self,
        store: Store,
        workspaces: Workspaces,
        roster: Roster,
        home_team: Callable[[], Awaitable[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._workspaces = workspaces
        self._roster = roster
        self._home_team = home_team
        self._now = now
        self._groups: dict[tuple[str, str], _Group] = {}

    async def actor(self, person: Person) -> Actor:
        """The person as an actor. Somebody of another company's workspace has no right here, whatever their id."""
        return await self.up_to_date(person, await self._store.people.find(PLATFORM, actor_key(person)))

    async def up_to_date(self, person: Person, known: Actor | None) -> Actor:
        """`actor`, of somebody who was just read as `known`."""
        rights = frozenset[Right]() if person.is_stranger else await self._rights(person)
        is_named = known is not None and known.name != person.user
        if known is not None and is_named and known.rights == rights:
            return known
        name = known.name if known is not None and is_named else await self._name(person)
        return await self._store.people.ensure_actor(PLATFORM, actor_key(person), name, rights, at=self._now())

    def forget_groups(self, team: str) -> None:
        """A user group has changed: look again."""
        self._groups = {key: value for key, value in self._groups.items() if key[0] != team}

    async def groups_of(self, person: Person, groups: Collection[str]) -> frozenset[str]:
        """Which of these user groups the person is in; none of another company's people is in one of ours."""
        if person.is_stranger:
            return frozenset()
        return frozenset([group for group in groups if person.user in await self._members(person.team, group)])

    async def staff(self, team: str) -> frozenset[str]:
        """The user ids of everybody with a right in this workspace."""
        roster = await self._roster_in(team)
        found = {id for ids in roster.members.values() for id in ids if not id.startswith("S")}
        for group in roster.groups:
            found |= await self._members(team, group)
        return frozenset(found)

    async def _rights(self, person: Person) -> frozenset[Right]:
        roster = await self._roster_in(person.team)
        groups = [group for group in roster.groups if person.user in await self._members(person.team, group)]
        return roster.rights(person.user, groups)

    async def _roster_in(self, team: str) -> Roster:
        return self._roster.within(team, is_home=team == await self._home_team())

    async def _members(self, team: str, group: str) -> frozenset[str]:
        """Who is in a user group. Where Slack does not tell, what it said within the last hour, otherwise nobody."""
        now, known = self._now(), self._groups.get((team, group))
        if known is not None and now < known.ask_at:
            return known.members
        try:
            answer = await (await self._workspaces.client(team)).usergroups_users_list(usergroup=group)
            members = frozenset(str(user) for user in answer.get("users") or ())
            found = _Group(members, now, now + GROUP_KEPT_FOR)
        except (NotInstalled, *UNREACHABLE) as error:
            log.warning("who is in user group %s is not known (%s)", group, reason(error))
            is_fresh = known is not None and now < known.told_at + GROUP_BELIEVED_FOR
            told = known if known is not None and is_fresh else _Group(frozenset(), now, now)
            found = _Group(told.members, told.told_at, now + GROUP_ASKED_AGAIN)
        self._groups[team, group] = found
        return found.members

    async def _name(self, person: Person) -> str:
        """What people call them, asked for once: an actor that is known keeps the name it has."""
        name = await self._display_name(person) or person.name
        return excerpt(clean(name), NAME_LIMIT) or person.user

    async def _display_name(self, person: Person) -> str:
        try:
            answer = await (await self._workspaces.client(person.team)).users_info(user=person.user)
        except (NotInstalled, *UNREACHABLE) as error:
            log.info("the name of %s is not known (%s)", person.user, reason(error))
            return ""
        user = answer.get("user") or {}
        profile = user.get("profile") or {}
        return str(profile.get("display_name") or profile.get("real_name") or user.get("name") or "")


def actor_key(person: Person) -> str:
    """Our name of the person's account: unique over workspaces."""
    return f"{person.home_team}/{person.user}"


def roster_of(moderators: str, approvers: str, admins: str) -> Roster:
    """From the settings: ids apart by commas."""
    return Roster(members_of(moderators, approvers, admins))
