"""Pure: what a question is about, where it was asked under somebody else's message: their words stand before it, as a quotation.

They are a part of the question as it is recorded, so that an example learned from it is what the model was asked.
"""

import re

QUOTED_LIMIT = 1_000  # characters of the message that is answered
MINE, CUSTOMERS, TEAMS, PROGRAMS = "I wrote", "A customer wrote", "Somebody of the team wrote", "Another program wrote"
_QUOTATION = re.compile(rf"\A(?:{MINE}|{CUSTOMERS}|{TEAMS}|{PROGRAMS}):(?:\n>[^\n]*)+(?:\n\n|\Z)")


def about(question: str, whose: str, words: str) -> str:
    """The question under somebody's words; without those where there are none. Every line of theirs is marked as quoted."""
    words = words.strip()
    if len(words) > QUOTED_LIMIT:
        words = f"{words[: QUOTED_LIMIT - 1].rstrip()}…"
    if not words:
        return question
    quoted = "\n".join(f"> {line}".rstrip() for line in words.splitlines())
    return f"{whose}:\n{quoted}\n\n{question}".strip()


def own_words(question: str) -> str:
    """What the person asked themselves, of a question that may be about somebody's words."""
    return question.removeprefix(quotation(question))


def quotation(question: str) -> str:
    """What stands before it: somebody's words and the empty line after them; "" where there are none."""
    match = _QUOTATION.match(question)
    return match[0] if match else ""
