"""What an admin should hear of in time, without having asked."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sentence for the admins. `key` names its cause and is told once, whoever finds it, however often."""

    key: str
    voice_id: str
    at: datetime
    text: str
