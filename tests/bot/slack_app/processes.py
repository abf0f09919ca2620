"""`finetone …` as a real process against the emulator, with a vendor of ours that answers every question alike."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.slack.workspace import Workspace

PATIENCE_S = 40.0
SENTENCE = "It is on its way."


@contextlib.asynccontextmanager
async def vendor() -> AsyncGenerator[str]:
    """A chat-completions server in OpenAI's shape: its base URL."""

    async def complete(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for delta, reason in (({"role": "assistant", "content": SENTENCE}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
            await answer.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await answer.write(b"data: [DONE]\n\n")
        return answer

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def environment(there: Workspace, model_url: str, **more: str) -> dict[str, str]:
    """What a person would have in .env."""
    return {
        "FINETONE_PROVIDER": "openai",
        "FINETONE_API_URL": model_url,
        "FINETONE_API_KEY": "none",
        "FINETONE_BASE_MODEL": "stub",
        "FINETONE_SLACK_BOT_TOKEN": there.bot_token,
        "FINETONE_SLACK_API_URL": there.wire.api_url,
        "FINETONE_SLACK_ADMINS": there.admin.user_id,
        **more,
    }


@dataclass
class Started:
    """A program that runs; `printed` is what it said so far."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list[str])

    @property
    def printed(self) -> str:
        return "".join(self.lines)

    async def until_said(self, pattern: str) -> re.Match[str]:
        """Read until a line says this. Raises AssertionError when the program ends before."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while (found := re.search(pattern, self.printed)) is None:
                line = await self.process.stdout.readline()
                assert line, f"it ended with {await self.process.wait()}:\n{self.printed}"
                self.lines.append(line.decode())
        return found

    async def interrupt(self) -> int:
        """Press Ctrl+C. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self) -> int:
        """Read to the end. Returns the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            self.lines.append((await self.process.stdout.read()).decode())
            return await self.process.wait()


@contextlib.asynccontextmanager
async def finetone(folder: Path, settings: dict[str, str], *arguments: str) -> AsyncGenerator[Started]:
    """`finetone …` in `folder`, killed at the end if it still runs."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FINETONE_") and name.lower() not in ("http_proxy", "https_proxy")
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        *arguments,
        cwd=folder,
        env=inherited | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"} | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Started(process)
    finally:
        if process.returncode is None:
            process.kill()
            rest, _ = await process.communicate()
            print(rest.decode())  # noqa: T201  # pytest shows it when the test failed
