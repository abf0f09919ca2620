"""Who did what to which thing, when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing, when. Appended in the same transaction as the change it describes."""

    id: int
    at: datetime
    actor_id: str
    verb: str  # "approve", "promote", …
    subject: str  # the id of the thing
    detail: Mapping[str, Any]
