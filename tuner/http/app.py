"""HTTP in the official shapes. Handlers check, call one thing below, and shape its answer; no rule lives here.

The only package that imports FastAPI. File and model names from requests are looked up in the store, never joined
into paths.
"""

from __future__ import annotations

import re
import sqlite3

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from tuner.errors import ApiError, EngineFailed, bad_request
from tuner.http import chat_completions, completions, files, health, jobs, metrics, models
from tuner.http.gate import Gate
from tuner.http.server import Server


def create_app(server: Server) -> FastAPI:
    """The application over an already running server; starting and stopping it is the caller's."""
    app = FastAPI(title="tuner", version="0.1.0", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.server = server
    app.include_router(health.router)
    app.include_router(metrics.router)
    for room in (files, jobs, models, chat_completions, completions):
        app.include_router(room.router, prefix="/v1")
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(EngineFailed, _engine_gone)
    app.add_exception_handler(sqlite3.OperationalError, _no_room)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(Gate, server=server)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body(), error.status)


async def _malformed(request: Request, error: Exception) -> Response:
    """The first fault pydantic found, in the official shape and with the parameter's name."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = [
        str(part) for part in first["loc"][1:] if not re.search(r"[A-Z\[(]|^(str|int|float|auto|literal)$", str(part))
    ]
    param = ".".join(place) or None
    if first["type"] == "json_invalid":
        refusal = bad_request("We could not parse the JSON body of your request.")
    elif first["type"] == "extra_forbidden":
        refusal = bad_request(f"Unrecognized request argument supplied: {param}", param, "unknown_parameter")
    elif first["type"] == "missing":
        refusal = bad_request(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    else:
        refusal = bad_request(f"Invalid value for '{param}': {first['msg']}.", param, "invalid_value")
    return JSONResponse(refusal.body(), refusal.status)


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    what = f"Invalid URL ({request.method} {request.url.path})" if error.status_code == 404 else str(error.detail)
    return JSONResponse(ApiError(error.status_code, what).body(), error.status_code, headers=error.headers)


async def _engine_gone(request: Request, error: Exception) -> Response:
    refusal = ApiError(503, str(error), "server_error", code="engine_unavailable")
    return JSONResponse(refusal.body(), 503, headers={"Retry-After": "1"})


async def _no_room(request: Request, error: Exception) -> Response:
    full = "full" in str(error) or getattr(error, "errno", None) == 28
    message = (
        "The server's disk is full; free some space and try again." if full else "The server could not write its store."
    )
    return JSONResponse(
        ApiError(507 if full else 503, message, "server_error", code="storage").body(), 507 if full else 503
    )


async def _bug(request: Request, error: Exception) -> Response:
    return JSONResponse(
        ApiError(500, "The server had an error while processing your request.", "server_error").body(), 500
    )
