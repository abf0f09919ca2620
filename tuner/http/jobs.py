"""Fine-tuning jobs, their events and checkpoints: /v1/fine_tuning/jobs."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from tuner import wire
from tuner.errors import ApiError, bad_request
from tuner.http.server import Server, Serving
from tuner.jobs import message_event
from tuner.records import OPEN, Job

Limit = Annotated[int, Query(ge=1, le=100)]
router = APIRouter(prefix="/fine_tuning/jobs")


def _found(server: Server, job_id: str) -> Job:
    if (job := server.store.job(job_id)) is None:
        raise ApiError(404, f"Could not find fine tune: {job_id}", param="fine_tune_id", code="fine_tune_not_found")
    return job


def _shown(server: Server, job: Job) -> dict[str, Any]:
    return wire.job_object(job, server.organization)


@router.post("")
def create_job(server: Serving, body: wire.JobRequest) -> dict[str, Any]:
    job = server.intake.job(body, server.resolve(body.model))
    server.store.add_job(job, message_event(f"Created fine-tuning job: {job.id}"))
    server.jobs.wake()
    return _shown(server, job)


@router.get("")
def list_jobs(server: Serving, request: Request, after: str | None = None, limit: Limit = 20) -> dict[str, Any]:
    jobs, has_more = server.store.jobs(after, limit, _metadata_filter(request))
    return wire.page([_shown(server, job) for job in jobs], has_more)


@router.get("/{job_id}")
def retrieve_job(server: Serving, job_id: str) -> dict[str, Any]:
    return _shown(server, _found(server, job_id))


@router.post("/{job_id}/cancel")
async def cancel_job(server: Serving, job_id: str) -> dict[str, Any]:
    await asyncio.to_thread(_found, server, job_id)
    event = message_event("The job was cancelled")
    ended = await asyncio.to_thread(server.store.end_job, job_id, "cancelled", {}, event, int(time.time()))
    if ended is None:
        raise _at_an_end(await asyncio.to_thread(_found, server, job_id), "cancel")
    await server.jobs.stop_training(job_id)
    server.jobs.drop_checkpoints(job_id)
    await asyncio.to_thread(server.jobs.announce, job_id, "cancelled")
    return _shown(server, ended)


@router.post("/{job_id}/pause")
async def pause_job(server: Serving, job_id: str) -> dict[str, Any]:
    job = await asyncio.to_thread(_found, server, job_id)
    if job.status not in OPEN:
        raise _at_an_end(job, "pause")
    event = message_event("The job was paused; it keeps its last checkpoint")
    paused = await asyncio.to_thread(server.store.pause_job, job_id, True, event)
    await server.jobs.stop_training(job_id)
    return _shown(server, paused or job)


@router.post("/{job_id}/resume")
async def resume_job(server: Serving, job_id: str) -> dict[str, Any]:
    job = await asyncio.to_thread(_found, server, job_id)
    if job.status not in OPEN:
        raise _at_an_end(job, "resume")
    resumed = await asyncio.to_thread(server.store.pause_job, job_id, False, message_event("The job was resumed"))
    server.jobs.wake()
    return _shown(server, resumed or job)


@router.get("/{job_id}/events")
def list_events(server: Serving, job_id: str, after: str | None = None, limit: Limit = 20) -> dict[str, Any]:
    events, has_more = server.store.events(_found(server, job_id).id, after, limit)
    return wire.page([wire.event_object(event) for event in events], has_more)


@router.get("/{job_id}/checkpoints")
def list_checkpoints(server: Serving, job_id: str, after: str | None = None, limit: Limit = 10) -> dict[str, Any]:
    models, has_more = server.store.checkpoints(_found(server, job_id).id, after, limit)
    return wire.page([wire.checkpoint_object(model) for model in models], has_more)


def _at_an_end(job: Job, what: str) -> ApiError:
    return bad_request(f"The job {job.id} has already {job.status}; there is nothing to {what}.", code="job_finished")


def _metadata_filter(request: Request) -> dict[str, str] | None:
    """`metadata[key]=value` pairs, as the stock client writes its `metadata` argument; None where there are none."""
    pairs = {
        match[1]: value
        for name, value in request.query_params.multi_items()
        if (match := re.fullmatch(r"metadata\[(.+)\]", name))
    }
    return pairs or None
