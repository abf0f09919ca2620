"""What an answer on its way can be stopped by: its model says no more, and nothing more of it is shown."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from bot.slack_app.replying import GrowingReply
from providers.base import ChatModel, Chunk, ErrorKind, ProviderError, Sampling
from storage.records import Message


@dataclass(eq=False)
class Brake:
    """A chat model that can be stopped, also while it is waited for; what it has said by then is its whole answer."""

    chat_model: ChatModel
    is_on: bool = False
    _waiting: asyncio.Task[object] | None = field(default=None, init=False)

    def put_on(self) -> None:
        """Ask the model for nothing more."""
        self.is_on = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def model_names(self) -> frozenset[str]:
        return await self.chat_model.model_names()

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        """Stream as the model does, until it is stopped. Raises ProviderError where it is stopped before its first word."""
        n_said = 0
        async with contextlib.aclosing(self.chat_model.stream(model, messages, sampling)) as chunks:
            while not self.is_on and (chunk := await self._next(chunks)) is not None:
                yield chunk
                n_said += bool(chunk.text)
        if self.is_on and not n_said:
            raise ProviderError("it was stopped by a person", ErrorKind.BAD_REQUEST)

    async def _next(self, chunks: AsyncGenerator[Chunk]) -> Chunk | None:
        """The next piece; None at the end, and where the brake was put on while we waited."""
        self._waiting = asyncio.current_task()
        try:
            return await anext(chunks, None)
        except asyncio.CancelledError:
            if not self.is_on or self._waiting is None or self._waiting.uncancel() > 0:
                raise
            return None
        finally:
            self._waiting = None


@dataclass(eq=False)
class Working:
    """An answer on its way in this process: in which thread, what shows it and what stops its model."""

    conversation_key: str
    growing: GrowingReply
    brake: Brake
    ended: asyncio.Event = field(default_factory=asyncio.Event)  # it is saved, as far as it came

    async def show(self, text: str) -> None:
        """Show the whole text so far; where Slack says that it was stopped, the model is."""
        await self.growing.show(text)
        if self.growing.is_stopped:
            self.brake.put_on()

    async def stop(self) -> None:
        """Show no more, ask for no more, and wait until what there is is kept."""
        self.growing.stop()
        self.brake.put_on()
        await self.ended.wait()
