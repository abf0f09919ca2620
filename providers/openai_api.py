"""ChatModel and Trainer over AsyncOpenAI at any base_url: `tuner`, OpenAI, or another vendor of the same shape.

The only file that imports openai. Every vendor exception leaves here as a ProviderError whose kind says what to do next.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from statistics import fmean
from typing import Any, cast

import openai
from openai import AsyncOpenAI

from providers.alternatives import elsewhere
from providers.answers import job_event, job_status, moment, shutdown_date
from providers.base import Chunk, ErrorKind, JobEvent, JobRequest, JobStatus, Message, ProviderError, Sampling
from providers.quirks import Quirks
from providers.requests import RUN_KEY, openai_body

CHAT_TIMEOUT_S = 60.0  # between two chunks, and to the first one
CALL_TIMEOUT_S = 60.0  # any other call
MODERATED_AT_ONCE = 32  # texts in one moderation request; no limit is documented
PAGE = 100  # the API's own maximum page size
FILE_LOOK_S, FILE_LOOKS = 2.0, 25  # between two looks at an uploaded file, and how many; in all less than a lease


class OpenAIProvider:
    """One vendor, reached through one client. Close it with `aclose()`; use it from one event loop."""

    def __init__(self, base_url: str | None, api_key: str, quirks: Quirks, chat_url: str | None = None) -> None:
        self.quirks = quirks
        # Reads retry twice (the SDK's default); calls that cost money switch retries off themselves.
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key, timeout=CALL_TIMEOUT_S, max_retries=2)
        self._chat = self._client if chat_url is None else self._client.with_options(base_url=chat_url)

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
            answer = await self._chat.chat.completions.create(
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
            return frozenset([model.id async for model in self._chat.models.list()])

    # ------------------------------------------------------------ Scores

    async def score(self, model: str, messages: Sequence[Message], answer: str) -> float:
        """The mean log-probability per token of an answer. Raises ProviderError, BAD_REQUEST where the vendor cannot score."""
        if not self.quirks.scores_answers:
            raise ProviderError(f"{self.quirks.name} does not score given answers.", ErrorKind.BAD_REQUEST)
        with _translated(doing=f"scoring an answer of model {model}", not_found=ErrorKind.MODEL_GONE):
            scored = await self._chat.completions.create(
                model=model,
                prompt=answer,
                echo=True,
                logprobs=0,
                max_tokens=0,
                extra_body={"messages": [{"role": m.role, "content": m.content} for m in messages]},
            )
        found = [choice.logprobs.token_logprobs or [] for choice in scored.choices if choice.logprobs is not None]
        values = [value for each in found for value in each if value is not None]  # pyright: ignore[reportUnnecessaryComparison]
        if not values:
            raise ProviderError(f"{self.quirks.name} scored no token of a given answer.", ErrorKind.BAD_REQUEST)
        return fmean(values)

    # ------------------------------------------------------------ Catalogue

    async def shutdown_dates(self) -> Mapping[str, date]:
        """Model name → the day it stops answering, for those the vendor has given one. Raises ProviderError.

        A server that keeps no list of models gives none a day.
        """
        try:
            with _translated(doing="listing models"):
                listed = [model.model_dump(warnings=False) async for model in self._client.models.list()]
        except ProviderError as error:
            if error.status == 404:
                return {}
            raise
        return {model["id"]: day for model in listed if (day := shutdown_date(model)) is not None}

    # ------------------------------------------------------------ Wire

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        doing: str,
        creating: bool = False,
        key: str | None = None,
        file: tuple[str, bytes] | None = None,
    ) -> dict[str, Any]:
        """One request to a route the SDK does not know, relative to the vendor's address or whole; its JSON object.

        `creating` posts exactly once. `key` replaces the vendor's own in this request. Raises ProviderError as training does.
        """
        client = self._client.with_options(max_retries=0) if creating else self._client
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        with _translated(doing=doing, training=True, creating=creating):
            match method:
                case "GET":
                    answer = await client.get(path, cast_to=object, options={"headers": headers})
                case "PUT":
                    answer = await client.put(path, cast_to=object, body=body, options={"headers": headers})
                case "DELETE":
                    answer = await client.delete(
                        path, cast_to=type(None), options={"headers": headers}
                    )  # often no body
                case _ if file is not None:
                    form = {"headers": headers | {"Content-Type": "multipart/form-data"}}
                    answer = await client.post(
                        path, cast_to=object, body=body, files={"file": file}, options=cast(Any, form)
                    )
                case _:
                    answer = await client.post(path, cast_to=object, body=body, options={"headers": headers})
        return cast(dict[str, Any], answer) if isinstance(answer, dict) else {"data": answer}  # a bare list, or nothing

    # ------------------------------------------------------------ Trainer

    async def upload(self, filename: str, content: bytes) -> str:
        """Upload JSONL for training; return the vendor's file id. Raises ProviderError."""
        with _translated(doing=f"uploading {filename}", training=True):
            uploaded = await self._client.files.create(file=(filename, content), purpose="fine-tune")
            if self.quirks.waits_for_files:
                await self._processed(uploaded.id, filename)
        return uploaded.id

    async def _processed(self, file_id: str, filename: str) -> None:
        """Wait until the vendor has looked the file through. Raises ProviderError where it refuses it, or takes too long."""
        for _ in range(FILE_LOOKS):
            file = await self._client.files.retrieve(file_id)
            match str(file.status):
                case "processed":
                    return
                case "error" | "deleted":
                    why = file.status_details or "no reason given"
                    raise ProviderError(f"{self.quirks.name} refused {filename}: {why}.", ErrorKind.BAD_REQUEST)
                case _:
                    await asyncio.sleep(FILE_LOOK_S)
        took = FILE_LOOKS * FILE_LOOK_S
        raise ProviderError(
            f"{self.quirks.name} has not looked through {filename} in {took:.0f} s.", ErrorKind.UNREACHABLE
        )

    async def create_job(self, request: JobRequest) -> JobStatus:
        """Start a job, exactly one POST. Raises ProviderError; AMBIGUOUS where the job may exist all the same."""
        body = openai_body(request, self.quirks)
        # The SDK retries twice by default and sends no idempotency key: a create that timed out would be paid twice.
        client = self._client.with_options(max_retries=0, timeout=CALL_TIMEOUT_S)
        with (
            elsewhere(self.quirks, request.method, datetime.now(UTC).date()),
            _translated(doing="creating a training job", training=True, creating=True),
        ):
            # By `post`, since the SDK's own `create` has no place for what vendors add to the body.
            job = await client.post("/fine_tuning/jobs", cast_to=object, body=body)
        return job_status(cast(dict[str, Any], job))

    async def find_jobs(self, run_key: str, training_file_id: str, since: datetime) -> list[JobStatus]:
        """Jobs created for this run, oldest first: by metadata, else by this run's own training file. Raises ProviderError."""
        found: list[JobStatus] = []
        with _translated(doing="looking for the training job", training=True):
            async for listed in self._client.fine_tuning.jobs.list(limit=PAGE):
                job = listed.model_dump(warnings=False)
                if moment(job.get("created_at")) < since:
                    break  # the list is newest first
                metadata = cast(Mapping[str, str], job.get("metadata") or {})
                if metadata.get(RUN_KEY) == run_key or job.get("training_file") == training_file_id:
                    found.append(job_status(job))
        return sorted(found, key=lambda status: (status.created_at, status.id))

    async def job(self, job_id: str) -> JobStatus:
        """The job now. Raises ProviderError."""
        with _translated(doing=f"reading training job {job_id}", training=True):
            return job_status((await self._client.fine_tuning.jobs.retrieve(job_id)).model_dump(warnings=False))

    async def events(self, job_id: str) -> list[JobEvent]:
        """Every event so far, oldest first. Raises ProviderError."""
        with _translated(doing=f"reading events of training job {job_id}", training=True):
            listed = self._client.fine_tuning.jobs.list_events(job_id, limit=PAGE)
            events = [
                job_event(event.model_dump(warnings=False), position)
                for position, event in enumerate([e async for e in listed])
            ]
        return sorted(events, key=lambda event: (event.at, event.numbers.get("step", 0.0)))

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask the vendor to stop the job; one that is already over is returned as it is. Raises ProviderError."""
        try:
            with _translated(doing=f"cancelling training job {job_id}", training=True):
                return job_status((await self._client.fine_tuning.jobs.cancel(job_id)).model_dump(warnings=False))
        except ProviderError as error:
            if error.kind in (ErrorKind.BAD_REQUEST, ErrorKind.CONFLICT):
                return await self.job(job_id)
            raise


class OpenAIModerator:
    """A moderation model at any base_url that has OpenAI's `moderations`. Close it with `aclose()`."""

    def __init__(self, base_url: str | None, api_key: str, model: str) -> None:
        self.model = model
        self._client = AsyncOpenAI(base_url=base_url, api_key=api_key, timeout=CALL_TIMEOUT_S, max_retries=2)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def worst(self, texts: Sequence[str]) -> list[float]:
        """For each text the highest score of any category, in [0, 1]. Raises ProviderError."""
        found: list[float] = []
        for at in range(0, len(texts), MODERATED_AT_ONCE):
            with _translated(doing=f"asking moderation {self.model}", not_found=ErrorKind.MODEL_GONE):
                answer = await self._client.moderations.create(
                    model=self.model, input=list(texts[at : at + MODERATED_AT_ONCE])
                )
            scores = (result.category_scores.model_dump().values() for result in answer.results)
            found += [max((float(score) for score in of_one if score is not None), default=0.0) for of_one in scores]
        if len(found) != len(texts):
            raise ProviderError(
                f"Moderation {self.model} was asked about {len(texts)} texts and answered for {len(found)}.",
                ErrorKind.UNREACHABLE,
            )
        return found


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
            error.status_code,
        ) from error
    except openai.APIConnectionError as error:  # timeouts are a subclass
        cause = error.__cause__ or error
        kind = ErrorKind.AMBIGUOUS if creating and not _refused(error) else ErrorKind.UNREACHABLE
        raise ProviderError(f"The provider did not answer while {doing}: {cause!r}.", kind) from error
    except openai.APIError as error:  # an error event inside a stream
        raise ProviderError(f"{error.message} (while {doing})", ErrorKind.UNREACHABLE) from error
    except (json.JSONDecodeError, openai.OpenAIError) as error:
        raise ProviderError(
            f"The provider's answer could not be read while {doing}: {error}",
            ErrorKind.AMBIGUOUS if creating else ErrorKind.UNREACHABLE,  # what was asked for may be there all the same
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
