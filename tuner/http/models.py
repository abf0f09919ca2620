"""The served models: /v1/models."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastapi import APIRouter

from tuner import wire
from tuner.errors import ApiError, model_not_found
from tuner.http.server import Server, Serving

router = APIRouter(prefix="/models")


def _base(server: Server) -> dict[str, Any]:
    return wire.model_object(server.base, server.base_created_at, "system")


@router.get("")
def list_models(server: Serving) -> dict[str, Any]:
    tuned = [
        wire.model_object(model.name, model.created_at, server.organization)
        for model in server.store.models()
        if model.base == server.base and not model.is_checkpoint
    ]
    aliases = [wire.model_object(name, server.base_created_at, "alias") for name in server.aliases]
    return {"object": "list", "data": [_base(server), *aliases, *tuned]}


# Names contain colons and, for aliases, may contain slashes.
@router.get("/{name:path}")
def retrieve_model(server: Serving, name: str) -> dict[str, Any]:
    wanted = server.resolve(name)
    if wanted == server.base:
        return {**_base(server), "id": name}
    if (model := server.store.model(wanted)) is None:
        raise model_not_found(name)
    return wire.model_object(name, model.created_at, server.organization)


@router.delete("/{name:path}")
async def delete_model(server: Serving, name: str) -> dict[str, Any]:
    model = await asyncio.to_thread(server.store.model, name)
    if model is None:
        if server.resolve(name) == server.base:
            raise ApiError(403, f"The base model {name} cannot be deleted.", param="model")
        raise model_not_found(name)
    await asyncio.to_thread(server.store.delete_model, name, int(time.time()))
    server.pool.unload(server.home.jobs / model.job_id / model.adapter)
    return {"id": name, "object": "model", "deleted": True}
