"""A reply as messages: in parts that are whole, numbered where there are many, as a file where there are too many."""

from bot.discord_app.buttons import controls
from bot.discord_app.outgoing import CONTENT_LIMIT, Shown
from bot.parts import split
from storage.records import Reply, ReplySource

PART_LIMIT = CONTENT_LIMIT - 50  # room for the line that numbers the parts
MOST_PARTS = 4  # a longer reply is a file
NUMBERED_FROM = 3  # parts; two need no numbers
HEAD_LIMIT = 1_200  # characters of a reply that comes as a file, shown above it
FILE_NAME = "answer.md"
IN_THE_FILE = "-# The whole answer is in the file below."

CORRECTED = "-# Corrected by the team"


def footer_of(reply: Reply, footer: str) -> str:
    """The line that says whose words these are; "" where `footer` is, and under what no model said."""
    if not footer or reply.source is ReplySource.NOTICE:
        return ""
    return CORRECTED if reply.corrected_text is not None else f"-# {' '.join(footer.split())}"


def messages_of(text: str, reply: Reply | None, note: str = "", *, as_file: bool = True) -> list[Shown]:
    """Pure but for the buttons: outgoing text as messages, controls under the last; a very long one as a file."""
    parts = split(text, PART_LIMIT - (len(note) + 1 if note else 0)) or ["…"]
    view = controls(reply) if reply is not None else None
    if as_file and len(parts) > MOST_PARTS:
        head = split(text, HEAD_LIMIT)[0]
        tail = f"\n{note}" if note else ""
        return [Shown(f"{head}\n\n{IN_THE_FILE}{tail}", view, (FILE_NAME, text.encode()))]
    numbered = [
        f"{part}\n-# {number} of {len(parts)}" if len(parts) >= NUMBERED_FROM else part
        for number, part in enumerate(parts, 1)
    ]
    last = f"{numbered[-1]}\n{note}" if note else numbered[-1]
    return [*(Shown(part) for part in numbered[:-1]), Shown(last, view)]
