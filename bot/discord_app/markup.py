"""Pure: between Discord's markup and plain text. What a person wrote comes in here; whatever leaves, leaves through here."""

import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from bot.text import clean_reply, excerpt

_TOKEN = re.compile(r"<(@[!&]?|#|/|a?:|t:|id:)([^<>\s]*(?: [^<>\s]+)*)>")
_MENTION = re.compile(r"<(?=@[!&]?\d|#\d|/[^<>]+:\d|id:|a?:\w+:\d|t:-?\d)")
_MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]*)\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_ANY_TARGET = re.compile(
    r"\]\(\s*<?([^)\s>]*)[^)]*\)"
)  # of a label with brackets in it, which the one above does not see
_BARE_LINK = re.compile(r"<?\b(?:[a-z][a-z0-9+.-]*://|mailto:)[^\s<>()\[\]\"'`]*>?", re.IGNORECASE)
_WWW_LINK = re.compile(r"\bwww\.[^\s<>()\[\]\"'`]+", re.IGNORECASE)
_INVITE = re.compile(
    r"(?:https?://)?\b(?:www\.)?(?:discord\.gg|discord(?:app)?\.com/invite|dsc\.gg)/\S+", re.IGNORECASE
)
_HOST = re.compile(r"[a-z0-9.-]+")
_REMOVED = "(link removed)"
_JOINER = "\u2060"  # keeps signs from acting without showing


def plain(text: str, me: str, names: Mapping[str, str]) -> str:
    """A person's message without Discord's markup. The mention of the bot goes; others become `names[id]`, or "@customer".

    Ids never reach a prompt or a dataset.
    """

    def said(match: re.Match[str]) -> str:
        sign, inside = match[1], match[2]
        match sign:
            case "@" | "@!":
                return "" if inside == me else names.get(inside, "@customer")
            case "@&":
                return names.get(inside, "@role")
            case "#":
                return "#channel"
            case "/":
                return f"/{inside.rsplit(':', 1)[0]}"
            case ":" | "a:":
                return f":{inside.split(':', 1)[0]}:"
            case _:
                return ""  # a moment in the reader's own time zone, or a page of the server's

    return _TOKEN.sub(said, text).strip()


def outgoing(text: str, domains: Collection[str] = ()) -> str:
    """Text for a message's content: nobody is named, no link leaves but to `domains` (and below them), no invite at all.

    Mentions ring nobody anyway (allowed_mentions); what stands there must not look as if it did either. Code is treated alike:
    Discord makes no links within it, but people copy from it.
    """
    text = _INVITE.sub(_REMOVED, clean_reply(text))
    text = _MARKDOWN_LINK.sub(lambda match: match[0] if _is_allowed(match[2], domains) else match[1], text)
    text = _ANY_TARGET.sub(lambda match: match[0] if _is_allowed(match[1], domains) else "]", text)
    text = _BARE_LINK.sub(_kept(domains), text)
    text = _WWW_LINK.sub(lambda match: match[0] if _is_allowed(f"https://{match[0]}", domains) else _REMOVED, text)
    return _MENTION.sub(f"<{_JOINER}", text)


def _kept(domains: Collection[str]) -> Callable[[re.Match[str]], str]:
    return lambda match: match[0] if _is_allowed(match[0].strip("<>"), domains) else _REMOVED


def inline(text: str, limit: int = 200) -> str:
    """One line of anybody's text for a card, a list or a thread's name, with nothing in it that acts."""
    return re.sub(r"[*_~`|>#\\]", lambda match: f"\\{match[0]}", outgoing(excerpt(text, limit)))


def words(text: str) -> str:
    """A sentence of ours with anybody's words in it, as Discord shows it: nothing acts but what stands between backticks."""
    pieces = outgoing(text).split("`")
    if len(pieces) % 2 == 0:  # a backtick of somebody's
        return _escaped(outgoing(text))
    return "".join(f"`{piece}`" if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    return re.sub(r"[*_~`|\\]|^[>#-](?= )", lambda match: f"\\{match[0]}", text, flags=re.MULTILINE)


def thread_name(question: str) -> str:
    """What a thread about this question is called: at most 47 characters, without signs of formatting."""
    words = re.sub(r"[*_~`|<>#\\\[\]]", "", outgoing(question).replace(_JOINER, ""))
    return excerpt(words, 47).strip() or "Your question"


def settled(text: str) -> str:
    """The part of a growing text that will not change any more: without its last word, which may become a link or a mention."""
    at = max(text.rfind(" "), text.rfind("\n"))
    head = text[: at + 1] if at >= 0 else ""
    opened = head.rfind("[")
    if opened < 0 or _MARKDOWN_LINK.search(head[opened:]) is not None:
        return head
    return head[:opened].removesuffix("!")


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
