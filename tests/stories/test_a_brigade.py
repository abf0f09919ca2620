"""Fifty accounts try to bend what the bot says: nothing learned, judged by or served changes. And moderators who flood."""

import inspect
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot import disputing, holding, moderation, reviewing, second_looks
from bot.moderation import Draft, NotAllowed
from curation import versions
from curation.dataset import HELD_OUT_FILE
from curation.holding import look
from curation.imports import Answer
from curation.search import Caps
from curation.workshop import Recipe, Workshop
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.records import (
    Actor,
    ChannelMode,
    CorrectionState,
    Held,
    Judgement,
    Reply,
    Right,
    RunState,
    Settlement,
)
from storage.store import Store
from tests.conftest import JUDGED, Clock
from tests.curation.conftest import RULES, House, learned, words
from tests.storage.scenes import a_reply_to

ACCOUNTS = 50
QUESTIONS = 6  # of each
ANYBODYS = {"mark", "unmark", "ask_for_person", "forget_person"}  # of oneself; the last one is tried on another, too
NO_VERBS = {"scrub"}  # a part of approving


@dataclass
class Shop(House):
    """A house with a team, that has answered customers."""

    mo: Actor
    asked: int = 0

    async def answered(self, by: Actor, question: str) -> Reply:
        """A question in a thread of its own, and its reply."""
        self.asked += 1
        key, now = f"T1/C1/{self.asked}.1", self.workshop.now
        thread = await self.store.conversations.ensure(self.voice.id, "slack", key, at=now())
        turn, _ = await self.store.conversations.record_turn(thread, key, question, by.id, at=now())
        made = a_reply_to(turn, now(), f"Who knows about {self.asked}.")
        reply, _ = await self.store.conversations.save_reply(made, owner="w")
        return reply

    async def customer(self, number: int) -> Actor:
        return await self.store.people.ensure_actor(
            "slack", f"T1/U{number:04}", f"Customer {number}", at=self.workshop.now()
        )

    async def corrected(self, reply: Reply, text: str) -> str:
        draft = Draft(text, Judgement.WRONG)
        return (await moderation.correct(self.store, self.mo, reply.id, draft, now=self.workshop.now())).record.id

    async def freeze(self) -> dict[str, bytes]:
        """The bytes of what would be trained on and judged by now, under the version's id."""
        press = self.workshop.press
        version = await versions.freeze(self.store, self.voice, press, by=self.admin.id, at=self.workshop.now())
        return {"id": version.id.encode(), **await self.store.datasets.files(version.id)}


@pytest.fixture
async def shop(store: Store, clock: Clock) -> Shop:
    provider = FakeProvider(script=learned)
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    admin = await store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=clock())
    mo = await store.people.ensure_actor("slack", "T1/MO", "Mo", frozenset({Right.MODERATOR}), at=clock())
    recipe = Recipe(RULES, n_epochs=None, evidence=JUDGED, sampling=Sampling(50), budget_tokens=500, seed=7)
    return Shop(Workshop(store, provider, provider, words, "words", recipe, clock), provider, voice, admin, mo)


async def test_fifty_accounts_change_nothing_that_is_learned_judged_by_or_served(shop: Shop, clock: Clock):
    clock.advance(timedelta(days=365).total_seconds())  # later than the fake vendor's own clock
    await shop.approve(*range(14))
    run = await shop.finish(await shop.request())
    assert run.state is RunState.PROMOTED
    team = await shop.customer(9_999)
    good, wrong = await shop.answered(team, "Do you like the sea?"), await shop.answered(team, "Who mends a handle?")
    await moderation.mark(shop.store, shop.mo, wrong.id, Judgement.WRONG, now=clock())
    waiting = await shop.corrected(good, "Above all else.")
    before = await what_counts(shop)

    for number in range(ACCOUNTS):
        account = await shop.customer(number)
        own = [await shop.answered(account, f"Say after me, {n}: buy elsewhere!") for n in range(QUESTIONS)]
        for reply in (good, wrong, *own):
            judgement = Judgement.GOOD if number % 2 else Judgement.WRONG
            await moderation.mark(shop.store, account, reply.id, judgement, flag=number % 3 == 0, now=clock())
        await every_verb_is_refused(shop, account, own[0], waiting)

    assert await look(shop.store, shop.voice.id, now=clock()) == {}  # what customers do holds back no moderator
    assert await what_counts(shop) == before


async def what_counts(shop: Shop) -> dict[str, object]:
    """What would be trained on, what candidates are judged by, what serves, and what is approved."""
    files = await shop.freeze()
    approved = await shop.store.corrections.approved(shop.voice.id)
    waiting = await shop.store.corrections.list(shop.voice.id, [CorrectionState.PROPOSED], limit=99)
    runs = await shop.store.runs.recent(shop.voice.id, 99)
    return {
        "version": files["id"],
        "files": files,
        "judged by": files[HELD_OUT_FILE],
        "sides": await shop.store.datasets.sides(shop.voice.id),
        "evaluations": [await shop.store.runs.evaluation(run.id) for run in runs],
        "deployments": await shop.store.models.deployments(shop.voice.id, 99),
        "approved": approved,
        "waiting": waiting,
        "disputes": await shop.store.disputes.open(shop.voice.id),
    }


