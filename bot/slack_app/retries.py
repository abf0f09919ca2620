"""When a call to Slack is made again: rate limits are waited out, a server's stumble is tried again, a lost answer is not.

What sends a new message is not even sent again after a server's stumble: it may be there. Who sends it looks first.

slack_sdk 3.47's own handlers do not serve: the one for connection errors sends `chat.postMessage` a second time when only
the answer was lost, so people would read a reply twice; the one for rate limits reads the first digit of `Retry-After` only.
"""

import asyncio
import math

from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

LONGEST_WAIT_S = 120.0  # Slack's limits are per minute
DEFAULT_WAIT_S = 10.0  # where a 429 does not say how long
SERVER_ERROR_WAIT_S = 1.0
SENDING = ("/chat.postMessage", "/chat.startStream")  # twice would be read twice


class _Retry(AsyncRetryHandler):
    """Tries again after a pause; which answers call for it, and how long it is, a kind of it says."""

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        state.next_attempt_requested = True
        await asyncio.sleep(self._pause_s(state, response))
        state.increment_current_attempt()

    def _pause_s(self, state: RetryState, response: HttpResponse | None) -> float:
        raise NotImplementedError


class RateLimitRetry(_Retry):
    """Waits as long as Slack says, up to `max_retry_count` times."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        return response is not None and response.status_code == 429

    def _pause_s(self, state: RetryState, response: HttpResponse | None) -> float:
        return wait_s(response)


class ServerErrorRetry(_Retry):
    """Tries again after 500, 502, 503 and 504, unless that could send a message twice."""

    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        is_stumble = response is not None and response.status_code in (500, 502, 503, 504)
        return is_stumble and not request.url.endswith(SENDING)

    def _pause_s(self, state: RetryState, response: HttpResponse | None) -> float:
        return SERVER_ERROR_WAIT_S * 2**state.current_attempt


def wait_s(response: HttpResponse | None) -> float:
    """How long a 429 asks to wait, in seconds; its header may be one value or a list of them."""
    headers = {} if response is None else {str(name).lower(): value for name, value in response.headers.items()}
    said = headers.get("retry-after")
    first = said[0] if isinstance(said, list) and said else said
    try:
        seconds = float(str(first))
    except ValueError:
        return DEFAULT_WAIT_S
    return DEFAULT_WAIT_S if math.isnan(seconds) else max(0.0, min(seconds, LONGEST_WAIT_S))


def handlers() -> list[AsyncRetryHandler]:
    """Those every client of ours uses."""
    return [RateLimitRetry(max_retry_count=5), ServerErrorRetry(max_retry_count=2)]
