"""Start a server on a home folder, and end it: the only place where the parts are put together."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvicorn

from tuner.background import at_work
from tuner.cores import engine_threads
from tuner.engine import EnginePool, EngineSettings, Lease, LlamaEngine
from tuner.errors import TunerError
from tuner.extras import lack
from tuner.http.app import create_app
from tuner.http.server import Server
from tuner.intake import Intake
from tuner.jobs import Jobs, Proof
from tuner.launcher import LocalLauncher
from tuner.lifeline import watch_stdin
from tuner.limits import Limiter
from tuner.paths import Home, held_lock, write_json
from tuner.proof import prove
from tuner.store import Store
from tuner.training_file import Row
from tuner.webhooks import Receiver, Webhooks
from tuner.weights import Base

DRAIN_S = 5.0  # how long answers in flight may take to finish when the server is told to end


@dataclass(frozen=True)
class ServeSettings:
    """How one server runs."""

    home: Home
    base: Base
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    organization: str = "local"
    ready_file: Path | None = None
    is_tied_to_stdin: bool = False
    concurrency: int = 1  # jobs trained at once
    loaded_adapters: int = 8  # at most, in one engine
    context: int = 4096  # tokens per request
    slots: int = 4  # requests answered at once
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    requests_per_minute: int = 0  # of one key, or of one address where no key is asked for; 0: as many as they like
    webhooks_to: Receiver | None = None  # who is told when a job has ended


def serve(settings: ServeSettings) -> None:
    """Serve until told to end. Raises TunerError with one sentence when it cannot start."""
    settings.home.create()
    with held_lock(settings.home.lock, wait=False) as is_held:
        if not is_held:
            raise TunerError(f"Another tuner already serves {settings.home.root}; stop it or name another --home.")
        store = Store(settings.home.database)
        try:
            if not is_loopback(settings.host) and not store.key_hashes():
                raise TunerError(
                    f"Refusing to listen on {settings.host} without an API key: everyone who reaches the port could train "
                    f"and read. Create one with: python -m tuner key create --home {settings.home.root}"
                )
            listener = bind(settings.host, settings.port)
            with listener:
                base_created_at = int(Path(settings.base.gguf).stat().st_mtime)
                asyncio.run(_run(settings, store, listener, base_created_at))
        finally:
            store.close()


def is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def bind(host: str, port: int) -> socket.socket:
    """A bound socket, taken before anything slow starts. Raises TunerError where the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise TunerError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Stop what uses it, or name another --port; 0 takes a free one."
        ) from error
    return listener


async def _run(settings: ServeSettings, store: Store, listener: socket.socket, base_created_at: int) -> None:
    home, base = settings.home, settings.base
    log = home.logs / "engine.log"
    engine_settings = EngineSettings(Path(base.gguf), settings.context, settings.slots)

    is_training = False

    async def start_engine(adapters: tuple[Path, ...]) -> LlamaEngine:
        threads = engine_threads(engine_settings.threads, is_training)
        return await LlamaEngine.start(replace(engine_settings, threads=threads), adapters, log)

    def share_cores(with_training: bool) -> None:
        nonlocal is_training
        is_training = with_training
        pool.refresh()

    pool = EnginePool(start_engine, settings.loaded_adapters)

    async def prove_adapter(adapter: Path, start: Path | None, rows: list[Row], method: str) -> Proof:
        # In an engine of its own: it does not wait behind people's questions, and an adapter that brings its engine down
        # brings down nothing else. The weights are mapped from the same file, so they take memory once.
        adapters = (adapter,) if start is None else (adapter, start)
        engine = await LlamaEngine.start(replace(engine_settings, slots=1, threads=1), adapters, log)
        try:
            before = [] if start is None else [{"id": 1, "scale": 1.0}]
            return await prove(Lease(engine, [{"id": 0, "scale": 1.0}]), before, rows, method)
        finally:
            await engine.stop()

    async with AsyncExitStack() as stack:
        stack.push_async_callback(pool.close)
        await pool.open()
        context, has_tools = await _facts(pool)
        jobs = Jobs(
            store, home, base, LocalLauncher(), prove_adapter, settings.organization, settings.concurrency, share_cores
        )
        server = Server(
            store=store,
            home=home,
            base=base.name,
            base_created_at=base_created_at,
            pool=pool,
            jobs=jobs,
            intake=Intake(store, home, base.name, context, Path(base.tokenizer), lack("train", "Training")),
            organization=settings.organization,
            aliases=settings.aliases,
            has_tools=has_tools,
            limiter=Limiter(settings.requests_per_minute),
        )
        config = uvicorn.Config(
            create_app(server),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(DRAIN_S),
        )
        http = _Http(config, lambda: _announce(settings, listener))
        loop = asyncio.get_running_loop()
        if settings.is_tied_to_stdin:
            watch_stdin(lambda: _tell(loop, http))
        await stack.enter_async_context(at_work(jobs.serve()))
        if settings.webhooks_to is not None:
            await stack.enter_async_context(at_work(Webhooks(store, settings.webhooks_to).serve()))
        await http.serve(sockets=[listener])


def _tell(loop: asyncio.AbstractEventLoop, http: _Http) -> None:
    loop.call_soon_threadsafe(http.leave)


class _Http(uvicorn.Server):
    """uvicorn, saying when it listens and leaving when told."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def leave(self) -> None:
        self.should_exit = True
        # Nothing may outlive the parent: should an answer refuse to end, end with it.
        asyncio.get_running_loop().call_later(DRAIN_S + 5, os._exit, 0)


async def _facts(pool: EnginePool) -> tuple[int, bool]:
    """The tokens one request may use, and whether the base's chat template has a place for tools."""
    async with pool.lease(None) as lease:
        props = await lease.engine.get("/props")
    return props["default_generation_settings"]["n_ctx"], bool(
        props.get("chat_template_caps", {}).get("supports_tools")
    )


def _announce(settings: ServeSettings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    ready = {"base_url": f"http://{address}:{port}/v1", "pid": os.getpid()}
    for file in filter(None, (settings.home.address, settings.ready_file)):
        write_json(file, ready)
    sys.stderr.write(f"Serving {settings.base.name} at {ready['base_url']}\n")
    sys.stderr.flush()
