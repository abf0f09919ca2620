"""Placeholders in place of what was found: typed, and within a conversation the same value always gets the same number."""

import hashlib
import hmac
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.scrub.folding import fold
from curation.scrub.kinds import USUAL, Finding, Rules
from curation.scrub.scan import PLACEHOLDER, hints, spans


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A text without what was found in it. `findings` and `hints` stand where they stood in the original text."""

    text: str
    findings: tuple[Finding, ...]
    hints: tuple[Finding, ...]  # for a person to look at; still in the text


class Placeholders:
    """The numbers of one conversation. Keeps no value, only a keyed hash of it, so that it may be stored with the conversation.

    `known` is what an earlier one gave with `numbers`; `salt` is the conversation's own secret, the same each time.
    """

    def __init__(self, salt: bytes, known: Mapping[str, int] | None = None) -> None:
        if not salt:
            raise ValueError(
                "The salt is empty; without one a hash of a phone number can be guessed by trying them all."
            )
        self._salt = salt
        self._numbers: dict[str, int] = dict(known or {})
        self._last: dict[str, int] = {}
        for name, number in self._numbers.items():
            self._reserve(name.partition(":")[0], number)

    @property
    def numbers(self) -> Mapping[str, int]:
        """`"email:HASH"` → number, for every value met so far."""
        return dict(self._numbers)

    def reserve(self, text: str) -> None:
        """Leave the numbers of placeholders that a text already has to them."""
        if "[" in text:
            for match in PLACEHOLDER.finditer(text):
                self._reserve(match["kind"], int(match["number"]))

    def placeholder(self, kind: str, key: str) -> str:
        """The placeholder of a value, by the key of all its spellings."""
        digest = hmac.new(self._salt, f"{kind}:{key}".encode(), hashlib.sha256).hexdigest()[:32]
        name = f"{kind}:{digest}"
        if name not in self._numbers:
            self._numbers[name] = self._last.get(kind, 0) + 1
            self._reserve(kind, self._numbers[name])
        return f"[{kind} {self._numbers[name]}]"

    def _reserve(self, kind: str, number: int) -> None:
        self._last[kind] = max(self._last.get(kind, 0), number)

    def __repr__(self) -> str:
        return f"Placeholders({len(self._numbers)} values)"


def scrub_conversation(
    texts: Sequence[str],
    placeholders: Placeholders,
    rules: Rules = USUAL,
) -> tuple[Scrubbed, ...]:
    """Scrub the texts of one conversation (history, question, answers), oldest first, with one numbering."""
    for text in texts:
        placeholders.reserve(text)
    return tuple(_scrub(text, placeholders, rules) for text in texts)


def _scrub(text: str, placeholders: Placeholders, rules: Rules) -> Scrubbed:
    """Replace until nothing is found any more: beside a placeholder something may be found that was part of something larger."""
    replaced: list[tuple[Finding, str]] = []
    while True:
        current, shifts = _render(text, replaced)
        folded = fold(current)
        new = spans(folded.text, rules)
        if not new:
            return Scrubbed(current, tuple(finding for finding, _ in replaced), hints(text, rules))
        for span in new:
            start, end = folded.original(span.start, span.end)
            shift = shifts[bisect_right(shifts, start, key=lambda piece: piece[0]) - 1][1]
            placeholder = placeholders.placeholder(span.kind, span.key)
            replaced.append((Finding(span.kind, start + shift, end + shift), placeholder))
        replaced.sort(key=lambda item: item[0].start)


def _render(text: str, replaced: Sequence[tuple[Finding, str]]) -> tuple[str, Sequence[tuple[int, int]]]:
    """The text with its placeholders, and per piece left as it was: where it begins now, and how far back that is in `text`."""
    pieces: list[str] = []
    shifts = [(0, 0)]
    length = done = 0
    for finding, placeholder in replaced:
        pieces += (text[done : finding.start], placeholder)
        length += finding.start - done + len(placeholder)
        done = finding.end
        shifts.append((length, done - length))
    return "".join((*pieces, text[done:])), shifts
