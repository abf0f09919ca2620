"""Pure: what people and machines said in one conversation → the answers that people gave in it.

A person's answer after a customer's question is an answer to propose. Where a machine had answered in between, the person has
corrected it: what the machine said is kept as what was served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from curation.imports.answers import Answer
from storage.records import Message


class Speaker(StrEnum):
    """Who said something, as far as an import has to know."""

    CUSTOMER = "customer"
    STAFF = "staff"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Said:
    """Something said in a conversation; `line` and `file` are where it stands."""

    speaker: Speaker
    text: str
    line: int
    file: str = ""


def answers_in(conversation: Sequence[Said]) -> list[Answer]:
    """The answers of people, in order. What one speaker says in several messages at once is one text."""
    answers: list[Answer] = []
    history: list[Message] = []
    question, served = "", None
    for block in _blocks(conversation):
        match block.speaker:
            case Speaker.CUSTOMER:
                if question:  # the machine's answer stands: nobody has corrected it before the customer went on
                    history += [Message("user", question), *([Message("assistant", served)] if served else [])]
                question, served = block.text, None
            case Speaker.BOT:
                if question:
                    served = block.text
            case Speaker.STAFF:
                if question:
                    answers.append(Answer(block.line, question, block.text, tuple(history), served, block.file))
                    history += [Message("user", question), Message("assistant", block.text)]
                    question, served = "", None
                elif history:  # a person goes on after their own answer, or after greeting first
                    history[-1] = Message("assistant", f"{history[-1].content}\n{block.text}")
    return answers


def _blocks(conversation: Sequence[Said]) -> list[Said]:
    """Messages of one speaker in a row as one, at the place of the last; those without words are left out."""
    blocks: list[Said] = []
    for said in conversation:
        text = said.text.strip()
        if not text:
            continue
        if blocks and blocks[-1].speaker is said.speaker:
            blocks[-1] = Said(said.speaker, f"{blocks[-1].text}\n{text}", said.line, said.file)
        else:
            blocks.append(Said(said.speaker, text, said.line, said.file))
    return blocks
