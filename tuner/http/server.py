"""What every handler works with, and how a handler asks for it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from tuner.engine import EnginePool
from tuner.errors import model_not_found
from tuner.intake import Intake
from tuner.jobs import Jobs
from tuner.limits import Limiter
from tuner.paths import Home
from tuner.store import Store


@dataclass
class Server:
    """What the handlers work with."""

    store: Store
    home: Home
    base: str
    base_created_at: int
    pool: EnginePool
    jobs: Jobs
    intake: Intake
    organization: str
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    has_tools: bool = False
    limiter: Limiter = field(default_factory=lambda: Limiter(0))
    started_at: float = field(default_factory=time.time)
    requests: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    generated_tokens: int = 0

    def resolve(self, name: str) -> str:
        return self.aliases.get(name, name)

    def adapter(self, name: str) -> Path | None:
        """The adapter file a model name stands for; None for the base. Raises ApiError 404 for an unknown name."""
        wanted = self.resolve(name)
        if wanted == self.base:
            return None
        model = self.store.model(wanted)
        if model is None or model.base != self.base:
            raise model_not_found(name)
        return self.home.jobs / model.job_id / model.adapter


async def _server_of(request: Request) -> Server:
    return request.app.state.server


Serving = Annotated[Server, Depends(_server_of)]
