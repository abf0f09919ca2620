"""Identifiers: a kind, an underscore, then 26 characters that sort by creation time (the ULID layout)."""

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case: no i, l, o, u
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time


def new_id(kind: str, now: datetime) -> str:
    """Return e.g. `run_01k9z4…`: 48 bits of milliseconds, 80 bits of randomness. `now` must be timezone-aware."""
    number = (int(now.timestamp() * 1000) << 80) | secrets.randbits(80)
    return f"{kind}_" + "".join([_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)])


def new_ids(kind: str, now: datetime, count: int) -> list[str]:
    """Return `count` ids of one moment, in ascending order, so that a list keeps its order when sorted by id."""
    return sorted(new_id(kind, now) for _ in range(count))
