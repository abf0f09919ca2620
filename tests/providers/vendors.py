"""A local server that speaks as a vendor documents it: its own routes, fields and status words, and faults on demand.

The bodies are those of the vendors' pages, as each class names them; what they leave out is left out here too.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Any]


@dataclass
class Fault:
    """What happens to the next request whose method and path begin so. `acts`: it is carried out all the same."""

    start: str  # "POST /v1/fine_tuning/jobs"
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    acts: bool = False
    message: str = "the vendor's own words"
    raw: bytes | None = None  # instead of a JSON error


@dataclass
class Seen:
    method: str
    path: str
    body: Any
    authorization: str


class VendorServer:
    """Answers by `answer`; keeps every request, and lets jobs go through `words`, one word a look, to the last."""

    words: tuple[str, ...] = ("validating_files", "running", "succeeded")

    def __init__(self) -> None:
        self.origin = ""
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, int] = {}
        self.hidden: set[str] = set()  # jobs that the list does not show yet
        self.deployments: dict[str, dict[str, Any]] = {}
        self.deploy_words: list[str] = []  # of a deployment, one a look; the last one stays

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, target, _ = head.split(" ", 2)
            headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            raw = await self._body(reader, headers)
            is_json = "json" in headers.get("content-type", "") and raw
            parts = urlsplit(target)
            seen = Seen(method, parts.path, json.loads(raw) if is_json else raw, headers.get("authorization", ""))
            self.seen.append(seen)
            status, extra, answer = await self._answered(seen, {k: v[0] for k, v in parse_qs(parts.query).items()})
            payload = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
            lines = [f"HTTP/1.1 {status} X", "connection: close", f"content-length: {len(payload)}"]
            lines += [f"{name}: {value}" for name, value in {"content-type": "application/json", **extra}.items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + payload)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up
        finally:
            writer.close()

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await reader.readexactly(int(headers.get("content-length", 0)))
        raw = b""
        while size := int(await reader.readline(), 16):
            raw += await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readexactly(2)
        return raw

    async def _answered(self, seen: Seen, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        fault = next((f for f in self.faults if f"{seen.method} {seen.path}".startswith(f.start)), None)
        if fault is None:
            status, answer = self.answer(seen, query)
            return status, {}, answer
        self.faults.remove(fault)
        if fault.acts:
            self.answer(seen, query)
        if fault.hangs:
            await asyncio.sleep(30)
        if fault.raw is not None:
            return fault.status, fault.headers, fault.raw
        return fault.status, fault.headers, {"error": {"message": fault.message, "type": "x", "code": None}}

    def posts(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.method in ("POST", "PUT") and seen.path == path]

    def answer(self, seen: Seen, query: dict[str, str]) -> Answer:
        raise NotImplementedError

    def step(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job as this look finds it: the next word."""
        at = min(self.looks.get(job["id"], 0), len(self.words) - 1)
        self.looks[job["id"]] = at + 1
        return {**job, "status": self.words[at]}

    def deployed(self, kept: dict[str, Any], word_field: str) -> dict[str, Any]:
        if len(self.deploy_words) > 1:
            return {**kept, word_field: self.deploy_words.pop(0)}
        return {**kept, word_field: self.deploy_words[0]}


