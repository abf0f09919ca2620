"""A provider for tests: scripted replies, a job that finishes on the third poll, faults on demand. No network, no time.

It keeps a ledger of what a vendor would have been paid for, so that crash tests can count. tests/providers/test_contract.py
holds it to the behaviour of the real driver against a real server.
"""

import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from providers.base import (
    Chunk,
    ErrorKind,
    JobEvent,
    JobRequest,
    JobState,
    JobStatus,
    Message,
    ProviderError,
    Sampling,
)

POLLS_TO_FINISH = 3
UNLIKELY = -5.0  # log-probability of a word that the script does not say
_START = datetime(2026, 1, 1, tzinfo=UTC)

Script = Callable[[str, Sequence[Message]], str]


def echo(model: str, messages: Sequence[Message]) -> str:
    """The default script: say which model was asked what."""
    return f"[{model}] {messages[-1].content}"


@dataclass
class FakeProvider:
    """ChatModel, Scores and Trainer in memory. `faults[call]` is a queue of errors: each call of that name takes the next one.

    A fault on `create_job` of kind AMBIGUOUS creates the job and then raises, as a timed-out POST does.
    """

    base_models: frozenset[str] = frozenset({"base"})
    script: Script = echo
    faults: dict[str, deque[ProviderError]] = field(default_factory=dict[str, "deque[ProviderError]"])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    jobs: dict[str, JobStatus] = field(default_factory=dict[str, JobStatus])
    requests: dict[str, JobRequest] = field(default_factory=dict[str, JobRequest])
    polls: dict[str, int] = field(default_factory=dict[str, int])
    asked: list[tuple[str, tuple[Message, ...]]] = field(default_factory=list["tuple[str, tuple[Message, ...]]"])
    scored: list[tuple[str, tuple[Message, ...], str]] = field(
        default_factory=list["tuple[str, tuple[Message, ...], str]"]
    )
    final_state: JobState = JobState.SUCCEEDED
    loses_creates: bool = False  # an AMBIGUOUS create makes no job
    list_lag: int = 0  # how many looks at the list find nothing yet
    hidden_models: set[str] = field(default_factory=set[str])  # succeeded but not servable yet
    pause: Callable[[int], Awaitable[None]] | None = (
        None  # a slow model: awaited before each word, by its number from 0
    )

    def fail_next(self, call: str, kind: ErrorKind, *, times: int = 1, retry_after_s: float | None = None) -> None:
        """Make the next `times` calls of that name raise."""
        error = ProviderError(f"the fake was told to fail {call}", kind, retry_after_s)
        self.faults.setdefault(call, deque()).extend([error] * times)

    def _fault(self, call: str) -> ProviderError | None:
        queue = self.faults.get(call)
        return queue.popleft() if queue else None

    def _raise_fault(self, call: str) -> None:
        if error := self._fault(call):
            raise error

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """Yield the script's answer word by word; a fault named "stream" comes at once, "mid_stream" after one word."""
        self._raise_fault("stream")
        if model not in await self.model_names():
            raise ProviderError(f"The model {model} does not exist.", ErrorKind.MODEL_GONE)
        self.asked.append((model, tuple(messages)))
        words = self.script(model, messages).split(" ")[: sampling.max_tokens]
        for index, word in enumerate(words):
            if self.pause is not None:
                await self.pause(index)
            yield Chunk(word if index == 0 else f" {word}")
            self._raise_fault("mid_stream")
        prompt_tokens = sum(len(message.content.split()) for message in messages)
        yield Chunk("", "stop", prompt_tokens, len(words))

    async def score(self, model: str, messages: Sequence[Message], answer: str) -> float:
        """As likely as it is the script's: each word it would say in this place is certain, any other is UNLIKELY."""
        self._raise_fault("score")
        if model not in await self.model_names():
            raise ProviderError(f"The model {model} does not exist.", ErrorKind.MODEL_GONE)
        if not (given := answer.split()):
            raise ProviderError("The prompt is empty.", ErrorKind.BAD_REQUEST)
        self.scored.append((model, tuple(messages), answer))
        said = self.script(model, messages).split()
        return UNLIKELY * sum(word != wanted for word, wanted in zip_longest(given, said[: len(given)])) / len(given)

    async def model_names(self) -> frozenset[str]:
        """The base models and every finished tune that is not hidden."""
        self._raise_fault("model_names")
        tuned = {job.model_name for job in self.jobs.values() if job.model_name is not None}
        return frozenset(self.base_models | (tuned - self.hidden_models))

    async def upload(self, filename: str, content: bytes) -> str:
        """Keep the bytes; refuse what is not JSON lines."""
        self._raise_fault("upload")
        for number, line in enumerate(content.splitlines(), 1):
            try:
                json.loads(line)
            except json.JSONDecodeError as error:
                raise ProviderError(f"{filename} line {number} is not JSON: {error}", ErrorKind.BAD_REQUEST) from error
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = content
        return file_id

    async def create_job(self, request: JobRequest) -> JobStatus:
        """Pay for one job."""
        fault = self._fault("create_job")
        if fault is not None and fault.kind is not ErrorKind.AMBIGUOUS:
            raise fault
        tuned = {job.model_name for job in self.jobs.values()}
        if request.base_model not in self.base_models or request.starts_from not in {None, *tuned}:
            wanted = request.starts_from or request.base_model
            raise ProviderError(f"Model {wanted} cannot be tuned.", ErrorKind.BAD_REQUEST)
        if request.training_file_id not in self.files:
            raise ProviderError(f"No file {request.training_file_id}.", ErrorKind.BAD_REQUEST)
        if fault is not None and self.loses_creates:
            raise fault
        number = len(self.jobs) + 1
        created_at = datetime.now(UTC)
        status = JobStatus(f"ftjob-{number}", JobState.QUEUED, "queued", None, "", None, None, created_at)
        self.jobs[status.id] = status
        self.requests[status.id] = request
        self.polls[status.id] = 0
        if fault is not None:
            raise fault
        return status

    async def find_jobs(self, run_key: str, training_file_id: str, since: datetime) -> list[JobStatus]:
        """Jobs of this run, oldest first."""
        self._raise_fault("find_jobs")
        if self.list_lag > 0:
            self.list_lag -= 1
            return []
        return [
            self.jobs[job_id]
            for job_id, request in self.requests.items()
            if (request.run_key == run_key or request.training_file_id == training_file_id)
            and self.jobs[job_id].created_at >= since
        ]

    async def job(self, job_id: str) -> JobStatus:
        """One poll: queued, running, then over on the third."""
        self._raise_fault("job")
        if job_id not in self.jobs:
            raise ProviderError(f"No training job {job_id}.", ErrorKind.TRAINING_UNAVAILABLE)
        status = self.jobs[job_id]
        if status.state in (JobState.QUEUED, JobState.RUNNING):
            self.polls[job_id] += 1
            if self.polls[job_id] < POLLS_TO_FINISH:
                status = replace(status, state=JobState.RUNNING, vendor_status="running")
            elif self.final_state is JobState.SUCCEEDED:
                request = self.requests[job_id]
                name = f"ft:{request.base_model}:local:{request.suffix}:{job_id[6:]}"
                tokens = sum(len(line) for line in self.files[request.training_file_id].splitlines()) // 4
                status = replace(
                    status, state=JobState.SUCCEEDED, vendor_status="succeeded", model_name=name, trained_tokens=tokens
                )
            else:
                status = replace(
                    status, state=self.final_state, vendor_status=str(self.final_state), error="The fake failed it."
                )
            self.jobs[job_id] = status
        return status

    async def events(self, job_id: str) -> list[JobEvent]:
        """One metrics event per poll so far."""
        self._raise_fault("events")
        return [
            JobEvent(
                f"{job_id}-event-{step}",
                _START + timedelta(seconds=step),
                "info",
                f"Step {step}/{POLLS_TO_FINISH}",
                {"step": float(step), "total_steps": float(POLLS_TO_FINISH), "train_loss": 3.0 / step},
            )
            for step in range(1, self.polls[job_id] + 1)
        ]

    async def cancel(self, job_id: str) -> JobStatus:
        """Stop the job unless it is over."""
        self._raise_fault("cancel")
        status = self.jobs[job_id]
        if status.state in (JobState.QUEUED, JobState.RUNNING):
            self.jobs[job_id] = status = replace(status, state=JobState.CANCELLED, vendor_status="cancelled")
        return status
