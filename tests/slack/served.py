"""An ASGI app listening on loopback inside the test's own event loop, at an address known before the app exists."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals belong to pytest."""
        yield


class Door:
    """The address an app is reached at. It may be served, stopped and served again there."""

    def __init__(self) -> None:
        self._bound: socket.socket | None = _bound(0)
        self.port: int = self._bound.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def serving(self, app: Any) -> AsyncGenerator[str]:
        """Serve `app`, with its lifespan, for the length of a block. Yields the URL."""
        with self._bound or _bound(self.port) as listener:
            self._bound = None
            config = uvicorn.Config(app, log_level="warning", ws="none", lifespan="auto", timeout_graceful_shutdown=2)
            server = _Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                while not server.started and not serving.done():
                    await asyncio.sleep(0.005)
                if serving.done():
                    raise RuntimeError("the app did not start: its lifespan failed, see the log above")
                yield self.url
            finally:
                server.should_exit = True
                await serving

    def close(self) -> None:
        if self._bound:
            self._bound.close()


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
