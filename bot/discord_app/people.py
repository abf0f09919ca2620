"""Who somebody is to us: their rights come from lists of role and user ids, looked up on the server for every act."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.discord_app.payloads import DIRECT, Person
from bot.office.rights import NAME_LIMIT, Members, members_of, rights_of
from bot.text import clean, excerpt
from storage.records import Actor, Right
from storage.store import Store

PLATFORM = "discord"


@dataclass(frozen=True, slots=True)
class Roster:
    """Discord ids by right, of people and of roles: both are unique in all of Discord."""

    members: Members

    def rights(self, person: Person) -> frozenset[Right]:
        """What somebody may do where they are: nobody wears roles in direct messages, so only their own id counts there."""
        return rights_of(self.members, person.id, person.roles)

    @property
    def ids(self) -> frozenset[str]:
        """Everyone and every role that is named."""
        return frozenset(id for ids in self.members.values() for id in ids)


class People:
    """Actors of one Discord account each, with the rights they have where they act."""

    def __init__(self, store: Store, roster: Roster, now: Callable[[], datetime]) -> None:
        self._store = store
        self._roster = roster
        self._now = now

    async def actor(self, person: Person) -> Actor:
        """The person as an actor. What they may not do in private is not forgotten elsewhere: the row keeps a guild's rights."""
        return await self.up_to_date(person, await self._store.people.find(PLATFORM, person.id))

    async def up_to_date(self, person: Person, known: Actor | None) -> Actor:
        """`actor`, of somebody who was just read as `known`."""
        rights = self._roster.rights(person)
        name = excerpt(clean(person.name), NAME_LIMIT) or person.id
        if known is not None and known.name == name and known.rights == rights:
            return known
        kept = None if person.guild == DIRECT else rights
        actor = await self._store.people.ensure_actor(PLATFORM, person.id, name, kept, at=self._now())
        return replace(actor, rights=rights)

    @property
    def named(self) -> frozenset[str]:
        """The ids of everyone and every role that is given a right."""
        return self._roster.ids

    def is_staff(self, person: Person) -> bool:
        """Whether somebody has any right here."""
        return bool(self._roster.rights(person))


def roster_of(moderators: str, approvers: str, admins: str) -> Roster:
    """From the settings: ids apart by commas."""
    return Roster(members_of(moderators, approvers, admins))
