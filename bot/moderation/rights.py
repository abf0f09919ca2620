"""Rights, and what a verb returns."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from storage.records import (
    Actor,
    Right,
)

T = TypeVar("T")


class NotAllowed(Exception):
    """The actor may not do this; the message says which right is missing or which rule stands in the way."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What was done (`record`) and the sentence that tells it to the person who did it."""

    record: T
    said: str


def require(actor: Actor, right: Right, what: str) -> None:
    """Raise NotAllowed unless the actor holds the right. Called by every verb below, whatever a screen showed or hid."""
    if not actor.has(right):
        article = "an" if right.value[0] in "aeiou" else "a"
        raise NotAllowed(f"Only {article} {right.value} can {what}, and {actor.name} is not one.")
