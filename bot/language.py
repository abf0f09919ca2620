"""A channel's language: one sentence more in the system prompt, for every model that is asked there."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

from bot.answering import Desk
from providers.base import ChatModel, Chunk, Sampling
from storage.records import Message

ROOM_TOKENS = 24  # for the sentence, taken from the prompt's budget


def in_language(desk: Desk, language: str) -> Desk:
    """The same desk, answering in that language; itself where none is set."""
    if not language:
        return desk
    return replace(desk, chat_model=_Told(desk.chat_model, language), budget_tokens=desk.budget_tokens - ROOM_TOKENS)


@dataclass(frozen=True, slots=True)
class _Told:
    """A chat model that is told which language to answer in."""

    chat_model: ChatModel
    language: str

    def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """Stream as the model does, with the sentence at the end of the system prompt."""
        sentence = f"Answer in {self.language}."
        told = [
            replace(message, content=f"{message.content}\n{sentence}") if message.role == "system" else message
            for message in messages
        ]
        if not any(message.role == "system" for message in messages):
            told = [Message("system", sentence), *told]
        return self.chat_model.stream(model, told, sampling)
