"""Importing as people see it: how a file is read, and what was found in it, in the same words everywhere."""

from bot.text import clean_correction, clean_question, listed
from bot.wording import counted
from curation.imports import Answer, Imported, Refusal, Source

LAYOUTS = (
    "question and answer columns, chat messages, preference pairs, multiple choice, a help desk's messages, "
    "or an export of Slack or of a Discord channel"
)


def source_for(staff: str) -> Source:
    """How to read a file; `staff` are ids or names apart by commas, whose answers count in an export of chats."""
    return Source(clean_question, clean_correction, frozenset(listed(staff)))


def summary(read: Imported) -> str:
    """What a file held, in one sentence."""
    of = f" from {counted(read.conversations, 'conversation')}" if read.conversations else ""
    taken, refused = counted(len(read.answers), "answer"), len(read.refusals)
    return f"Read as {read.layout}: {taken}{of} can be taken, {refused or 'none'} refused."


def place_of(file_name: str, found: Answer | Refusal) -> str:
    """Where a row stands, for a person who looks for it."""
    return f"{found.file or file_name} line {found.line}"
