"""The team's guidelines beside what they are for: a little Markdown as records, which templates escape like any other text.

Pure but for `read`. Headings, paragraphs, lists, `code`, **bold**, *emphasis* and links to https addresses; whatever else
stands there is shown as it is written, so that nothing in a guideline can become mark-up of ours.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bot.text import clean
from bot.wording import REASONS
from storage.records import Judgement

LIMIT = 100_000  # characters that are shown of a file
SUFFIXES = (".md", ".markdown", ".txt")

_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)])\s+(.+)$")
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\*(?P<em>[^*\s][^*]*)\*|\[(?P<words>[^\]]+)\]\((?P<link>https://[^\s()]+)\)"
)
_SENTENCE = re.compile(r".*?[.!?](?=\s|$)|.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text of one kind: "text", "code", "strong", "em" or "link" (with its address)."""

    kind: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph or a list: "heading", "text" or "list". Each line is a line of runs."""

    kind: str
    lines: tuple[tuple[Run, ...], ...]


@dataclass(frozen=True, slots=True)
class Guidelines:
    """What the team agreed on, and the sentence of it for each reason that has a heading of its name."""

    blocks: tuple[Block, ...] = ()
    sentences: dict[Judgement, tuple[Run, ...]] = field(default_factory=dict[Judgement, tuple[Run, ...]])


def read(setting: str) -> Guidelines:
    """Read a setting: Markdown itself, or the path of a file of it. A file that cannot be read says so where it would stand."""
    text = setting.strip()
    if text.endswith(SUFFIXES) and "\n" not in text:
        try:
            text = Path(text).expanduser().read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            text = f"{setting}, which FINETONE_GUIDELINES names, cannot be read: {error.strerror or error}."
    return parse(text)


def parse(text: str) -> Guidelines:
    """The blocks of a text, and the first sentence below each heading that is a reason's name."""
    blocks = tuple(_blocks(clean(text[:LIMIT]).split("\n")))
    sentences: dict[Judgement, tuple[Run, ...]] = {}
    for heading, below in pairwise(blocks):
        reason = _reason(heading)
        if reason is not None and below.kind != "heading":
            sentences[reason] = _first_sentence(below.lines[0])
    return Guidelines(blocks, sentences)


def _blocks(lines: Iterable[str]) -> Iterable[Block]:
    kind, gathered = "", list[str]()

    def done() -> list[Block]:
        found = [_block(kind, gathered)] if gathered else []
        gathered.clear()
        return found

    for line in [*lines, ""]:
        stripped = line.strip()
        heading, item = _HEADING.match(stripped), _ITEM.match(stripped)
        if heading is not None:
            yield from done()
            yield Block("heading", (_runs(heading[2]),))
        elif not stripped:
            yield from done()
        elif item is not None:
            if kind != "list":
                yield from done()
            kind = "list"
            gathered.append(item[1])
        elif gathered and kind == "list":
            gathered[-1] += f" {stripped}"
        else:
            kind = "text"
            gathered.append(stripped)


def _block(kind: str, gathered: Sequence[str]) -> Block:
    if kind == "list":
        return Block(kind, tuple(_runs(line) for line in gathered))
    return Block(kind, (_runs(" ".join(gathered)),))


def _runs(text: str) -> tuple[Run, ...]:
    found: list[Run] = []
    end = 0
    for match in _INLINE.finditer(text):
        if match.start() > end:
            found.append(Run("text", text[end : match.start()]))
        if match["link"]:
            found.append(Run("link", match["words"], match["link"]))
        else:
            kind = next(name for name in ("code", "strong", "em") if match[name])
            found.append(Run(kind, match[kind]))
        end = match.end()
    if end < len(text):
        found.append(Run("text", text[end:]))
    return tuple(found)


def _reason(heading: Block) -> Judgement | None:
    if heading.kind != "heading":
        return None
    said = "".join(run.text for run in heading.lines[0]).strip().casefold()
    names = {name: reason for reason, words in REASONS.items() for name in (words.casefold(), reason.replace("_", " "))}
    return names.get(said)


def _first_sentence(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Runs up to the first end of a sentence in plain text."""
    found: list[Run] = []
    for run in runs:
        if run.kind == "text" and (sentence := _SENTENCE.match(run.text)) and sentence.end() < len(run.text):
            return (*found, Run("text", sentence[0]))
        found.append(run)
        if run.kind == "text" and run.text.rstrip().endswith((".", "!", "?")):
            break
    return tuple(found)
