"""E-mail addresses, also in full width, of other alphabets (RFC 6531), and spelled out: "anna (at) example (dot) com"."""

import re
from collections.abc import Iterator

from curation.scrub.kinds import Kind, Rules, Span

# Latin, Greek and Cyrillic letters. Others (Chinese, Japanese, Korean, Arabic) are left out on purpose: there a sentence runs
# into the address without a space, so that its last words would be taken for part of it.
_LETTER = "A-Za-z0-9\u00c0-\u024f\u0370-\u04ff"
# Before the @, read backwards from it: at most 64 characters (RFC 5321, 4.5.3.1.1).
_LOCAL_BACKWARDS = re.compile(rf"[{_LETTER}.+_'%&~-]{{1,64}}")
_DOMAIN = re.compile(rf"[{_LETTER}][{_LETTER}-]{{0,62}}(?:\.[{_LETTER}-]{{1,63}}){{1,6}}")

_AT_WORD = r"(?:at|ät|arroba|arobase|chiocciola)"
_DOT_WORD = r"(?:dot|punkt|punto|point|ponto)"
_SPELLED_GUARD = re.compile(rf"[\[({{] ?(?:{_AT_WORD}|@) ?[\])}}]| {_DOT_WORD} ", re.IGNORECASE)
_BRACKETED_AT = rf" ?[\[({{] ?(?:{_AT_WORD}|@) ?[\])}}] ?"
_SPELLED_DOT = rf"(?: ?[\[({{] ?{_DOT_WORD} ?[\])}}] ?| {_DOT_WORD} )"
_SPELLED = re.compile(
    rf"(?<![{_LETTER}._+-])(?P<local>[{_LETTER}][{_LETTER}._+-]{{0,63}})"
    rf"(?:{_BRACKETED_AT}[{_LETTER}-]{{1,63}}(?:(?:\.|{_SPELLED_DOT})[{_LETTER}-]{{1,63}}){{1,4}}"
    rf"| {_AT_WORD} [{_LETTER}-]{{1,63}}(?:\.[{_LETTER}-]{{1,63}}){{0,3}}{_SPELLED_DOT}(?P<last>[{_LETTER}-]{{2,24}}))",
    re.IGNORECASE,
)
_NOT_LOCAL = frozenset(
    {"look", "looked", "looking", "us", "me", "is", "are", "be", "it", "available", "found", "arrive", "meet"}
)
_AT = re.compile(rf" ?[\[({{] ?(?:{_AT_WORD}|@) ?[\])}}] ?| {_AT_WORD} ", re.IGNORECASE)
_DOT = re.compile(_SPELLED_DOT, re.IGNORECASE)


def find_emails(text: str, rules: Rules) -> Iterator[Span]:
    """Addresses written with an @, then those spelled out."""
    at = text.find("@")
    while at >= 0:
        if (span := _around(text, at)) is not None:
            yield span
        at = text.find("@", at + 1)
    if _SPELLED_GUARD.search(text):
        for match in _SPELLED.finditer(text):
            if match["local"].casefold() not in _NOT_LOCAL:
                key = _DOT.sub(".", _AT.sub("@", match[0])).casefold()
                yield Span(Kind.EMAIL, match.start(), match.end(), key)


def _around(text: str, at: int) -> Span | None:
    local = _LOCAL_BACKWARDS.match(text[max(0, at - 64) : at][::-1])
    domain = _DOMAIN.match(text, at + 1)
    if local is None or domain is None:
        return None
    start, end = at - len(local[0].rstrip(".'%&+~-")), len(domain[0].rstrip(".-")) + at + 1
    last_label = text[at + 1 : end].rpartition(".")[2]
    # No top-level domain has a digit first ("react@18.2.0"); git@ in an address of a repository is nobody's mailbox.
    if start == at or len(last_label) < 2 or last_label[0].isdigit() or text[start:at] == "git":
        return None
    return Span(Kind.EMAIL, start, end, text[start:end].casefold())
