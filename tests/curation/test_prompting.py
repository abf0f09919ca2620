"""One builder makes the prompt, for serving and for training."""

from curation.prompting import build_messages
from storage.records import Message


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


def exchange(number: int) -> list[Message]:
    return [Message("user", f"question {number}"), Message("assistant", f"answer {number}")]


def roles(messages: tuple[Message, ...]) -> str:
    return "".join(message.role[0] for message in messages)


def test_system_history_and_question_in_order():
    prompt = build_messages("be kind", exchange(1), "and now", budget_tokens=100, count_tokens=words)
    assert roles(prompt.messages) == "suau"
    assert prompt.dropped_history == 0


def test_without_a_system_prompt_there_is_no_system_message():
    assert roles(build_messages("", [], "hi", budget_tokens=10, count_tokens=words).messages) == "u"


def test_the_oldest_exchanges_leave_first_and_whole():
    history = [*exchange(1), *exchange(2), *exchange(3)]
    prompt = build_messages("be kind", history, "and now", budget_tokens=2 + 2 + 5, count_tokens=words)
    assert [m.content for m in prompt.messages] == ["be kind", "question 3", "answer 3", "and now"]
    assert prompt.dropped_history == 4


def test_the_question_stays_even_when_it_alone_exceeds_the_budget():
    prompt = build_messages("be kind", exchange(1), "a b c d e f", budget_tokens=3, count_tokens=words)
    assert roles(prompt.messages) == "su"
