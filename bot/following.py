"""Follows a run in a terminal to its end, and does its work where no running program does."""

import asyncio

from rich.console import Console as Terminal

from bot.program import Program
from bot.serving import serve_worker
from bot.watching import follow_run
from storage.records import Run


async def follow(program: Program, run: Run, terminal: Terminal) -> Run:
    """Show a run's progress to its end; do its work too, unless a running program does."""
    if program.is_attached:
        return await follow_run(program.store, run.id, terminal)
    stop = asyncio.Event()
    worker = asyncio.create_task(serve_worker(program, stop))
    try:
        return await follow_run(program.store, run.id, terminal)
    finally:
        stop.set()
        await worker
