"""The people, roles and channels of a guild, by name."""

from tests.discord.place import Channel, Person, Place, Role


class Cast(Place):
    """A place whose people can be named."""

    @property
    def customer(self) -> Person:
        return self.world.people["customer"]

    @property
    def second_customer(self) -> Person:
        return self.world.people["second_customer"]

    @property
    def moderator(self) -> Person:
        return self.world.people["moderator"]

    @property
    def approver(self) -> Person:
        return self.world.people["approver"]

    @property
    def admin(self) -> Person:
        return self.world.people["admin"]

    @property
    def stranger(self) -> Person:
        """A member without roles."""
        return self.world.people["stranger"]

    @property
    def other_bot(self) -> Person:
        return self.world.people["other_bot"]

    @property
    def moderators(self) -> Role:
        return self.world.roles["moderators"]

    @property
    def approvers(self) -> Role:
        return self.world.roles["approvers"]

    @property
    def admins(self) -> Role:
        return self.world.roles["admins"]

    @property
    def support(self) -> Channel:
        return self.world.channels["support"]

    @property
    def forum(self) -> Channel:
        return self.world.channels["forum"]

    @property
    def review(self) -> Channel:
        """Only moderators, approvers, admins and the bot see it; so with triage and ops."""
        return self.world.channels["review"]

    @property
    def triage(self) -> Channel:
        return self.world.channels["triage"]

    @property
    def ops(self) -> Channel:
        return self.world.channels["ops"]
