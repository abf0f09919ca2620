"""A house with approved corrections, an admin and a fake vendor: what runs and roll backs are tried in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from curation import requesting
from curation.advancing import advance
from curation.dataset import Rules
from curation.workshop import Recipe, Workshop
from providers.base import Message, Sampling
from providers.fake import FakeProvider
from storage.errors import RunMoved
from storage.records import Actor, CorrectionState, Right, Run, Voice
from storage.store import Store
from tests.conftest import JUDGED, Clock
from tests.curation.test_selecting import correction

RULES = Rules(minimum_train=10, minimum_held_out=2, held_out_share=0.2, context_tokens=500)


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


def learned(model: str, messages: Sequence[Message]) -> str:
    """The base knows nothing; a tuned model has learned the approved answers."""
    question = messages[-1].content
    return "I cannot help." if model == "base" else question.replace("Question", "Answer").replace("?", ".")


def learned_nothing(model: str, messages: Sequence[Message]) -> str:
    return "I cannot help."


@dataclass
class House:
    workshop: Workshop
    provider: FakeProvider
    voice: Voice
    admin: Actor

    @property
    def store(self) -> Store:
        return self.workshop.store

    async def approve(self, *numbers: int, said: str = "") -> None:
        """Corrections with these numbers; `said`, in which `{number}` may stand, instead of their own answers."""
        for number in numbers:
            made = replace(
                correction(number),
                voice_id=self.voice.id,
                reply_id=None,
                conversation_id=None,
                proposed_by=self.admin.id,
                state=CorrectionState.PROPOSED,
                origin=f"import:test:{number}",
            )
            if said:
                made = replace(made, corrected_text=said.format(number=number))
            await self.store.corrections.propose(made)
            await self.store.corrections.decide(
                made.id, CorrectionState.APPROVED, by=self.admin.id, note="", at=self.workshop.now()
            )

    async def request(self) -> Run:
        run, _ = await requesting.request(self.workshop, self.voice, by=self.admin.id)
        return run

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        assert isinstance(self.workshop.now, Clock)
        self.workshop.now.advance(seconds)

    async def advance_one(self, claimed: Run) -> Run:
        return await advance(self.workshop, claimed)

    async def advance_to_refusal(self, claimed: Run) -> None:
        """Advance a run that must not get any further."""
        with pytest.raises(RunMoved):
            await advance(self.workshop, replace(claimed, paused_by=None))

    async def look(self, run: Run, owner: str = "worker-1") -> Run:
        """Claim the run and do one step."""
        claimed = await self.store.runs.claim(run.id, owner, now=self.workshop.now(), lease_s=0)
        assert claimed is not None
        return await advance(self.workshop, claimed)

    async def finish(self, run: Run, owner: str = "worker-1", steps: int = 30) -> Run:
        """Claim and advance until the run is over."""
        for _ in range(steps):
            claimed = await self.store.runs.claim(run.id, owner, now=self.workshop.now(), lease_s=1)
            assert claimed is not None
            run = await advance(self.workshop, claimed)
            if not run.is_open:
                return run
        raise AssertionError(f"still {run.state} after {steps} steps")

    async def events(self, run: Run) -> list[str]:
        return [event.text for _, event in await self.store.runs.events(run.id)]


@pytest.fixture
async def house(store: Store, clock: Clock) -> House:
    clock.now = datetime.now(clock.now.tzinfo)  # the fake vendor stamps its jobs with the wall clock
    provider = FakeProvider(script=learned)
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    admin = await store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=clock())
    recipe = Recipe(RULES, n_epochs=None, evidence=JUDGED, sampling=Sampling(50), budget_tokens=500, seed=7)
    return House(Workshop(store, provider, provider, words, "words", recipe, clock), provider, voice, admin)
