"""Pure: voice, turns, fixes and a budget in, messages out. The bot asks with it and datasets are built with it, so that a
model is trained on the very shape it will be served in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storage.records import Message

SHAPE = "chat-1"  # raise when the shape below changes: a model trained on another shape must be known as such

CountTokens = Callable[[list[str]], int]


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
    budget_tokens: int,
    count_tokens: CountTokens,
) -> Prompted:
    """System prompt, as much of the newest history as fits, the question.

    `history` is oldest first and alternates user and assistant. The system prompt and the question always stay, also when
    they alone exceed `budget_tokens` (the question's length is bounded at the edge). History is dropped by whole exchanges,
    so that the model never sees a reply without its question.
    """
    head = [Message("system", system_prompt)] if system_prompt else []
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


def _exchanges(history: Sequence[Message]) -> list[list[Message]]:
    """Group a history into exchanges, each beginning with a user message."""
    groups: list[list[Message]] = []
    for message in history:
        if message.role == "user" or not groups:
            groups.append([])
        groups[-1].append(message)
    return groups
