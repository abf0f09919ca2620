"""Keys and tokens, told by how their vendor writes them, by what stands before them, or by being too random for a word.

How vendors write theirs was compared with gitleaks' rules (https://github.com/gitleaks/gitleaks, config/gitleaks.toml, read
2026-11-21). A bare run of hexadecimal digits is not taken: commits and checksums are written so.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from curation.scrub.kinds import Kind, Rules, Span

_LONG = re.compile(r"[A-Za-z0-9_+/=.~-]{16}")  # nothing below is shorter
# Whatever is below stands in one of these, or (a header's) behind its word; looking only there takes a tenth of the time.
_RUN = re.compile(r"[A-Za-z0-9_+/=.~:-]{15,65536}")
_LONGEST_RUN = 65_536
_REST_OF_RUN = re.compile(r"[A-Za-z0-9_+/=.~:-]{0,14}")
_LEAD = 48  # characters before a value in which what names it begins: "encryption secret" of mine = "…
_VENDOR = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_-]{20,250}"  # OpenAI, Anthropic, and everybody who took after them
    r"|(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}(?![A-Z0-9])"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}"
    r"|gl(?:pat|dt|rt|ptt|ft|soat|cbt)-[A-Za-z0-9_.-]{20,255}"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-[A-Za-z0-9-]{20,250}|xoxe\.xox[bp]-[A-Za-z0-9-]{20,250}"
    r"|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"  # Discord
    r"|AIza[A-Za-z0-9_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[A-Za-z0-9_-]{20,250}"  # Google
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9+/=]{20,250}"  # Stripe
    r"|SK[0-9a-f]{32}|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}"  # Twilio, SendGrid
    r"|key-[0-9a-f]{32}|[0-9a-f]{32}-us[0-9]{1,2}(?![0-9])"  # Mailgun, Mailchimp
    r"|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,250}|hf_[A-Za-z0-9]{30,40}"
    r"|[0-9]{8,10}:A[A-Za-z0-9_-]{34}"  # Telegram
    r"|do[oprt]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0[a-z]{3}-[A-Za-z0-9_-]{22,60}"
    r"|dapi[0-9a-f]{32}|(?:secret|ntn)_[A-Za-z0-9]{40,60}|lin_api_[A-Za-z0-9]{40}|figd_[A-Za-z0-9_-]{40,60}"
    r"|sntry[su]_[A-Za-z0-9+/=_-]{40,250}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|pscale_[a-z]{2,8}_[A-Za-z0-9_.-]{32,64}"
    r"|sbp_[0-9a-f]{40}|dp\.(?:pt|st|ct)\.[A-Za-z0-9._-]{40,60}|EAA[A-Za-z0-9]{60,250}|r8_[A-Za-z0-9]{37}"
    r"|ATATT3[A-Za-z0-9_=-]{60,250}|ops_eyJ[A-Za-z0-9+/=_-]{50,2048}|AKCp[A-Za-z0-9]{60,80}"  # Atlassian, 1Password, JFrog
    r"|AGE-SECRET-KEY-1[A-Z0-9]{58}|gsk_[A-Za-z0-9]{48,60}|xai-[A-Za-z0-9]{60,90}|pplx-[A-Za-z0-9]{40,60}"
    r"|eyJ[A-Za-z0-9_-]{10,2048}\.[A-Za-z0-9_-]{10,4096}(?:\.[A-Za-z0-9_-]{0,2048})?"  # JWT (RFC 7519)
    r")"
)
_WEBHOOK = re.compile(
    r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/]{20,120})"
    r"|(?:discord|discordapp)\.com/api/(?:v[0-9]{1,2}/)?webhooks/([0-9]{15,22}/[A-Za-z0-9_-]{40,100})"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PRIVATE_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY = 16_384  # characters; RSA of 16,384 bits takes 12,500
_KEY_BODY = re.compile(r"(?:\s{0,4}[A-Za-z0-9+/=_-]{16,128}){0,256}")

# "api_key = …", "X-Api-Key: …", "Authorization: Bearer …": after these even a run of hexadecimal digits is a key.
_NAMED = re.compile(
    r"(?:(?:api|access|secret|private|account|auth|client|signing|encryption)[ _-]?(?:key|token|secret|id)|key|token|secret|"
    r"apikey|schlüssel|zugangscode|clé|clave(?: api)?|chiave|chave|sleutel|klucz|ключ|キー|密钥|키)"
    r"(?=[ \"'`:=])[\"'`]?(?: (?:is|was|ist|lautet|est|es|è|é)\b| of mine)?[ ]{0,2}[:=]{0,2}[ ]{0,2}[\"'`]?"
    r"(?P<value>[A-Za-z0-9_+/=.~-]{16,512})",
    re.IGNORECASE,
)
_HEADER = re.compile(r"\b(?:bearer|basic)[ ]{1,2}(?P<value>[A-Za-z0-9_+/=.~-]{12,2048})", re.IGNORECASE)

_TOKEN = re.compile(r"(?<![A-Za-z0-9_+/=.~@:-])[A-Za-z0-9_+/=-]{20,512}(?![A-Za-z0-9_+/=@-])")
_URL = re.compile(
    r"\b[a-z]{2,10}://[^\s<>\"]{1,4096}", re.IGNORECASE
)  # a page's address is long and random without being secret
_LICENCE = re.compile(r"(?<![A-Za-z0-9-])[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){3,7}(?![A-Za-z0-9-])")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ENTROPY_BITS = 3.6  # per character; 24 random letters and digits have about 4.2, a sentence's words about 3.3
_NAMED_ENTROPY_BITS = 3.0
_CHANGES_SHARE = 0.3  # of neighbours that differ as words do not: 0.44 where random, 0.2 in NamesLikeThis2
_LONGEST_PART = 14  # letters and digits in a row


def find_keys(text: str, rules: Rules) -> Iterator[Span]:
    """Private keys, vendors' tokens, named and bare random tokens."""
    begin = text.find("-----BEGIN ")
    if begin >= 0:
        yield from _private_keys(text)
    if not _LONG.search(text):
        return
    runs = _runs(text)
    for start, end in runs:
        for match in _VENDOR.finditer(text, start, end):
            yield _span(text, match.start(), match.end())
    if "webhooks/" in text or "hooks.slack" in text:
        for match in _WEBHOOK.finditer(text):
            yield _span(text, *match.span(match.lastindex or 0))
    for match in (*_HEADER.finditer(text), *_named(text, runs)):
        if _is_random(match["value"], is_named=True):
            yield _span(text, *match.span("value"))
    outside = _URL.sub(lambda url: " " * len(url[0]), text) if "://" in text else text
    for start, end in runs:
        for match in _TOKEN.finditer(outside, start, end + 1):  # what stands behind it has a say
            if _is_random(match[0], is_named=False):
                yield _span(text, match.start(), match.end())
    for start, end in runs:
        for match in _LICENCE.finditer(text, start, end):
            groups = match[0].split("-")
            mixed = sum(not group.isdigit() and not group.isalpha() for group in groups)
            if len({len(group) for group in groups}) == 1 and 2 * mixed >= len(groups):
                yield _span(text, match.start(), match.end())


