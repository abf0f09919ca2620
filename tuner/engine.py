"""The engine seam: what the server asks of whatever generates text, and llama.cpp behind it.

An engine is a process with one base and a fixed list of adapters. A new adapter means a new engine: `EnginePool`
starts it beside the old one, sends new requests there, and stops the old one when its last request is answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tuner.errors import EngineFailed, EngineGone

START_LIMIT_S = 120.0  # loading 135M takes 0.6 s; a 7B model from a cold disk takes a minute
REPLACE_LIMIT_S = 15.0  # for a dead engine to be replaced: loading takes under a second idle, several beside training
READ_LIMIT_S = 600.0  # longest silence within an answer: a long prompt on a slow CPU
PACKAGE_PARENT = str(Path(__file__).resolve().parent.parent)


class EngineReply:
    """One HTTP answer of an engine: its status, then its body whole or line by line."""

    def __init__(self, status: int, chunks: AsyncIterator[bytes]) -> None:
        self.status = status
        self._chunks = chunks

    async def json(self) -> Any:
        body = b"".join([chunk async for chunk in self._chunks])
        return json.loads(body) if body else None

    async def events(self) -> AsyncIterator[bytes]:
        """The payloads of a server-sent event stream, without `data: `, up to `[DONE]`."""
        buffer = b""
        async for chunk in self._chunks:
            buffer += chunk
            while (end := buffer.find(b"\n\n")) >= 0:
                event, buffer = buffer[:end], buffer[end + 2 :]
                if event.startswith(b"data: "):
                    if event == b"data: [DONE]":
                        return
                    yield event[6:]
                elif event.startswith(b"error: "):
                    yield event[7:]


class Engine(Protocol):
    """One running engine. Raises EngineFailed from `post` when it is not there any more."""

    adapters: tuple[Path, ...]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """An async context manager yielding the EngineReply; leaving it early cancels the request."""
        ...

    async def get(self, path: str) -> Any: ...

    async def wait(self) -> None:
        """Return when the process has ended, for whatever reason."""
        ...

    async def stop(self) -> None: ...

    @property
    def pid(self) -> int: ...


@dataclass(frozen=True)
class EngineSettings:
    """How llama.cpp runs: `context` in tokens per request, `slots` requests at once, `gpu_layers` -1 for all that fit."""

    gguf: Path
    context: int = 4096
    slots: int = 4
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    gpu_layers: int = -1


class LlamaEngine:
    """llama.cpp's own server in a child process, reached over loopback with a key only the two know."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, key: str, adapters: tuple[Path, ...]) -> None:
        self._process = process
        self._port = port
        self._key = key
        self.adapters = adapters

    @classmethod
    async def start(cls, settings: EngineSettings, adapters: tuple[Path, ...], log: Path) -> LlamaEngine:
        """Load base and adapters; returns when it answers.

        Raises EngineFailed with llama.cpp's reason, EngineGone where it ended without one.
        """
        key = secrets.token_hex(16)
        with log.open("ab") as stream:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tuner.llama_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stream,
                env={**os.environ, "PYTHONPATH": _with_package(os.environ.get("PYTHONPATH"))},
                start_new_session=True,  # Ctrl+C in a terminal reaches everybody; this one is ended by us, after its answers
            )
        assert process.stdin is not None
        assert process.stdout is not None
        config = {
            "gguf": str(settings.gguf),
            "adapters": [str(path) for path in adapters],
            "key": key,
            "context": settings.context,
            "slots": settings.slots,
            "threads": settings.threads,
            "gpu_layers": settings.gpu_layers,
        }
        try:
            process.stdin.write(json.dumps(config).encode() + b"\n")
            await process.stdin.drain()
            async with asyncio.timeout(START_LIMIT_S):
                line = await process.stdout.readline()
        except ConnectionError:
            line = b""  # it ended before it had read what to load
        except TimeoutError as error:
            await _end(process)
            raise EngineFailed(f"The engine did not start within {START_LIMIT_S:.0f} s; see {log}.") from error
        except BaseException:
            await _end(process)
            raise
        answer: dict[str, Any] = json.loads(line) if line.strip() else {}
        if "port" in answer:
            return cls(process, answer["port"], key, adapters)
        await _end(process)
        what = f"{settings.gguf.name} with {len(adapters)} adapters" if adapters else str(settings.gguf)
        if answer:
            raise EngineFailed(f"The engine could not load {what}: {answer['error']}; see {log}.")
        # It said nothing: killed, or crashed under what it loads. Whoever asks again a few times tells one from the other.
        raise EngineGone(f"The engine ended while loading {what}; see {log}.")

    @property
    def pid(self) -> int:
        return self._process.pid

    @asynccontextmanager
    async def post(self, path: str, body: dict[str, Any]) -> AsyncGenerator[EngineReply]:
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        async with self._exchange(head.encode() + content) as reply:
            yield reply

    async def get(self, path: str) -> Any:
        head = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._key}\r\nConnection: close\r\n\r\n"
        )
        async with self._exchange(head.encode()) as reply:
            return await reply.json()

    @asynccontextmanager
    async def _exchange(self, request: bytes) -> AsyncGenerator[EngineReply]:
        # A plain socket instead of an HTTP library: a token a line is all that passes, and every library measured
        # cost several times as much CPU per token as the copy itself (bench/tuner_serve.py).
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        except OSError as error:
            raise EngineGone("The engine is not running.") from error
        try:
            writer.write(request)
            await writer.drain()
            status, headers = await _read_head(reader)
            if headers.get("transfer-encoding") == "chunked":
                yield EngineReply(status, _chunked(reader))
            else:
                yield EngineReply(status, _sized(reader, int(headers.get("content-length", "0"))))
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise EngineGone("The engine stopped while answering.") from error
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def wait(self) -> None:
        await self._process.wait()

    async def stop(self) -> None:
        await _end(self._process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
    # Close the pipe to the child explicitly; asyncio otherwise leaves it to the garbage collector.
    process._transport.close()  # pyright: ignore


def _with_package(path: str | None) -> str:
    return f"{PACKAGE_PARENT}{os.pathsep}{path}" if path else PACKAGE_PARENT


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    async with asyncio.timeout(READ_LIMIT_S):
        raw = await reader.readuntil(b"\r\n\r\n")
    first, *rest = raw.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
    return int(first.split(" ", 2)[1]), headers


async def _chunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(READ_LIMIT_S):
            size = int((await reader.readline()).strip() or b"0", 16)
            if size == 0:
                return
            chunk = await reader.readexactly(size + 2)
        yield chunk[:-2]


async def _sized(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    async with asyncio.timeout(READ_LIMIT_S):
        yield await reader.readexactly(size)


@dataclass
class _Running:
    engine: Engine
    in_flight: int = 0
    is_retired: bool = False
    replaced: asyncio.Event = field(default_factory=asyncio.Event)  # set once another serves in its place


@dataclass(frozen=True)
class Lease:
    """A request's hold on an engine: while held, the engine is not stopped. `lora` is the request's adapter choice."""

    engine: Engine
    lora: list[dict[str, float]]


class EnginePool:
    """The engine in service, and those answering their last requests.

    `limit` bounds the adapters loaded at once; the least recently used leave first. An engine that dies is replaced.
    """

    def __init__(self, start: Callable[[tuple[Path, ...]], Awaitable[Engine]], limit: int = 8) -> None:
        self._start = start
        self._limit = limit
        self._current: _Running | None = None
        self._draining: list[_Running] = []
        self._recent: dict[Path, None] = {}  # adapters by last use, oldest first
        self._unwanted: set[Path] = set()  # adapters that the next engine comes without
        self._swapping = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.swaps = 0

    async def open(self) -> None:
        """Start with the base alone. Raises EngineFailed."""
        async with self._swapping:
            await self._replace(())

    @property
    def loaded(self) -> tuple[Path, ...]:
        return self._current.engine.adapters if self._current else ()

    @property
    def in_flight(self) -> int:
        return sum(running.in_flight for running in self._all())

    @property
    def pids(self) -> list[int]:
        return [running.engine.pid for running in self._all()]

    def _all(self) -> list[_Running]:
        return [*([self._current] if self._current else []), *self._draining]

    @asynccontextmanager
    async def lease(self, adapter: Path | None) -> AsyncGenerator[Lease]:
        """Hold an engine that has `adapter` loaded (None: the base), loading it first if need be.

        Raises EngineFailed if it cannot be loaded; what served before goes on serving.
        """
        running = await self._with(adapter)
        running.in_flight += 1
        try:
            lora = [] if adapter is None else [{"id": running.engine.adapters.index(adapter), "scale": 1.0}]
            yield Lease(running.engine, lora)
        except EngineGone:
            await self._mourn(running)
            raise
        finally:
            running.in_flight -= 1
            if running.is_retired and not running.in_flight:
                self._spawn(self._dismiss(running))

    async def _mourn(self, running: _Running) -> None:
        """Wait until a dead engine is replaced, so that whoever asks again meets the next one."""
        if self._current is running and not self._is_closed:
            with suppress(TimeoutError):
                async with asyncio.timeout(REPLACE_LIMIT_S):
                    await running.replaced.wait()

    def refresh(self) -> None:
        """Let an engine with today's settings take over; requests in flight are answered by the old one."""
        if not self._is_closed:
            self._spawn(self._refresh())

    async def _refresh(self) -> None:
        async with self._swapping:
            if self._current is not None:
                with suppress(EngineFailed):  # then the engine in service serves on
                    await self._replace(tuple(path for path in self.loaded if path not in self._unwanted))

    def unload(self, adapter: Path) -> None:
        """Give `adapter`'s memory back: an engine without it takes over, once there is one."""
        self._unwanted.add(adapter)
        self.refresh()

    async def close(self) -> None:
        self._is_closed = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for running in self._all():
            await running.engine.stop()
        self._current, self._draining = None, []

    async def _with(self, adapter: Path | None) -> _Running:
        if (running := self._fitting(adapter)) is not None:
            return running
        async with self._swapping:
            if (running := self._fitting(adapter)) is not None:
                return running
            if adapter is not None:
                self._unwanted.discard(adapter)
            kept = [path for path in self._recent if path != adapter and path not in self._unwanted]
            wanted = kept[-(self._limit - 1) :] if adapter is not None else kept[-self._limit :]
            return await self._replace((*wanted, *((adapter,) if adapter is not None else ())))

    def _fitting(self, adapter: Path | None) -> _Running | None:
        running = self._current
        if running is None or (adapter is not None and adapter not in running.engine.adapters):
            return None
        if adapter is not None:
            self._recent.pop(adapter, None)
            self._recent[adapter] = None
        return running

    async def _replace(self, adapters: tuple[Path, ...]) -> _Running:
        if self._is_closed:
            raise EngineGone("The server is stopping.")
        running = _Running(await self._start(adapters))
        before, self._current = self._current, running
        self._recent = {path: None for path in adapters}
        self.swaps += 1
        self._spawn(self._watch(running))
        if before is not None:
            before.is_retired = True
            self._draining.append(before)
            if not before.in_flight:
                self._spawn(self._dismiss(before))
        return running

    async def _dismiss(self, running: _Running) -> None:
        await running.engine.stop()
        if running in self._draining:
            self._draining.remove(running)

    async def _watch(self, running: _Running) -> None:
        """Replace an engine that ended by itself: first with the same adapters, else with the base alone."""
        await running.engine.wait()
        if running.is_retired or self._is_closed:
            running.replaced.set()
            return
        async with self._swapping:
            if self._current is not running:
                return
            self._current = None
            await running.engine.stop()
            try:
                await self._replace(running.engine.adapters)
            except EngineFailed:
                with suppress(EngineFailed):  # the next request tries again and reports
                    await self._replace(())
            finally:
                running.replaced.set()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
