"""A reply while it grows in Slack: eyes and a status, a stream, the controls at the end; and every plainer way."""

import asyncio
import re

import pytest

from bot.slack_app import replying
from bot.slack_app.noticing import EYES, THINKING
from providers.base import ErrorKind, ProviderError
from tests.bot.slack_app.asking import ask, is_whole, read, replies_to, silence, the_reply
from tests.bot.slack_app.conftest import ANSWER, Shop
from tests.bot.slack_app.slowly import Gate, at_once
from tests.slack.own_stub import StreamState

__all__ = ["at_once"]

AI_METHODS = (
    "agents.sessions.setStatus",
    "assistant.threads.setStatus",
    "chat.startStream",
    "chat.appendStream",
    "chat.stopStream",
)


# ---------------------------------------------------------------- as it should be


@pytest.mark.usefixtures("at_once")
async def test_a_slow_reply_is_noticed_streamed_and_finished(open_shop: Shop):
    there, wire = open_shop.workspace, open_shop.workspace.wire
    gate = Gate(open_shop.provider)
    question = await ask(open_shop)
    await gate.reached(0)
    await there.until(lambda: wire.statuses.shown)
    assert await there.reactions(question.channel, question.ts) == {EYES: [there.bot_user_id]}
    assert wire.statuses.shown == {(question.channel.id, question.ts): THINKING}
    await there.until(lambda: wire.sessions.states == {(question.channel.id, question.ts): "processing"})
    await gate.let(3)
    (growing,) = await replies_to(open_shop, question, 1)
    assert read(growing) == "It is"
    assert not is_whole(growing)
    await gate.open()
    reply = await the_reply(open_shop, question)
    assert read(reply) == ANSWER
    assert is_whole(reply)
    assert reply.ts == growing.ts
    assert [stream.state for stream in wire.streams.all] == [StreamState.STOPPED]
    assert await there.reactions(question.channel, question.ts) == {}
    assert wire.statuses.shown == {}
    assert wire.sessions.states == {(question.channel.id, question.ts): "active"}
    assert wire.count()["chat.postMessage"] == 0


async def test_a_quick_reply_is_one_post_without_eyes(open_shop: Shop):
    question = await ask(open_shop)
    assert is_whole(await the_reply(open_shop, question))
    count = open_shop.workspace.wire.count()
    assert {m: n for m, n in count.items() if m.startswith(("chat.", "reactions.", "assistant."))} == {
        "chat.postMessage": 1
    }


@pytest.mark.usefixtures("at_once")
async def test_a_follow_up_gets_a_status_but_no_eyes(open_shop: Shop):
    there = open_shop.workspace
    question, _ = await open_shop.asked()
    await silence(open_shop)
    there.wire.calls.clear()
    await there.say(there.customer, there.support, "And when?", thread_ts=question.ts)
    await silence(open_shop)
    assert there.wire.count()["reactions.add"] == 0
    assert there.wire.statuses.shown == {}


@pytest.mark.usefixtures("at_once")
async def test_eyes_that_come_late_are_still_taken_away(open_shop: Shop):
    there = open_shop.workspace
    hold = there.wire.faults.hold("reactions.add")
    question = await ask(open_shop)
    await hold.reached()
    await replies_to(open_shop, question, 1)
    await asyncio.sleep(0.1)  # time enough to take away what is not there yet
    hold.release()
    await there.until(lambda: there.wire.count()["reactions.add"])  # it has taken effect
    await silence(open_shop)
    assert await there.reactions(question.channel, question.ts) == {}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("has_ai", [True, False], ids=["streamed", "edited"])
async def test_a_model_that_begins_anew_leaves_only_its_last_words(open_shop: Shop, has_ai: bool):
    if not has_ai:
        open_shop.workspace.wire.without_ai()
    texts = ["One two three four five", "Six seven eight"]
    open_shop.provider.script = lambda model, messages: texts[0]

    async def break_off_once(word: int) -> None:
        if word == 4 and len(texts) == 2:
            del texts[0]
            raise ProviderError("gone", ErrorKind.UNREACHABLE)

    open_shop.provider.pause = break_off_once
    reply = await the_reply(open_shop, await ask(open_shop))
    assert read(reply) == "Six seven eight"
    assert is_whole(reply)


# ---------------------------------------------------------------- plainer ways


@pytest.mark.usefixtures("at_once")
async def test_without_slacks_ai_methods_the_reply_is_posted_and_edited(open_shop: Shop):
    there = open_shop.workspace
    there.wire.without_ai()
    gate = Gate(open_shop.provider)
    question = await ask(open_shop)
    await gate.let(3)
    (growing,) = await replies_to(open_shop, question, 1)
    assert read(growing) == "It is …"
    await gate.open()
    reply = await the_reply(open_shop, question)
    assert read(reply) == ANSWER
    assert is_whole(reply)
    assert there.wire.count()["chat.postMessage"] == 1


@pytest.mark.usefixtures("at_once")
async def test_when_editing_fails_too_the_reply_is_one_post(open_shop: Shop):
    there = open_shop.workspace
    for method in AI_METHODS:
        there.wire.faults.refuse(method, "internal_failure", times=99)
    there.wire.faults.refuse("chat.postMessage", "msg_blocks_too_long", times=1)
    question = await ask(open_shop)
    reply = await the_reply(open_shop, question)
    assert read(reply) == ANSWER
    assert is_whole(reply)
    assert there.wire.count()["chat.update"] == 0


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("appends", [0, 1, 3])
async def test_a_stream_that_dies_is_put_right_by_an_edit(open_shop: Shop, appends: int):
    open_shop.workspace.wire.streams.dies_after_appends = appends
    question = await ask(open_shop, "say one two three four five six seven eight")
    reply = await the_reply(open_shop, question)
    assert read(reply) == "one two three four five six seven eight"
    assert is_whole(reply)


