"""Proof that an adapter is served: what the engine says about training answers, with the adapter and with what it started from.

A job may only succeed after this; adapters that load but change nothing are a known way to fail (vllm#34186).
"""

from __future__ import annotations

from tuner.engine import Lease
from tuner.jobs import Proof
from tuner.scoring import conversation, score, tokenize
from tuner.training_file import Row, prompts_and_answers

PROOF_ROWS = 6
PROOF_TOKENS = 48  # of each answer; about 10 ms each


async def prove(lease: Lease, start: list[dict[str, float]], rows: list[Row], method: str) -> Proof:
    """Score some training answers under `start` (an adapter of the lease's engine; empty: the base) and under the lease's own.

    The engine should have nothing else to do: each token scored is a request of its own, which would stand in line behind
    people's questions. Raises EngineFailed if the engine refuses to score.
    """
    step = max(1, len(rows) // PROOF_ROWS)
    chosen = rows[::step][:PROOF_ROWS]
    started: list[float] = []
    tuned: list[float] = []
    for row in chosen:
        prompt, answer = prompts_and_answers(row, method)
        tokens = await _answer_tokens(lease, answer)
        before = await _prompt_tokens(lease, prompt)
        # One after the other and alone in the batch, so both are computed by the very same kernels.
        started.append(await score(lease, before, tokens, start))
        tuned.append(await score(lease, before, tokens, lease.lora))
    changes = [abs(a - b) for a, b in zip(started, tuned, strict=True)]
    n = len(chosen)
    return Proof(n, sum(started) / n, sum(tuned) / n, sum(changes) / n)


async def _answer_tokens(lease: Lease, answer: str) -> list[int]:
    return [token.id for token in await tokenize(lease, answer)][:PROOF_TOKENS]


async def _prompt_tokens(lease: Lease, messages: list[Row]) -> list[int]:
    plain = [
        {"role": "system" if m["role"] == "developer" else m["role"], "content": m["content"]} for m in messages
    ] or [{"role": "user", "content": ""}]
    return await conversation(lease, plain)
