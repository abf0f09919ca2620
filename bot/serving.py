"""Keeps the program's parts running together: console, worker, pick-up of unanswered questions; and stops them together."""

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import AsyncGenerator, Coroutine, Generator
from typing import Any

import uvicorn

from bot.answering import pick_up_unanswered
from bot.console.app import Console, console_app
from bot.doubting import asking_of, keep_looking
from bot.program import Program, utc_now
from curation.worker import work

PICK_UP_S = 2.0  # between two looks for questions that a dead process left unanswered
SHUTDOWN_S = 5  # open streams get this long to end


class PortInUse(Exception):
    """A port is taken; the message names it and the setting that changes it."""


@contextlib.contextmanager
def listening(host: str, port: int, setting: str = "FINETONE_CONSOLE_PORT") -> Generator[socket.socket]:
    """A bound socket, taken before anything slow starts. Raises PortInUse."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    with bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                why = (
                    "in use, perhaps by another finetone"
                    if error.errno == errno.EADDRINUSE
                    else "not allowed for this user"
                )
                raise PortInUse(f"Port {port} on {host} is {why}. Free it, or set {setting}.") from error
            raise
        bound.listen()
        yield bound


async def serve_console(program: Program, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serve the console on a bound socket until `stop` is set."""
    console = Console(
        store=program.store,
        voice_id=program.voice.id,
        desk=program.desk,
        workshop=program.workshop,
        team_of_one=program.settings.team_of_one,
        now=utc_now,
        keep=program.settings.kept,
        guidelines=program.settings.guidelines,
        second_review=program.settings.second_review,
        cost_targets=program.settings.cost_targets,
        dispute_votes=program.settings.dispute_votes,
    )
    config = uvicorn.Config(
        console_app(console), log_level="warning", access_log=False, timeout_graceful_shutdown=SHUTDOWN_S, lifespan="on"
    )
    await serve_app(config, bound, stop)


class _Server(uvicorn.Server):
    """A server that leaves signals alone: with two of them in a process, each would take the other's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """One place handles signals: until_stopped."""
        yield


async def serve_app(config: uvicorn.Config, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serve an ASGI app on a bound socket until `stop` is set; when the server ends by itself, set it."""
    server = _Server(config)

    async def end_with_the_rest() -> None:
        await stop.wait()
        server.should_exit = True

    async with asyncio.TaskGroup() as group:
        ending = group.create_task(end_with_the_rest())
        await server.serve(sockets=[bound])
        stop.set()
        await ending


async def serve_worker(program: Program, stop: asyncio.Event) -> None:
    """Run training runs and answer left-behind questions until `stop` is set."""
    async with asyncio.TaskGroup() as group:
        group.create_task(work(program.workshop, program.desk.owner, program.pace, stop, program.when))
        group.create_task(pick_up_unanswered(program.desk, stop, every_s=PICK_UP_S))
        rules = asking_of(program.settings)
        if rules.a_day:
            group.create_task(keep_looking(program.workshop, program.desk, program.voice, rules, stop))


@contextlib.asynccontextmanager
async def until_stopped() -> AsyncGenerator[asyncio.Event]:
    """An event that Ctrl+C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run parts until all end; when one fails the others are cancelled and its error is raised."""
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(part)