class OpenAIServer(VendorServer):
    """developers.openai.com/api/reference/resources/fine_tuning; `tuner` speaks the same."""

    tuned = "ft:base:org:shop-1:abc"
    file_words: tuple[str, ...] = ("processed",)

    def answer(self, seen: Seen, query: dict[str, str]) -> Answer:
        if not seen.path.startswith("/v1/"):
            return self.beside(seen)
        match seen.method, seen.path.split("/")[2:]:
            case "GET", ["files", file_id]:
                at = min(self.looks.get(file_id, 0), len(self.file_words) - 1)
                self.looks[file_id] = at + 1
                return 200, {"id": file_id, "object": "file", "status": self.file_words[at], "status_details": "bad"}
            case "POST", ["files"]:
                return 200, {"id": "file-1", "object": "file", "purpose": "fine-tune", "status": "processed"}
            case "POST", ["fine_tuning", "jobs"]:
                return 200, self.create(seen.body)
            case "GET", ["fine_tuning", "jobs"]:
                listed = [job for job in self.jobs.values() if job["id"] not in self.hidden]
                return 200, {"object": "list", "data": listed[::-1], "has_more": False}
            case "GET", ["fine_tuning", "jobs", job_id]:
                return (200, self.told(self.jobs[job_id])) if job_id in self.jobs else (404, {"error": {}})
            case "POST", ["fine_tuning", "jobs", job_id, "cancel"]:
                self.jobs[job_id]["status"] = "cancelled"
                return 200, self.jobs[job_id]
            case "GET", ["fine_tuning", "jobs", _, "events"]:
                return 200, {"object": "list", "data": [self.event(2), self.event(1)], "has_more": False}
            case "GET", ["models"]:
                return 200, {"object": "list", "data": self.models()}
            case _:
                return self.beside(seen)

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.jobs) + 1
        job = {
            "id": f"ftjob-{number}",
            "object": "fine_tuning.job",
            "created_at": 1_790_000_000 + number,
            "model": body["model"],
            "training_file": body["training_file"],
            "status": self.words[0],
            "fine_tuned_model": None,
            "error": None,
            "result_files": [],
            "seed": body.get("seed", 0),
            "metadata": body.get("metadata"),
        }
        self.jobs[job["id"]] = job
        return job

    def told(self, job: dict[str, Any]) -> dict[str, Any]:
        now = self.step(job)
        if now["status"] in ("succeeded", "completed"):
            now |= {"fine_tuned_model": self.tuned, "trained_tokens": 5000}
        if now["status"] in ("failed", "error"):
            now |= {"error": {"message": "The loss became nan.", "code": "x", "param": None}}
        return now

    def event(self, step: int) -> dict[str, Any]:
        return {
            "id": f"ftevent-{step}",
            "object": "fine_tuning.job.event",
            "created_at": 1_790_000_000 + step,
            "level": "info",
            "message": f"Step {step}",
            "type": "metrics",
            "data": {"step": step, "train_loss": 1.5},
        }

    def models(self) -> list[dict[str, Any]]:
        old = {"id": "base", "object": "model", "created": 1, "owned_by": "x", "shutdown_date": "2027-01-14"}
        return [old, {"id": "new", "object": "model", "created": 1, "owned_by": "x", "shutdown_date": None}]

    def beside(self, seen: Seen) -> Answer:
        return 404, {"error": {"message": f"no route {seen.path}", "type": "x", "code": None}}


class NebiusServer(OpenAIServer):
    """docs.tokenfactory.nebius.com/post-training: no metadata, no model on the job; checkpoints and POST /v0/models."""

    tuned = None  # type: ignore[assignment]

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        job = super().create(body)
        for name in ("metadata", "seed", "error", "fine_tuned_model"):
            del job[name]
        return job

    def beside(self, seen: Seen) -> Answer:
        match seen.method, seen.path.split("/")[1:]:
            case "GET", ["v1", "fine_tuning", "jobs", _, "checkpoints"]:
                points = [{"id": f"ftckpt-{n}", "step_number": n, "result_files": []} for n in (4, 12, 8)]
                return 200, {"object": "list", "data": points}
            case "POST", ["v0", "models"]:
                name = f"{seen.body['base_model']}-LoRa:{seen.body['name']}-AbCd"
                self.deployments[name] = {"name": name, **{k: v for k, v in seen.body.items() if k != "name"}}
                return 200, {"name": name, "status": "validating"}
            case "GET", ["v0", "models"]:
                return 200, {"data": [self.deployed(kept, "status") for kept in self.deployments.values()]}
            case "DELETE", ["v0", "models", *name]:
                return (200, {}) if self.deployments.pop("/".join(name), None) else (404, {"error": {}})
            case _:
                return super().beside(seen)


class AzureServer(OpenAIServer):
    """learn.microsoft.com/azure/foundry/openai/how-to/fine-tuning-deploy: Azure Resource Manager beside the API."""

    words = ("pending", "running", "succeeded")
    file_words = ("pending", "running", "processed")
    tuned = "gpt-4.1-mini-2025-04-14.ft-b044a9d3cf9c4228b5d393567f693b83"

    def beside(self, seen: Seen) -> Answer:
        if not seen.path.startswith("/subscriptions/") or "/deployments" not in seen.path:
            return super().beside(seen)
        name = seen.path.rpartition("/deployments")[2].strip("/")
        if seen.method == "PUT":
            self.deployments[name] = {"name": name, "properties": {"model": seen.body["properties"]["model"]}}
            return 201, {"name": name, "properties": {"provisioningState": "Accepted"}}
        if seen.method == "DELETE":
            return (202, None) if self.deployments.pop(name, None) else (404, {"error": {}})
        return 200, {
            "value": [
                {**kept, "properties": self.deployed(kept["properties"], "provisioningState")}
                for kept in self.deployments.values()
            ]
        }


