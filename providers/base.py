"""The protocols everything else speaks: ChatModel (answers), Trainer (tunes), Host (serves what was tuned); and the one error.

Standard library only. A vendor file classifies its own errors into ProviderError; the core decides what to do.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol


class ErrorKind(StrEnum):
    """What went wrong, as far as the caller's next step depends on it."""

    UNREACHABLE = "unreachable"  # connection refused, reset, timeout, 5xx: try again, or ask another
    RATE_LIMIT = "rate_limit"  # 429: try again after `retry_after_s`
    MODEL_GONE = "model_gone"  # 404 on a chat call: the model was deleted or shut down
    TRAINING_UNAVAILABLE = "training_unavailable"  # 401, 403, 404, 410 on training: never retried
    BAD_REQUEST = "bad_request"  # 400, 413, 422: the request itself is wrong; the message says what
    AMBIGUOUS = "ambiguous"  # a create call whose outcome is unknown: look the job up, never create again blindly
    CONFLICT = "conflict"  # 409


class ProviderError(Exception):
    """A vendor call failed. `kind` says what to do, the message is a sentence with the vendor's own words in it.

    `status` is the HTTP status, None where there was no answer.
    """

    def __init__(
        self, message: str, kind: ErrorKind, retry_after_s: float | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.status = status


class Message(Protocol):
    """Anything with a `role` ("system", "user", "assistant") and a `content`; `storage.records.Message` is one."""

    @property
    def role(self) -> str: ...

    @property
    def content(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw tokens. temperature 0 is greedy; `seed` makes a draw repeatable where the vendor can."""

    max_tokens: int
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a streamed completion. The last one carries `finish_reason` and the usage counts; its text may be empty."""

    text: str
    finish_reason: str | None = None  # "stop" | "length" | …
    prompt_tokens: int = 0
    completion_tokens: int = 0


class ChatModel(Protocol):
    """Answers messages with a named model."""

    def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """Yield the completion in pieces. Raises ProviderError, before or between chunks."""
        ...

    async def model_names(self) -> frozenset[str]:
        """The names that can be asked right now. Raises ProviderError."""
        ...


class Scores(Protocol):
    """Says how likely a model finds a given answer. Not every vendor can: `Quirks.scores_answers`."""

    async def score(self, model: str, messages: Sequence[Message], answer: str) -> float:
        """The mean log-probability per token, in nats, of `answer` as what the model says next to `messages`.

        Raises ProviderError, BAD_REQUEST for an answer that is empty or too long, and where the vendor cannot score.
        """
        ...


class Method(StrEnum):
    """How a model is trained, and so what a line of its training file holds."""

    SFT = "sft"  # a conversation whose answer is learned
    DPO = "dpo"  # one question, the answer wanted and the answer not wanted
    KTO = "kto"  # one answer marked good or bad


class JobState(StrEnum):
    """A training job as every vendor's statuses map onto it; an unknown status maps to RUNNING (non-terminal)."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What the vendor says of one training job."""

    id: str
    state: JobState
    vendor_status: str  # the vendor's own word
    model_name: str | None  # the tuned model, once succeeded
    error: str  # the vendor's sentence, "" unless failed
    trained_tokens: int | None
    estimated_finish: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class JobEvent:
    """One event of a job. `numbers` has step, total_steps, train_loss, valid_loss… where the event is of type metrics."""

    id: str
    at: datetime
    level: str
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a training job is made from. `run_key` travels as metadata and is how a job is found again.

    None leaves a number to the vendor. What a vendor has no field for is refused by name, never left out.
    """

    run_key: str
    base_model: str
    training_file_id: str
    suffix: str  # at most 64 characters
    n_epochs: int | None = None  # None: the vendor's "auto"
    seed: int | None = None
    method: Method = Method.SFT
    beta: float | None = None  # dpo and kto: how closely the model is held to what it was
    learning_rate_multiplier: float | None = None  # times what the vendor would take
    lora_r: int | None = None  # rank of the adapter
    replay: float | None = None  # share of general examples beside ours, so that other skills stay; 0 to 0.5
    validation_file_id: str | None = None  # examples whose loss is told and that are not learned
    starts_from: str | None = None  # a model tuned from `base_model`, whose weights the job goes on training


class Trainer(Protocol):
    """Runs training jobs. Creating one costs money, so `create_job` never retries by itself."""

    async def upload(self, filename: str, content: bytes) -> str:
        """Upload JSONL for training; return the vendor's file id. Raises ProviderError."""
        ...

    async def create_job(self, request: JobRequest) -> JobStatus:
        """Start a job, once. Raises ProviderError, with kind AMBIGUOUS where it may have been started all the same."""
        ...

    async def find_jobs(self, run_key: str, training_file_id: str, since: datetime) -> list[JobStatus]:
        """Jobs created for this run, oldest first: by metadata, else by training file. Raises ProviderError."""
        ...

    async def job(self, job_id: str) -> JobStatus:
        """The job now. Raises ProviderError."""
        ...

    async def events(self, job_id: str) -> list[JobEvent]:
        """Every event so far, oldest first. Raises ProviderError."""
        ...

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask the vendor to stop the job; a job that is already over is returned as it is. Raises ProviderError."""
        ...


class ServingState(StrEnum):
    """Where a trained model stands on its way to answering. *Trained* and *servable* are two facts."""

    STARTING = "starting"  # not yet, and the vendor is at it
    BY_HAND = "by_hand"  # not yet, and somebody has to deploy it; the sentence says what and under which name
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Serving:
    """Whether a trained model can be asked. `model_name` is what requests name, once `state` is READY."""

    state: ServingState
    model_name: str | None
    said: str  # a sentence


class Host(Protocol):
    """Has trained models served, and stops serving those that are no longer needed."""

    @property
    def bills_idle(self) -> bool:
        """Whether a served model costs money while nobody asks it."""
        ...

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Have the succeeded job's model served; `name` is ours and the same for every call about it.

        Looks before it deploys, so calling again only asks how it stands. Raises ProviderError.
        """
        ...

    async def served(self) -> frozenset[str]:
        """The models that are deployed now and could be taken down; empty where nothing can be. Raises ProviderError."""
        ...

    async def take_down(self, model_name: str) -> None:
        """Stop serving a model; its weights stay. No effect on one that is not served. Raises ProviderError."""
        ...


class Catalogue(Protocol):
    """What a vendor says of its own models."""

    async def shutdown_dates(self) -> Mapping[str, date]:
        """Model name → the day it stops answering, for those the vendor has given one. Raises ProviderError."""
        ...
