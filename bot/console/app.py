"""Builds the console's web app. Creating it opens nothing; its tasks begin and end with the server's lifespan."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.console import (
    checks,
    datasets,
    deciding,
    disputes,
    history,
    holds,
    imports,
    learning,
    models,
    pairs,
    practice,
    releases,
    report,
    review,
    searches,
    second,
    sign_in,
    sign_out,
    training,
    voice_card,
)
from bot.console.cards import Cards
from bot.console.console import Console, Parts
from bot.console.door import Door
from bot.console.live import LiveReplies
from bot.console.problems import answer_problems, problem_page
from bot.console.queue import Queue
from bot.console.visit import enter
from bot.wording import FILTERS

__all__ = ["Console", "console_app"]

HERE = Path(__file__).parent


def console_app(console: Console) -> FastAPI:
    """The console as an ASGI app, to be served on loopback."""
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(FILTERS)
    live = LiveReplies(console.desk)
    cards = Cards(console.workshop, console.voice_id, console.cost_targets, console.now)
    queue = Queue(console.store, console.voice_id, console.keep, console.now)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with live, queue:
            yield

    app = FastAPI(title="Finetone", lifespan=lifespan, openapi_url=None)
    app.state.parts = Parts(console, templates, live, queue, cards)
    answer_problems(app, templates)
    app.add_middleware(Door, problem=partial(problem_page, templates))
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.include_router(sign_in.router)
    for room in (
        practice,
        review,
        deciding,
        second,
        disputes,
        voice_card,
        holds,
        imports,
        checks,  # these before training, whose runs have any name
        searches,
        report,
        pairs,
        training,
        datasets,
        learning,
        models,
        releases,
        history,
        sign_out,
    ):
        app.include_router(room.router, dependencies=[Depends(enter)])
    return app
