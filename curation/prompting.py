"""Pure: voice, turns, fixes and a budget in, messages out. The bot asks with it and datasets are built with it, so that a
model is trained on the very shape it will be served in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storage.records import Message, Reply, ReplySource, Turn

HISTORY_TURNS = 10  # exchanges read from the database; the token budget then keeps what fits
SHAPE = "chat-1"  # raise when the shape below changes: a model trained on another shape must be known as such

CountTokens = Callable[[list[str]], int]
"""Tokens of messages by their contents. Additive: those of several are the sum of those of each."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """The messages for one question, and what had to be left out for the budget."""

    messages: tuple[Message, ...]
    dropped_history: int  # messages of the conversation that did not fit, oldest first


def build_messages(
    system_prompt: str,
    history: Sequence[Message],
    question: str,
    *,
    fixes: Sequence[Message] = (),
    budget_tokens: int,
    count_tokens: CountTokens,
) -> Prompted:
    """System prompt, the exchanges of approved fixes, as much of the newest history as fits, the question.

    `history` is oldest first and alternates user and assistant; it is dropped by whole exchanges, so that the model never
    sees a reply without its question. The rest always stays, also when it alone exceeds `budget_tokens`: fixes were chosen
    within the budget (curation/fixes.py), and the question's length is bounded at the edge.
    """
    head = [*([Message("system", system_prompt)] if system_prompt else []), *fixes]
    tail = [Message("user", question)]
    left = budget_tokens - count_tokens([message.content for message in (*head, *tail)])
    kept: list[Message] = []
    exchanges = _exchanges(history)
    for exchange in reversed(exchanges):
        left -= count_tokens([message.content for message in exchange])
        if left < 0:
            break
        kept[:0] = exchange
    return Prompted((*head, *kept, *tail), dropped_history=len(history) - len(kept))


def said(history: Sequence[tuple[Turn, Reply | None]]) -> tuple[Message, ...]:
    """Turns as messages, oldest first: what was asked, and what was said or corrected.

    Notices and turns without a reply are left out: no model said them.
    """
    messages: list[Message] = []
    for earlier, reply in history:
        if reply is not None and reply.source is not ReplySource.NOTICE:
            messages += [Message("user", earlier.question), Message("assistant", reply.corrected_text or reply.text)]
    return tuple(messages)


def _exchanges(history: Sequence[Message]) -> list[list[Message]]:
    """Group a history into exchanges, each beginning with a user message."""
    groups: list[list[Message]] = []
    for message in history:
        if message.role == "user" or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups
