"""Correct, learned ✓ told once, the fix gone for that model, and a later candidate that forgets it stopped and named."""

from datetime import datetime

import pytest

from bot import answering, moderation
from bot.answering import Desk
from bot.chat import Question
from bot.office.progress import progress_of
from curation.as_served import AsServed
from curation.learned import Limits
from curation.recalling import Recall
from curation.workshop import Recipe, Workshop
from providers.base import Sampling
from storage.records import Actor, Reply, ReplySource, Right, RunState
from tests.bot.slack_app.acting import corrected, direct_messages
from tests.bot.slack_app.conftest import Shop, shop
from tests.conftest import JUDGED, Clock
from tests.curation.conftest import RULES, House, words
from tests.curation.test_examining import THINGS, Knows, answer_about, approve
from tests.slack.conftest import door, no_proxy, program, wire, workspace

__all__ = ["door", "no_proxy", "program", "shop", "wire", "workspace"]


class Customer:
    """Asks in the console, where replies rest on fixes."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._asked = 0
        recall = Recall(shop.store)
        provider, sampling = shop.provider, Sampling(50)
        self._desk = Desk(shop.store, provider, words, sampling, 500, "desk-1", shop.clock, pauses_s=(), recall=recall)

    async def ask(self, text: str) -> Reply:
        store, clock = self._shop.store, self._shop.clock
        clock.advance(1)  # what changed is seen within half a second
        self._asked += 1
        cleo = await store.people.ensure_actor("console", "cleo", "Cleo", at=clock())
        question = Question("console", f"c{self._asked}", f"q{self._asked}", text, cleo)
        turn, _ = await answering.record(store, self._shop.voice, question, now=clock())

        async def nothing(_: str) -> None:
            return

        reply = await answering.answer(self._desk, turn, nothing)
        assert reply is not None
        return reply


async def house_of(shop: Shop, moderator: Actor) -> House:
    """The worker's side of the same installation: whatever the moderator wrote is trained on."""
    recipe = Recipe(
        RULES,
        n_epochs=None,
        evidence=JUDGED,
        sampling=Sampling(50),
        budget_tokens=500,
        seed=7,
        as_served=AsServed(None, 500),
        limits=Limits(answers=500),
    )
    workshop = Workshop(shop.store, shop.provider, shop.provider, words, "words", recipe, shop.clock)
    return House(workshop, shop.provider, shop.voice, moderator)


@pytest.mark.timeout(60)
async def test_a_correction_is_fixed_at_once_then_learned_then_never_forgotten(shop: Shop):
    assert isinstance(shop.clock, Clock)
    shop.provider.script = model = Knows()
    async with shop.serving():
        customer, store = Customer(shop), shop.store
        _, reply = await shop.asked(f"Where do you keep the {THINGS[0]}?")
        written = await corrected(shop, reply, answer_about(THINGS[0]))
        noor = await store.people.ensure_actor("console", "noor", "Noor", frozenset({Right.APPROVER}), at=shop.clock())
        await moderation.approve(store, noor, written.id, team_of_one=False, now=shop.clock())
        fixed = await customer.ask(written.question)
        assert (fixed.text, fixed.source) == (written.corrected_text, ReplySource.FIX)  # with the weights unchanged

        [mia] = (await store.people.actors([written.proposed_by])).values()
        house = await house_of(shop, mia)
        shop.clock.now = datetime.now(shop.clock.now.tzinfo)  # the fake vendor stamps its jobs with the wall clock
        await approve(house, *THINGS[1:14])
        run = await house.finish(await house.request())
        assert run.state is RunState.PROMOTED, run.end_reason
        learned = sorted(await store.learned.ledger(shop.voice.id))
        question = (await store.corrections.get(learned[0])).question

        async def heard() -> list[str]:
            assert shop.running is not None
            shop.running.board.wake()
            return [one for one in await direct_messages(shop, shop.workspace.moderator) if "Learned ✓" in one]

        [told] = await shop.workspace.until(heard)
        assert f"{len(learned)} corrections of yours are in the weights of model 1, which serves now." in told
        assert question in told

        after = await customer.ask(question)
        assert (after.source, after.fix_ids) == (ReplySource.TUNED, ())
        assert after.text == (await store.corrections.get(learned[0])).corrected_text

        await approve(house, *THINGS[14:])
        model.forgot = {thing for thing in THINGS if thing in question}
        await store.corrections.set_critical(learned[0], True, noor.id, at=shop.clock())
        later = await house.finish(await house.request())
        assert later.state is RunState.STOPPED
        lines, _ = await progress_of(store, later)
        named = f"forgot 1 correction that a model before had learned: “{question}” (by {house.admin.name}, critical)"
        assert any(named in line.words for line in lines)
        assert (await store.models.current(shop.voice.id)).model.run_id == run.id
        assert len(await heard()) == 1
