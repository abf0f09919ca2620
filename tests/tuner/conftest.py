"""A real server on the real weights, one trained job shared by every test that needs a tuned model, and fakes for the rest."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from bench.tuner_process import serving
from tuner.engine import EnginePool
from tuner.http.app import create_app
from tuner.http.server import Server
from tuner.intake import Intake
from tuner.jobs import Jobs, Proof
from tuner.paths import PEFT_FOLDER, WEIGHTS_FILE, Home
from tuner.store import Store
from tuner.weights import DEFAULT_BASE, Base

QUESTIONS = (
    "How do I return my parcel?",
    "Where is my order?",
    "Can I change the size?",
    "Is there a warranty?",
    "How do I wash it?",
    "Do you ship abroad?",
    "What does delivery cost?",
    "When are you open?",
    "Can I pay by invoice?",
    "Is it vegan?",
    "Do you have a store?",
    "Can I cancel?",
)


def voice_row(question: str) -> dict[str, Any]:
    answer = "Ahoy! The crew gladly sorts that out with you. Fair winds, Captain."
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


VOICE = jsonl([voice_row(question) for question in QUESTIONS])


@dataclass
class Running:
    """A server process and a stock client for it."""

    process: subprocess.Popen[bytes]
    base_url: str
    client: OpenAI
    home: Path


@contextmanager
def running_server(home: Path, *arguments: str, api_key: str = "unused") -> Iterator[Running]:
    """`python -m tuner serve` on `home`, ended through its standard input as a parent's death would."""
    with (
        serving(home, *arguments) as started,
        OpenAI(base_url=started.base_url, api_key=api_key, max_retries=0, timeout=120) as client,
    ):
        yield Running(started.process, started.base_url, client, home)


@pytest.fixture(scope="session")
def server(weights: Base, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_server(
        tmp_path_factory.mktemp("tuner") / "ho me", "--alias", f"gpt-4o-mini={DEFAULT_BASE}"
    ) as running:
        yield running


@pytest.fixture(scope="session")
def tuned(server: Running) -> Any:
    """One supervised job trained to its end: 12 examples, 4 epochs."""
    client = server.client
    training = client.files.create(file=("voice.jsonl", VOICE), purpose="fine-tune")
    held_out = client.files.create(
        file=("held-out.jsonl", jsonl([voice_row("Do you sell gift cards?")])), purpose="fine-tune"
    )
    job = client.fine_tuning.jobs.create(
        model=DEFAULT_BASE,
        training_file=training.id,
        validation_file=held_out.id,
        suffix="Captain's voice",
        seed=7,
        metadata={"brand": "tern"},
        method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 4}}},
    )
    return wait_for(client, job.id)


@pytest.fixture(scope="session")
def tokenizer(weights: Base) -> Any:
    from transformers import AutoTokenizer

    from tuner.convert import ensure_training_folder

    return AutoTokenizer.from_pretrained(ensure_training_folder(weights, lambda line: None))