def _runs(text: str) -> list[tuple[int, int]]:
    """Where long runs of a key's characters begin and end."""
    found: list[tuple[int, int]] = []
    for match in _RUN.finditer(text):
        start, end = match.span()
        if found and found[-1][1] == start:
            start = found.pop()[0]
        found.append((start, end))
    return [(start, _end_of(text, end) if end - start >= _LONGEST_RUN else end) for start, end in found]


def _end_of(text: str, end: int) -> int:
    """Where a run ends that was cut off at its greatest length."""
    rest = _REST_OF_RUN.match(text, end)
    return rest.end() if rest else end


def _named(text: str, runs: Iterable[tuple[int, int]]) -> Iterator[re.Match[str]]:
    done = 0
    for start, end in runs:
        for match in _NAMED.finditer(text, max(done, start - _LEAD), end):
            done = match.end()
            yield match


def _private_keys(text: str) -> Iterator[Span]:
    for match in _PRIVATE_KEY.finditer(text):
        footer = _PRIVATE_KEY_END.search(text, match.end(), match.end() + _LONGEST_KEY)
        body = _KEY_BODY.match(text, match.end())  # a key that was cut off has no footer
        yield _span(text, match.start(), footer.end() if footer else body.end() if body else match.end())


def _is_random(token: str, *, is_named: bool) -> bool:
    """Whether a run is too random for a word, a slug, a path or a number. A named one is believed sooner."""
    token = token.strip("=.-_/~+")
    digits = sum(character.isdigit() for character in token)
    letters = sum(character.isalpha() for character in token)
    if not digits or not letters or len(token) < (12 if is_named else 20):
        return False
    if not is_named and (_UUID.fullmatch(token) or _is_hexadecimal(token)):
        return False
    if is_named:
        return _entropy(token) >= _NAMED_ENTROPY_BITS
    # Paths, slugs and constants are words held together by signs; a random token has one in 16 or 32 characters.
    longest = max(re.split(r"[-_/.+=]", token), key=len)
    return len(longest) >= _LONGEST_PART and _changes(longest) >= _CHANGES_SHARE and _entropy(token) >= _ENTROPY_BITS


def _is_hexadecimal(token: str) -> bool:
    return all(character in "0123456789abcdefABCDEF" for character in token)


def _entropy(token: str) -> float:
    """Shannon's entropy of a token's characters, in bits per character."""
    return -sum(n / len(token) * math.log2(n / len(token)) for n in Counter(token).values())


def _changes(token: str) -> float:
    """The share of neighbouring characters that differ in kind (digit, capital, small letter), but for Capital to small."""
    kinds = [0 if c.isdigit() else 1 if c.isupper() else 2 for c in token]
    return sum(a != b and (a, b) != (1, 2) for a, b in pairwise(kinds)) / (len(kinds) - 1)


def _span(text: str, start: int, end: int) -> Span:
    return Span(Kind.SECRET, start, end, text[start:end])
