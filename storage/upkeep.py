"""What replies took, by model, how often each fix was shown, and when people decided: sums and moments, no words."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.database import Database, uninterrupted
from storage.schema import corrections, replies


@dataclass(frozen=True, slots=True)
class RepliesOf:
    """The replies one model gave for a voice. `prompt_tokens` are of all of them, `with_fixes` how many had one in the prompt."""

    model_name: str
    replies: int
    prompt_tokens: int
    with_fixes: int


@uninterrupted
class Upkeep:
    """What answering and deciding took, of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_model(self, voice_id: str) -> list[RepliesOf]:
        """By the provider's name of the model; replies that no model gave are left out."""
        statement = (
            select(
                replies.c.model_name,
                func.count().label("replies"),
                func.sum(replies.c.prompt_tokens).label("prompt_tokens"),
                func.count().filter(replies.c.fix_ids != ()).label("with_fixes"),
            )
            .where(replies.c.voice_id == voice_id, replies.c.model_name.is_not(None))
            .group_by(replies.c.model_name)
            .order_by(replies.c.model_name)
        )
        async with self._database.reading() as connection:
            return [RepliesOf(**row) for row in (await connection.execute(statement)).mappings()]

    async def fixes_shown(self, voice_id: str, since: datetime) -> Counter[str]:
        """How many replies of models since then had each correction in the prompt, by its id."""
        statement = select(replies.c.fix_ids).where(
            replies.c.voice_id == voice_id,
            replies.c.created_at >= since,
            replies.c.model_name.is_not(None),
            replies.c.fix_ids != (),
        )
        shown: Counter[str] = Counter()
        async with self._database.reading() as connection:
            for ids in (await connection.execute(statement)).scalars():
                shown.update(ids)
        return shown

    async def decided(self, voice_id: str) -> list[tuple[str, datetime]]:
        """Who decided about a correction and when, the oldest first. Which way, and which one, is left out."""
        statement = (
            select(corrections.c.decided_by, corrections.c.decided_at)
            .where(corrections.c.voice_id == voice_id, corrections.c.decided_by.is_not(None))
            .where(corrections.c.decided_at.is_not(None))
            .order_by(corrections.c.decided_at, corrections.c.id)
        )
        async with self._database.reading() as connection:
            return [(by, at) for by, at in (await connection.execute(statement)).all()]
