"""How a command of `finetone` is run and how it speaks: what comes of it on stdout, how it goes on on stderr."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console as Terminal

from bot.embedded import DataDirBusy, data_dir_lock
from bot.program import Program, local_actor, lock_dir, open_program, open_store, utc_now
from bot.settings import Settings, load_settings
from storage.records import Actor, Voice
from storage.store import Store

PLATFORM = "cli"


def say(text: str) -> None:
    """Print a text as it is."""
    Terminal(highlight=False, soft_wrap=True).print(text, markup=False)


def report(line: str) -> None:
    """Tell how something goes on."""
    Terminal(stderr=True, highlight=False, soft_wrap=True).print(line, markup=False, style="dim")


def with_records(action: Callable[[Store, Voice, Actor, Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a command that only needs records. Works beside a running program, and with every model down."""

    async def run() -> None:
        settings = load_settings()
        async with open_store(settings, report) as (store, voice):
            await action(store, voice, await local_actor(store, PLATFORM, utc_now), settings)

    asyncio.run(run())


def with_program(action: Callable[[Program, Actor], Coroutine[Any, Any, None]], settings: Settings) -> None:
    """Run a part of the program in a data folder of its own. Raises DataDirBusy when another one works there."""

    async def run() -> None:
        with contextlib.ExitStack() as stack:
            if (folder := lock_dir(settings)) is not None:
                stack.enter_context(data_dir_lock(folder))
            async with open_program(settings, report) as program:
                await action(program, await local_actor(program.store, PLATFORM, utc_now))

    asyncio.run(run())


def with_model(action: Callable[[Program, Actor], Coroutine[Any, Any, None]]) -> None:
    """Run a command that asks the model: beside a running program with that one's tuner, else with one of its own."""
    settings = load_settings()

    async def run() -> None:
        async with open_program(settings, report, attach=True) as program:
            await action(program, await local_actor(program.store, PLATFORM, utc_now))

    try:
        with_program(action, settings)
    except DataDirBusy:
        asyncio.run(run())
