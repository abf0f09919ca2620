"""The nouns, as frozen dataclasses and enums. Standard library only; no behaviour beyond what a record can say of itself.

Every moment is an aware UTC datetime. Every id is a string made by `storage.ids.new_id`, except a dataset version's, which
is the hash of its bytes. One word per idea, the same in tables, code and messages.
"""

from storage.records.alarms import Alarm
from storage.records.auditing import AuditEntry
from storage.records.datasets import DatasetLine, DatasetVersion, Erasure, Part, Role, Side
from storage.records.judgement import (
    CastVote,
    Correction,
    CorrectionState,
    Feedback,
    Judgement,
    MarkedReply,
    Message,
    Scope,
)
from storage.records.people import PROGRAM_ACTOR_ID, Actor, Right, Session
from storage.records.platforms import (
    Channel,
    ChannelMode,
    ChannelRules,
    HandOver,
    InboundEvent,
    Installation,
    Posting,
    PostingKind,
    ThreadMode,
)
from storage.records.review import (
    Assignment,
    Dispute,
    DisputeKind,
    Held,
    Hold,
    Opinion,
    PairVote,
    Preference,
    Settlement,
)
from storage.records.runs import (
    OPEN_RUN_STATES,
    BesideAnswer,
    Evaluation,
    Evidence,
    Run,
    RunEvent,
    RunState,
    SampleScore,
    Suite,
    Trigger,
    Verdict,
)
from storage.records.serving import Deployment, DeploymentKind, Model
from storage.records.talk import Conversation, PromptKind, Reply, ReplySource, Turn, TurnState, Voice

__all__ = [
    "OPEN_RUN_STATES",
    "PROGRAM_ACTOR_ID",
    "Actor",
    "Alarm",
    "Assignment",
    "AuditEntry",
    "BesideAnswer",
    "CastVote",
    "Channel",
    "ChannelMode",
    "ChannelRules",
    "Conversation",
    "Correction",
    "CorrectionState",
    "DatasetLine",
    "DatasetVersion",
    "Deployment",
    "DeploymentKind",
    "Dispute",
    "DisputeKind",
    "Erasure",
    "Evaluation",
    "Evidence",
    "Feedback",
    "HandOver",
    "Held",
    "Hold",
    "InboundEvent",
    "Installation",
    "Judgement",
    "MarkedReply",
    "Message",
    "Model",
    "Opinion",
    "PairVote",
    "Part",
    "Posting",
    "PostingKind",
    "Preference",
    "PromptKind",
    "Reply",
    "ReplySource",
    "Right",
    "Role",
    "Run",
    "RunEvent",
    "RunState",
    "SampleScore",
    "Scope",
    "Session",
    "Settlement",
    "Side",
    "Suite",
    "ThreadMode",
    "Trigger",
    "Turn",
    "TurnState",
    "Verdict",
    "Voice",
]
