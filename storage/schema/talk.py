"""Tables of voices, conversations, questions and replies."""

from sqlalchemy import Column, Float, Index, Integer, Table, UniqueConstraint, text

from storage.records import ReplySource, TurnState
from storage.schema.columns import Ids, identifier, metadata, moment, reference, string, word

voices = Table(
    "voices",
    metadata,
    identifier(),
    string("name"),
    string("system_prompt"),
    string("base_model"),
    moment("created_at"),
    string("short_prompt"),
    UniqueConstraint("name"),
)

conversations = Table(
    "conversations",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    string("platform"),
    string("external_id"),
    moment("created_at"),
    UniqueConstraint("platform", "external_id"),
)

turns = Table(
    "turns",
    metadata,
    identifier(),
    reference("conversation_id", "conversations.id"),
    reference("voice_id", "voices.id"),
    string("platform"),
    string("key"),
    string("question"),
    reference("asked_by", "actors.id"),
    moment("asked_at"),
    *word("state", TurnState),
    string("lease_owner", nullable=True),
    moment("lease_until", nullable=True),
    Column("attempts", Integer, nullable=False),
    moment("edited_at", nullable=True),
    moment("withdrawn_at", nullable=True),
    UniqueConstraint("platform", "key"),
    Index("ix_turns_conversation_id_asked_at_id", "conversation_id", "asked_at", "id"),
)
_IS_ASKED = text("state = 'asked'")
Index("ix_turns_asked", turns.c.asked_at, sqlite_where=_IS_ASKED, postgresql_where=_IS_ASKED)

replies = Table(
    "replies",
    metadata,
    identifier(),
    reference("turn_id", "turns.id"),
    reference("conversation_id", "conversations.id"),
    reference("voice_id", "voices.id"),
    string("text"),
    *word("source", ReplySource),
    string("model_name", nullable=True),
    reference("deployment_id", "deployments.id", nullable=True),
    string("prompt_hash", nullable=True),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    moment("created_at"),
    string("corrected_text", nullable=True),
    Column("fix_ids", Ids, nullable=False),
    UniqueConstraint("turn_id"),
    Index("ix_replies_voice_id_created_at", "voice_id", "created_at"),
)
