"""Tables of models and deployments."""

from sqlalchemy import Column, Float, Index, Integer, Table, UniqueConstraint, text

from storage.records import DeploymentKind, PromptKind
from storage.schema.columns import identifier, metadata, moment, reference, string, word

models = Table(
    "models",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    Column("number", Integer, nullable=False),
    string("name"),
    string("base_model"),
    reference("run_id", "runs.id", nullable=True),
    reference("dataset_version_id", "dataset_versions.id", nullable=True),
    moment("created_at"),
    moment("erased_at", nullable=True),
    *word("prompt", PromptKind),
    string("shape"),
    UniqueConstraint("voice_id", "number"),
    UniqueConstraint("run_id"),
)
_IS_BASE = text("run_id IS NULL")
Index(
    "uq_models_base_name",
    models.c.voice_id,
    models.c.name,
    unique=True,
    sqlite_where=_IS_BASE,
    postgresql_where=_IS_BASE,
)

# Append-only: the migration adds triggers that refuse UPDATE and DELETE.
deployments = Table(
    "deployments",
    metadata,
    identifier(),
    reference("voice_id", "voices.id"),
    Column("seq", Integer, nullable=False),
    *word("kind", DeploymentKind),
    reference("model_id", "models.id"),
    reference("run_id", "runs.id", nullable=True),
    moment("since"),
    reference("by", "actors.id"),
    string("why"),
    reference("canary_id", "models.id", nullable=True),
    Column("canary_share", Float, nullable=False),
    UniqueConstraint("voice_id", "seq"),
)
_IS_PROMOTION = text("kind = 'promotion'")
Index(
    "uq_deployments_promotion_per_run",
    deployments.c.run_id,
    unique=True,
    sqlite_where=_IS_PROMOTION,
    postgresql_where=_IS_PROMOTION,
)
_IS_CANARY = text("kind = 'canary'")
Index(
    "uq_deployments_canary_per_run",
    deployments.c.run_id,
    unique=True,
    sqlite_where=_IS_CANARY,
    postgresql_where=_IS_CANARY,
)
