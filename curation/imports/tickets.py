"""Pure: a table with one row per message of a ticket or chat, as help desks export them → conversations.

Zendesk and Intercom name their columns differently from export to export; what is needed is a ticket, a speaker and a text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from curation.imports.answers import Refusal
from curation.imports.talk import Said, Speaker

TICKET_COLUMNS = ("ticket_id", "ticket id", "conversation_id", "conversation id", "ticket", "thread_id", "chat_id")
SPEAKER_COLUMNS = ("author_role", "author role", "author_type", "author type", "role", "sender_type", "sender", "from")
TEXT_COLUMNS = ("body", "comment", "comment_body", "comment body", "text", "message", "content", "plain_body")
TIME_COLUMNS = ("created_at", "created at", "timestamp", "date", "time", "sent_at")
PUBLIC_COLUMNS = ("public", "is_public", "is public")
PRIVATE_WORDS = frozenset({"false", "0", "no", "internal", "private"})

_CUSTOMERS = frozenset(
    {"customer", "user", "end-user", "end_user", "enduser", "requester", "contact", "lead", "visitor"}
)
_STAFF = frozenset({"agent", "admin", "staff", "teammate", "operator", "assignee", "support", "owner", "moderator"})
_BOTS = frozenset({"bot", "system_bot", "ai", "assistant", "fin", "automation", "workflow"})


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what; `at` and `public` may be missing ("")."""

    ticket: str
    speaker: str
    text: str
    at: str
    public: str


def columns_of(names: Sequence[str]) -> Columns | None:
    """The columns of a table of messages; None where it is no such table."""
    found = [_one_of(names, wanted) for wanted in (TICKET_COLUMNS, SPEAKER_COLUMNS, TEXT_COLUMNS)]
    if not all(found):
        return None
    return Columns(found[0], found[1], found[2], _one_of(names, TIME_COLUMNS), _one_of(names, PUBLIC_COLUMNS))


def _one_of(names: Sequence[str], wanted: Sequence[str]) -> str:
    return next((name for name in wanted if name in names), "")


def conversations_in(
    rows: Iterable[tuple[int, Mapping[str, str]]], columns: Columns
) -> tuple[list[list[Said]], list[Refusal]]:
    """The rows by ticket, each by time, then as the file has them. Notes among staff are left out."""
    tickets: dict[str, list[tuple[str, int, Said]]] = {}
    refusals: list[Refusal] = []
    for line, row in rows:
        ticket = (row.get(columns.ticket) or "").strip()
        speaker = speaker_of(row.get(columns.speaker) or "")
        if not ticket:
            refusals.append(Refusal(line, f"its {columns.ticket} is empty"))
        elif speaker is None:
            given = (row.get(columns.speaker) or "").strip()
            refusals.append(Refusal(line, f"its {columns.speaker} is {given!r}; expected customer, agent or bot"))
        elif not (columns.public and (row.get(columns.public) or "").strip().lower() in PRIVATE_WORDS):
            at = (row.get(columns.at) or "").strip() if columns.at else ""
            tickets.setdefault(ticket, []).append((at, line, Said(speaker, row.get(columns.text) or "", line)))
    return [[said for _, _, said in sorted(ticket, key=lambda row: row[:2])] for ticket in tickets.values()], refusals


def speaker_of(word: str) -> Speaker | None:
    """Who a help desk's word for an author means; None for one that is not known."""
    word = word.strip().lower()
    if word in _CUSTOMERS:
        return Speaker.CUSTOMER
    if word in _STAFF:
        return Speaker.STAFF
    return Speaker.BOT if word in _BOTS else None
