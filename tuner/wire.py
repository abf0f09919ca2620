"""Request bodies in the official shapes, and how records look on the wire. Unknown parameters are refused by name.

Shapes: openai-python 3.54 (types/chat, types/fine_tuning), read 2026-11-21. A parameter that could only be ignored is
declared with the values that ask for nothing, so anything else is refused.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tuner.recipe import Recipe
from tuner.records import Event, FileRecord, Job, TunedModel


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


Auto = Literal["auto"]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Hyperparameters(Body):
    n_epochs: Auto | Annotated[int, Field(ge=1, le=50)] | None = None
    batch_size: Auto | Annotated[int, Field(ge=1, le=256)] | None = None
    learning_rate_multiplier: Auto | Annotated[float, Field(gt=0, le=100)] | None = None


class PreferenceHyperparameters(Hyperparameters):
    beta: Auto | Annotated[float, Field(gt=0, le=2)] | None = None


class SupervisedSettings(Body):
    hyperparameters: Hyperparameters | None = None


class PreferenceSettings(Body):
    hyperparameters: PreferenceHyperparameters | None = None


class Method(Body):
    """`kto` is an extension: single answers marked good or bad."""

    type: Literal["supervised", "dpo", "kto"]
    supervised: SupervisedSettings | None = None
    dpo: PreferenceSettings | None = None
    kto: PreferenceSettings | None = None


class JobRequest(Body):
    """POST /v1/fine_tuning/jobs; from `lora_r` on, extensions for `extra_body`."""

    model: ModelName
    training_file: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    validation_file: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    hyperparameters: Hyperparameters | None = None
    method: Method | None = None
    suffix: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=512)]],
            Field(max_length=16),
        ]
        | None
    ) = None
    integrations: Annotated[list[Any], Field(max_length=0)] | None = None
    lora_r: Annotated[int, Field(ge=1, le=256)] | None = None
    lora_alpha: Annotated[int, Field(ge=1, le=1024)] | None = None
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0, le=1)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    max_length: Annotated[int, Field(ge=16, le=1_000_000)] | None = None
    packing: bool | None = None
    replay: Annotated[float, Field(ge=0, le=0.5)] | None = None
    kl: Annotated[float, Field(ge=0, le=10)] | None = None


class TextPart(Body):
    type: Literal["text"]
    text: str


class FunctionCall(Body):
    name: str
    arguments: str


class ToolCall(Body):
    id: str
    type: Literal["function"]
    function: FunctionCall


class Message(Body):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None
    name: str | None = None
    refusal: None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None


class StreamOptions(Body):
    include_usage: bool = False
    include_obfuscation: Literal[False] | None = None


Stop = str | Annotated[list[str], Field(max_length=4)]
TokenBudget = Annotated[int, Field(ge=1, le=1_000_000)]


class JsonSchema(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    strict: bool | None = None
    description: str | None = None


class ResponseFormat(Body):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class ChatRequest(Body):
    """POST /v1/chat/completions."""

    model: ModelName
    messages: Annotated[list[Message], Field(min_length=1, max_length=2048)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Stop | None = None
    n: Annotated[int, Field(ge=1, le=16)] | None = None
    max_tokens: TokenBudget | None = None
    max_completion_tokens: TokenBudget | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    logit_bias: (
        Annotated[
            dict[Annotated[str, StringConstraints(pattern=r"^\d{1,7}$")], Annotated[float, Field(ge=-100, le=100)]],
            Field(max_length=1024),
        ]
        | None
    ) = None
    response_format: ResponseFormat | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None  # names the caller's end user to a vendor; there is no vendor here
    safety_identifier: str | None = None  # the same
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = None


class CompletionRequest(Body):
    """POST /v1/completions, with two extensions for scoring a given text: with `echo`, `score_from` scores only from that
    character of the prompt on, and the prompt is scored as the answer to `messages`.
    """

    model: ModelName
    prompt: str | list[str] | list[int] | list[list[int]]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: Stop | None = None
    n: Literal[1] | None = None
    best_of: Literal[1] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    suffix: None = None
    user: str | None = None
    score_from: Annotated[int, Field(ge=0)] | None = None
    messages: Annotated[list[Message], Field(min_length=1, max_length=2048)] | None = None


class EmbeddingRequest(Body):
    """POST /v1/embeddings."""

    model: ModelName
    input: str | list[str] | list[int] | list[list[int]]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None


def file_object(record: FileRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "object": "file",
        "bytes": record.bytes,
        "created_at": record.created_at,
        "expires_at": None,
        "filename": record.filename,
        "purpose": record.purpose,
        "status": "processed",
        "status_details": None,
    }


def page(items: list[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    """One page of an official list."""
    return {
        "object": "list",
        "data": items,
        "has_more": has_more,
        "first_id": items[0]["id"] if items else None,
        "last_id": items[-1]["id"] if items else None,
    }


def job_object(job: Job, organization: str) -> dict[str, Any]:
    recipe = Recipe(**job.recipe)
    hyperparameters: dict[str, Any] = {
        "n_epochs": recipe.n_epochs,
        "batch_size": recipe.batch_size,
        "learning_rate_multiplier": recipe.learning_rate_multiplier,
    }
    settings = dict(hyperparameters) if job.method == "supervised" else {**hyperparameters, "beta": recipe.beta}
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": job.created_at,
        "error": job.error,
        "fine_tuned_model": job.fine_tuned_model,
        "finished_at": job.finished_at,
        "hyperparameters": hyperparameters,
        "model": job.model,
        "organization_id": organization,
        "result_files": [job.result_file] if job.result_file else [],
        "seed": job.seed,
        "status": job.status,
        "trained_tokens": job.trained_tokens,
        "training_file": job.training_file,
        "validation_file": job.validation_file,
        "estimated_finish": job.estimated_finish,
        "integrations": [],
        "metadata": job.metadata,
        "method": {"type": job.method, job.method: {"hyperparameters": settings}},
        "user_provided_suffix": job.suffix,
        "usage_metrics": None,
        "shared_with_openai": False,
        "eval_id": None,
        # Ours, beside the official fields: what the numbers above leave out, and whether the job rests.
        "paused": job.paused,
        "recipe": job.recipe,
        "base_model": job.base,
        "starts_from": job.starts_from,
    }


def event_object(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "object": "fine_tuning.job.event",
        "created_at": event.created_at,
        "level": event.level,
        "message": event.message,
        "type": event.type,
        "data": event.data if event.data is not None else {},
    }


def checkpoint_object(model: TunedModel) -> dict[str, Any]:
    return {
        "id": model.checkpoint_id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": model.created_at,
        "fine_tuned_model_checkpoint": model.name,
        "fine_tuning_job_id": model.job_id,
        "metrics": {"step": model.step, **(model.metrics or {})},
        "step_number": model.step,
    }


def model_object(name: str, created_at: int, owner: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created_at, "owned_by": owner}
