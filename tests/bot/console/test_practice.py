"""The practice channel: one turn per question however often it is sent, one reply however it is interrupted."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest

from bot.answering import LEASE_S, pick_up_unanswered
from bot.console import live, practice
from providers.base import Chunk, ErrorKind, Message, Sampling
from providers.fake import FakeProvider
from storage.records import CorrectionState, Judgement
from storage.store import Store
from tests.bot.console.scenes import IN_PAGE, House, build_house, field_of, read, shop, turn_of
from tests.conftest import Clock


class SlowProvider(FakeProvider):
    """Stops after the first word until it is let go on."""

    def __init__(self) -> None:
        super().__init__(script=shop)
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def stream(self, model: str, messages: Sequence[Message], sampling: Sampling) -> AsyncIterator[Chunk]:
        async for chunk in super().stream(model, messages, sampling):
            yield chunk
            self.reached.set()
            await self.go_on.wait()


def events(stream: str) -> list[str]:
    """The texts a stream sent."""
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ") and line != "data: {}"]


async def replies_of(house: House, turn_id: str) -> str | None:
    reply = await house.store.conversations.reply_to(turn_id)
    return reply.text if reply else None


async def test_a_question_is_asked_and_its_reply_streams_in(house: House):
    async with house.browser("cleo") as browser:
        asked = await browser.ask("Where is it?")
        turn_id = turn_of(asked.text)
        assert f'data-stream="/turns/{turn_id}/stream"' in asked.text
        stream = await browser.get(f"/turns/{turn_id}/stream")
        assert stream.headers["content-type"].startswith("text/event-stream")
        texts = events(stream.text)
        assert texts[-1] == "Dear customer, regarding: Where is it?"
        assert all(texts[-1].startswith(text) for text in texts)
        assert stream.text.rstrip().endswith("event: done\ndata: {}")
        turn = read((await browser.get(f"/turns/{turn_id}", headers=IN_PAGE)).text)
        assert "Dear customer, regarding: Where is it?" in turn
        assert "Good Not right" in turn
        assert "Dear customer, regarding: Where is it?" in await browser.page("/")


async def test_each_question_comes_with_a_new_key_for_the_next(house: House):
    async with house.browser("cleo") as browser:
        asked = (await browser.ask("Where is it?")).text
        page = (await browser.get("/")).text
    assert 'hx-swap-oob="true"' in asked
    assert field_of(asked, "key") != field_of(page, "key")


async def test_a_form_sent_twice_is_one_turn(house: House):
    async with house.browser("cleo") as browser:
        page = (await browser.get("/")).text
        fields = {name: field_of(page, name) for name in ("conversation", "key")} | {"text": "Where is it?"}
        first, second = await asyncio.gather(*[browser.post("/ask", fields, headers=IN_PAGE) for _ in range(2)])
        assert turn_of(first.text) == turn_of(second.text)
        await browser.get(f"/turns/{turn_of(first.text)}/stream")
        assert (await browser.page("/")).count("Dear customer") == 1
    assert len(house.provider.asked) == 1


async def test_without_script_the_form_leads_back_to_the_channel(house: House):
    async with house.browser("cleo") as browser:
        page = (await browser.get("/")).text
        fields = {name: field_of(page, name) for name in ("conversation", "key")}
        asked = await browser.post("/ask", {**fields, "text": "Where is it?"})
        assert asked.headers["location"].startswith("/#turn-turn_")
        assert "Where is it?" in await browser.page("/")


async def test_a_new_conversation_begins_empty_and_the_model_forgets(house: House):
    async with house.browser("cleo") as browser:
        await browser.reply_to("My name is Cleo.")
        await browser.post("/conversations")
        assert "Cleo." not in (await browser.page("/")).replace("Cleo Sign out", "")
        await browser.reply_to("Who am I?")
    assert [message.content for message in house.provider.asked[-1][1]] == ["Be kind.", "Who am I?"]


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        pytest.param("", "I did not find a question in that message.", id="empty"),
        pytest.param(" \n\t ", "I did not find a question in that message.", id="white space"),
        pytest.param("\0\0", "I did not find a question in that message.", id="only NUL"),
        pytest.param("🎉🎉", "Dear customer, regarding: 🎉🎉", id="emoji"),
        pytest.param("أين طلبي؟", "Dear customer, regarding: أين طلبي؟", id="right to left"),
        pytest.param("a\0b", "Dear customer, regarding: ab", id="NUL inside"),
        pytest.param("<b>bold</b> & co", "Dear customer, regarding: <b>bold</b> & co", id="HTML"),
        pytest.param("<script>alert(1)</script>", "Dear customer, regarding: <script>alert(1)</script>", id="script"),
        pytest.param("x" * 8_000, "Dear customer, regarding: xxx", id="as long as may be"),
    ],
)
async def test_any_text_gets_a_reply_and_none_gets_alive(house: House, text: str, reply: str):
    async with house.browser("cleo") as browser:
        turn_id = turn_of((await browser.ask(text)).text)
        stream = (await browser.get(f"/turns/{turn_id}/stream")).text
        page = (await browser.get("/")).text
    assert events(stream)[-1].startswith(reply)
    assert "<b>bold" not in page
    assert "<script>" not in page
    if "<" in text:
        assert page.count("&lt;") > 1


@pytest.mark.parametrize("text", ["x" * 1024 * 1024, "é" * 512 * 1024], ids=["ASCII", "percent-encoded"])
async def test_a_megabyte_is_refused_and_stays_in_the_box(house: House, text: str):
    async with house.browser("cleo") as browser:
        in_page = await browser.ask(text)
        assert in_page.status_code == 422
        assert in_page.headers["hx-retarget"] == "#ask-problem"
        assert f"has {len(text):,} characters; at most 8,000 are taken" in in_page.text
        page = (await browser.get("/")).text
        fields = {name: field_of(page, name) for name in ("conversation", "key")}
        whole = await browser.post("/ask", {**fields, "text": text})
        assert whole.status_code == 422
        assert "at most 8,000 are taken" in whole.text
        assert text in whole.text


async def test_a_page_that_lost_its_key_says_so(house: House):
    async with house.browser("cleo") as browser:
        response = await browser.post("/ask", {"text": "Hello?", "key": "made-up", "conversation": str(uuid.uuid4())})
    assert response.status_code == 422
    assert "lost its place" in response.text


async def test_a_reply_of_another_process_is_followed_in_the_database(
    house: House, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(practice, "POLL_S", 0.01)
    slow = SlowProvider()
    async with (
        (await build_house(store, clock, provider=slow)).opened() as other,
        other.browser("cleo") as there,
        house.browser("cleo") as here,
    ):
        turn_id = turn_of((await there.ask("Where is it?")).text)
        await slow.reached.wait()
        assert "data-stream" in (await here.get(f"/turns/{turn_id}")).text
        following = asyncio.create_task(here.get(f"/turns/{turn_id}/stream"))
        asyncio.get_running_loop().call_later(0.05, slow.go_on.set)
        assert events((await following).text) == ["Dear customer, regarding: Where is it?"]


async def test_a_stream_ends_in_time_for_a_shutdown_and_is_taken_up_again(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(practice, "STREAM_S", 0.05)
    monkeypatch.setattr(practice, "POLL_S", 0.01)
    slow = SlowProvider()
    async with (await build_house(store, clock, provider=slow)).opened() as house, house.browser("cleo") as browser:
        turn_id = turn_of((await browser.ask("Where is it?")).text)
        await slow.reached.wait()
        cut = (await browser.get(f"/turns/{turn_id}/stream")).text
        assert events(cut) == ["Dear"]
        assert "event: done" not in cut
        slow.go_on.set()
        monkeypatch.setattr(practice, "STREAM_S", 25.0)
        assert "event: done" in (await browser.get(f"/turns/{turn_id}/stream")).text


async def test_a_restart_in_the_middle_of_a_reply_gives_one_reply(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "FINISH_S", 0.0)
    slow = SlowProvider()
    async with (await build_house(store, clock, provider=slow)).opened() as before, before.browser("cleo") as browser:
        turn_id = turn_of((await browser.ask("Where is it?")).text)
        await slow.reached.wait()
        cookies = browser.client.cookies
    clock.advance(LEASE_S)
    async with (await build_house(store, clock)).opened() as after, after.stranger() as client:
        client.cookies = cookies
        assert f'data-stream="/turns/{turn_id}/stream"' in (await client.get("/")).text
        stop = asyncio.Event()
        picking_up = asyncio.create_task(pick_up_unanswered(after.console.desk, stop, every_s=0.01))
        stream = await client.get(f"/turns/{turn_id}/stream")
        stop.set()
        await picking_up
        assert events(stream.text) == ["Dear customer, regarding: Where is it?"]
        page = (await client.get("/")).text
        assert read(page).count("Dear customer") == 1
        assert "data-stream" not in page


async def test_a_shutdown_lets_a_reply_finish(store: Store, clock: Clock):
    slow = SlowProvider()
    async with (await build_house(store, clock, provider=slow)).opened() as house, house.browser("cleo") as browser:
        turn_id = turn_of((await browser.ask("Where is it?")).text)
        await slow.reached.wait()
        asyncio.get_running_loop().call_later(0.05, slow.go_on.set)
    assert await replies_of(house, turn_id) == "Dear customer, regarding: Where is it?"


async def test_when_no_model_answers_a_person_is_promised(house: House):
    house.provider.fail_next("stream", ErrorKind.UNREACHABLE, times=3)
    async with house.browser("mia") as browser:
        await browser.reply_to("Where is it?")
        page = await browser.page("/")
    assert "A person from the team will have a look." in page
    assert "model 0 ·" not in page


async def test_only_the_team_sees_which_model_answered(house: House):
    async with house.browser("mia") as mia, house.browser("cleo") as cleo:
        await mia.reply_to("Where is it?")
        await cleo.reply_to("Where is it?")
        assert "model 0 ·" in await mia.page("/")
        assert "model 0 ·" not in await cleo.page("/")


async def test_a_customer_sees_nobody_elses_conversation(house: House):
    async with house.browser("cleo") as cleo, house.browser("mia") as mia:
        turn_id = turn_of((await mia.ask("A secret of ours")).text)
        await mia.get(f"/turns/{turn_id}/stream")
        for path in (f"/turns/{turn_id}", f"/turns/{turn_id}/stream"):
            assert (await cleo.get(path)).status_code == 404
        cleo.client.cookies.set("finetone_conversation", mia.client.cookies["finetone_conversation"])
        assert "A secret of ours" not in (await cleo.get("/")).text
        for path in ("/review", "/training", "/models", "/history", "/corrections/x", "/datasets/x", "/training/x"):
            response = await cleo.get(path)
            assert response.status_code == 403
            assert "Cleo is not in it" in response.text


# ---------------------------------------------------------------- judging


async def test_a_press_is_a_judgement_and_a_second_one_takes_it_back(house: House):
    async with house.browser("cleo") as browser:
        reply_id = await browser.reply_to("Where is it?")
        pressed = await browser.post(f"/replies/{reply_id}/feedback", {"judgement": "good"}, headers=IN_PAGE)
        assert f'id="good-{reply_id}" name="judgement" value="none" aria-pressed="true"' in pressed.text
        assert "Thanks, noted as good." in pressed.text
        again = await browser.post(f"/replies/{reply_id}/feedback", {"judgement": "none"}, headers=IN_PAGE)
        assert 'aria-pressed="true"' not in again.text
        assert "Taken back." in again.text
    assert await house.store.feedback.for_reply(reply_id) == []


async def test_not_right_asks_for_a_moderator(house: House):
    async with house.browser("cleo") as browser:
        reply_id = await browser.reply_to("Where is it?")
        pressed = await browser.post(f"/replies/{reply_id}/feedback", {"judgement": "wrong"}, headers=IN_PAGE)
    assert "A moderator will have a look." in pressed.text
    kept = await house.store.feedback.for_reply(reply_id)
    assert [(feedback.judgement, feedback.flagged) for feedback in kept] == [(Judgement.WRONG, True)]


# ---------------------------------------------------------------- correcting


async def test_a_customer_cannot_correct_whatever_they_send(house: House):
    async with house.browser("cleo") as browser:
        reply_id = await browser.reply_to("Where is it?")
        assert f"/replies/{reply_id}/correct" not in (await browser.get("/")).text
        assert (await browser.get(f"/replies/{reply_id}/correct")).status_code == 403
        response = await browser.post(f"/replies/{reply_id}/correct", {"text": "Ahoy!", "reason": "tone"})
    assert response.status_code == 403
    assert "Only a moderator can correct a reply, and Cleo is not one." in response.text
    assert await house.store.corrections.for_reply(reply_id) == []


async def test_a_moderator_corrects_where_the_reply_stands(house: House):
    async with house.browser("mia") as browser:
        reply_id = await browser.reply_to("Where is it?")
        form = (await browser.get(f"/replies/{reply_id}/correct", headers=IN_PAGE)).text
        assert "Dear customer, regarding: Where is it?</textarea>" in form
        fields = {"text": "Ahoy! On its way.", "reason": "tone", "note": "Too stiff"}
        saved = await browser.post(f"/replies/{reply_id}/correct", fields, headers=IN_PAGE)
        assert saved.headers["hx-retarget"].startswith("#turn-")
        assert saved.headers["hx-trigger"] == "review-changed"
        assert "Saved. It waits for approval in the review list." in saved.text
        assert "Ahoy! On its way." in await browser.page("/")
    kept = await house.store.corrections.for_reply(reply_id)
    assert [(c.corrected_text, c.reason, c.note, c.state) for c in kept] == [
        ("Ahoy! On its way.", Judgement.TONE, "Too stiff", CorrectionState.PROPOSED)
    ]


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        pytest.param("", 422, "The correction is empty.", id="empty"),
        pytest.param("y" * 12_001, 422, "has 12,001 characters; at most 12,000 are taken", id="too long"),
        pytest.param("Dear customer, regarding: Hi <b>?", 403, "The correction is the same as the reply.", id="same"),
    ],
)
async def test_a_refused_correction_keeps_what_was_typed(house: House, text: str, status: int, sentence: str):
    async with house.browser("mia") as browser:
        reply_id = await browser.reply_to("Hi <b>?")
        fields = {"text": text, "reason": "outdated", "note": "A <note>"}
        for headers in (IN_PAGE, {}):
            response = await browser.post(f"/replies/{reply_id}/correct", fields, headers=headers)
            assert response.status_code == status
            assert sentence in response.text
            assert re.search(rf">{re.escape(text.replace('<', '&lt;').replace('>', '&gt;'))}</textarea>", response.text)
            assert '<option value="outdated" selected>' in response.text
            assert 'value="A &lt;note&gt;"' in response.text
