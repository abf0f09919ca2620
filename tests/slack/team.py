"""One workspace as an app knows it: its team id, its tokens, and the emulator that answers for it.

Every emulator's team has one and the same id, so a second workspace is renamed in what its emulator answers. What the emulator
leaves out, and an app could miss, is added to its answers here.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.slack.calls import FORM, Asked, as_form

EMULATED_TEAM_ID = "T000000001"

Json = dict[str, Any]


@dataclass
class Team:
    """See the module."""

    team_id: str
    emulator_url: str
    app_id: str
    bot_user_id: str = ""
    bot_id: str = ""
    scopes: dict[str, list[str]] = field(default_factory=dict)  # by token of the app
    revoked: set[str] = field(default_factory=set)  # tokens
    foreigners: dict[str, str] = field(default_factory=dict)  # user id -> the team they come from (Slack Connect)

    async def ask(self, http: httpx.AsyncClient, asked: Asked, authorization: str | None = None) -> tuple[int, Json]:
        """Put a call to the emulator as a form: most of its routes read neither GET nor a query."""
        body = urlencode(as_form(asked.arguments)).encode()
        return await self.send(http, asked.method, body, FORM, authorization or f"Bearer {asked.token}")

    async def send(
        self, http: httpx.AsyncClient, method: str, body: bytes, content_type: str, authorization: str
    ) -> tuple[int, Json]:
        """Pass a body on as it is. Returns the HTTP status and the answer as Slack would word it."""
        answered = await http.post(
            f"{self.emulator_url}/api/{method}",
            content=body,
            headers={"Content-Type": content_type, "Authorization": authorization},
        )
        answer = json.loads(answered.content.replace(EMULATED_TEAM_ID.encode(), self.team_id.encode()))
        return answered.status_code, self._dressed(answer)

    def _dressed(self, answer: Json) -> Json:
        if isinstance(answer.get("message"), dict):
            answer["message"] = self._marked(answer["message"])
        if isinstance(answer.get("messages"), list):
            answer["messages"] = [self._marked(message) for message in answer["messages"]]
        user = answer.get("user")
        if isinstance(user, dict) and user.get("id") in self.foreigners:
            answer["user"] = user | {"team_id": self.foreigners[user["id"]], "is_stranger": True}
        return answer

    def _marked(self, message: Json) -> Json:
        """A stored message with the marks of an app's own, which the emulator leaves out."""
        if message.get("user") != self.bot_user_id:
            return message
        return {**message, "bot_id": self.bot_id, "app_id": self.app_id, "team": self.team_id}