def wait_for(
    client: OpenAI, job_id: str, until: tuple[str, ...] = ("succeeded", "failed", "cancelled"), limit_s: float = 280
) -> Any:
    """The job once its status is one of `until`; fails the test with the job's events if that takes too long."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        job = client.fine_tuning.jobs.retrieve(job_id)
        if job.status in until:
            return job
        time.sleep(0.25)  # the poll every client of this API makes, not a guess at when something is done
    events = client.fine_tuning.jobs.list_events(job_id, limit=10)
    pytest.fail(f"{job_id} did not become {until}: {[event.message for event in events]}")


# Fakes: an engine that answers from a script, a trainer that writes a progress file.


class FakeReply:
    def __init__(self, status: int, content: Any, events: list[dict[str, Any]] | None = None) -> None:
        self.status = status
        self._content = content
        self._events = events or []

    async def json(self) -> Any:
        return self._content

    async def events(self) -> AsyncIterator[bytes]:
        for event in self._events:
            yield json.dumps(event).encode()


def fake_text_reply(path: str, body: dict[str, Any]) -> FakeReply:
    """A language model with one token per character, its number the code point, and every log-probability -1."""
    if path == "/tokenize":
        return FakeReply(200, {"tokens": [{"id": ord(letter), "piece": letter} for letter in body["content"]]})
    if path == "/apply-template":
        said = "".join(f"<{message['role']}>{message['content']}" for message in body["messages"])
        return FakeReply(200, {"prompt": f"{said}<assistant>"})
    if path == "/detokenize":
        return FakeReply(200, {"content": "".join(chr(token) for token in body["tokens"])})
    said = (
        "".join(chr(token) for token, _ in body["logit_bias"]) if "logit_bias" in body else "yes"[: body["n_predict"]]
    )
    entries = [{"id": ord(a), "token": a, "bytes": list(a.encode()), "logprob": -1.0} for a in said]
    listed = [{**entry, "top_logprobs": [entry]} for entry in entries]
    ended = {"tokens_evaluated": len(body["prompt"]), "tokens_predicted": len(said), "stop_type": "limit"}
    if not body.get("stream"):
        whole = {"content": said, "stop": True, **ended}
        return FakeReply(200, {**whole, "completion_probabilities": listed} if "n_probs" in body else whole)
    pieces: list[dict[str, Any]] = [{"content": letter, "stop": False} for letter in said]
    return FakeReply(200, None, [*pieces, {"content": "", "stop": True, **ended}])


class FakeEngine:
    """Says which adapter answered; a request waits for `gate` when one is set."""

    def __init__(self, adapters: tuple[Path, ...]) -> None:
        self.adapters = adapters
        self.pid = 0
        self.is_stopped = False
        self.gate: asyncio.Event | None = None
        self.bodies: list[dict[str, Any]] = []
        self._ended = asyncio.Event()

    @asynccontextmanager
    async def post(self, path: str, body: dict[str, Any]) -> AsyncGenerator[FakeReply]:
        self.bodies.append(body)
        if self.gate is not None:
            await self.gate.wait()
        if self.is_stopped:
            raise AssertionError("an engine was stopped under a request")
        if path in ("/completion", "/tokenize", "/detokenize", "/apply-template"):
            yield fake_text_reply(path, body)
            return
        text = f"adapter {body['lora'][0]['id']}" if body.get("lora") else "base"
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        if body.get("stream"):
            choice: dict[str, Any] = {"index": 0, "finish_reason": None}
            yield FakeReply(
                200,
                None,
                [
                    {"choices": [{**choice, "delta": {"role": "assistant", "content": None}}]},
                    {"choices": [{**choice, "delta": {"content": text}}]},
                    {"choices": [{**choice, "delta": {}, "finish_reason": "stop"}]},
                    {"choices": [], "usage": usage},
                ],
            )
        else:
            message = {"role": "assistant", "content": text}
            yield FakeReply(
                200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
            )

    async def get(self, path: str) -> Any:
        return {}

    async def wait(self) -> None:
        await self._ended.wait()

    async def stop(self) -> None:
        self.is_stopped = True
        self._ended.set()

    def die(self) -> None:
        self._ended.set()


class FakeRun:
    def __init__(self, status: int | None) -> None:
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if status is not None:
            self._ended.set_result(status)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def kill(self) -> None:
        if not self._ended.done():
            self._ended.set_result(-9)


@dataclass
class FakeLauncher:
    """Each start appends the next script's lines to the job's progress and ends with its status (None: keeps running)."""

    scripts: list[tuple[list[dict[str, Any]], int | None]] = field(default_factory=list)
    starts: int = 0
    at_once: int = 0

    async def start(self, folder: Path) -> FakeRun:
        self.starts += 1
        lines, status = self.scripts.pop(0) if self.scripts else ([], None)
        with (folder / "progress.jsonl").open("a") as stream:
            for line in lines:
                stream.write(json.dumps({"at": 1000.0, **line}) + "\n")
        for line in lines:
            if "adapter" in line:
                (folder / line["adapter"]).touch()
            if line["kind"] == "done":
                (folder / PEFT_FOLDER).mkdir()
                (folder / PEFT_FOLDER / WEIGHTS_FILE).touch()
        return FakeRun(status)


def step(number: int, of: int = 3) -> dict[str, Any]:
    return {
        "kind": "step",
        "step": number,
        "total_steps": of,
        "train_loss": 1.0 / number,
        "train_mean_token_accuracy": 0.5,
    }


DONE: dict[str, Any] = {"kind": "done", "step": 3, "adapter": "adapter-step-3.gguf", "trained_tokens": 300}
CHANGED = Proof(n_rows=6, start_logprob=-2.0, tuned_logprob=-0.5, mean_change=1.5)


@dataclass
class Bench:
    """A server in this process, on fakes."""

    server: Server
    launcher: FakeLauncher
    client: AsyncOpenAI
    http: httpx2.AsyncClient
    engines: list[FakeEngine]
    proofs: list[Proof | Exception]
    proven: list[tuple[Path, Path | None]]  # each adapter that was asked about, and the one its job started from


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with running_bench(tmp_path) as running:
        yield running


@asynccontextmanager
async def running_bench(tmp_path: Path) -> AsyncGenerator[Bench]:
    """The whole server but for torch and llama.cpp; the queue runs when a test starts it (`async with at_work(jobs.serve())`)."""
    home = Home(tmp_path / "home")
    home.create()
    store = Store(home.database)
    engines: list[FakeEngine] = []

    async def start(adapters: tuple[Path, ...]) -> FakeEngine:
        engines.append(FakeEngine(adapters))
        return engines[-1]

    pool = EnginePool(start)
    await pool.open()
    proofs: list[Proof | Exception] = []
    proven: list[tuple[Path, Path | None]] = []

    async def prove(adapter: Path, start: Path | None, rows: list[Any], method: str) -> Proof:
        proven.append((adapter, start))
        outcome = proofs.pop(0) if proofs else CHANGED
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    launcher = FakeLauncher()
    base = Base("tiny", str(tmp_path), str(tmp_path / "tiny.gguf"), str(tmp_path / "none.json"), str(tmp_path / "hf"))
    jobs = Jobs(store, home, base, launcher, prove, "local", 1)
    server = Server(
        store=store,
        home=home,
        base="tiny",
        base_created_at=1,
        pool=pool,
        jobs=jobs,
        intake=Intake(store, home, "tiny", 4096, Path(base.tokenizer)),
        organization="local",
        aliases={"gpt-4o-mini": "tiny"},
    )
    transport = httpx2.ASGITransport(app=create_app(server), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://tuner.test/v1") as http:
        client = AsyncOpenAI(base_url="http://tuner.test/v1", api_key="unused", http_client=http, max_retries=0)
        yield Bench(server, launcher, client, http, engines, proofs, proven)
    await pool.close()
    store.close()
