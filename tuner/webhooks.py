"""Tell a receiver that a job has ended: signed as OpenAI signs, retried for three days, remembered over restarts.

The store holds what is to be delivered (`deliveries`); this module sends it and writes down how that went. A receiver may
get an event twice (it answered, and the server died before noting so): `webhook-id` stays the same.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tuner.errors import TunerError
from tuner.records import Delivery
from tuner.store import Store

SECRET_VARIABLE = "TUNER_WEBHOOK_SECRET"
PAUSES_S = (5, 30, 120, 600, 3600, 6 * 3600)  # after the first failed attempts
LATER_PAUSE_S = 24 * 3600
GIVE_UP_S = 72 * 3600  # after the event; OpenAI gives up then as well
ATTEMPT_LIMIT_S = 10.0
POLL_S = 1.0
AT_ONCE = 8  # deliveries under way, at most

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Receiver:
    """Where webhooks go. `key` is the secret's bytes."""

    url: str
    key: bytes

    def __repr__(self) -> str:
        return f"Receiver(url={self.url!r})"  # never the key


def receiver(url: str, secret: str | None) -> Receiver:
    """Raises TunerError for an address or a secret that cannot be used."""
    if not _is_address(url):
        raise TunerError(f"--webhook-url {url!r} is not an http or https address.")
    how = "Make one with: python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
    if not secret:
        raise TunerError(f"--webhook-url needs a secret to sign with, in the variable {SECRET_VARIABLE}. {how}")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or not key:
        raise TunerError(f"{SECRET_VARIABLE} is not 'whsec_' and base64. {how}")
    return Receiver(url, key)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_complete = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False
    return is_complete and url.isascii() and url.isprintable() and " " not in url


def body_of(delivery: Delivery) -> bytes:
    """The official event (openai-python 3.54, types/webhooks, read 2026-11-21)."""
    event = {
        "id": delivery.id,
        "object": "event",
        "created_at": delivery.created_at,
        "type": delivery.type,
        "data": {"id": delivery.job_id},
    }
    return json.dumps(event).encode()


def signed_headers(key: bytes, delivery_id: str, body: bytes, now: int) -> dict[str, str]:
    """The headers `client.webhooks.unwrap` verifies: HMAC-SHA256 over `id.timestamp.body`. `now` is in unix seconds."""
    signature = hmac.new(key, f"{delivery_id}.{now}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def next_attempt(created_at: float, attempts: int, now: float) -> float | None:
    """When to try again after `attempts` failed ones, the last of them at `now`; None to give up. Unix seconds."""
    at = now + (PAUSES_S[attempts - 1] if attempts <= len(PAUSES_S) else LATER_PAUSE_S)
    return at if at <= created_at + GIVE_UP_S else None


class Webhooks:
    """Delivers what the store holds to one receiver."""

    def __init__(self, store: Store, to: Receiver, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._to = to
        self._clock = clock

    async def serve(self) -> None:
        """Work until cancelled."""
        while True:
            with suppress(sqlite3.OperationalError):  # the disk is full or busy; the next round tries again
                await self.deliver_due()
            await asyncio.sleep(POLL_S)

    async def deliver_due(self) -> None:
        """One attempt at each delivery whose time has come."""
        due = await asyncio.to_thread(self._store.due_deliveries, self._clock())
        for start in range(0, len(due), AT_ONCE):
            await asyncio.gather(*(self._attempt(delivery) for delivery in due[start : start + AT_ONCE]))

    async def _attempt(self, delivery: Delivery) -> None:
        now = self._clock()
        if now > delivery.created_at + GIVE_UP_S:  # the server was off, or had no receiver, for that long
            await asyncio.to_thread(self._store.note_delivery, delivery.id, None, None, int(now))
            return
        body = body_of(delivery)
        try:
            status = await post(self._to.url, signed_headers(self._to.key, delivery.id, body, int(now)), body)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            outcome, is_delivered = type(error).__name__, False
        else:
            outcome, is_delivered = f"status {status}", 200 <= status < 300
        now = self._clock()
        next_at = None if is_delivered else next_attempt(delivery.created_at, delivery.attempts + 1, now)
        delivered_at = int(now) if is_delivered else None
        await asyncio.to_thread(self._store.note_delivery, delivery.id, delivered_at, next_at, int(now))
        if not is_delivered:
            then = f"again in {next_at - now:.0f} s" if next_at is not None else "given up"
            log.warning("Webhook %s (%s) was not delivered: %s; %s.", delivery.id, delivery.type, outcome, then)


async def post(url: str, headers: dict[str, str], body: bytes) -> int:
    """The status of the receiver's answer; redirects are not followed, and the answer's body is not read.

    Raises OSError (TimeoutError among them), EOFError, ValueError or LimitOverrunError where there is no proper answer.
    """
    parts = urlsplit(url)
    assert parts.hostname is not None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    head = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc.rpartition('@')[2]}", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", "User-Agent: finetone-tuner", "Connection: close"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    is_secure = parts.scheme == "https"
    async with asyncio.timeout(ATTEMPT_LIMIT_S):
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if is_secure else 80), ssl=is_secure or None
        )
        try:
            writer.write("\r\n".join([*head, "", ""]).encode() + body)
            await writer.drain()
            status = 100
            while status < 200:  # interim answers come before the final one
                first = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n", 1)[0]
                status = int(first.split(b" ")[1]) if b" " in first else 0
                if status < 100:
                    raise ValueError("not an HTTP answer")
            return status
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
