"""Pure: anybody's words on a card for the team, and nothing in them acts."""

import re

from bot.discord_app.markup import inline
from bot.office.changes import Look
from bot.office.rights import NAME_LIMIT
from bot.text import clean_reply, excerpt

DIFF_LIMIT = 1_500  # characters of a diff as it is sent; all text of a card together may have 4,000
_SIGNS = re.compile(r"[*_~`|>#\\\[\]]")
_MENTION = re.compile(r"<(?=[@#/:at])")
_INVITE = re.compile(r"\b(discord\.gg|discord(?:app)?\.com/invite|dsc\.gg)(?=/)", re.IGNORECASE)
_JOINER = "\u2060"  # keeps signs from acting without showing


def quoted(text: str, limit: int) -> str:
    """One line of at most `limit` characters before escaping, for people who judge it: a link is shown, but leads nowhere."""
    line = clean_reply(excerpt(text, limit)).replace("://", f":{_JOINER}//")
    line = _INVITE.sub(lambda match: f"{match[0]}{_JOINER}", line)
    return _MENTION.sub(f"<{_JOINER}", _SIGNS.sub(lambda match: f"\\{match[0]}", line))


def fitted(text: str, limit: int) -> str:
    """As `quoted`, in at most `limit` characters as it is sent."""
    kept = limit
    while len(line := quoted(text, kept)) > limit and kept > 1:
        kept = max(1, kept * limit // len(line) - 1)
    return line


def named(name: str) -> str:
    """Somebody's name for a card: people choose their own, so nothing in it acts."""
    return inline(name, NAME_LIMIT) or "somebody"


DIFF = Look(quoted, lambda words: f"~~{words}~~", lambda words: f"**{words}**", DIFF_LIMIT)
"""How a diff looks on Discord: struck out what goes, bold what comes."""
