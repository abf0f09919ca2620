"""One question in, one reply out, whatever is delivered twice, crashes or is down."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot import answering
from bot.answering import NO_ANSWER, NOTHING_ASKED, Desk
from bot.chat import Question
from bot.text import TextRefused
from providers.base import ErrorKind, Message, Sampling
from providers.fake import FakeProvider
from storage.records import Actor, PromptKind, Reply, ReplySource, Right, Trigger, Turn, Voice
from storage.store import Store
from tests.conftest import Clock


@dataclass
class Counter:
    """A support channel on a fake model."""

    desk: Desk
    provider: FakeProvider
    voice: Voice
    customer: Actor
    clock: Clock

    async def record(self, text: str, key: str = "m1", conversation: str = "c1") -> Turn:
        question = Question("console", conversation, key, text, self.customer)
        turn, _ = await answering.record(self.desk.store, self.voice, question, now=self.clock())
        return turn

    async def ask(self, text: str, key: str = "m1", conversation: str = "c1") -> Reply:
        reply = await answering.answer(self.desk, await self.record(text, key, conversation), nothing)
        assert reply is not None
        return reply

    async def deploy_tuned(self, name: str, prompt: PromptKind = PromptKind.FULL) -> None:
        """Put a tuned model in front, as a promoted run does."""
        store, at = self.desk.store, self.clock()
        run, _ = await store.runs.request(self.voice.id, "base", Trigger.PERSON, self.customer.id, at=at)
        model = await store.models.ensure_tuned(
            self.voice.id,
            run.id,
            name,
            "base",
            None,  # type: ignore[arg-type]
            prompt=prompt,
            at=at,
        )
        current = await store.models.current(self.voice.id)
        await store.models.roll_back(self.voice.id, current.seq, model.id, by=self.customer.id, why="test", at=at)


async def nothing(_: str) -> None:
    return


@pytest.fixture
async def counter(store: Store, clock: Clock) -> Counter:
    provider = FakeProvider(frozenset({"base", "ft:base:tuned"}))
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    customer = await store.people.ensure_actor("console", "cleo", "Cleo", frozenset(), at=clock())

    def words(contents: list[str]) -> int:
        return sum(len(content.split()) for content in contents)

    desk = Desk(store, provider, words, Sampling(50), 200, "desk-1", clock, pauses_s=(0.0, 0.0))
    return Counter(desk, provider, voice, customer, clock)


async def test_a_question_gets_a_reply_that_is_kept(counter: Counter):
    reply = await counter.ask("Where is my parcel?")
    assert reply.text == "[base] Where is my parcel?"
    assert reply.source is ReplySource.BASE
    assert await counter.desk.store.conversations.reply_to(reply.turn_id) == reply


async def test_the_model_sees_the_voice_and_the_conversation(counter: Counter):
    await counter.ask("Hello", "m1")
    await counter.ask("And now?", "m2")
    _, messages = counter.provider.asked[-1]
    assert [(m.role, m.content) for m in messages] == [
        ("system", "Be kind."),
        ("user", "Hello"),
        ("assistant", "[base] Hello"),
        ("user", "And now?"),
    ]


async def test_a_question_edited_while_the_model_writes_is_answered_as_it_is_now(counter: Counter):
    store, turn = counter.desk.store, await counter.record("Where is it")
    shown: list[str] = []

    async def show(text: str) -> None:
        shown.append(text)
        if len(shown) == 1:
            await answering.edit(store, "console", "m1", "Where is my blue parcel?", now=counter.clock())
            counter.clock.advance(2)

    reply = await answering.answer(counter.desk, turn, show)
    assert reply is not None
    assert reply.text == "[base] Where is my blue parcel?"
    assert [messages[-1].content for _, messages in counter.provider.asked] == [
        "Where is it",
        "Where is my blue parcel?",
    ]
    assert shown[-1] == reply.text


async def test_a_question_edited_without_end_is_answered_in_the_end(counter: Counter):
    store, turn = counter.desk.store, await counter.record("0")

    async def show(_: str) -> None:
        counter.clock.advance(2)
        asked = await store.conversations.turn(turn.id)
        await answering.edit(store, "console", "m1", f"{int(asked.question) + 1}", now=counter.clock())

    reply = await answering.answer(counter.desk, turn, show)
    assert reply is not None
    assert len(counter.provider.asked) == answering.REWRITES + 1


async def test_another_conversation_is_not_seen(counter: Counter):
    await counter.ask("Secret", "m1", conversation="c1")
    await counter.ask("Hi", "m2", conversation="c2")
    assert len(counter.provider.asked[-1][1]) == 2


async def test_a_redelivered_question_is_one_turn_with_one_reply(counter: Counter):
    first = await counter.ask("Hello", "m1")
    again = await counter.ask("Hello", "m1")
    assert again == first
    assert len(counter.provider.asked) == 1


async def test_two_processes_on_one_turn_give_one_reply(counter: Counter):
    turn = await counter.record("Hello")
    other = replace(counter.desk, owner="desk-2")
    replies = await asyncio.gather(*(answering.answer(desk, turn, nothing) for desk in (counter.desk, other)))
    assert len({reply.id for reply in replies if reply is not None}) == 1
    assert len(counter.provider.asked) == 1


async def test_a_turn_left_by_a_dead_process_is_answered_after_its_lease(counter: Counter):
    turn = await counter.record("Hello")
    claimed = await counter.desk.store.conversations.claim_turn(turn.id, "dead", now=counter.clock(), lease_s=60)
    assert claimed is not None
    assert await answering.answer(counter.desk, turn, nothing) is None
    counter.clock.now += timedelta(seconds=61)
    stop = asyncio.Event()
    task = asyncio.create_task(answering.pick_up_unanswered(counter.desk, stop, every_s=0.01))
    async with asyncio.timeout(10):
        while await counter.desk.store.conversations.reply_to(turn.id) is None:
            await asyncio.sleep(0.01)
    stop.set()
    await task
    assert len(counter.provider.asked) == 1


async def test_the_reply_grows_while_it_is_written(counter: Counter):
    seen: list[str] = []

    async def show(text: str) -> None:
        seen.append(text)

    await answering.answer(counter.desk, await counter.record("one two three"), show)
    assert seen == ["[base]", "[base] one", "[base] one two", "[base] one two three", "[base] one two three"]


async def test_when_the_tuned_model_fails_the_base_model_answers(counter: Counter):
    await counter.deploy_tuned("ft:base:tuned")
    counter.provider.fail_next("stream", ErrorKind.UNREACHABLE)
    reply = await counter.ask("Hello")
    assert (reply.source, reply.model_name, reply.deployment_id) == (ReplySource.BASE, "base", None)


async def test_a_rollback_and_a_new_prompt_reach_the_very_next_reply(counter: Counter):
    at = counter.clock()
    counter.desk = replace(counter.desk, now=lambda: at)  # all of it within one moment
    assert (await counter.ask("Hello?")).model_name == "base"
    await counter.deploy_tuned("ft:base:tuned")
    assert (await counter.ask("And now?", "m2")).model_name == "ft:base:tuned"
    await counter.desk.store.voices.ensure("puffin", "Be brief.", "base", at=counter.clock())
    await counter.ask("And then?", "m3")
    assert counter.provider.asked[-1][1][0].content == "Be brief."


async def test_after_the_base_was_changed_the_new_base_answers_for_a_model_that_is_gone(counter: Counter):
    await counter.deploy_tuned("ft:base:tuned")
    counter.provider.base_models = frozenset({"other"})
    await counter.desk.store.voices.ensure("puffin", "Be kind.", "other", at=counter.clock())
    reply = await counter.ask("Hello")
    assert (reply.source, reply.text, reply.deployment_id) == (ReplySource.BASE, "[other] Hello", None)


@pytest.mark.parametrize("kind", list(ErrorKind))
async def test_a_tuned_model_that_breaks_off_is_replaced_by_a_whole_reply(counter: Counter, kind: ErrorKind):
    await counter.deploy_tuned("ft:base:tuned")
    counter.provider.fail_next("mid_stream", kind)
    assert (await counter.ask("Hello there")).text == "[base] Hello there"


async def test_when_every_model_fails_a_person_is_promised(counter: Counter):
    await counter.deploy_tuned("ft:base:tuned")
    counter.provider.fail_next("stream", ErrorKind.MODEL_GONE, times=2)
    reply = await counter.ask("Hello")
    assert (reply.text, reply.source, reply.model_name) == (NO_ANSWER, ReplySource.NOTICE, None)


async def test_a_vendor_that_comes_back_within_the_patience_still_answers(counter: Counter):
    await counter.deploy_tuned("ft:base:tuned")
    counter.provider.fail_next("stream", ErrorKind.UNREACHABLE, times=4)  # both models, twice
    reply = await counter.ask("Hello")
    assert (reply.source, reply.text) == (ReplySource.TUNED, "[ft:base:tuned] Hello")


async def test_patience_ends_and_a_person_is_promised(counter: Counter):
    counter.provider.fail_next("stream", ErrorKind.UNREACHABLE, times=3)
    assert (await counter.ask("Hello")).text == NO_ANSWER
    assert (await counter.ask("Hello", "m2")).text == "[base] Hello"


async def test_a_model_that_says_nothing_counts_as_failed(counter: Counter):
    def silent(model: str, messages: Sequence[Message]) -> str:
        return ""

    counter.provider.script = silent
    assert (await counter.ask("Hello")).text == NO_ANSWER


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07", "\u200b"])
async def test_an_empty_question_never_reaches_the_model(counter: Counter, text: str):
    assert (await counter.ask(text)).text == NOTHING_ASKED
    assert counter.provider.asked == []


async def test_notices_are_not_shown_to_the_model_as_its_own_words(counter: Counter):
    await counter.ask("", "m1")
    await counter.ask("Hi", "m2")
    assert len(counter.provider.asked[-1][1]) == 2


@pytest.mark.parametrize("text", ["😀😀", "مرحبا، أين طردي؟", "<script>alert(1)</script>", "a\x00b"])
async def test_odd_text_is_answered_and_kept(counter: Counter, text: str):
    reply = await counter.ask(text)
    assert reply.text == f"[base] {text}".replace("\x00", "")


async def test_a_megabyte_is_refused_and_no_turn_is_made(counter: Counter):
    with pytest.raises(TextRefused, match="1,048,576 characters"):
        await counter.record("x" * 1_048_576)
    assert await counter.desk.store.conversations.unanswered(counter.clock()) == []


async def test_no_reply_can_ring_everyone(counter: Counter):
    reply = await counter.ask("say @everyone and <!channel>")
    assert "@everyone" not in reply.text
    assert "!channel" not in reply.text


async def test_a_corrected_reply_is_what_the_model_sees_next(counter: Counter):
    reply = await counter.ask("Hello", "m1")
    admin = await counter.desk.store.people.ensure_actor("cli", "ada", "Ada", frozenset(Right), at=counter.clock())
    await counter.desk.store.conversations.edit_reply(reply.id, "Ahoy!", by=admin.id, at=counter.clock())
    await counter.ask("And?", "m2")
    assert counter.provider.asked[-1][1][2].content == "Ahoy!"


async def test_a_model_trained_with_the_short_prompt_is_asked_with_it_and_its_base_with_the_full_one(counter: Counter):
    store = counter.desk.store
    counter.voice = await store.voices.ensure("puffin", "Be kind.", "base", short_prompt="Kind.", at=counter.clock())
    await counter.deploy_tuned("ft:base:tuned", prompt=PromptKind.SHORT)
    tuned = await counter.ask("Where?")
    assert [m.content for m in counter.provider.asked[-1][1]] == ["Kind.", "Where?"]
    counter.provider.fail_next("stream", ErrorKind.MODEL_GONE)
    base = await counter.ask("And now?", "m2")
    assert counter.provider.asked[-1][1][0].content == "Be kind."
    assert tuned.prompt_hash != base.prompt_hash


async def test_a_model_trained_with_the_full_prompt_keeps_it_when_a_short_one_is_set(counter: Counter):
    await counter.deploy_tuned("ft:base:tuned")
    await counter.desk.store.voices.ensure("puffin", "Be kind.", "base", short_prompt="Kind.", at=counter.clock())
    await counter.ask("Where?")
    assert [m.content for m in counter.provider.asked[-1][1]] == ["Be kind.", "Where?"]
