"""The nouns, as frozen dataclasses and enums. Standard library only; no behaviour beyond what a record can say of itself.

Every moment is an aware UTC datetime. Every id is a string made by `storage.ids.new_id`, except a dataset version's, which
is the hash of its bytes. One word per idea, the same in tables, code and messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

# ---------------------------------------------------------------- people


class Right(StrEnum):
    """What an actor may do beyond asking. Rights do not imply each other: a person may hold any set of them."""

    MODERATOR = "moderator"  # mark, flag, correct, retract
    APPROVER = "approver"  # approve or reject: into the dataset
    ADMIN = "admin"  # retrain, cancel, promote, roll back, forget


PROGRAM_ACTOR_ID = "actor_finetone"  # the program itself; the first migration inserts it


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a customer, a moderator, an admin, or the program itself (platform "finetone")."""

    id: str
    platform: str  # "console" | "cli" | "slack" | "discord" | "finetone"
    external_id: str  # the platform's own id for the person; unique within the platform
    name: str  # for people's eyes; never a key
    rights: frozenset[Right] = frozenset()

    def has(self, right: Right) -> bool:
        """Whether this actor holds `right`."""
        return right in self.rights


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser: an opaque id in a cookie, its actor, and the token every form of that session carries."""

    id: str
    actor: Actor
    csrf_token: str
    expires_at: datetime


# ---------------------------------------------------------------- voices and conversations


@dataclass(frozen=True, slots=True)
class Voice:
    """A brand: its system prompt and the base model its tuned models are made from.

    `short_prompt` is what a model that was trained with it is asked with, because it has the rest in its weights; "": none.
    """

    id: str
    name: str
    system_prompt: str
    base_model: str
    created_at: datetime
    short_prompt: str = ""

    def prompt(self, kind: "PromptKind") -> str:
        """The prompt of this kind; the full one where there is no short one."""
        return self.short_prompt if kind is PromptKind.SHORT and self.short_prompt else self.system_prompt


class PromptKind(StrEnum):
    """Which of a voice's prompts a dataset version was built with, and so a model is asked with."""

    FULL = "full"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread or direct message. `external_id` is the platform's key; unique with `platform`."""

    id: str
    voice_id: str
    platform: str
    external_id: str
    created_at: datetime


class TurnState(StrEnum):
    """Where a turn stands. `asked` with an expired lease is picked up again."""

    ASKED = "asked"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and (once answered) its reply. `key` is the platform's natural key of the question: unique with `platform`."""

    id: str
    conversation_id: str
    voice_id: str
    platform: str
    key: str
    question: str
    asked_by: str  # actor id
    asked_at: datetime
    state: TurnState
    lease_owner: str | None  # who is answering it now
    lease_until: datetime | None
    attempts: int  # times an answer was begun
    edited_at: datetime | None = None  # when the customer last changed the question
    withdrawn_at: datetime | None = None  # when the customer deleted it; the question is empty since


class ReplySource(StrEnum):
    """Which rung of the ladder answered."""

    TUNED = "tuned"  # the deployed tuned model
    BASE = "base"  # the base model with the full prompt: nothing is tuned yet, or the tuned model failed
    NOTICE = "notice"  # a fixed sentence of ours: an empty question, a model that cannot be reached


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered to a turn, by which model, under which deployment. At most one per turn, by constraint."""

    id: str
    turn_id: str
    conversation_id: str
    voice_id: str
    text: str
    source: ReplySource
    model_name: str | None  # the provider's name of the model; None for a notice
    deployment_id: str | None
    prompt_hash: str | None  # first 12 hex digits of SHA-256 of the messages' system prompt
    prompt_tokens: int
    completion_tokens: int
    seconds: float  # from claim to last token
    created_at: datetime
    corrected_text: str | None = None  # what a moderator made of the posted reply; `text` keeps what the model said

    @property
    def standing_text(self) -> str:
        """What people read: the model's words, or what a moderator made of them."""
        return self.text if self.corrected_text is None else self.corrected_text


# ---------------------------------------------------------------- platforms


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """Something a platform delivered, kept before it is acknowledged and worked on under a lease. `key` is the platform's
    natural key of the delivery, unique with `platform`. The payload is dropped once it is done.
    """

    id: str
    platform: str
    key: str
    kind: str  # the platform's word: "app_mention", "reaction_added", "block_actions" …
    payload: Mapping[str, Any]
    received_at: datetime
    lease_owner: str | None
    lease_until: datetime | None
    attempts: int
    done_at: datetime | None = None
    outcome: str = ""  # why it ended without effect, in a few words; "" for one that was handled


