"""Webhooks as a receiver gets them: over a real socket, checked with the stock client."""

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openai import InvalidWebhookSignatureError, OpenAI

from tests.tuner.conftest import DONE, Bench, step
from tests.tuner.test_jobs import ended, submit
from tuner.background import at_work
from tuner.errors import TunerError
from tuner.records import Delivery
from tuner.store import Store
from tuner.webhooks import GIVE_UP_S, Receiver, Webhooks, next_attempt, receiver

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
EVENT = Delivery("evt_1", "ftjob-1", "fine_tuning.job.succeeded", 1_000, 0)


@dataclass
class Listener:
    """A receiver that answers with the next status of its script, 200 when that is used up."""

    url: str = ""
    script: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])}
        self.got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        status = self.script.pop(0) if self.script else 200
        elsewhere = f"Location: {self.url}/elsewhere\r\n" if status in (301, 307) else ""
        writer.write(f"HTTP/1.1 {status} Said\r\n{elsewhere}Content-Length: 0\r\n\r\n".encode())
        writer.close()


@asynccontextmanager
async def listening(script: list[int]) -> AsyncGenerator[Listener]:
    listener = Listener(script=script)
    server = await asyncio.start_server(listener.answer, "127.0.0.1", 0)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield listener


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path / "tuner.sqlite")
    yield opened
    opened.close()


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def unwrapped(got: tuple[dict[str, str], bytes], body: bytes | None = None) -> Any:
    with OpenAI(api_key="unused") as client:
        return client.webhooks.unwrap(body or got[1], got[0], secret=SECRET)


async def test_a_job_that_ends_is_told_once_and_the_stock_client_accepts_it(bench: Bench):
    bench.launcher.scripts = [([step(1), step(2), step(3), DONE], 0)]
    async with listening([]) as listener, at_work(bench.server.jobs.serve()):
        webhooks = Webhooks(bench.server.store, Receiver(listener.url, KEY))
        job = await ended(bench.client, (await submit(bench.client)).id)
        async with asyncio.timeout(10):
            while not listener.got:  # the job is over a moment before its event is written
                await webhooks.deliver_due()
        await webhooks.deliver_due()
        event = unwrapped(listener.got[0])
        assert (event.type, event.object, event.data.id) == ("fine_tuning.job.succeeded", "event", job.id)
        assert event.id == listener.got[0][0]["webhook-id"]
        assert len(listener.got) == 1


async def test_a_cancelled_job_is_told_while_the_server_runs(bench: Bench):
    job = await submit(bench.client)
    await bench.client.fine_tuning.jobs.cancel(job.id)
    async with listening([]) as listener:
        async with asyncio.timeout(10), at_work(Webhooks(bench.server.store, Receiver(listener.url, KEY)).serve()):
            while not listener.got:
                await asyncio.sleep(0)
        assert unwrapped(listener.got[0]).type == "fine_tuning.job.cancelled"


async def test_a_tampered_body_is_not_accepted(bench: Bench):
    await bench.client.fine_tuning.jobs.cancel((await submit(bench.client)).id)
    async with listening([]) as listener:
        await Webhooks(bench.server.store, Receiver(listener.url, KEY)).deliver_due()
    with pytest.raises(InvalidWebhookSignatureError):
        unwrapped(listener.got[0], listener.got[0][1].replace(b"cancelled", b"succeeded"))


async def test_a_failing_receiver_is_tried_again_with_growing_pauses_also_after_a_restart(store: Store):
    clock = Clock()
    store.add_delivery(EVENT)
    async with listening([500, 307, 429]) as listener:
        for due_at in (1_000, 1_005, 1_035, 1_155):
            webhooks = Webhooks(store, Receiver(listener.url, KEY), clock)  # a new one each time: the store remembers
            clock.now = due_at - 1
            await webhooks.deliver_due()
            before = len(listener.got)
            clock.now = due_at
            await webhooks.deliver_due()
            assert len(listener.got) == before + 1
        clock.now += 100_000
        await webhooks.deliver_due()
    assert len(listener.got) == 4
    assert {headers["webhook-id"] for headers, _ in listener.got} == {"evt_1"}
    assert len({headers["webhook-signature"] for headers, _ in listener.got}) == 4


async def test_a_receiver_that_is_not_there_is_given_up_after_three_days(store: Store):
    clock = Clock()
    store.add_delivery(EVENT)
    async with listening([]) as listener:
        gone = listener.url
    webhooks = Webhooks(store, Receiver(gone, KEY), clock)
    await webhooks.deliver_due()
    assert [one.attempts for one in store.due_deliveries(1_005)] == [1]
    clock.now += GIVE_UP_S + 1
    await webhooks.deliver_due()
    assert store.due_deliveries(10**12) == []


def test_pauses_grow_to_a_day_and_end_after_three():
    now, pauses = 0.0, list[float]()
    while (at := next_attempt(0, len(pauses) + 1, now)) is not None:
        pauses.append(at - now)
        now = at
    assert pauses == [5, 30, 120, 600, 3600, 21600, 86400, 86400]
    assert now <= GIVE_UP_S


@pytest.mark.parametrize(
    ("url", "secret", "says"),
    [
        pytest.param("ftp://example.com", SECRET, "is not an http or https address", id="scheme"),
        pytest.param("http://h/\r\nX: y", SECRET, "is not an http or https address", id="line break"),
        pytest.param("http://h:99999/", SECRET, "is not an http or https address", id="port"),
        pytest.param("http://h/a b", SECRET, "is not an http or https address", id="space"),
        pytest.param("https://example.com", None, "TUNER_WEBHOOK_SECRET", id="no secret"),
        pytest.param("https://example.com", "whsec_!", "is not 'whsec_' and base64", id="not base64"),
        pytest.param("https://example.com", "c2VjcmV0", "is not 'whsec_' and base64", id="no prefix"),
    ],
)
def test_an_unusable_receiver_is_refused_with_the_next_step(url: str, secret: str | None, says: str):
    with pytest.raises(TunerError) as caught:
        receiver(url, secret)
    assert says in str(caught.value)
    assert secret is None or secret == SECRET or secret not in str(caught.value)


def test_the_secret_is_not_shown():
    assert "0123" not in repr(receiver("https://example.com", SECRET))
