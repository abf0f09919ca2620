"""The instant fix from the second it is approved, in every process, and gone the second it is not in force any more."""

import asyncio
import gc
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from curation.gathering import place_of
from curation.recall import Place
from curation.recalling import FRESH, QUIET, Recall
from storage.ids import new_id
from storage.records import (
    Actor,
    Correction,
    CorrectionState,
    Dispute,
    DisputeKind,
    Judgement,
    Scope,
    Settlement,
    Voice,
)
from storage.store import Store
from tests.conftest import Clock
from tests.storage.scenes import a_reply_to

QUESTION = "How long is a voucher valid?"
REPEAT = "how long is a voucher valid"


class House:
    """A voice, a person, and two processes' recall over one database."""

    def __init__(self, store: Store, clock: Clock, voice: Voice, mo: Actor) -> None:
        self.store, self.clock, self.voice, self.mo = store, clock, voice, mo
        self.recall, self.elsewhere = Recall(store), Recall(store)

    async def propose(self, text: str = "Three years.", question: str = QUESTION, **changes: Any) -> Correction:
        at = self.clock()
        id = new_id("corr", at)
        proposal = Correction(
            id,
            self.voice.id,
            None,
            None,
            "import:faq",
            id,
            (),
            question,
            None,
            text,
            Judgement.WRONG,
            "",
            CorrectionState.PROPOSED,
            self.mo.id,
            at,
        )
        saved, _ = await self.store.corrections.propose(replace(proposal, **changes))
        return saved

    async def decide(self, correction: Correction, state: CorrectionState = CorrectionState.APPROVED) -> Correction:
        return await self.store.corrections.decide(correction.id, state, self.mo.id, "", at=self.clock())

    async def approve(self, text: str = "Three years.", question: str = QUESTION, **changes: Any) -> Correction:
        return await self.decide(await self.propose(text, question, **changes))

    async def found(
        self, question: str = REPEAT, place: str = "console", voice: Voice | None = None, now: datetime | None = None
    ) -> list[str]:
        """What both processes find, which is the same."""
        at = now or self.clock()
        where = Place((voice or self.voice).id, place)
        here, there = [
            [one.fix.id for one in await recall.fixes_for(question, where, now=at)]
            for recall in (self.recall, self.elsewhere)
        ]
        assert here == there
        return here


@pytest.fixture
async def house(store: Store, clock: Clock) -> House:
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    return House(store, clock, voice, await store.people.ensure_actor("console", "mo", "Mo", frozenset(), at=clock()))


async def test_an_approved_correction_answers_the_next_question_in_every_process(house: House):
    proposal = await house.propose()
    assert await house.found() == []
    approved = await house.decide(proposal)
    assert await house.found() == [approved.id]
    assert await house.found("Which bus goes to the harbour?") == []


async def test_what_was_seen_a_moment_ago_is_not_looked_at_again_and_after_that_it_is(house: House):
    proposal = await house.propose()
    at = house.clock()
    assert await house.found(now=at) == []
    await house.decide(proposal)
    assert await house.found(now=at + FRESH / 2) == []
    assert await house.found(now=at + timedelta(seconds=60)) == [proposal.id]


async def test_a_rejected_one_is_never_a_fix(house: House):
    await house.decide(await house.propose(), CorrectionState.REJECTED)
    assert await house.found() == []


async def test_one_whose_time_is_over_leaves_at_that_moment(house: House):
    at = house.clock.now + timedelta(days=30)
    approved = await house.approve(expires_at=at)
    assert await house.found(now=at - timedelta(seconds=1)) == [approved.id]
    assert await house.found(now=at) == []


async def test_a_disputed_one_leaves_with_its_other_side_and_the_winner_comes_back(house: House):
    one, other = await house.approve(), await house.approve("Two years.")
    assert sorted(await house.found()) == [max(one.id, other.id)]  # of the very same question only the newest
    dispute = Dispute("disp_1", house.voice.id, DisputeKind.CONTRADICTION, one.id, other.id, {}, house.clock())
    await house.store.disputes.raise_([dispute], house.mo.id)
    assert await house.found() == []
    await house.store.disputes.settle(dispute.id, Settlement.FIRST, house.mo.id, at=house.clock())
    assert await house.found() == [one.id]


async def test_one_for_everyone_answers_for_another_voice_and_one_for_a_voice_does_not(house: House):
    other = await house.store.voices.ensure("gull", "Be loud.", "base", at=house.clock())
    await house.approve()
    everywhere = await house.approve("No dogs.", "Are dogs allowed in the shop?", scope=Scope.EVERYONE)
    assert await house.found(voice=other) == []
    assert await house.found("Are dogs allowed in the shop?", voice=other) == [everywhere.id]


async def test_one_for_a_channel_answers_there_alone(house: House):
    conversation = await house.store.conversations.ensure(house.voice.id, "slack", "T1/C1/17.5", at=house.clock())
    here = await house.approve(scope=Scope.CHANNEL, conversation_id=conversation.id)
    assert await house.found(place=place_of(conversation)) == [here.id]
    assert await house.found(place="slack/T1/C2") == []


async def test_changed_words_are_the_ones_that_answer(house: House):
    approved = await house.approve("Write to ada@puffin.example.")
    assert await house.found() == [approved.id]
    cleaned = replace(approved, corrected_text="Write to [email 1].")
    await house.store.corrections.scrub(cleaned, {"email": 1}, house.mo.id, at=house.clock())
    (recalled,) = await house.recall.fixes_for(REPEAT, Place(house.voice.id, "console"), now=house.clock())
    assert recalled.fix.answer == "Write to [email 1]."


async def test_nothing_of_what_is_erased_stays_in_memory_also_where_nobody_asks(house: House):
    word = "zyzzyvax"
    conversation = await house.store.conversations.ensure(house.voice.id, "console", "c1", at=house.clock())
    turn, _ = await house.store.conversations.record_turn(
        conversation, "m1", f"Does {word} sell vouchers?", house.mo.id, at=house.clock()
    )
    reply, _ = await house.store.conversations.save_reply(a_reply_to(turn, house.clock()), owner="w")
    approved = await house.approve(
        f"Ask {word}.", turn.question, reply_id=reply.id, conversation_id=conversation.id, origin="reply"
    )
    assert await house.found(turn.question) == [approved.id]
    assert word in remembered(house.recall)
    stop = asyncio.Event()
    following = asyncio.create_task(house.recall.follow(house.voice.id, stop, house.clock, every_s=0.01))
    await house.store.conversations.withdraw_question("console", "m1", at=house.clock())
    async with asyncio.timeout(5):
        while word in remembered(house.recall):
            await asyncio.sleep(0.01)
    stop.set()
    await following


def remembered(recall: Recall) -> str:
    """Everything that recall holds, as text."""
    seen: set[int] = set()
    found: list[str] = []
    waiting: list[Any] = [recall._books]  # pyright: ignore[reportPrivateUsage]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, type):
            continue
        seen.add(id(each))
        if isinstance(each, str):
            found.append(each)
        elif type(each).__module__.startswith(("curation", "builtins", "array")):
            waiting += gc.get_referents(each)
    return "\n".join(found)


async def test_every_verb_that_the_store_writes_is_known_to_change_nothing_or_makes_recall_look(house: House):
    """The quiet ones, by name: a verb that is added later is looked at until somebody says that it need not be."""
    changing = {"approve", "supersede", "retract", "restore", "take_back", "dispute", "settle", "scrub_correction"}
    assert not changing & QUIET
    assert not {"erase_person", "withdraw_question", "withdraw_all", "set_voice"} & QUIET
