"""What the engine thinks of a text that is given: the log-probability of each of its tokens.

llama.cpp reports log-probabilities only of tokens it generates, so it is made to generate the given ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tuner.engine import Lease
from tuner.errors import ApiError, EngineFailed

FORCING_BIAS = 1000.0  # on the wanted token's logit; logits of a sane model stay below 100
ALL_TOKENS = 1_000_000  # more than any vocabulary holds


@dataclass(frozen=True)
class Token:
    id: int
    bytes: bytes  # may be part of a character


class NotScored(EngineFailed):
    """The engine would not score a given text; `refusal` is what it answered, with its status."""

    def __init__(self, status: int, refusal: Any) -> None:
        super().__init__(f"The engine could not score a given answer (status {status}).")
        self.status = status
        self.refusal = refusal


async def forced(
    lease: Lease, prompt: list[int], answer: list[int], lora: list[dict[str, float]], n_top: int
) -> list[dict[str, Any]]:
    """llama.cpp's entries (`token`, `id`, `bytes`, `logprob`, `top_logprobs`) for each token of a given answer.

    `prompt` holds at least one token. One request per token, in which a bias leaves nothing but the wanted token; the
    log-probabilities reported are the model's own, from before the bias. Everything but the newest token comes from
    the slot's cache. A grammar that allows one token at each place needs a single request but took 15 times as long
    (5.4 s against 0.34 s for 16 tokens, same numbers), and fails on tokens that are part of a character.
    """
    entries: list[dict[str, Any]] = []
    for index, token in enumerate(answer):
        before = prompt + answer[:index]
        # The first starts afresh, so that two scorings of one text are computed in the very same steps.
        entry = await _generated(lease, before, token, lora, max(1, n_top), index > 0)
        if entry is None:
            entry = await _listed(lease, before, token, lora, n_top)
        entries.append(entry)
    return entries


async def _listed(
    lease: Lease, before: list[int], token: int, lora: list[dict[str, float]], n_top: int
) -> dict[str, Any]:
    """The entry of a token that is the beginning of a character, which llama.cpp holds back: read from the list of all."""
    whole = (await tokenize(lease, "a"))[0].id
    entry = await _generated(lease, before, whole, lora, ALL_TOKENS, True)
    ranked: list[dict[str, Any]] = entry["top_logprobs"] if entry is not None else []
    for one in ranked:
        if one["id"] == token:
            return {**one, "top_logprobs": ranked[:n_top]}
    raise NotScored(200, None)


async def _generated(
    lease: Lease, before: list[int], token: int, lora: list[dict[str, float]], n_top: int, cached: bool
) -> dict[str, Any] | None:
    """What the engine reports of `token` when it is made to say it next; None where it reports nothing."""
    body = {
        "prompt": before,
        "n_predict": 1,
        "logit_bias": [[token, FORCING_BIAS]],
        "n_probs": n_top,
        "temperature": 0,
        "cache_prompt": cached,
        "lora": lora,
    }
    async with lease.engine.post("/completion", body) as reply:
        content = await reply.json()
    if reply.status != 200:
        raise NotScored(reply.status, content)
    found: list[dict[str, Any]] = content.get("completion_probabilities", [])
    return found[0] if found and found[0]["id"] == token else None


async def score(lease: Lease, prompt: list[int], answer: list[int], lora: list[dict[str, float]]) -> float:
    """Mean log-probability per token, in nats, of `answer` after `prompt`."""
    return sum(entry["logprob"] for entry in await forced(lease, prompt, answer, lora, 1)) / len(answer)


async def conversation(lease: Lease, messages: list[dict[str, Any]]) -> list[int]:
    """The tokens that a model is asked to answer: llama.cpp's messages, rendered by the model's own template.

    Raises NotScored where the template refuses them.
    """
    async with lease.engine.post("/apply-template", {"messages": messages}) as reply:
        content = await reply.json()
    if reply.status != 200:
        raise NotScored(reply.status, content)
    return [token.id for token in await tokenize(lease, content["prompt"], True)]  # as the chat route does


async def tokenize(lease: Lease, text: str, add_special: bool = False) -> list[Token]:
    """`add_special`: with the tokens that the model expects around every text, such as one for its beginning."""
    body = {"content": text, "add_special": add_special, "parse_special": True, "with_pieces": True}
    async with lease.engine.post("/tokenize", body) as reply:
        content = await reply.json()
    if reply.status != 200:
        raise EngineFailed(f"The engine could not tokenize a text (status {reply.status}).")
    return [Token(entry["id"], _bytes(entry["piece"])) for entry in content["tokens"]]


async def detokenize(lease: Lease, tokens: list[int]) -> list[Token]:
    """Raises ApiError 400 for a number that is no token of this model."""
    pieces: dict[int, bytes] = {}
    for token in tokens:
        if token not in pieces:
            async with lease.engine.post("/detokenize", {"tokens": [token]}) as reply:
                content = await reply.json()
            if reply.status != 200:
                raise ApiError(400, f"{token} is not a token of this model.", param="prompt")
            pieces[token] = content["content"].encode()
    return [Token(token, pieces[token]) for token in tokens]


def _bytes(piece: str | list[int]) -> bytes:
    return piece.encode() if isinstance(piece, str) else bytes(piece)
