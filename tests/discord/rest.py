"""The recorder: every REST request the bot made, what it was answered, and what was wrong with it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import simcord
from simcord.http import router

from tests.discord.payloads import request_violations
from tests.discord.rules import refusal


@dataclass
class Request:
    """One request. A multipart body is its payload_json, with the names of its files."""

    method: str
    path: str  # "/channels/1/messages", without query
    body: Any = None
    query: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    reason: str | None = None  # for the guild's audit log
    status: int = 0  # 0 while it is not answered
    code: int = 0  # Discord's own, of a refusal

    @property
    def line(self) -> dict[str, Any]:
        """As it is written down: {"method", "path", "json" or "payload_json", "files", "status"}."""
        written: dict[str, Any] = {"method": self.method, "path": self.path}
        if self.body is not None:
            written["payload_json" if self.files else "json"] = self.body
        if self.files:
            written["files"] = self.files
        return written | {"status": self.status}


class Recorder:
    """What the bot asked of Discord in one test."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.violations: list[str] = []  # a test that plants some takes them out
        self.planted = False
        self._announced: set[int] = set()

    def announce_role_ping(self, role_id: int) -> None:
        """The test expects the bot to ping this role: the one exception to AllowedMentions.none()."""
        self._announced.add(role_id)

    def record(self, request: Request) -> None:
        self.requests.append(request)
        self.violations += request_violations(request.method, request.path, request.body, frozenset(self._announced))

    def sent(self, method: str, ending: str = "") -> list[Request]:
        """The requests of a method whose path ends so, oldest first: sent("POST", "/messages")."""
        return [one for one in self.requests if one.method == method and one.path.endswith(ending)]

    def take_violations(self) -> list[str]:
        """What was wrong so far, forgiven: for tests that plant it."""
        taken, self.violations, self.planted = self.violations, [], True
        return taken

    @property
    def lines(self) -> list[str]:
        return [json.dumps(request.line, ensure_ascii=False, default=str) for request in self.requests]

    @contextlib.contextmanager
    def recording(self, backend: simcord.Backend) -> Iterator[None]:
        """Record what reaches this backend, and hold Discord's rules that simcord leaves out."""
        dispatch = router.dispatch

        def recorded(to: simcord.Backend, method: str, path: str, **given: Any) -> Any:
            if to is not backend:
                return dispatch(to, method, path, **given)
            names = [file.filename for file in given.get("files") or []]
            request = Request(
                method, path, given.get("json"), dict(given.get("params") or {}), names, given.get("reason")
            )
            self.record(request)
            try:
                if refused := refusal(backend, method, path, given.get("json"), given.get("files") or ()):
                    raise refused
                answer = dispatch(to, method, path, **given)
            except simcord.BackendError as error:
                request.status, request.code = error.status, error.code
                raise
            request.status = 204 if answer is None else 200
            return answer

        router.dispatch = recorded
        try:
            yield
        finally:
            router.dispatch = dispatch
