"""The program that both reply benches serve, and the model that answers at once."""

import contextlib
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from providers.base import Chunk, Sampling
from storage.records import Message

FIXES = 100  # approved corrections of the voice
SECRET = "bench-signing-secret"
ANSWER = "It is on its way and arrives tomorrow."


class InstantModel:
    """A model that answers at once, the same to both."""

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncGenerator[Chunk]:
        yield Chunk(ANSWER)
        yield Chunk("", "stop", 10, 9)

    async def model_names(self) -> frozenset[str]:
        return frozenset({"base"})


@contextlib.asynccontextmanager
async def program(api_url: str, database_url: str, folder: Path, **more: Any) -> AsyncGenerator[Any]:
    """Finetone as `finetone serve slack --http` builds it, but for the model."""
    from pydantic import SecretStr

    from bot.answering import Desk
    from bot.program import Program, utc_now
    from bot.settings import Settings
    from curation.worker import Pace
    from storage.store import open_store

    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=folder,
        slack_bot_token=SecretStr("xoxb-bench"),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=api_url,
        questions_per_minute=0,
        channel_questions_per_minute=0,
        **more,
    )

    def words(contents: list[str]) -> int:
        return sum(len(content.split()) for content in contents)

    async with await open_store(database_url) as store:
        voice = await store.voices.ensure("bench", "Be kind.", "base", at=utc_now())
        model: Any = InstantModel()
        recall = await _taught(store, voice)
        desk = Desk(store, model, words, Sampling(160), 1024, f"bench-{os.getpid()}", utc_now, recall=recall)
        nothing: Any = None
        yield Program(settings, store, voice, desk, nothing, Pace(1, 1, 1), nothing, False)


async def _taught(store: Any, voice: Any) -> Any:
    """Recall over FIXES approved corrections that share a word with each question, so that every reply looks among them."""
    from bot.moderation import propose_answers
    from bot.program import utc_now
    from curation.imports import Answer
    from curation.recall.meaning import load
    from curation.recalling import Recall
    from storage.records import CorrectionState, Right

    person = await store.people.ensure_actor("bench", "mo", "Mo", frozenset(Right), at=utc_now())
    answers = [
        Answer(number, f"Can a parcel of size {number} go to town {number}?", f"Yes, on day {number}.")
        for number in range(FIXES)
    ]
    await propose_answers(store, person, voice, "parcels.csv", answers, now=utc_now())
    waiting = await store.corrections.list(voice.id, [CorrectionState.PROPOSED], limit=FIXES)
    await store.corrections.approve_many([each.id for each in waiting], by=person.id, note="", at=utc_now())
    return Recall(store, load())
