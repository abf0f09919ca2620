"""A serving process for bench/swap.py: asks itself questions as fast as they are answered, and says on stdout what came of each.

One line of JSON a reply: `{"asked": seconds since 1970, "answered": …, "model": … or null, "source": …}`, or `{"error": …}`.
"""

import argparse
import asyncio
import json
import signal
import time
from datetime import UTC, datetime

from bot import answering
from bot.answering import Desk
from bot.chat import Question
from providers.base import Sampling
from providers.openai_api import OpenAIProvider
from providers.quirks import TUNER
from storage.records import Actor, Voice
from storage.store import open_store

AT_ONCE = 4  # questions under way


def words(contents: list[str]) -> int:
    """A token counter that needs no vocabulary."""
    return sum(len(content.split()) for content in contents)


async def nobody(_: str) -> None:
    """Shows a reply's growth to nobody."""


async def one(desk: Desk, voice: Voice, actor: Actor, key: str) -> dict[str, object]:
    """Ask and answer one question, as an adapter does."""
    asked = time.time()
    question = Question("bench", key, key, "Which model are you?", actor)
    taken = await answering.take(desk, voice, question, known=None)
    if taken is None:
        return {"error": f"{key} was taken before it was asked"}
    reply, _ = await desk.store.conversations.save_reply(
        await answering.compose(desk, taken[0], nobody), owner=desk.owner
    )
    return {"asked": asked, "answered": time.time(), "model": reply.model_name, "source": reply.source}


async def serve(database_url: str, vendor_url: str, name: str) -> None:
    """Ask until told to end."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    provider = OpenAIProvider(vendor_url, name, TUNER)
    async with await open_store(database_url) as store:
        desk = Desk(store, provider, words, Sampling(50), 500, name, lambda: datetime.now(UTC))
        (voice,) = await store.voices.all()
        actor = await store.people.ensure_actor("bench", name, name, frozenset(), at=desk.now())

        async def ask_on(lane: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    said = await one(desk, voice, actor, f"{name}-{lane}-{number}")
                except Exception as error:  # whatever it is, it is what the bench counts
                    said = {"error": repr(error)}
                print(json.dumps(said), flush=True)

        print(json.dumps({"ready": name}), flush=True)
        await asyncio.gather(*(ask_on(lane) for lane in range(AT_ONCE)))
    await provider.aclose()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--vendor", required=True, help="base URL")
    parser.add_argument("--name", required=True)
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.database, chosen.vendor, chosen.name))


if __name__ == "__main__":
    main()
