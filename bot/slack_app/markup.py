"""Pure: between Slack's markup and plain text. What a person wrote comes in here; whatever leaves, leaves through here."""

import html
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from bot.text import clean_reply, excerpt

FALLBACK_LIMIT = 2_500  # characters of `text` beside blocks; it is read aloud and shown in notifications
LONGEST_LINK = 300  # characters that a growing text waits for a link to be whole

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_ANY_TARGET = re.compile(
    r"\]\(\s*<?([^)\s>]*)[^)]*\)"
)  # of a label with brackets in it, which the one above does not see
_REFERENCE = re.compile(r"^ {0,3}\[[^\]\n]+\]:\s*<?(\S+?)>?(?:[ \t].*)?$", re.MULTILINE)
_BARE_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]*://|mailto:)[^\s<>()\[\]\"'`]*", re.IGNORECASE)
_WWW_LINK = re.compile(r"\bwww\.[^\s<>()\[\]\"'`]+", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9.-]+")
_COMMAND = re.compile("\u2060`\u2060(/[a-z][a-z0-9 -]*)\u2060`\u2060")  # as _without_effect leaves it
_REMOVED = "(link removed)"


def plain(text: str, bot_user: str, team_users: Collection[str] = ()) -> str:
    """A person's message without Slack's markup. The mention of the bot goes; other people become what they are to us.

    Ids and names never reach a prompt or a dataset: a member of `team_users` is "@teammate", everybody else "@customer".
    """

    def said(match: re.Match[str]) -> str:
        sign, inside, label = match[1], match[2], match[3]
        if sign == "@":
            if inside == bot_user:
                return ""
            return "@teammate" if inside in team_users else "@customer"
        if sign == "#":
            return f"#{label or 'channel'}"
        if sign == "!":
            return f"@{inside.split('^')[0]}" if inside in ("here", "channel", "everyone") else (label or "")
        if label and inside.startswith(("mailto:", "tel:")):  # Slack made a link of what the person wrote
            return label
        return f"{label} ({inside})" if label and label not in inside else inside

    return html.unescape(_TOKEN.sub(said, text)).strip()


def outgoing(text: str, domains: Collection[str] = ()) -> str:
    """Text for Slack's `markdown` block: nobody is rung, no link leaves but to `domains` (and below them), nothing is a token.

    Slack reads `<…>` as mentions and links even inside Markdown; `<` and `>` become entities, `&` stays as it is.
    """
    text = _MARKDOWN_LINK.sub(lambda match: match[0] if _is_allowed(match[2], domains) else match[1], clean_reply(text))
    text = _ANY_TARGET.sub(lambda match: match[0] if _is_allowed(match[1], domains) else "]", text)
    text = _REFERENCE.sub(lambda match: match[0] if _is_allowed(match[1], domains) else _REMOVED, text)
    text = _BARE_LINK.sub(lambda match: match[0] if _is_allowed(match[0], domains) else _REMOVED, text)
    text = _WWW_LINK.sub(lambda match: match[0] if _is_allowed(f"https://{match[0]}", domains) else _REMOVED, text)
    return text.replace("<", "&lt;").replace(">", "&gt;")


def fallback(text: str) -> str:
    """An outgoing text as the `text` beside its blocks, in Slack's own markup, where `**` would be shown as signs."""
    return excerpt_lines(re.sub(r"\*\*(.+?)\*\*|__(.+?)__", lambda match: f"*{match[1] or match[2]}*", text))


def excerpt_lines(text: str) -> str:
    """At most FALLBACK_LIMIT characters; never empty, because Slack refuses that."""
    if len(text) > FALLBACK_LIMIT:
        text = text[: FALLBACK_LIMIT - 1].rstrip() + "…"
    return text or "…"


def inline(text: str, limit: int = 200) -> str:
    """One line of anybody's text for a card or a list, in Slack's own markup, with nothing in it that acts."""
    return _without_effect(outgoing(excerpt(text, limit)))


def words(text: str, limit: int = 2_000) -> str:
    """One line as `inline`, in which our own commands between backticks stay set as code."""
    return _COMMAND.sub(r"`\1`", inline(text, limit))


def quoted(text: str, limit: int) -> str:
    """One line as `inline`, for people who judge the text: a link is shown in full, but leads nowhere.

    Its block has to be `verbatim`, so that Slack does not make a link of it again.
    """
    line = clean_reply(excerpt(text, limit)).replace("<", "&lt;").replace(">", "&gt;")
    return _without_effect(line.replace("://", ":\u2060//"))


def _without_effect(line: str) -> str:
    """Signs of formatting, kept from formatting; an underscore within a word never does."""
    return re.sub(r"[*~`]|(?<![^\W_])_|_(?![^\W_])", "\u2060\\g<0>\u2060", line)


def settled(text: str) -> str:
    """The part of a growing text that will not change any more: without its last word, which may become a link or a mention."""
    at = max(text.rfind(" "), text.rfind("\n"))
    head = text[: at + 1] if at >= 0 else ""
    opened = head.rfind("[")
    if opened < 0 or _MARKDOWN_LINK.search(head[opened:]) is not None or len(head) - opened >= LONGEST_LINK:
        return head
    return head[:opened].removesuffix("!")  # a picture's sign


def _is_allowed(link: str, domains: Collection[str]) -> bool:
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.scheme.lower() not in ("http", "https") or "@" in parts.netloc:
        return False
    if _HOST.fullmatch(host) is None:  # browsers end a host at signs that Python takes for a part of it
        return False
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
