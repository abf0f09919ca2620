"""Which calls to Slack are made again, and after how long."""

import pytest
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.slack_app import retries
from bot.slack_app.retries import DEFAULT_WAIT_S, LONGEST_WAIT_S, handlers, wait_s


def request(method: str) -> HttpRequest:
    return HttpRequest(method="POST", url=f"https://slack.example/api/{method}", headers={})


def answered(status: int, **headers: str) -> HttpResponse:
    return HttpResponse(status_code=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def is_made_again(method: str, response: HttpResponse | None, error: Exception | None = None) -> bool:
    found = [
        await handler.can_retry_async(state=RetryState(), request=request(method), response=response, error=error)
        for handler in handlers()
    ]
    return any(found)


@pytest.mark.parametrize(
    ("method", "status", "again"),
    [
        ("chat.postMessage", 200, False),
        ("chat.postMessage", 404, False),
        ("chat.postMessage", 429, True),
        ("chat.startStream", 429, True),
        ("chat.postMessage", 503, False),
        ("chat.startStream", 500, False),
        ("chat.update", 500, True),
        ("chat.update", 502, True),
        ("chat.postEphemeral", 503, True),
        ("users.info", 504, True),
        ("users.info", 501, False),
    ],
)
async def test_a_limit_is_waited_out_and_a_stumble_tried_again_unless_that_sends_twice(
    method: str, status: int, again: bool
):
    assert await is_made_again(method, answered(status)) is again


async def test_a_call_whose_answer_was_lost_is_not_made_again():
    assert not await is_made_again("chat.update", None, ConnectionResetError())


async def test_trying_again_ends():
    state = RetryState(current_attempt=5)
    for handler in handlers():
        for status in (429, 503):
            assert not await handler.can_retry_async(
                state=state, request=request("chat.update"), response=answered(status)
            )


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        pytest.param(answered(429, Retry_After="0"), 0.0, id="at once"),
        pytest.param(answered(429, Retry_After="30"), 30.0, id="two digits"),
        pytest.param(answered(429, retry_after="7"), 7.0, id="lower case"),
        pytest.param(answered(429, Retry_After="86400"), LONGEST_WAIT_S, id="too long"),
        pytest.param(answered(429, Retry_After="soon"), DEFAULT_WAIT_S, id="no number"),
        pytest.param(answered(429, Retry_After="-5"), 0.0, id="negative"),
        pytest.param(answered(429, Retry_After="nan"), DEFAULT_WAIT_S, id="not a number"),
        pytest.param(answered(429), DEFAULT_WAIT_S, id="nothing said"),
        pytest.param(None, DEFAULT_WAIT_S, id="no response"),
    ],
)
def test_a_limit_says_how_long_to_wait(response: HttpResponse | None, seconds: float):
    assert wait_s(response) == seconds


async def test_waiting_takes_as_long_as_slack_said_and_longer_with_every_stumble(monkeypatch: pytest.MonkeyPatch):
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(retries.asyncio, "sleep", sleep)
    limit, stumble = handlers()
    for handler, response in ((limit, answered(429, Retry_After="12")), (stumble, answered(503))):
        state = RetryState()
        for _ in range(2):
            await handler.prepare_for_next_attempt_async(state=state, request=request("chat.update"), response=response)
        assert state.next_attempt_requested
        assert state.current_attempt == 2
    assert waited == [12.0, 12.0, 1.0, 2.0]