class PostingKind(StrEnum):
    """What one of our messages on a platform shows, and so what its `subject` is the id of."""

    REPLY = "reply"  # a reply; the subject is the turn, so that the place is known before there is a reply
    REVIEW = "review"  # a correction's card
    DRAFT = "draft"  # a reply's card before it is sent; the subject is the turn
    HAND_OVER = "hand_over"  # a hand-over's card
    RUN = "run"  # a training run's progress
    NOTICE = "notice"  # what became of a correction, told to who proposed it
    FOLLOW_UP = "follow_up"  # the one question back after a silence; the subject is the conversation


@dataclass(frozen=True, slots=True)
class Posting:
    """One message of ours on a platform. `place` is the platform's channel, `message_key` its id of the message there:
    None while it is not known whether the platform has it. One per (platform, kind, subject, part), by constraint.
    """

    id: str
    platform: str
    kind: PostingKind
    subject: str
    part: int  # 0, 1, … of a text that takes several messages
    place: str
    message_key: str | None
    created_at: datetime
    removed_at: datetime | None = None  # deleted there since
    shown: str = ""  # the state it shows now, in a word; behind what is true, it is edited


@dataclass(frozen=True, slots=True)
class Installation:
    """A workspace that installed the app. `sealed` holds its token and the bot's ids, encrypted by whoever stores it."""

    platform: str
    team: str  # the platform's id of it
    sealed: str
    installed_at: datetime


class ChannelMode(StrEnum):
    """When the bot speaks in a channel."""

    OFF = "off"
    MENTION = "mention"  # when it is mentioned, and in threads it is part of
    AUTO = "auto"  # to every question
    DRAFT = "draft"  # never by itself: a moderator sees a draft and sends it


class ThreadMode(StrEnum):
    """Where the bot answers in a channel."""

    THREAD = "thread"  # in a thread opened on the question
    CHANNEL = "channel"  # under the question, where it stands


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """Who is answered in a channel, when and how often; as it begins, everybody always. bot/policy.py decides by it."""

    threads: ThreadMode | None = None  # None: as the installation's setting says
    asking_roles: tuple[
        str, ...
    ] = ()  # the platform's ids of roles or groups, one of which who asks has to be in; (): everybody
    language: str = ""  # "German"; "": whatever the model chooses
    cooldown_s: int = 0  # seconds between two questions of one person; 0: none
    opening_hours: str = ""  # "Mon-Fri 09:00-17:30, Sat 10:00-14:00"; "": always open
    time_zone: str = "UTC"  # of the opening hours and of the day that the cap counts: "Europe/Berlin"
    daily_cap: int = 0  # questions answered on one day; 0: no limit


@dataclass(frozen=True, slots=True)
class Channel:
    """What was set for one channel of a platform. `place` is the platform's id of it, with its team's."""

    platform: str
    place: str
    mode: ChannelMode
    is_training_allowed: bool  # whether corrections made here may enter datasets
    set_by: str  # actor id
    set_at: datetime
    rules: ChannelRules = ChannelRules()


@dataclass(frozen=True, slots=True)
class HandOver:
    """A conversation in a person's hands: the bot is silent there until it is released. One open per conversation."""

    id: str
    conversation_id: str
    reason: str
    asked_by: str  # actor id
    asked_at: datetime
    taken_by: str | None = None
    taken_at: datetime | None = None
    released_by: str | None = None
    released_at: datetime | None = None


# ---------------------------------------------------------------- judgement


class Judgement(StrEnum):
    """Anyone's judgement of a reply; all but `good` are also the reasons for a correction."""

    GOOD = "good"
    WRONG = "wrong"
    TONE = "tone"
    UNSAFE = "unsafe"
    OUTDATED = "outdated"
    OFF_TOPIC = "off_topic"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One actor's judgement of one reply. Last write wins per (reply, actor), by constraint; the audit keeps the rest."""

    id: str
    reply_id: str
    actor_id: str
    judgement: Judgement
    note: str
    flagged: bool  # asks for a moderator
    given_at: datetime


@dataclass(frozen=True, slots=True)
class MarkedReply:
    """A reply that was judged and that nobody wrote a correction for, with its question and every judgement, oldest first."""

    turn: Turn
    reply: Reply
    feedback: tuple[Feedback, ...]


