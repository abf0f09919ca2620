"""Between the official chat shape and llama.cpp's. Pure: one request or reply in, the other out.

llama.cpp's own defaults (top_k 40, min_p 0.05, a repeat penalty) are switched off: an absent parameter means the
official default, temperature 1 and nothing cut.
"""

from __future__ import annotations

import secrets
from typing import Any, cast

from tuner.errors import ApiError, bad_request
from tuner.wire import ChatRequest, CompletionRequest, Message, TextPart

SAMPLERS = ["penalties", "temperature", "top_p"]


def engine_request(request: ChatRequest, lora: list[dict[str, float]], choice: int, has_tools: bool) -> dict[str, Any]:
    """The body for llama.cpp's /v1/chat/completions; `choice` counts from 0 up to `n`.

    Raises ApiError for a parameter that this base cannot honour.
    """
    if request.tools and not has_tools:
        raise bad_request(
            "tools are not supported by this model: its chat template has no place for them.",
            "tools",
            "unsupported_parameter",
        )
    if request.tool_choice not in (None, "none", "auto") and not request.tools:
        raise bad_request("tool_choice is only allowed when tools are given.", "tool_choice")
    if request.top_logprobs is not None and not request.logprobs:
        raise bad_request("top_logprobs is only allowed when logprobs is true.", "top_logprobs")
    refuse_stray_stream_options(request)
    body: dict[str, Any] = {
        "messages": [engine_message(message, index) for index, message in enumerate(request.messages)],
        **generation(request, lora, choice),
    }
    if request.stream:
        body["stream_options"] = {"include_usage": True}
    if (limit := request.max_completion_tokens or request.max_tokens) is not None:
        body["max_tokens"] = limit
    if request.logprobs:
        # Asked for none beside the token's own, llama.cpp tells no log-probabilities at all.
        body |= {"logprobs": True, "top_logprobs": max(1, request.top_logprobs or 0)}
    if request.logit_bias:
        body["logit_bias"] = [[int(token), bias] for token, bias in request.logit_bias.items()]
    if request.response_format is not None and request.response_format.type != "text":
        body["response_format"] = response_format(request)
    if request.tools and request.tool_choice != "none":
        body |= {"tools": request.tools, "tool_choice": request.tool_choice or "auto"}
        if request.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = request.parallel_tool_calls
    return body


def refuse_stray_stream_options(request: ChatRequest | CompletionRequest) -> None:
    """Raises ApiError for stream_options without a stream."""
    if request.stream_options is not None and not request.stream:
        raise bad_request("stream_options is only allowed when stream is true.", "stream_options")


def generation(
    request: ChatRequest | CompletionRequest, lora: list[dict[str, float]], choice: int = 0
) -> dict[str, Any]:
    """What both of llama.cpp's completion routes are told alike: how to draw, when to stop, under which adapter."""
    body: dict[str, Any] = {
        "stream": bool(request.stream),
        "lora": lora,
        "cache_prompt": True,
        **sampling(request.temperature, request.top_p, request.seed, choice),
        "presence_penalty": request.presence_penalty or 0.0,
        "frequency_penalty": request.frequency_penalty or 0.0,
    }
    if request.stop:
        body["stop"] = [request.stop] if isinstance(request.stop, str) else request.stop
    return body


def sampling(temperature: float | None, top_p: float | None, seed: int | None, choice: int = 0) -> dict[str, Any]:
    body: dict[str, Any] = {
        "temperature": 1.0 if temperature is None else temperature,
        "top_p": 1.0 if top_p is None else top_p,
        "samplers": SAMPLERS,
        "repeat_penalty": 1.0,
    }
    # llama.cpp seeds with 32 bits and reads the largest value as "random".
    body["seed"] = secrets.randbelow(2**32 - 1) if seed is None else (seed + choice) % (2**32 - 1)
    return body


def response_format(request: ChatRequest) -> dict[str, Any]:
    asked = request.response_format
    assert asked is not None
    if asked.type == "json_object":
        return {"type": "json_object"}
    if asked.json_schema is None:
        raise bad_request("response_format.json_schema is missing.", "response_format.json_schema")
    return {"type": "json_schema", "json_schema": {"schema": asked.json_schema.json_schema or {}}}