@pytest.mark.usefixtures("at_once")
async def test_a_stream_that_dies_before_its_end_is_put_right_by_an_edit(open_shop: Shop):
    open_shop.workspace.wire.faults.refuse("chat.stopStream", "message_not_in_streaming_state")
    gate = Gate(open_shop.provider)
    question = await ask(open_shop)
    await gate.let(4)
    open_shop.workspace.wire.streams.kill()
    await gate.open()
    reply = await the_reply(open_shop, question)
    assert read(reply) == ANSWER
    assert is_whole(reply)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("after", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize(
    "method", ["chat.startStream", "chat.appendStream", "chat.stopStream", "reactions.add", "reactions.remove"]
)
async def test_a_cut_connection_leaves_one_whole_message(open_shop: Shop, method: str, after: bool):
    open_shop.workspace.wire.faults.cut(method, after=after)
    question = await ask(open_shop)
    reply = await the_reply(open_shop, question)
    assert read(reply) == ANSWER
    assert is_whole(reply)


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done"])
async def test_a_post_whose_answer_is_lost_stands_once(open_shop: Shop, after: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replying, "LOST_ANSWER_S", 0.0)
    open_shop.workspace.wire.faults.cut("chat.postMessage", after=after)
    reply = await the_reply(open_shop, await ask(open_shop))
    assert read(reply) == ANSWER
    assert is_whole(reply)


@pytest.mark.usefixtures("at_once")
async def test_an_edited_post_whose_answer_is_lost_stands_once(open_shop: Shop):
    open_shop.workspace.wire.without_ai()
    open_shop.workspace.wire.faults.cut("chat.postMessage", after=True)
    reply = await the_reply(open_shop, await ask(open_shop))
    assert read(reply) == ANSWER
    assert is_whole(reply)


@pytest.mark.usefixtures("at_once")
async def test_limits_and_stumbles_of_slack_are_waited_out(open_shop: Shop):
    faults = open_shop.workspace.wire.faults
    for method in ("chat.startStream", "chat.appendStream", "chat.stopStream", "reactions.add", "users.info"):
        faults.limit_rate(method, times=2)
    reply = await the_reply(open_shop, await ask(open_shop))
    assert read(reply) == ANSWER
    assert len(open_shop.workspace.wire.streams.all) == 1


async def test_a_limit_on_posting_is_waited_out(open_shop: Shop):
    open_shop.workspace.wire.faults.limit_rate("chat.postMessage", times=3)
    assert read(await the_reply(open_shop, await ask(open_shop))) == ANSWER


# ---------------------------------------------------------------- long replies


# The scripted model says 200 words at most, so these hold few spaces.
PARAGRAPHS = "\n\n".join(f"Paragraph-{n}.{'-word' * 150}" for n in range(30))
CODE = "Run this:\n\n```python\n" + "\n".join(f"step({n})" for n in range(1_500)) + "\n```"
TABLE = "Here:\n\n|parcel|where|\n|---|---|\n" + "\n".join(f"|{n}|street-{n}|" for n in range(900))


@pytest.mark.parametrize("is_slow", [False, True], ids=["posted", "streamed"])
@pytest.mark.parametrize("text", [PARAGRAPHS, CODE, TABLE], ids=["paragraphs", "code", "table"])
async def test_a_long_reply_arrives_whole_over_several_messages(
    open_shop: Shop, text: str, is_slow: bool, request: pytest.FixtureRequest
):
    if is_slow:
        request.getfixturevalue("at_once")
    open_shop.provider.script = lambda model, messages: text
    question = await ask(open_shop)
    await silence(open_shop)
    replies = await open_shop.workspace.replies(question)
    assert len(replies) > 1
    assert [is_whole(reply) for reply in replies] == [False] * (len(replies) - 1) + [True]
    shown = [read(reply) for reply in replies]
    for part in shown[1:]:
        assert part.count("```") % 2 == 0
        assert "|street" not in part or part.startswith("|parcel|where|\n|---|---|\n")
    lines = {line for line in text.splitlines() if line.strip()}
    assert lines <= {line for part in shown for line in part.splitlines()}


# ---------------------------------------------------------------- what may leave


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("has_ai", [True, False], ids=["streamed", "edited"])
async def test_nobody_is_rung_and_no_link_leads_astray_while_a_reply_grows(shop: Shop, has_ai: bool):
    async with shop.serving(link_domains="puffin.example"):
        wire = shop.workspace.wire
        if not has_ai:
            wire.without_ai()
        shop.provider.script = lambda model, messages: (
            "Dear <!channel> and <@U1> and @everyone, see [this](https://evil.example/a b) "
            "or https://evil.example/c or [ours](https://puffin.example/help) today ok"
        )
        reply = await the_reply(shop, await ask(shop))
        assert "[ours](https://puffin.example/help)" in read(reply)
        sent = "".join(str(call.arguments) for call in wire.calls if call.method.startswith("chat."))
        for stream in wire.streams.all:
            sent += stream.text
        assert "evil" not in sent
        assert not re.search(r"<[!@#]|[@!](everyone|channel)", sent)
