"""Whether the server can answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from tuner.http.server import Serving

router = APIRouter()


@router.get("/healthz")
def healthz(server: Serving) -> dict[str, Any]:
    """Ready to answer: the engine is loaded and the store can be read."""
    server.store.key_hashes()
    return {
        "status": "ok",
        "base": server.base,
        "loaded_adapters": len(server.pool.loaded),
        "jobs": server.jobs.running,
    }
