"""Slack's side of an app's URL: it signs a body, posts it, and keeps what was sent and how it was answered."""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
from slack_sdk.signature import SignatureVerifier

from tests.slack.envelopes import Body
from tests.slack.loopback import loopback_client

ACK_S = 3.0  # Slack resends what is not acknowledged within this


class NotAcknowledged(AssertionError):
    """The app did not answer 200 within three seconds; Slack would send it again."""


@dataclass(frozen=True)
class Answer:
    """How the app answered one delivery."""

    status: int
    text: str
    headers: httpx.Headers
    took_s: float

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; {} where it is not one."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def acknowledged(self) -> bool:
        return self.status == 200 and self.took_s < ACK_S


@dataclass(frozen=True)
class Delivery:
    """A body that was sent, and its answer."""

    body: Body
    answer: Answer


class Courier:
    """Posts bodies to the app at `url`, signed with `signing_secret`. `deliveries` holds all of them, in order."""

    def __init__(self, url: str, signing_secret: str) -> None:
        self.url = url
        self.signing_secret = signing_secret
        self.deliveries: list[Delivery] = []

    async def post(self, body: Body, *, retry_num: int | None, age_s: float, secret: str | None) -> Answer:
        timestamp = str(int(time.time() - age_s))
        signer = SignatureVerifier(self.signing_secret if secret is None else secret)
        headers = {
            "Content-Type": body.content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signer.generate_signature(timestamp=timestamp, body=body.text) or "",
        }
        if retry_num is not None:
            headers |= {"X-Slack-Retry-Num": str(retry_num), "X-Slack-Retry-Reason": "http_timeout"}
        started = time.monotonic()
        async with loopback_client() as http:
            answered = await http.post(self.url, content=body.text.encode(), headers=headers)
        answer = Answer(answered.status_code, answered.text, answered.headers, time.monotonic() - started)
        self.deliveries.append(Delivery(body, answer))
        return answer
