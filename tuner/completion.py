"""Between the official completion shape and llama.cpp's. Pure: one request or reply in, the other out.

The shape of its log-probabilities: four lists in step, one entry a token; the first token of a text has none
(openai-python 3.54, types/completion_choice.py, read 2026-11-21).
"""

from __future__ import annotations

import codecs
from typing import Any

from tuner.chat import generation, refuse_stray_stream_options
from tuner.errors import bad_request
from tuner.scoring import Token
from tuner.wire import CompletionRequest

MAX_PROMPTS = 64  # in one request
DEFAULT_MAX_TOKENS = 16  # the official default


def prompts_of(request: CompletionRequest) -> list[str] | list[list[int]]:
    """The prompts asked about, each a text or a list of tokens. Raises ApiError for what contradicts itself."""
    refuse_stray_stream_options(request)
    if request.score_from is not None and not (request.echo and request.logprobs is not None):
        raise bad_request("score_from is only allowed with echo and logprobs.", "score_from")
    if request.messages is not None and not (request.echo and request.logprobs is not None and request.max_tokens == 0):
        raise bad_request(
            "messages is only allowed with echo, logprobs and max_tokens 0: the prompt is scored as the answer to them.",
            "messages",
        )
    given = request.prompt
    prompts: Any = given if isinstance(given, list) and given and not isinstance(given[0], int) else [given]
    if len(prompts) > MAX_PROMPTS:
        raise bad_request(f"{len(prompts)} prompts were given; at most {MAX_PROMPTS} are accepted.", "prompt")
    if not all(prompts):
        raise bad_request("The prompt is empty.", "prompt")
    return prompts


def engine_body(request: CompletionRequest, prompt: str | list[int], lora: list[dict[str, float]]) -> dict[str, Any]:
    """The body for llama.cpp's native /completion."""
    body: dict[str, Any] = {
        "prompt": prompt,
        "n_predict": DEFAULT_MAX_TOKENS if request.max_tokens is None else request.max_tokens,
        **generation(request, lora),
    }
    if request.logprobs is not None:
        body["n_probs"] = max(1, request.logprobs)
    return body


def finish_reason(reply: dict[str, Any]) -> str | None:
    """None for a piece that is not the last."""
    if not reply.get("stop"):
        return None
    return "length" if reply.get("stop_type") == "limit" else "stop"


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


class Logprobs:
    """The official lists of one choice, filled token by token; offsets go on over all that was added."""

    def __init__(self, n_top: int) -> None:
        self._n_top = n_top
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._characters = 0

    def unscored(self, tokens: list[Token]) -> dict[str, Any]:
        """Tokens of the prompt whose log-probability was not asked for, or that have none."""
        return self._lists([(token.bytes, None, None) for token in tokens])

    def scored(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        """llama.cpp's entries, of the prompt or of what was generated."""
        return self._lists([(bytes(entry["bytes"]), entry["logprob"], self._top(entry)) for entry in entries])

    def _top(self, entry: dict[str, Any]) -> dict[str, float]:
        """The likeliest tokens, and the one that stands there: up to n + 1, as officially."""
        best = {shown(bytes(top["bytes"])): top["logprob"] for top in entry["top_logprobs"][: self._n_top]}
        return {**best, shown(bytes(entry["bytes"])): entry["logprob"]}

    def _lists(self, tokens: list[tuple[bytes, float | None, dict[str, float] | None]]) -> dict[str, Any]:
        offsets: list[int] = []
        for content, _, _ in tokens:
            offsets.append(self._characters)
            self._characters += len(self._decoder.decode(content))
        return {
            "tokens": [shown(content) for content, _, _ in tokens],
            "token_logprobs": [logprob for _, logprob, _ in tokens],
            "top_logprobs": [top for _, _, top in tokens],
            "text_offset": offsets,
        }


def shown(token: bytes) -> str:
    """A token's text; one that is part of a character as `bytes:\\xf0\\x9f`, as officially."""
    try:
        return token.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in token)


def joined(parts: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The lists of several parts as one; None for no parts."""
    return {key: [item for part in parts for item in part[key]] for key in parts[0]} if parts else None
