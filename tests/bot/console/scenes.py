"""A console on a real store and the fake provider, its people, and browsers without a screen to visit it with."""

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import unescape

import httpx2 as httpx
from fastapi import FastAPI

from bot.answering import Desk
from bot.console.app import Console, console_app
from bot.console.sign_in import one_time_link
from bot.moderation import propose_answers
from curation.advancing import advance
from curation.dataset import Rules
from curation.imports import Answer
from curation.workshop import Recipe, Workshop
from providers.base import Message, Sampling
from providers.fake import FakeProvider
from storage.records import Actor, CorrectionState, Right, Run, Voice
from storage.store import Store
from tests.conftest import JUDGED

BASE_URL = "http://127.0.0.1:8321"
IN_PAGE = {"HX-Request": "true"}
PEOPLE = {
    "cleo": (),
    "mia": (Right.MODERATOR,),
    "noor": (Right.APPROVER,),
    "both": (Right.MODERATOR, Right.APPROVER),
    "ada": tuple(Right),
}


def words(contents: list[str]) -> int:
    return sum(len(content.split()) for content in contents)


def shop(model: str, messages: Sequence[Message]) -> str:
    """The base is stiff; a tuned model says what was approved: "Ahoy!" before everything."""
    question = messages[-1].content
    return f"Dear customer, regarding: {question}" if model == "base" else f"Ahoy! {question}"


@dataclass
class House:
    """A voice, its people and its console, open while it is entered; `browser` signs somebody in."""

    store: Store
    clock: Callable[[], datetime]
    voice: Voice
    people: dict[str, Actor]
    provider: FakeProvider
    console: Console
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.app = console_app(self.console)

    def with_console(self, **changes: object) -> "House":
        """The same house with a console that other settings were given to."""
        return replace(self, console=replace(self.console, **changes))

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator["House"]:
        """The app between its start and its shutdown."""
        async with self.app.router.lifespan_context(self.app):
            yield self

    @asynccontextmanager
    async def stranger(self) -> AsyncGenerator[httpx.AsyncClient]:
        """A browser in which nobody is signed in."""
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE_URL) as client:
            yield client

    @asynccontextmanager
    async def browser(self, name: str) -> AsyncGenerator["Browser"]:
        """A browser in which `name` is signed in."""
        link = await one_time_link(self.store, self.people[name], BASE_URL, now=self.clock())
        async with self.stranger() as client:
            assert (await client.get(link)).status_code == 303
            yield Browser(client)

    async def propose(self, count: int, first: int = 0, by: str = "mia") -> list[str]:
        """Import this many answers, each of its own conversation; the ids of the corrections, oldest first."""
        answers = [Answer(n, f"Question {n}?", f"Ahoy! Question {n}?") for n in range(first, first + count)]
        await propose_answers(self.store, self.people[by], self.voice, "faq.csv", answers, now=self.clock())
        waiting = await self.store.corrections.list(self.voice.id, [CorrectionState.PROPOSED], limit=10_000)
        return [correction.id for correction in waiting][-count:]

    async def approve(self, count: int, first: int = 0) -> None:
        """Import and approve this many answers."""
        ids = await self.propose(count, first)
        await self.store.corrections.approve_many(ids, by=self.people["noor"].id, note="", at=self.clock())

    async def work(self, steps: int = 30) -> Run:
        """Do what the worker does to the open run until it is over."""
        run = await self.store.runs.open_run(self.voice.id)
        assert run is not None
        for _ in range(steps):
            claimed = await self.store.runs.claim(run.id, "worker", now=self.clock(), lease_s=60)
            assert claimed is not None
            run = await advance(self.console.workshop, claimed)
            if not run.is_open:
                return run
        raise AssertionError(f"still {run.state} after {steps} steps")


@dataclass
class Browser:
    """A signed-in browser without a screen: it sends the token its pages carry."""

    client: httpx.AsyncClient
    token: str = ""

    async def get(self, url: str, **options: object) -> httpx.Response:
        return await self.client.get(url, **options)

    async def page(self, url: str) -> str:
        """A page's text as a person reads it: no tags, single spaces."""
        response = await self.client.get(url)
        assert response.status_code == 200, response.text
        return read(response.text)

    async def post(self, url: str, fields: dict[str, object] | None = None, **options: object) -> httpx.Response:
        """Send a form with this session's token."""
        if not self.token:
            self.token = field_of((await self.client.get("/")).text, "csrf_token")
        return await self.client.post(url, data={"csrf_token": self.token, **(fields or {})}, **options)

    async def ask(self, text: str) -> httpx.Response:
        """Send the practice page's form as it stands."""
        page = (await self.client.get("/")).text
        fields = {name: field_of(page, name) for name in ("csrf_token", "conversation", "key")}
        return await self.client.post("/ask", data={**fields, "text": text}, headers=IN_PAGE)

    async def reply_to(self, text: str) -> str:
        """Ask, follow the stream to its end, and return the reply's id."""
        turn_id = turn_of((await self.ask(text)).text)
        assert "event: done" in (await self.client.get(f"/turns/{turn_id}/stream")).text
        found = re.search(r"/replies/(reply_\w+)/", (await self.client.get(f"/turns/{turn_id}")).text)
        assert found is not None
        return found[1]


def field_of(html: str, name: str) -> str:
    """The value of the page's first hidden field of this name."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', html)
    assert found is not None, f"no field {name}"
    return unescape(found[1])


def turn_of(html: str) -> str:
    found = re.search(r'id="turn-(turn_\w+)"', html)
    assert found is not None, html
    return found[1]


def read(html: str) -> str:
    """What a person reads of a page."""
    body = re.sub(r"(?s)<(script|style|head)\b.*?</\1>", " ", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


async def build_house(
    store: Store, clock: Callable[[], datetime], *, team_of_one: bool = False, provider: FakeProvider | None = None
) -> House:
    """A voice called puffin with five people: cleo asks, mia moderates, noor approves, both does both, ada does all."""
    voice = await store.voices.ensure("puffin", "Be kind.", "base", at=clock())
    people = {
        name: await store.people.ensure_actor("console", name, name.title(), frozenset(rights), at=clock())
        for name, rights in PEOPLE.items()
    }
    provider = provider or FakeProvider(script=shop)
    desk = Desk(store, provider, words, Sampling(200), 500, "desk-1", clock, pauses_s=(0.0, 0.0))
    recipe = Recipe(Rules(10, 2, 0.2, 500), None, JUDGED, Sampling(200), 500, 7)
    workshop = Workshop(store, provider, provider, words, "words", recipe, clock)
    console = Console(store, voice.id, desk, workshop, team_of_one, clock)
    return House(store, clock, voice, people, provider, console)