class CorrectionState(StrEnum):
    """proposed → approved | rejected | retracted; approved → superseded | erased."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETRACTED = "retracted"
    SUPERSEDED = "superseded"
    ERASED = "erased"


class Scope(StrEnum):
    """Where a correction holds."""

    CHANNEL = "channel"  # only in the channel it was made in
    VOICE = "voice"
    EVERYONE = "everyone"  # every voice of this installation


@dataclass(frozen=True, slots=True)
class Message:
    """One `{role, content}` sent to a model. `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a moderator says the reply should have been.

    `history` is the conversation before the question (oldest first, without the system prompt). `served_text` is what the
    bot had said; None for an imported answer, which corrects nothing. `origin` names where it came from: "reply", or
    "import:FILE:LINE". `key` is made from what is said; unique with the voice, so that a form sent twice, or a file
    imported twice, is one correction.
    """

    id: str
    voice_id: str
    reply_id: str | None
    conversation_id: str | None
    origin: str
    key: str
    history: tuple[Message, ...]
    question: str
    served_text: str | None
    corrected_text: str
    reason: Judgement
    note: str
    state: CorrectionState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_note: str = ""
    superseded_by: str | None = None  # correction id
    scope: Scope = Scope.VOICE
    is_for_training: bool = True  # False: it may be used in prompts and edits, never in a dataset
    superseded_at: datetime | None = None  # from when another one holds instead
    expires_at: datetime | None = None  # from when it no longer holds; None: it holds until somebody says otherwise


class DisputeKind(StrEnum):
    """What cannot both be right."""

    CONTRADICTION = "contradiction"  # two approved corrections: one question, two answers
    OPINION = "opinion"  # a correction's approver and its second reviewer


class Settlement(StrEnum):
    """How a dispute ended."""

    FIRST = "first"  # the first correction holds; of a contradiction, the second is superseded
    SECOND = "second"  # of a contradiction only: the second holds, the first is superseded
    BOTH = "both"  # of a contradiction only: both can be right
    NEITHER = "neither"  # of an opinion only: the correction is taken out


@dataclass(frozen=True, slots=True)
class Dispute:
    """An open question that keeps the corrections it is about out of every dataset, until an approver settles it.

    Of a contradiction `first` is the older. `detail` says what differs, for people's eyes. One per pair, by constraint.
    """

    id: str
    voice_id: str
    kind: DisputeKind
    first: str  # correction id
    second: str  # correction id; "" for an opinion
    detail: Mapping[str, Any]
    opened_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = None  # actor id
    settlement: Settlement | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A correction that somebody is looking at; nobody else is offered it until the lock expires."""

    correction_id: str
    actor_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a second reviewer thinks of a decided correction, without having seen the decision. One per (correction, actor)."""

    correction_id: str
    actor_id: str
    is_approval: bool
    reason: Judgement  # what was wrong with the served reply, as they see it
    given_at: datetime


class Held(StrEnum):
    """What waits for an admin's look because there is unusually much of it."""

    CORRECTIONS = "corrections"
    MARKS = "marks"


@dataclass(frozen=True, slots=True)
class Hold:
    """Since `since` nothing of this kind is used until an admin releases it. One open per (voice, kind), by constraint."""

    id: str
    voice_id: str
    held: Held
    since: datetime
    why: str  # a sentence with the numbers
    released_at: datetime | None = None
    released_by: str | None = None  # actor id


# ---------------------------------------------------------------- datasets


class Side(StrEnum):
    """Which side of the split a group is on, for ever."""

    TRAIN = "train"
    HELD_OUT = "held_out"


class Part(StrEnum):
    """A file of a version."""

    TRAIN = "train"
    HELD_OUT = "held_out"
    FLAGGED = "flagged"  # replies that were marked as not right and not corrected: what not to say


class Role(StrEnum):
    """What a source gave a line."""

    ANSWER = "answer"  # the question and the answer; each line has exactly one
    MERGED = "merged"  # it says nearly the same, and stands in no line of its own
    FIX = "fix"  # an exchange that was shown before the question


@dataclass(frozen=True, slots=True)
class DatasetLine:
    """A source of line `position` (from 0) of a part of a version: the lineage, both ways.

    A correction, or a reply that was only marked: one of the two ids is set. `source` counts a line's sources from 0, which
    is the answer's.
    """

    version_id: str
    part: Part
    position: int
    source: int
    role: Role
    group_key: str
    correction_id: str | None = None
    reply_id: str | None = None

    @property
    def source_id(self) -> str:
        """The correction or the marked reply."""
        return self.correction_id or self.reply_id or ""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A frozen dataset. `id` is "ds_" and the first 32 hex digits of SHA-256 over its files' names and bytes."""

    id: str
    voice_id: str
    created_at: datetime
    created_by: str  # actor id
    train_count: int
    held_out_count: int
    train_tokens: int
    card: Mapping[str, Any]  # counts, tokens, what was left out and why
    erased_at: datetime | None = None  # when lines of it were erased, because somebody asked to be forgotten
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts its lines begin with


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased because somebody asked to be forgotten: counts, ids and hashes, never words.

    `person_hash` is SHA-256 of their platform and id. `detail` holds questions, judgements, corrections, versions (with the
    hashes of their files before and after), models trained on them, and what vendors may still hold.
    """

    id: str
    at: datetime
    by: str  # actor id
    person_hash: str
    detail: Mapping[str, Any]


# ---------------------------------------------------------------- runs


class RunState(StrEnum):
    """requested → frozen → submitted → training → servable → evaluated → promoted; or stopped | failed | cancelled.

    *Trained* and *servable* are two facts: `training` ends when the vendor's job has succeeded *and* the model answers.
    """

    REQUESTED = "requested"
    FROZEN = "frozen"  # its dataset version exists
    SUBMITTED = "submitted"  # the training job exists at the vendor
    TRAINING = "training"  # the vendor has begun
    SERVABLE = "servable"  # the candidate answers
    EVALUATED = "evaluated"  # scores and verdict are saved
    PROMOTED = "promoted"  # a deployment row names the candidate
    STOPPED = "stopped"  # the verdict was no, or there was nothing to train on
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_RUN_STATES = frozenset(
    {RunState.REQUESTED, RunState.FROZEN, RunState.SUBMITTED, RunState.TRAINING, RunState.SERVABLE, RunState.EVALUATED}
)


class Trigger(StrEnum):
    """What started a run."""

    PERSON = "person"  # /retrain, the console's button, `finetone retrain`
    COUNT = "count"  # enough newly approved corrections
    SCHEDULE = "schedule"


@dataclass(frozen=True, slots=True)
class Run:
    """One durable training run of ours. At most one per voice is open, by constraint.

    `epoch` is the fence: whoever claims the run raises it, and a write under an older epoch is refused (RunMoved).
    """

    id: str
    voice_id: str
    state: RunState
    trigger: Trigger
    requested_by: str
    requested_at: datetime
    updated_at: datetime
    epoch: int
    lease_owner: str | None
    lease_until: datetime | None
    base_model: str
    dataset_version_id: str | None = None
    training_file_id: str | None = None  # the provider's id of the uploaded file
    job_id: str | None = None  # the provider's id of the training job
    candidate_name: str | None = None  # the provider's name of the tuned model
    end_reason: str = ""  # a sentence, once the run is over
    cancel_requested_by: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the run still has a way to go."""
        return self.state in OPEN_RUN_STATES


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened in a run, kept for ever. `key` makes it unique within the run (the provider's event id, or ours).

    `numbers` holds what can be drawn: step, total_steps, train_loss, valid_loss, learning_rate, seconds_left.
    """

    run_id: str
    key: str
    at: datetime
    level: str  # "info" | "warn" | "error"
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class SampleScore:
    """One held-out question, both answers and their scores in [0, 1] against the reference."""

    correction_id: str
    question: str
    reference: str
    incumbent_text: str
    candidate_text: str
    incumbent_score: float
    candidate_score: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The comparison a promotion rests on. `passed` is the verdict, `reason` its sentence with the numbers."""

    run_id: str
    incumbent_name: str
    candidate_name: str
    samples: tuple[SampleScore, ...]
    margin: float  # mean gain that was required, in score points of [0, 1]
    passed: bool
    reason: str
    evaluated_at: datetime


# ---------------------------------------------------------------- models and deployments


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can answer. `number` counts a voice's models from 0, the base; people say "model 3"."""

    id: str
    voice_id: str
    number: int
    name: str  # the provider's name, sent in requests
    base_model: str
    run_id: str | None  # None for the base
    dataset_version_id: str | None
    created_at: datetime
    erased_at: datetime | None = None  # when something it was trained on was erased
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts it was trained with, and is asked with

    @property
    def is_base(self) -> bool:
        """Whether this is the untuned base model."""
        return self.run_id is None


class DeploymentKind(StrEnum):
    """Why a deployment row was appended."""

    FIRST = "first"  # the base model, when the voice was created
    PROMOTION = "promotion"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Deployment:
    """This model serves since then, by whom and why. Append-only; the highest `seq` of a voice is the current one."""

    id: str
    voice_id: str
    seq: int
    kind: DeploymentKind
    model: Model
    run_id: str | None
    since: datetime
    by: str  # actor id
    why: str


# ---------------------------------------------------------------- audit


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing, when. Appended in the same transaction as the change it describes."""

    id: int
    at: datetime
    actor_id: str
    verb: str  # "approve", "promote", …
    subject: str  # the id of the thing
    detail: Mapping[str, Any]
