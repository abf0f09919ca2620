"""The first tables, the program's own actor, and the two histories that are only ever added to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(JSONB, "postgresql")
APPEND_ONLY = ("deployments", "audit")


def upgrade() -> None:
    """Create everything. Written out, not read from `storage.schema`: a migration must not change when the schema does."""
    _create_tables()
    _insert_the_program()
    for table in APPEND_ONLY:
        _refuse_changes(table)


def _insert_the_program() -> None:
    actors = sa.table(
        "actors",
        sa.column("id", sa.Text),
        sa.column("platform", sa.Text),
        sa.column("external_id", sa.Text),
        sa.column("name", sa.Text),
        sa.column("rights", DOCUMENT),
        sa.column("created_at", MOMENT),
    )
    op.execute(
        sa.insert(actors).values(
            id="actor_finetone",
            platform="finetone",
            external_id="finetone",
            name="Finetone",
            rights=[],
            created_at=sa.func.current_timestamp(),
        )
    )


def _refuse_changes(table: str) -> None:
    """Make `table` append-only. A later migration that rebuilds it on SQLite must create these triggers again."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for change, level in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {table}_is_append_only()"
        )


def _create_tables() -> None:
    # op.f marks a name as complete; a CHECK's would otherwise get the naming convention's prefix a second time.
    op.create_table(
        "actors",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rights", DOCUMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_actors"),
        sa.UniqueConstraint("platform", "external_id", name="uq_actors_platform_external_id"),
    )
    op.create_table(
        "voices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("system_prompt", sa.Text(), nullable=False),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_voices"),
        sa.UniqueConstraint("name", name="uq_voices_name"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_audit_actor_id_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_subject_id", "audit", ["subject", "id"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_conversations_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
        sa.UniqueConstraint("platform", "external_id", name="uq_conversations_platform_external_id"),
    )
    op.create_table(
        "dataset_versions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("train_count", sa.Integer(), nullable=False),
        sa.Column("held_out_count", sa.Integer(), nullable=False),
        sa.Column("train_tokens", sa.Integer(), nullable=False),
        sa.Column("card", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["actors.id"], name="fk_dataset_versions_created_by_actors"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_dataset_versions_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_dataset_versions"),
    )
    op.create_index(
        "ix_dataset_versions_voice_id_created_at", "dataset_versions", ["voice_id", "created_at"], unique=False
    )
    op.create_table(
        "login_tokens",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_login_tokens_actor_id_actors"),
        sa.PrimaryKeyConstraint("token_hash", name="pk_login_tokens"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_sessions_actor_id_actors"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_table(
        "split_sides",
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.CheckConstraint("side IN ('held_out', 'train')", name=op.f("ck_split_sides_side")),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_split_sides_voice_id_voices"),
        sa.PrimaryKeyConstraint("voice_id", "group_key", name="pk_split_sides"),
    )
    op.create_table(
        "dataset_files",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_versions.id"], name="fk_dataset_files_version_id_dataset_versions"
        ),
        sa.PrimaryKeyConstraint("version_id", "name", name="pk_dataset_files"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("dataset_version_id", sa.Text(), nullable=True),
        sa.Column("training_file_id", sa.Text(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("candidate_name", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("cancel_requested_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('cancelled', 'evaluated', 'failed', 'frozen', 'promoted', "
            "'requested', 'servable', 'stopped', 'submitted', 'training')",
            name=op.f("ck_runs_state"),
        ),
        sa.CheckConstraint("trigger IN ('count', 'person', 'schedule')", name=op.f("ck_runs_trigger")),
        sa.ForeignKeyConstraint(["cancel_requested_by"], ["actors.id"], name="fk_runs_cancel_requested_by_actors"),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"], ["dataset_versions.id"], name="fk_runs_dataset_version_id_dataset_versions"
        ),
        sa.ForeignKeyConstraint(["requested_by"], ["actors.id"], name="fk_runs_requested_by_actors"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_runs_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_voice_id_requested_at", "runs", ["voice_id", "requested_at"], unique=False)
    op.create_index(
        "uq_runs_open_per_voice",
        "runs",
        ["voice_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('evaluated', 'frozen', 'requested', 'servable', 'submitted', 'training')"),
        postgresql_where=sa.text("state IN ('evaluated', 'frozen', 'requested', 'servable', 'submitted', 'training')"),
    )
    op.create_table(
        "turns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('answered', 'asked')", name=op.f("ck_turns_state")),
        sa.ForeignKeyConstraint(["asked_by"], ["actors.id"], name="fk_turns_asked_by_actors"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_turns_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_turns_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("platform", "key", name="uq_turns_platform_key"),
    )
    op.create_index(
        "ix_turns_asked",
        "turns",
        ["asked_at"],
        unique=False,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_index(
        "ix_turns_conversation_id_asked_at_id", "turns", ["conversation_id", "asked_at", "id"], unique=False
    )
    op.create_table(
        "evaluations",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("incumbent_name", sa.Text(), nullable=False),
        sa.Column("candidate_name", sa.Text(), nullable=False),
        sa.Column("samples", DOCUMENT, nullable=False),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evaluated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_evaluations_run_id_runs"),
        sa.PrimaryKeyConstraint("run_id", name="pk_evaluations"),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_model", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("dataset_version_id", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"], ["dataset_versions.id"], name="fk_models_dataset_version_id_dataset_versions"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_models_run_id_runs"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_models_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("run_id", name="uq_models_run_id"),
        sa.UniqueConstraint("voice_id", "number", name="uq_models_voice_id_number"),
    )
    op.create_index(
        "uq_models_base_name",
        "models",
        ["voice_id", "name"],
        unique=True,
        sqlite_where=sa.text("run_id IS NULL"),
        postgresql_where=sa.text("run_id IS NULL"),
    )
    op.create_table(
        "run_events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("numbers", DOCUMENT, nullable=False),
        sa.CheckConstraint("level IN ('error', 'info', 'warn')", name=op.f("ck_run_events_level")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_events_run_id_runs"),
        sa.PrimaryKeyConstraint("seq", name="pk_run_events"),
        sa.UniqueConstraint("run_id", "key", name="uq_run_events_run_id_key"),
    )
    op.create_index("ix_run_events_run_id_seq", "run_events", ["run_id", "seq"], unique=False)
    op.create_table(
        "deployments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('first', 'promotion', 'rollback')", name=op.f("ck_deployments_kind")),
        sa.ForeignKeyConstraint(["by"], ["actors.id"], name="fk_deployments_by_actors"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_deployments_model_id_models"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_deployments_run_id_runs"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_deployments_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_deployments"),
        sa.UniqueConstraint("voice_id", "seq", name="uq_deployments_voice_id_seq"),
    )
    op.create_index(
        "uq_deployments_promotion_per_run",
        "deployments",
        ["run_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'promotion'"),
        postgresql_where=sa.text("kind = 'promotion'"),
    )
    op.create_table(
        "replies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("turn_id", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=True),
        sa.Column("deployment_id", sa.Text(), nullable=True),
        sa.Column("prompt_hash", sa.Text(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("corrected_text", sa.Text(), nullable=True),
        sa.CheckConstraint("source IN ('base', 'notice', 'tuned')", name=op.f("ck_replies_source")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_replies_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name="fk_replies_deployment_id_deployments"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_replies_turn_id_turns"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_replies_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_replies"),
        sa.UniqueConstraint("turn_id", name="uq_replies_turn_id"),
    )
    op.create_index("ix_replies_voice_id_created_at", "replies", ["voice_id", "created_at"], unique=False)
    op.create_table(
        "corrections",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voice_id", sa.Text(), nullable=False),
        sa.Column("reply_id", sa.Text(), nullable=True),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("history", DOCUMENT, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("served_text", sa.Text(), nullable=True),
        sa.Column("corrected_text", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=False),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('good', 'off_topic', 'outdated', 'tone', 'unsafe', 'wrong')", name=op.f("ck_corrections_reason")
        ),
        sa.CheckConstraint(
            "state IN ('approved', 'erased', 'proposed', 'rejected', 'retracted', 'superseded')",
            name=op.f("ck_corrections_state"),
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_corrections_conversation_id_conversations"
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["actors.id"], name="fk_corrections_decided_by_actors"),
        sa.ForeignKeyConstraint(["proposed_by"], ["actors.id"], name="fk_corrections_proposed_by_actors"),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_corrections_reply_id_replies"),
        sa.ForeignKeyConstraint(["superseded_by"], ["corrections.id"], name="fk_corrections_superseded_by_corrections"),
        sa.ForeignKeyConstraint(["voice_id"], ["voices.id"], name="fk_corrections_voice_id_voices"),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.UniqueConstraint("voice_id", "key", name="uq_corrections_voice_id_key"),
    )
    op.create_index("ix_corrections_reply_id", "corrections", ["reply_id"], unique=False)
    op.create_index(
        "ix_corrections_voice_id_state_proposed_at", "corrections", ["voice_id", "state", "proposed_at"], unique=False
    )
    op.create_index(
        "uq_corrections_approved_per_reply",
        "corrections",
        ["reply_id"],
        unique=True,
        sqlite_where=sa.text("state = 'approved'"),
        postgresql_where=sa.text("state = 'approved'"),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reply_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("judgement", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "judgement IN ('good', 'off_topic', 'outdated', 'tone', 'unsafe', 'wrong')",
            name=op.f("ck_feedback_judgement"),
        ),
        sa.ForeignKeyConstraint(["actor_id"], ["actors.id"], name="fk_feedback_actor_id_actors"),
        sa.ForeignKeyConstraint(["reply_id"], ["replies.id"], name="fk_feedback_reply_id_replies"),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.UniqueConstraint("reply_id", "actor_id", name="uq_feedback_reply_id_actor_id"),
    )
    op.create_table(
        "dataset_lines",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("correction_id", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.CheckConstraint("side IN ('held_out', 'train')", name=op.f("ck_dataset_lines_side")),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name="fk_dataset_lines_correction_id_corrections"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["dataset_versions.id"], name="fk_dataset_lines_version_id_dataset_versions"
        ),
        sa.PrimaryKeyConstraint("version_id", "side", "position", name="pk_dataset_lines"),
    )
    op.create_index("ix_dataset_lines_correction_id", "dataset_lines", ["correction_id"], unique=False)
