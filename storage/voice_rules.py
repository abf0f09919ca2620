"""What approvers decided about the rules of a voice card. What speaks for a rule is not kept: it is counted when it is shown."""

from collections.abc import Sequence

from sqlalchemy import select

from storage.audit import record
from storage.database import Database, uninterrupted
from storage.records import RuleState, VoiceRule
from storage.rows import row_of, upsert
from storage.schema import voice_rules


@uninterrupted
class VoiceRules:
    """The decided rules of every voice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def decide(self, rule: VoiceRule) -> None:
        """Keep a decision in place of the one before. The audit names the rule's kind only: a phrase may be personal."""
        async with self._database.writing() as connection:
            await upsert(connection, voice_rules, row_of(rule), keys=["voice_id", "kind", "value"])
            verb = "approve_rule" if rule.state is RuleState.APPROVED else "reject_rule"
            await record(connection, rule.decided_at, rule.decided_by, verb, rule.voice_id, kind=rule.kind)

    async def of(self, voice_id: str) -> Sequence[VoiceRule]:
        """Every decided rule of the voice, by kind and value."""
        statement = select(voice_rules).where(voice_rules.c.voice_id == voice_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(statement.order_by(voice_rules.c.kind, voice_rules.c.value))
            return [VoiceRule(**row) for row in rows.mappings()]
