"""Somebody at a browser without the browser: signs in by a link, reads pages, sends their forms, and does not give up."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


@dataclass
class Person:
    """A browser with somebody in front of it who reloads until the page comes."""

    base_url: str
    links: Callable[[], list[str]]
    client: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=20))

    async def until(self, step: Callable[[], Awaitable[T | None]]) -> T:
        """Repeat a step until it gives something other than None; a broken connection is a reason to try again."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                result = await step()
                if result is not None:
                    return result
            await asyncio.sleep(0.3)

    async def page(self, path: str) -> str | None:
        """A page of ours, signing in first where that is needed; None when it is not there yet."""
        response = await self.client.get(self.base_url + path, follow_redirects=True)
        if "/sign-in" in str(response.url) or response.status_code == 401:
            for link in reversed(self.links()):
                await self.client.get(link, follow_redirects=True)
                response = await self.client.get(self.base_url + path, follow_redirects=True)
                if response.status_code == 200 and "/sign-in" not in str(response.url):
                    break
            else:
                return None
        return response.text if response.status_code == 200 else None

    async def post(self, path: str, page: str, fields: dict[str, Any], **files: Any) -> httpx.Response:
        """Send a form of `page` with its token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token is not None, "the page has no form token"
        return await self.client.post(
            self.base_url + path,
            data={"csrf_token": token.group(1), **fields},
            headers={"origin": self.base_url},
            **files,
        )
