"""How often one caller may ask, and what it is told when that was too often."""

import httpx2
import pytest

from tests.tuner.conftest import Bench
from tests.tuner.test_http import HI
from tuner import limits
from tuner.http import gate
from tuner.keys import key_hash
from tuner.limits import Limiter
from tuner.records import Key


class Minute:
    """A clock turned by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_caller_spends_its_minute_and_gets_it_back_evenly():
    clock = Minute()
    limiter = Limiter(6, clock)
    allowed = [limiter.spend("ada") for _ in range(7)]
    assert [a.remaining for a in allowed if a is not None] == [5, 4, 3, 2, 1, 0, 0]
    assert [a.wait_s for a in allowed if a is not None] == [0, 0, 0, 0, 0, 0, pytest.approx(10)]
    clock.now = 9.9
    assert limiter.spend("ada").wait_s == pytest.approx(0.1)  # type: ignore[union-attr]
    clock.now = 10.0
    assert limiter.spend("ada").wait_s == 0  # type: ignore[union-attr]
    clock.now = 1000.0
    assert limiter.spend("ada").remaining == 5  # type: ignore[union-attr]


def test_one_caller_does_not_spend_anothers_and_nobody_is_remembered_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "CALLERS", 2)
    limiter = Limiter(1, Minute())
    for caller in ("ada", "bo", "ada", "cy"):  # bo has been silent longest when cy comes
        limiter.spend(caller)
    assert limiter.spend("ada").wait_s > 0  # type: ignore[union-attr]
    assert limiter.spend("bo").wait_s == 0  # type: ignore[union-attr]


def test_without_a_limit_nobody_is_counted():
    assert Limiter(0).spend("ada") is None


async def test_the_client_is_told_how_long_to_wait_in_the_official_shape(bench: Bench):
    bench.server.limiter = Limiter(1, Minute())
    first = await bench.http.post("chat/completions", json={"model": "tiny", "messages": HI})
    assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    second = await bench.http.get("models")
    assert (second.status_code, second.headers["retry-after"]) == (429, "60")
    error = second.json()["error"]
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "requests")
    assert error["message"] == "Rate limit reached: 1 requests per minute. Please try again in 60.0s."
    assert (await bench.http.get("http://tuner.test/healthz")).status_code == 200


async def test_each_key_has_its_own_minute_and_a_wrong_one_spends_nobodys(bench: Bench):
    bench.server.limiter = Limiter(1, Minute())
    for name in ("one", "two"):
        bench.server.store.add_key(Key(f"key_{name}", name, 1, None), key_hash(f"sk-{name}"))

    async def status(key: str) -> int:
        return (await bench.http.get("models", headers={"authorization": f"Bearer {key}"})).status_code

    assert [await status(key) for key in ("sk-wrong", "sk-one", "sk-two", "sk-one", "sk-wrong")] == [
        401,
        200,
        200,
        429,
        401,
    ]


async def test_a_body_that_does_not_say_its_length_is_cut_off_at_the_limit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gate, "MAX_BODY_BYTES", 1000)

    async def endless():
        for _ in range(100):
            yield b" " * 100

    reply: httpx2.Response = await bench.http.post("chat/completions", content=endless())
    assert reply.status_code == 413
    assert "at most 1000 are accepted" in reply.json()["error"]["message"]
