"""What goes wrong on demand with the bot's REST requests: limited, refused, or answered too late to know.

Several faults that fit a request follow each other.
"""

import fnmatch
from dataclasses import dataclass, field
from typing import Any

FOREVER = 1_000_000


@dataclass
class Fault:
    """What happens to the next `times` requests of a path, instead of an answer."""

    method: str  # or "*"
    path: str  # "/channels/*/messages"
    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    after: bool = False  # the request takes effect, only its answer is lost


class Faults:
    """The faults that are planned."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def limit_rate(
        self,
        method: str,
        path: str,
        *,
        retry_after_s: float,
        everywhere: bool = False,
        times: int = 1,
        by_cloudflare: bool = False,
    ) -> None:
        """Answer 429, for this route or for all. By Cloudflare, that is without a Via header: discord.py does not wait then."""
        headers = {
            "Retry-After": str(int(retry_after_s) + 1),
            "X-RateLimit-Limit": "5",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": str(retry_after_s),
            "X-RateLimit-Scope": "global" if everywhere else "user",
        }
        headers |= {} if by_cloudflare else {"Via": "1.1 google"}
        headers |= {"X-RateLimit-Global": "true"} if everywhere else {"X-RateLimit-Bucket": "of-a-test"}
        body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": everywhere}
        self._planned.append(Fault(method, path, 429, body, headers, times))

    def fail(
        self, method: str, path: str, *, status: int = 500, code: int = 0, times: int = 1, after: bool = False
    ) -> None:
        """Answer with an error. `after`: what was asked for is done nevertheless."""
        body = {"message": "of a test", "code": code}
        self._planned.append(Fault(method, path, status, body, {}, times, after))

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of this request; None if there is none."""
        for fault in self._planned:
            if fault.times > 0 and fault.method in (method, "*") and fnmatch.fnmatch(path, fault.path):
                fault.times -= 1
                return fault
        return None
