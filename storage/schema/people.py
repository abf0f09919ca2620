"""Tables of who acts and who is signed in."""

from sqlalchemy import Column, Table, UniqueConstraint

from storage.schema.columns import Document, String, identifier, metadata, moment, reference, string

actors = Table(
    "actors",
    metadata,
    identifier(),
    string("platform"),
    string("external_id"),
    string("name"),
    Column("rights", Document, nullable=False),  # sorted list of words
    moment("created_at"),
    UniqueConstraint("platform", "external_id"),
)

login_tokens = Table(
    "login_tokens",
    metadata,
    Column("token_hash", String, primary_key=True),
    reference("actor_id", "actors.id"),
    moment("expires_at"),
    moment("used_at", nullable=True),
)

sessions = Table(
    "sessions",
    metadata,
    identifier(),  # the hash of what the cookie holds
    reference("actor_id", "actors.id"),
    string("csrf_token"),
    moment("created_at"),
    moment("expires_at"),
)
