"""Nobody says anything after a reply: the bot asks back once, if it is told to, and never where somebody has spoken."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.slack_app.acting import buttons_of, settled, whispered, words_of
from tests.bot.slack_app.conftest import Shop
from tests.slack.place import Message

HOURS = 4
ASKED = "Did that help? Write here again if it did not, or ask for a person."


@pytest.fixture
async def patient(shop: Shop) -> AsyncIterator[Shop]:
    """A shop that follows up after four hours."""
    async with shop.serving(follow_up_hours=HOURS):
        yield shop


async def silence(shop: Shop, hours: float = HOURS) -> None:
    """Time passes, and the board has looked since."""
    shop.clock.advance(hours * 3600)
    assert shop.running is not None
    await shop.running.board.look()


async def followed_up(shop: Shop, question: Message) -> Message:
    """The second message under a question, once it is there."""

    async def found() -> Message | None:
        replies = await shop.workspace.replies(question)
        return replies[1] if len(replies) > 1 else None

    return await shop.workspace.until(found)


async def said_under(shop: Shop, question: Message) -> list[str]:
    return [words_of(message) for message in await shop.workspace.replies(question)]


async def test_after_the_silence_it_asks_once_in_the_thread_with_the_replys_buttons(patient: Shop):
    question, reply = await patient.asked()
    await silence(patient, 1)
    assert len(await said_under(patient, question)) == 1
    await silence(patient)
    follow_up = await followed_up(patient, question)
    assert words_of(follow_up).startswith(ASKED)
    assert buttons_of(follow_up) == buttons_of(reply)
    await silence(patient)
    await silence(patient)
    assert len(await said_under(patient, question)) == 2


async def test_a_press_under_it_is_about_the_reply(patient: Shop):
    there = patient.workspace
    question, _ = await patient.asked()
    await silence(patient)
    follow_up = await followed_up(patient, question)
    await there.click(there.customer, follow_up, "hand_over")
    assert (await whispered(patient, there.customer)).text.startswith("A person from the team has been asked.")


async def test_where_somebody_has_spoken_it_does_not_ask(patient: Shop):
    there = patient.workspace
    judged, reply = await patient.asked("One?")
    await there.rate(there.customer, reply, good=True)
    taken, other = await patient.asked("Two?")
    await there.click(there.customer, other, "hand_over")
    deleted, _ = await patient.asked("Three?")
    await there.delete(there.customer, deleted)
    await settled(patient)
    before = {question.ts: len(await said_under(patient, question)) for question in (judged, taken)}
    await silence(patient)
    assert {question.ts: len(await said_under(patient, question)) for question in (judged, taken)} == before
    assert not any(ASKED in words for words in await said_under(patient, deleted))


async def test_a_silence_of_days_is_left_alone(patient: Shop):
    question, _ = await patient.asked()
    await silence(patient, HOURS + 25)
    assert len(await said_under(patient, question)) == 1


async def test_it_is_off_unless_it_is_set(open_shop: Shop):
    question, _ = await open_shop.asked()
    await silence(open_shop)
    assert len(await said_under(open_shop, question)) == 1
