"""The tables. Uniqueness, references and the words a state may be live here, as constraints, not in an `if`.

A column is named as the record's field is (`storage.records`). `storage/migrations` builds these tables; this module only
describes them, and a test holds the two together.
"""

from storage.schema.alarms import alarms
from storage.schema.auditing import audit, seals
from storage.schema.columns import Document, Moment, String, Word, metadata, storable
from storage.schema.datasets import dataset_files, dataset_lines, dataset_versions, erasures, split_sides
from storage.schema.judgement import corrections, feedback
from storage.schema.learned import learned, learned_answers
from storage.schema.people import actors, login_tokens, sessions
from storage.schema.platforms import (
    channel_days,
    channels,
    hand_overs,
    inbound_events,
    installations,
    listening,
    postings,
)
from storage.schema.review import (
    assignments,
    dispute_votes,
    disputes,
    doubts,
    holds,
    opinions,
    pair_votes,
    voice_checks,
    voice_rules,
)
from storage.schema.runs import evaluations, run_events, run_steps, runs
from storage.schema.serving import deployments, models
from storage.schema.talk import conversations, replies, turns, voices

__all__ = [
    "Document",
    "Moment",
    "String",
    "Word",
    "actors",
    "alarms",
    "assignments",
    "audit",
    "channel_days",
    "channels",
    "conversations",
    "corrections",
    "dataset_files",
    "dataset_lines",
    "dataset_versions",
    "deployments",
    "dispute_votes",
    "disputes",
    "doubts",
    "erasures",
    "evaluations",
    "feedback",
    "hand_overs",
    "holds",
    "inbound_events",
    "installations",
    "learned",
    "learned_answers",
    "listening",
    "login_tokens",
    "metadata",
    "models",
    "opinions",
    "pair_votes",
    "postings",
    "replies",
    "run_events",
    "run_steps",
    "runs",
    "seals",
    "sessions",
    "split_sides",
    "storable",
    "turns",
    "voice_checks",
    "voice_rules",
    "voices",
]