async def every_verb_is_refused(shop: Shop, account: Actor, reply: Reply, waiting: str) -> None:
    """Everything the package of moderation offers, and what is beside it."""
    store, voice, now, at = shop.store, shop.voice, shop.workshop.now(), {"now": shop.workshop.now()}
    proposal = await store.corrections.get(waiting)
    run = (await store.runs.recent(voice.id, 1))[0]
    tried: dict[str, Awaitable[object]] = {
        "correct": moderation.correct(store, account, reply.id, Draft("Buy elsewhere!", Judgement.WRONG), **at),
        "propose_answers": moderation.propose_answers(
            store, account, voice, "f", [Answer(1, "Q?", "Elsewhere!")], **at
        ),
        "revise": moderation.revise(store, account, waiting, "Buy elsewhere!", **at),
        "approve": moderation.approve(store, account, waiting, team_of_one=True, now=now),
        "approve_all": moderation.approve_all(store, account, [proposal], team_of_one=True, now=now),
        "reject": moderation.reject(store, account, waiting, now=now),
        "retract": moderation.retract(store, account, waiting, **at),
        "retract_reply": moderation.retract_reply(store, account, reply.id, **at),
        "step_back": moderation.step_back(store, account, reply.conversation_id, **at),
        "take_over": moderation.take_over(store, account, "hand_1", **at),
        "release": moderation.release(store, account, "hand_1", **at),
        "set_channel": moderation.set_channel(store, account, "slack", "T1/C1", mode=ChannelMode.OFF, now=now),
        "start_retrain": moderation.start_retrain(shop.workshop, account, voice),
        "start_search": moderation.start_search(shop.workshop, account, voice, Caps(1, 1, None)),
        "cancel_run": moderation.cancel_run(store, account, run.id, **at),
        "release_model": moderation.release_model(store, account, voice, "Buy elsewhere!", now=now),
        "pause_run": moderation.pause_run(store, account, run.id, **at),
        "resume_run": moderation.resume_run(store, account, run.id, **at),
        "roll_back": moderation.roll_back(store, account, voice, now=now),
        "forget_person": moderation.forget_person(store, account, shop.mo, **at),
        "settle": disputing.settle(store, account, "disp_1", Settlement.BOTH, **at),
        "release a hold": holding.release(store, account, "hold_1", **at),
        "let_expire": moderation.let_expire(store, account, waiting, None, **at),
        "set_critical": moderation.set_critical(store, account, waiting, True, **at),
        "look_at": reviewing.look_at(store, account, waiting, **at),
        "take_back": reviewing.take_back(store, account, waiting, **at),
        "give_opinion": second_looks.give_opinion(
            store, account, waiting, is_approval=True, reason=None, share=1.0, now=now
        ),
    }
    verbs = {name for name in moderation.__all__ if inspect.iscoroutinefunction(getattr(moderation, name))}
    assert verbs - ANYBODYS - NO_VERBS <= tried.keys()  # a new verb is tried here as well
    for attempt in tried.values():
        with pytest.raises(NotAllowed, match=r"Only an? (moderator|approver|admin) can"):
            await attempt


async def test_moderators_who_flood_are_held_back_until_an_admin_has_looked(shop: Shop, clock: Clock):
    await shop.approve(*range(14))
    asker = await shop.customer(1)
    for _ in range(6):  # days with five of each
        for number in range(5):
            reply = await shop.answered(asker, f"An ordinary question, number {number}?")
            await shop.corrected(reply, f"An ordinary answer, number {shop.asked}.")
            await moderation.mark(shop.store, shop.mo, reply.id, Judgement.WRONG, now=clock())
        clock.advance(timedelta(days=1).total_seconds())
    assert await look(shop.store, shop.voice.id, now=clock()) == {}
    before = await shop.freeze()

    flood = [await shop.answered(asker, f"Is the sea {number} miles deep?") for number in range(60)]
    for reply in flood[:30]:
        await shop.corrected(reply, f"Yes, buy elsewhere, {reply.id}.")
    for reply in flood[30:]:
        await moderation.mark(shop.store, shop.mo, reply.id, Judgement.WRONG, now=clock())
    holds = await look(shop.store, shop.voice.id, now=clock())
    assert {held: hold.why for held, hold in holds.items()} == {
        Held.CORRECTIONS: "30 corrections came today; a usual day has 5.",
        Held.MARKS: "30 moderators' marks came today; a usual day has 5.",
    }
    assert await shop.freeze() == before  # none of the flood's marks is in it
    today = [one for reply in flood[:30] for one in await shop.store.corrections.for_reply(reply.id)]
    with pytest.raises(NotAllowed, match="30 corrections came today"):
        await moderation.approve_all(shop.store, shop.admin, today, team_of_one=False, now=clock())

    for hold in holds.values():
        with pytest.raises(NotAllowed, match="Only an admin can release a hold"):
            await holding.release(shop.store, shop.mo, hold.id, now=clock())
        assert (await holding.release(shop.store, shop.admin, hold.id, now=clock())).said.startswith("Released.")
    assert await look(shop.store, shop.voice.id, now=clock()) == {}  # what was looked at today is not held again
    done = await moderation.approve_all(shop.store, shop.admin, today, team_of_one=False, now=clock())
    assert done.record == 30
    after = await shop.freeze()
    assert after["flagged.jsonl"].count(b"\n") == before.get("flagged.jsonl", b"").count(b"\n") + 30
