"""A channel's language is told to every model that is asked there, within the prompt's budget."""

from bot.answering import Desk
from bot.language import ROOM_TOKENS, in_language
from providers.base import Sampling
from providers.fake import FakeProvider
from storage.records import Message
from storage.store import Store
from tests.conftest import Clock
from tests.curation.conftest import words


def desk(store: Store, clock: Clock) -> Desk:
    return Desk(store, FakeProvider(), words, Sampling(100), 1_000, "bot-1", clock)


async def test_the_model_hears_it_after_the_system_prompt_or_in_its_place(store: Store, clock: Clock):
    plain = desk(store, clock)
    assert isinstance(plain.chat_model, FakeProvider)
    told = in_language(plain, "German")
    assert told.budget_tokens == 1_000 - ROOM_TOKENS
    for messages in ((Message("user", "Hi"),), (Message("system", "Be kind."), Message("user", "Hi"))):
        assert [chunk async for chunk in told.chat_model.stream("base", messages, Sampling(100))]
    assert [messages[0].content for _, messages in plain.chat_model.asked] == [
        "Answer in German.",
        "Be kind.\nAnswer in German.",
    ]


def test_without_a_language_nothing_changes(store: Store, clock: Clock):
    plain = desk(store, clock)
    assert in_language(plain, "") is plain
