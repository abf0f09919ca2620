"""Pure: a long text as several messages. Code stays code in each of them, a table keeps its head, nothing is lost."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([^\n`]*)$")
_RULE = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that belong together, and what each piece of them must begin and end with when they have to be parted."""

    lines: tuple[str, ...]
    before: str = ""  # "```python\n", or a table's head
    after: str = ""  # "\n```"

    @property
    def text(self) -> str:
        return self.before + "\n".join(self.lines) + self.after


def split(text: str, limit: int) -> list[str]:
    """`text` as parts of at most `limit` characters (at least 100), in order; one part where it fits, none where it is empty.

    Cut between paragraphs where that is possible, then between lines, sentences, words, and only at last inside a word. A
    fenced code block that is cut is closed and opened again, a table repeats its head.
    """
    if limit < 100:
        raise ValueError(f"parts of {limit} characters are too small; 100 is the least")
    if not text.strip():
        return []
    if len(text) <= limit:
        return [text]
    parts: list[str] = []
    room = ""
    for block in _blocks(text):
        for piece in _pieces(block, limit):
            joined = f"{room}\n\n{piece}" if room else piece
            if len(joined) <= limit:
                room = joined
            else:
                parts.append(room)
                room = piece
    return [*parts, room] if room else parts


def _blocks(text: str) -> Iterator[_Block]:
    """Fenced code, tables and paragraphs, in order; the blank lines between them are not kept."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        if (opened := _FENCE.match(lines[at])) is not None:
            end = next((i for i in range(at + 1, len(lines)) if _closes(lines[i], opened[1])), len(lines))
            yield _Block(tuple(lines[at + 1 : end]), f"{lines[at]}\n", f"\n{opened[1]}")
            at = end + 1
        elif not lines[at].strip():
            at += 1
        else:
            end = at
            while end < len(lines) and lines[end].strip() and _FENCE.match(lines[end]) is None:
                end += 1
            block = lines[at:end]
            head = next((i for i, line in enumerate(block) if i and "|" in block[i - 1] and _RULE.match(line)), None)
            if head is None:
                yield _Block(tuple(block))
            else:
                if head > 1:
                    yield _Block(tuple(block[: head - 1]))
                yield _Block(tuple(block[head + 1 :]), "\n".join(block[head - 1 : head + 1]) + "\n")
            at = end


def _closes(line: str, fence: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and set(stripped) == {fence[0]}


def _pieces(block: _Block, limit: int) -> Iterator[str]:
    """The block, cut between lines if it does not fit, and lines cut if they do not fit either."""
    if len(block.text) <= limit:
        yield block.text
        return
    frame = len(block.before) + len(block.after)
    if frame > limit // 2:  # a head too long to repeat is only text
        block, frame = _Block((*block.before.rstrip("\n").split("\n"), *block.lines)), 0
    room: list[str] = []
    for line in (cut for whole in block.lines for cut in _cut(whole, limit - frame)):
        if room and frame + len("\n".join([*room, line])) > limit:
            yield block.before + "\n".join(room) + block.after
            room = []
        room.append(line)
    if room:
        yield block.before + "\n".join(room) + block.after


def _cut(line: str, limit: int) -> Iterator[str]:
    """A line as pieces of at most `limit` characters: after a sentence, else after a word, else anywhere."""
    while len(line) > limit:
        window = line[:limit]
        at = max((window.rfind(end) + len(end) for end in (". ", "! ", "? ", "。") if end in window), default=0)
        if at < limit // 3:
            at = window.rfind(" ") + 1
        if at < limit // 3:
            at = limit
        yield line[:at].rstrip()
        line = line[at:].lstrip()
    yield line
