"""Thumbs on a deployment's replies as they were given, changed and taken back: read from the audit, which forgets no step."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, exists, or_, select

from storage.database import Database, uninterrupted
from storage.records import PROGRAM_ACTOR_ID, CastVote, Deployment, Judgement, ReplySource
from storage.schema import actors, audit, conversations, corrections, replies, turns

GIVEN, TAKEN_BACK = "feedback", "withdraw_feedback"  # verbs of the audit
_BY_MODELS = (ReplySource.TUNED, ReplySource.BASE)


@uninterrupted
class Votes:
    """What people thought of what a deployment said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cast(self, deployment: Deployment, except_on: str = "") -> Sequence[CastVote]:
        """Every thumb on replies that models gave under the deployment, oldest first.

        Left out: those of who corrected the reply, of the program, of forgotten people, and all on the platform `except_on`.
        """
        corrected = exists().where(
            corrections.c.reply_id == replies.c.id, corrections.c.proposed_by == audit.c.actor_id
        )
        counted = (
            audit.c.verb.in_((GIVEN, TAKEN_BACK)),
            replies.c.voice_id == deployment.voice_id,
            replies.c.created_at >= deployment.since,
            replies.c.source.in_(_BY_MODELS),
            # A reply by the base alone has none: both models had failed it.
            or_(replies.c.deployment_id == deployment.id, replies.c.deployment_id.is_(None)),
            conversations.c.platform != except_on,
            audit.c.actor_id != PROGRAM_ACTOR_ID,
            actors.c.external_id.not_like("erased/%"),
            ~corrected,
        )
        statement = (
            select(
                audit.c.actor_id,
                audit.c.verb,
                audit.c.detail,
                audit.c.at,
                replies.c.id,
                replies.c.conversation_id,
                replies.c.created_at,
                turns.c.asked_by,
                actors.c.rights,
            )
            .join(replies, replies.c.id == audit.c.subject)
            .join(turns, turns.c.id == replies.c.turn_id)
            .join(conversations, conversations.c.id == replies.c.conversation_id)
            .join(actors, actors.c.id == audit.c.actor_id)
            .where(and_(*counted))
            .order_by(audit.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return [
            CastVote(
                row["actor_id"],
                row["id"],
                row["conversation_id"],
                row["detail"]["judgement"] == Judgement.GOOD if row["verb"] == GIVEN else None,
                row["created_at"],
                row["at"],
                by_asker=row["asked_by"] == row["actor_id"],
                by_team=bool(row["rights"]),
            )
            for row in rows
        ]

    async def moments(self, voice_id: str, since: datetime) -> Sequence[datetime]:
        """When replies of the voice were judged since then, by whomever."""
        statement = (
            select(audit.c.at)
            .join(replies, replies.c.id == audit.c.subject)
            .where(audit.c.verb == GIVEN, replies.c.voice_id == voice_id, audit.c.at >= since)
        )
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())