class CrusoeServer(OpenAIServer):
    """docs.crusoecloud.com/serverless-fine-tuning and /self-serve-deployments: checkpoints with two names, a cloud API."""

    words = ("queued", "running", "succeeded")

    def beside(self, seen: Seen) -> Answer:
        root = ["v1", "projects", "proj-1", "foundry", "selfserve", "deployments"]
        match seen.method, seen.path.split("/")[1:]:
            case "GET", ["v1", "fine_tuning", "jobs", _, "checkpoints"]:
                point = {"id": "c", "step_number": 9, "fine_tuned_model_checkpoint": "shown", "metrics": {}}
                return 200, {"data": [{**point, "fine_tuned_model_id": "ftmodel-9"}, {**point, "step_number": 99}]}
            case "POST", path if path == root:
                kept = {"id": f"dep-{len(self.seen)}", **seen.body}
                self.deployments[kept["deployment_name"]] = kept
                return 200, {**kept, "status": "pending"}
            case "GET", path if path == root:
                return 200, {"deployments": [self.deployed(kept, "status") for kept in self.deployments.values()]}
            case "DELETE", [*path, id_] if path == root:
                gone = next((name for name, kept in self.deployments.items() if kept["id"] == id_), None)
                return (204, None) if self.deployments.pop(gone or "", None) else (404, {"error": {}})
            case _:
                return super().beside(seen)


class TogetherServer(OpenAIServer):
    """docs.together.ai/reference: /fine-tunes with ISO moments, events without ids, endpoints of one's own."""

    words = ("pending", "compressing", "completed")

    def answer(self, seen: Seen, query: dict[str, str]) -> Answer:
        match seen.method, seen.path.split("/")[2:]:
            case "POST", ["files", "upload"]:
                assert b'name="file_name"' in seen.body
                assert b'name="purpose"' in seen.body
                return 200, {"id": "file-1", "filename": "train.jsonl", "purpose": "fine-tune"}
            case "POST", ["fine-tunes"]:
                return 200, self.create(seen.body)
            case "GET", ["fine-tunes"]:
                return 200, {"data": [job for job in self.jobs.values() if job["id"] not in self.hidden]}
            case "GET", ["fine-tunes", job_id]:
                if job_id not in self.jobs:
                    return 404, {"error": {"message": "no such job"}}
                now = self.step(self.jobs[job_id])
                return 200, now | {"token_count": 5000} if now["status"] == "completed" else now
            case "GET", ["fine-tunes", _, "events"]:
                event = {"object": "fine-tune-event", "level": "Info", "type": "JOB_START", "message": "go"}
                return 200, {"data": [{**event, "created_at": "2026-09-21T10:00:00.5Z"}, {**event, "level": "Warning"}]}
            case "POST", ["fine-tunes", job_id, "cancel"]:
                return 200, self.jobs[job_id] | {"status": "cancel_requested"}
            case "GET", ["models"]:
                return 200, [{"id": "base", "object": "model"}]
            case "POST", ["endpoints"]:
                kept = {"id": f"endpoint-{len(self.seen)}", "name": f"me/{seen.body['model']}-ab12", **seen.body}
                self.deployments[kept["id"]] = kept
                return 200, kept | {"state": "PENDING"}
            case "GET", ["endpoints"]:
                return 200, {"object": "list", "data": [self.deployed(d, "state") for d in self.deployments.values()]}
            case "DELETE", ["endpoints", id_]:
                return (204, None) if self.deployments.pop(id_, None) else (404, {"error": {}})
            case _:
                return 404, {"error": {"message": f"no route {seen.path}"}}

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.jobs) + 1
        job = {
            "id": f"ft-{number}",
            "created_at": "2026-09-21T09:59:59.123Z",
            "status": "pending",
            "model": body.get("model", body.get("from_checkpoint")),
            "model_output_name": f"me/{body['suffix']}-{number}",
            "training_file": body["training_file"],
        }
        self.jobs[job["id"]] = job
        return job


SERVERS: dict[str, type[VendorServer]] = {
    "tuner": OpenAIServer,
    "openai": OpenAIServer,
    "azure": AzureServer,
    "nebius": NebiusServer,
    "crusoe": CrusoeServer,
    "together": TogetherServer,
}


@asynccontextmanager
async def listening(server: VendorServer) -> AsyncGenerator[VendorServer]:
    """The server on a loopback port of its own."""
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.origin = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
