"""Replies that somebody flagged and no moderator has looked at since: the same list on every surface."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.records import Actor, Feedback, Judgement, Reply, Right, Turn
from storage.store import Store

LOOKED_AT = 60  # newest flags; those that were settled since are not shown


@dataclass(frozen=True, slots=True)
class OpenFlag:
    """A flagged reply, and who flagged it by name."""

    flag: Feedback
    by: str
    turn: Turn
    reply: Reply


async def open_flags(store: Store, voice_id: str) -> list[OpenFlag]:
    """Flagged replies that wait for a moderator, newest first: not corrected since, nor called good by a moderator."""
    flags = await store.feedback.flagged(voice_id, LOOKED_AT)
    judged = await store.feedback.for_replies(flag.reply_id for flag in flags)
    people = await store.people.actors(given.actor_id for each in judged.values() for given in each)
    found: dict[str, OpenFlag] = {}
    for flag in flags:
        is_settled = any(
            given.judgement is Judgement.GOOD and given.given_at >= flag.given_at and _moderates(people, given)
            for given in judged.get(flag.reply_id, ())
        )
        if flag.reply_id in found or is_settled or await store.corrections.for_reply(flag.reply_id):
            continue
        reply = await store.conversations.reply(flag.reply_id)
        turn = await store.conversations.turn(reply.turn_id)
        if turn.withdrawn_at is None:  # else there are no words left to look at
            found[flag.reply_id] = OpenFlag(flag, name_in(people, flag.actor_id), turn, reply)
    return list(found.values())


def name_in(people: Mapping[str, Actor], actor_id: str | None) -> str:
    """The person's name; "somebody" for one who is not there any more."""
    return people[actor_id].name if actor_id is not None and actor_id in people else "somebody"


def _moderates(people: Mapping[str, Actor], given: Feedback) -> bool:
    return given.actor_id in people and people[given.actor_id].has(Right.MODERATOR)
