"""A worker as a process of its own, on a vendor over HTTP, with leases and waits of seconds: what bench/kill.py kills.

The same `curation.worker.work` that `finetone worker` runs; only the numbers are smaller.
"""

import argparse
import asyncio
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from curation.dataset import Rules
from curation.evidence import Rules as Evidence
from curation.worker import Pace, work
from curation.workshop import Recipe, Workshop
from providers import openai_api
from providers.base import JobRequest, JobStatus, Sampling
from providers.openai_api import OpenAIProvider
from providers.quirks import TUNER
from storage.store import open_store

# A handful of held-out questions, all won, have to be a proof here; what is measured is who decides, not how well.
JUDGED = Evidence(alpha=0.5, candidate_share=0)
RULES = Rules(minimum_train=10, minimum_held_out=2, held_out_share=0.2, context_tokens=500)
RECIPE = Recipe(RULES, n_epochs=None, evidence=JUDGED, sampling=Sampling(50), budget_tokens=500, seed=7)


class Freezing(OpenAIProvider):
    """Stops its own process, once, between saving the intent and asking for the job: the worst moment there is."""

    marker: Path

    async def create_job(self, request: JobRequest) -> JobStatus:
        if not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        return await super().create_job(request)


def words(contents: list[str]) -> int:
    """A token counter that needs no vocabulary."""
    return sum(len(content.split()) for content in contents)


async def run(chosen: argparse.Namespace) -> None:
    """Work until killed."""
    openai_api.CALL_TIMEOUT_S = chosen.timeout
    made = Freezing if chosen.freeze else OpenAIProvider
    provider = made(chosen.vendor, chosen.owner, replace(TUNER, minimum_examples=10))
    if isinstance(provider, Freezing):
        provider.marker = chosen.freeze
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with await open_store(chosen.database) as store:
        workshop = Workshop(
            store,
            provider,
            provider,
            words,
            "words",
            RECIPE,
            lambda: datetime.now(UTC),
            look_again_s=chosen.look_again,
        )
        print("ready", flush=True)
        await work(workshop, chosen.owner, Pace(poll_s=0.1, idle_s=0.1, retry_s=0.2, lease_s=chosen.lease), stop)
    await provider.aclose()


def main() -> None:
    """Read the arguments and work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--vendor", required=True, help="base URL")
    parser.add_argument("--owner", required=True, help="the worker's name, and its API key at the vendor")
    parser.add_argument("--lease", type=float, default=3.0, help="seconds")
    parser.add_argument("--look-again", type=float, default=6.0, help="seconds")
    parser.add_argument("--timeout", type=float, default=5.0, help="of a call to the vendor, seconds")
    parser.add_argument("--freeze", type=Path, help="stop once before a create; this file says that it was done")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
