"""Who acts, and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Right(StrEnum):
    """What an actor may do beyond asking. Rights do not imply each other: a person may hold any set of them."""

    MODERATOR = "moderator"  # mark, flag, correct, retract
    APPROVER = "approver"  # approve or reject: into the dataset
    ADMIN = "admin"  # retrain, cancel, promote, roll back, forget


PROGRAM_ACTOR_ID = "actor_finetone"  # the program itself; the first migration inserts it


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a customer, a moderator, an admin, or the program itself (platform "finetone")."""

    id: str
    platform: str  # "console" | "cli" | "slack" | "discord" | "finetone"
    external_id: str  # the platform's own id for the person; unique within the platform
    name: str  # for people's eyes; never a key
    rights: frozenset[Right] = frozenset()

    def has(self, right: Right) -> bool:
        """Whether this actor holds `right`."""
        return right in self.rights


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: an opaque id in a cookie, its actor, and the token every form of that session carries."""

    id: str
    actor: Actor
    csrf_token: str
    expires_at: datetime
