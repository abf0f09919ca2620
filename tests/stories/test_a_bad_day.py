"""Everything that goes wrong in one shop: hostile messages, ten impatient admins, a disk that fills up in the middle."""

import asyncio
import contextlib
import re
import shutil
import subprocess
import uuid
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from bench.person import Person
from storage.records import CorrectionState, ReplySource, Run, RunState
from storage.store import open_store
from tests.stories.conftest import Running, started

pytestmark = [pytest.mark.real_model, pytest.mark.timeout(600)]
LESSONS = Path(__file__).parents[2] / "bot" / "demo" / "puffin.jsonl"
DISK_MB = 24  # room for the database and the questions, not for a training job's checkpoints
REPLY_S = 240
HOSTILE = {
    "only emoji": "🐧🐧🐧",
    "right-to-left": "أين طردي؟ \u202eתיבה",
    "NUL bytes": "where\x00 is\x00 my parcel?",
    "HTML and script": "<script>alert(1)</script><img src=x onerror=alert(2)> parcel?",
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A data folder on a disk of DISK_MB megabytes; skipped where this user may not mount one."""
    folder = tmp_path / "data"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("a full disk needs `mount`, which this system does not have")
    if done.returncode:
        pytest.skip(f"a full disk needs the right to mount a tmpfs: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


class Shop:
    """What the person at the browser does, and what the rows say afterwards."""

    def __init__(self, running: Running, data: Path) -> None:
        self.person = Person(running.base_url, lambda: [running.link])
        self.store_url = f"sqlite+aiosqlite:///{data / 'app.sqlite'}"

    async def send(self, text: str) -> tuple[int, str, str]:
        """Send a question in a conversation of its own: the status, the page that came, the conversation's key."""
        page = await self.person.page("/")
        assert page is not None
        conversation = str(uuid.uuid4())
        fields = {"text": text, "key": str(uuid.uuid4()), "conversation": conversation}
        answer = await self.person.post("/ask", page, fields)
        return answer.status_code, answer.text, conversation

    async def reply_in(self, conversation: str) -> tuple[str, ReplySource]:
        async with await open_store(self.store_url) as store, asyncio.timeout(REPLY_S):
            voice = (await store.voices.all())[0]
            while True:
                found = await store.conversations.ensure(voice.id, "console", conversation, at=voice.created_at)
                ((_, reply),) = await store.conversations.recent_turns(found.id, 1)
                if reply is not None:
                    return reply.text, reply.source
                await asyncio.sleep(0.2)

    async def post(self, path: str, **fields: str | list[str]) -> tuple[int, str]:
        """Send a form from the page of the same path."""
        page = await self.person.page(path)
        assert page is not None
        answer = await self.person.post(path, page, fields)
        return answer.status_code, answer.text

    async def approve_lessons(self) -> None:
        page = await self.person.page("/import")
        assert page is not None
        await self.person.post("/import", page, {}, files={"file": ("puffin.jsonl", LESSONS.read_bytes())})
        while shown := re.findall(
            r'name="correction" value="([^"]+)"', page := await self.person.page("/review") or ""
        ):
            await self.person.post("/review/approve-shown", page, {"correction": shown})

    async def runs(self) -> list[Run]:
        async with await open_store(self.store_url) as store:
            return await store.runs.recent((await store.voices.all())[0].id, limit=20)

    async def approved(self) -> int:
        async with await open_store(self.store_url) as store:
            counts = await store.corrections.count((await store.voices.all())[0].id)
            return counts.get(CorrectionState.APPROVED, 0)


@contextlib.asynccontextmanager
async def visiting(running: Running, data: Path) -> AsyncGenerator[Shop]:
    """A shop with somebody in it, who leaves at the end."""
    shop = Shop(running, data)
    try:
        yield shop
    finally:
        await shop.person.client.aclose()


def sentence_on(page: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def fill(path: Path) -> None:
    """Take all the room that the disk of this path has left."""
    with path.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"\0" * 4096)
    assert shutil.disk_usage(path).free == 0


async def test_nothing_is_lost_on_a_bad_day(small_disk: Path, tmp_path: Path):
    async with started(tmp_path) as running, visiting(running, small_disk) as shop:
        # hostile messages: a reply, or a sentence beside the box
        for text in HOSTILE.values():
            status, _, conversation = await shop.send(text)
            assert status in (200, 303)
            reply, source = await shop.reply_in(conversation)
            assert reply
            assert source is ReplySource.BASE
        status, _, conversation = await shop.send("")
        assert await shop.reply_in(conversation) == (
            "I did not find a question in that message. What can I help you with?",
            ReplySource.NOTICE,
        )
        status, page, _ = await shop.send("p" * 1_000_000)
        assert status in (413, 422)
        assert "1,000,000 characters; at most 8,000 are taken" in sentence_on(page)

        # ten admins press the button in the same moment; the disk is too small for what they start
        await shop.approve_lessons()
        assert await shop.approved() == 48
        answers = await asyncio.gather(*(shop.post("/training") for _ in range(10)))
        assert {status for status, _ in answers} <= {200, 303, 409}
        async with asyncio.timeout(240):
            while (await shop.runs())[0].is_open:
                await asyncio.sleep(0.5)
        (run,) = await shop.runs()
        assert run.state is RunState.FAILED
        assert re.search(r"too full: training needs \d+ MB free .* Free some space, then train again", run.end_reason)

        # a disk with no room at all: a sentence, then business as before
        fill(small_disk / "filler")
        status, page, conversation = await shop.send("Is anybody there?")
        assert status == 503
        assert "Free some disk space, then try again" in sentence_on(page)
        (small_disk / "filler").unlink()
        status, _, conversation = await shop.send("Is anybody there now?")
        assert status in (200, 303)
        assert (await shop.reply_in(conversation))[1] is ReplySource.BASE
        assert await shop.approved() == 48
