"""What an import gives: answers, refusals, and the sentence that says which layout was recognised."""

from collections.abc import Callable
from dataclasses import dataclass

from storage.records import Message

Clean = Callable[[str], str]
"""Makes a text fit to keep, or raises ValueError with a sentence."""


class ImportRefused(ValueError):
    """The file as a whole cannot be read; the message names it, the reason and what is expected."""


class RowRefused(ValueError):
    """One row cannot be taken; the message says why and is shown beside its line."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and the answer a person gave.

    `line` is the row's number in the file, from 1 (a CSV's header is line 1); in an export of chats, the message's.
    """

    line: int
    question: str
    answer: str
    history: tuple[Message, ...] = ()  # the conversation before the question, oldest first
    served: str | None = None  # what a machine had answered, or the answer that was not preferred
    file: str = ""  # the file within an archive; "" where there is one file


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken, and why."""

    line: int
    reason: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held: the layout it was read as, answers in file order, and the rows refused."""

    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]
    layout: str = ""  # in words, as a person would name it
    conversations: int = 0  # threads or tickets the answers come from; 0 where rows stand alone