def engine_message(message: Message, index: int) -> dict[str, Any]:
    content = message.content
    if isinstance(content, list):
        content = "".join(part.text for part in content)
    if content is None and not (message.role == "assistant" and message.tool_calls):
        raise bad_request(f"messages[{index}].content is missing.", f"messages[{index}].content")
    body: dict[str, Any] = {"role": "system" if message.role == "developer" else message.role, "content": content or ""}
    if message.tool_calls:
        body["tool_calls"] = [call.model_dump() for call in message.tool_calls]
    if message.tool_call_id:
        body["tool_call_id"] = message.tool_call_id
    return body


def text_of(content: str | list[TextPart] | None) -> str:
    return content if isinstance(content, str) else "".join(part.text for part in content or [])


def chat_choice(choice: dict[str, Any], index: int, n_top: int) -> dict[str, Any]:
    """A whole answer's choice, with the fields the official schema demands present as null."""
    message = choice["message"]
    shown: dict[str, Any] = {"role": "assistant", "content": message.get("content"), "refusal": None}
    if message.get("tool_calls"):
        shown["tool_calls"] = message["tool_calls"]
        shown["content"] = message.get("content") or None
    return {
        "index": index,
        "message": shown,
        "logprobs": logprobs(choice.get("logprobs"), n_top),
        "finish_reason": choice["finish_reason"],
    }


def stream_choice(choice: dict[str, Any], index: int, n_top: int) -> dict[str, Any]:
    """One piece of a streamed answer."""
    delta: dict[str, Any] = choice["delta"]
    if "role" in delta:
        delta = {"role": "assistant", "content": delta.get("content") or "", "refusal": None}
    return {
        "index": index,
        "delta": delta,
        "logprobs": logprobs(choice.get("logprobs"), n_top),
        "finish_reason": choice.get("finish_reason"),
    }


def logprobs(given: dict[str, Any] | None, n_top: int) -> dict[str, Any] | None:
    """llama.cpp's log-probabilities without its token ids, and only the `n_top` likeliest that were asked for.

    `refusal` is null, as the official schema has it.
    """
    if given is None:
        return None
    entries: list[dict[str, Any]] = given.get("content") or []
    return {"content": [_logprob(entry, n_top) for entry in entries], "refusal": None}


def _logprob(entry: dict[str, Any], n_top: int) -> dict[str, Any]:
    return {
        "token": entry["token"],
        "logprob": entry["logprob"],
        "bytes": entry["bytes"],
        "top_logprobs": [
            {"token": top["token"], "logprob": top["logprob"], "bytes": top["bytes"]}
            for top in entry.get("top_logprobs", [])[:n_top]
        ],
    }


def usage(given: dict[str, Any] | None) -> dict[str, Any]:
    """The official usage object; counts are tokens."""
    given = given or {}
    details: dict[str, int] = given.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens", 0)
    return {
        "prompt_tokens": given.get("prompt_tokens", 0),
        "completion_tokens": given.get("completion_tokens", 0),
        "total_tokens": given.get("prompt_tokens", 0) + given.get("completion_tokens", 0),
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def summed(usages: list[dict[str, Any]]) -> dict[str, Any]:
    """The usage of n choices over one prompt: the prompt counts once."""
    total = dict(usages[0])
    total["completion_tokens"] = sum(one["completion_tokens"] for one in usages)
    total["total_tokens"] = total["prompt_tokens"] + total["completion_tokens"]
    return total


def engine_refusal(status: int, content: Any, param: str = "messages") -> ApiError:
    """llama.cpp's error as ours; what it refuses for the caller's sake stays a 400."""
    given: dict[str, Any] = cast(dict[str, Any], content).get("error", {}) if isinstance(content, dict) else {}
    message = str(given.get("message") or "The engine could not answer.")
    if given.get("type") == "exceed_context_size_error":
        return bad_request(
            f"This model's maximum context length is {given.get('n_ctx')} tokens. However, your {param} resulted in "
            f"{given.get('n_prompt_tokens')} tokens. Please reduce the length of the {param}.",
            param,
            "context_length_exceeded",
        )
    if 400 <= status < 500 or given.get("type") == "invalid_request_error":
        return bad_request(message)
    return ApiError(503, message, "server_error", code="engine_error")
