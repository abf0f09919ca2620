"""ChatModel and Trainer over AsyncOpenAI at any base_url: `tuner`, OpenAI, or another vendor of the same shape.

The only file that imports openai. Every vendor exception leaves here as a ProviderError whose kind says what to do next.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import openai
from openai import AsyncOpenAI

from providers.base import Chunk, ErrorKind, JobEvent, JobRequest, JobStatus, Message, ProviderError, Sampling
from providers.quirks import Quirks, job_state

CHAT_TIMEOUT_S = 60.0  # between two chunks, and to the first one
CALL_TIMEOUT_S = 60.0  # any other call
RUN_KEY = "finetone_run"  # the metadata key a job is found by
PAGE = 100  # the API's own maximum page size


class OpenAIProvider:
    """One vendor, reached through one client. Close it with `aclose()`; use it from one event loop."""

    def __init__(self, base_url: str | None, api_key: str, quirks: Quirks) -> None:
        self.quirks = quirks
        # Reads retry twice (the SDK's default); calls that cost money switch retries off themselves.
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key, timeout=CALL_TIMEOUT_S, max_retries=2)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    def move_to(self, base_url: str) -> None:
        """Use another address from the next call on: an embedded tuner that was started again listens on another port."""
        self._client.base_url = base_url

    # ------------------------------------------------------------ ChatModel

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """Yield the completion in pieces; the last chunk carries the usage counts. Raises ProviderError."""
        arguments: dict[str, Any] = {} if sampling.seed is None else {"seed": sampling.seed}
        finish_reason: str | None = None
        prompt_tokens = completion_tokens = 0
        with _translated(doing=f"asking model {model}", not_found=ErrorKind.MODEL_GONE):
            answer = await self._client.chat.completions.create(
                model=model,
                messages=cast(Any, [{"role": m.role, "content": m.content} for m in messages]),
                max_completion_tokens=sampling.max_tokens,
                temperature=sampling.temperature,
                stream=True,
                stream_options={"include_usage": True},
                timeout=CHAT_TIMEOUT_S,
                **arguments,
            )
            async with answer:
                async for part in answer:
                    if part.usage is not None:
                        prompt_tokens, completion_tokens = part.usage.prompt_tokens, part.usage.completion_tokens
                    for choice in part.choices:
                        finish_reason = choice.finish_reason or finish_reason
                        if choice.delta.content:
                            yield Chunk(choice.delta.content)
        if finish_reason is None:
            raise ProviderError(f"The stream from model {model} ended before it was finished.", ErrorKind.UNREACHABLE)
        yield Chunk("", finish_reason, prompt_tokens, completion_tokens)

    async def model_names(self) -> frozenset[str]:
        """The names that can be asked right now. Raises ProviderError."""
        with _translated(doing="listing models"):
            return frozenset([model.id async for model in self._client.models.list()])

    # ------------------------------------------------------------ Trainer

    async def upload(self, filename: str, content: bytes) -> str:
        """Upload JSONL for training; return the vendor's file id. Raises ProviderError."""
        with _translated(doing=f"uploading {filename}", training=True):
            uploaded = await self._client.files.create(file=(filename, content), purpose="fine-tune")
        return uploaded.id

    async def create_job(self, request: JobRequest) -> JobStatus:
        """Start a job, exactly one POST. Raises ProviderError; AMBIGUOUS where the job may exist all the same."""
        arguments: dict[str, Any] = {} if request.seed is None else {"seed": request.seed}
        epochs: Any = "auto" if request.n_epochs is None else request.n_epochs
        if self.quirks.method_style:
            arguments["method"] = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": epochs}}}
        else:
            arguments["hyperparameters"] = {"n_epochs": epochs}
        if self.quirks.knows_metadata:
            arguments["metadata"] = {RUN_KEY: request.run_key}
        # The SDK retries twice by default and sends no idempotency key: a create that timed out would be paid twice.
        client = self._client.with_options(max_retries=0, timeout=CALL_TIMEOUT_S)
        with _translated(doing="creating a training job", training=True, creating=True):
            job = await client.fine_tuning.jobs.create(
                model=request.base_model, training_file=request.training_file_id, suffix=request.suffix, **arguments
            )
        return _status(job)

    async def find_jobs(self, run_key: str, training_file_id: str, since: datetime) -> list[JobStatus]:
        """Jobs created for this run, oldest first: by metadata, else by this run's own training file. Raises ProviderError."""
        found: list[JobStatus] = []
        with _translated(doing="looking for the training job", training=True):
            async for job in self._client.fine_tuning.jobs.list(limit=PAGE):
                if _moment(job.created_at) < since:
                    break  # the list is newest first
                metadata = cast(Mapping[str, str], job.metadata or {})
                if metadata.get(RUN_KEY) == run_key or job.training_file == training_file_id:
                    found.append(_status(job))
        return sorted(found, key=lambda status: (status.created_at, status.id))

    async def job(self, job_id: str) -> JobStatus:
        """The job now. Raises ProviderError."""
        with _translated(doing=f"reading training job {job_id}", training=True):
            return _status(await self._client.fine_tuning.jobs.retrieve(job_id))

    async def events(self, job_id: str) -> list[JobEvent]:
        """Every event so far, oldest first. Raises ProviderError."""
        with _translated(doing=f"reading events of training job {job_id}", training=True):
            listed = self._client.fine_tuning.jobs.list_events(job_id, limit=PAGE)
            events = [_event(event) async for event in listed]
        return sorted(events, key=lambda event: (event.at, event.numbers.get("step", 0.0)))

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask the vendor to stop the job; one that is already over is returned as it is. Raises ProviderError."""
        try:
            with _translated(doing=f"cancelling training job {job_id}", training=True):
                return _status(await self._client.fine_tuning.jobs.cancel(job_id))
        except ProviderError as error:
            if error.kind in (ErrorKind.BAD_REQUEST, ErrorKind.CONFLICT):
                return await self.job(job_id)
            raise


def _moment(seconds: Any) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _status(job: Any) -> JobStatus:
    """Read a job object; vendors leave fields out, so each is asked for with a default."""
    error = getattr(job, "error", None)
    finish = getattr(job, "estimated_finish", None)
    return JobStatus(
        id=job.id,
        state=job_state(str(job.status)),
        vendor_status=str(job.status),
        model_name=getattr(job, "fine_tuned_model", None),
        error=(getattr(error, "message", None) or "") if error else "",
        trained_tokens=getattr(job, "trained_tokens", None),
        estimated_finish=None if finish is None else _moment(finish),
        created_at=_moment(job.created_at),
    )


def _event(event: Any) -> JobEvent:
    payload = getattr(event, "data", None)
    fields: Mapping[str, Any] = cast(Mapping[str, Any], payload) if isinstance(payload, Mapping) else dict[str, Any]()
    numbers = {name: float(value) for name, value in fields.items() if isinstance(value, int | float)}
    return JobEvent(event.id, _moment(event.created_at), str(event.level), str(event.message), numbers)


@contextmanager
def _translated(
    *, doing: str, training: bool = False, creating: bool = False, not_found: ErrorKind = ErrorKind.BAD_REQUEST
):
    """Turn the SDK's exceptions into ProviderError by their HTTP class, never by their text (providers.md, section 4)."""
    try:
        yield
    except openai.APIStatusError as error:
        raise ProviderError(
            f"{_sentence(error)} (HTTP {error.status_code}, while {doing})",
            _kind(error.status_code, training=training, creating=creating, not_found=not_found),
            _retry_after(error),
        ) from error
    except openai.APIConnectionError as error:  # timeouts are a subclass
        cause = error.__cause__ or error
        kind = ErrorKind.AMBIGUOUS if creating and not _refused(error) else ErrorKind.UNREACHABLE
        raise ProviderError(f"The provider did not answer while {doing}: {cause!r}.", kind) from error
    except openai.APIError as error:  # an error event inside a stream
        raise ProviderError(f"{error.message} (while {doing})", ErrorKind.UNREACHABLE) from error
    except (json.JSONDecodeError, openai.OpenAIError) as error:
        raise ProviderError(
            f"The provider's answer could not be read while {doing}: {error}", ErrorKind.UNREACHABLE
        ) from error


def _kind(status: int, *, training: bool, creating: bool, not_found: ErrorKind) -> ErrorKind:
    match status:
        case 401 | 403 | 404 | 410 if training:
            return ErrorKind.TRAINING_UNAVAILABLE
        case 404 | 410:
            return not_found
        case 409:
            return ErrorKind.CONFLICT
        case 429:
            return ErrorKind.RATE_LIMIT
        case _ if status >= 500 or status == 408:
            return ErrorKind.AMBIGUOUS if creating else ErrorKind.UNREACHABLE
        case _:
            return ErrorKind.BAD_REQUEST


def _refused(error: BaseException) -> bool:
    """Whether the connection was never made, so that a create call cannot have happened."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ConnectionRefusedError) or type(seen).__name__ == "ConnectError":
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _sentence(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, Mapping):
        message = cast(Mapping[str, Any], body).get("message")
        if isinstance(message, str):
            return message
    return error.message


def _retry_after(error: openai.APIStatusError) -> float | None:
    value = error.response.headers.get("retry-after", "")
    return float(value) if value.replace(".", "", 1).isdigit() else None
