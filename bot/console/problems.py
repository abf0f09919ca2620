"""What went wrong, as a sentence on a page or in a fragment, with the status that says whose turn it is."""

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import Scope

from bot.console.console import parts_of
from bot.console.door import BodyTooLarge
from bot.console.sign_in import NotSignedIn
from bot.console.visit import FormRefused
from bot.moderation import NotAllowed
from bot.problems import sentence_of
from bot.reporting import NothingCompared
from bot.reviewing import LookedAt
from bot.text import TextRefused
from curation.dataset import TooFewExamples
from curation.imports import ImportRefused
from curation.promotion import NothingToRelease, NothingToRollBackTo
from curation.recipes import RecipeUnfit
from curation.requesting import NothingNew
from curation.search import SearchRefused
from curation.shutdowns import BaseDies
from curation.versions import PartlyErased
from storage.errors import (
    AlreadyDecided,
    AlreadySettled,
    DatabaseUnavailable,
    DeploymentMoved,
    NotFound,
    RunMoved,
    UnstorableText,
)

log = logging.getLogger(__name__)

STATUSES: Mapping[type[Exception], int] = {
    NotAllowed: 403,
    FormRefused: 403,
    TooFewExamples: 409,
    NothingCompared: 409,
    NothingNew: 409,
    SearchRefused: 409,
    BaseDies: 409,
    RecipeUnfit: 409,
    NothingToRelease: 409,
    NothingToRollBackTo: 409,
    AlreadyDecided: 409,
    AlreadySettled: 409,
    LookedAt: 409,
    PartlyErased: 409,
    DeploymentMoved: 409,
    RunMoved: 409,
    BodyTooLarge: 413,
    TextRefused: 422,
    ImportRefused: 422,
    UnstorableText: 422,
    NotFound: 404,
    DatabaseUnavailable: 503,
}
"""Errors whose message is a sentence for people, and the status it is shown with."""

_TITLES = {
    403: "That is not possible",
    404: "Nothing here",
    409: "Not now",
    413: "Too much at once",
    421: "Wrong address",
    422: "That could not be taken",
    503: "The database does not answer",
}
_SENTENCES = {
    404: "There is no such page. It may have been an old link; the menu leads everywhere.",
    405: "That address takes no such request. The menu leads everywhere.",
}


def problem_page(templates: Environment, scope: Scope, status: int, sentence: str) -> HTMLResponse:
    """A whole page that needs neither a session nor the database; for htmx, its sentence as a fragment for the notice."""
    is_in_page = (b"hx-request", b"true") in scope.get("headers", [])
    template = templates.get_template("_problem.html" if is_in_page else "problem.html")
    html = template.render(title=_TITLES.get(status, "That did not work"), sentence=sentence, status=status)
    headers = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"} if is_in_page else {}
    return HTMLResponse(html, status, headers=headers)


def answer_problems(app: FastAPI, templates: Environment) -> None:
    """Let every error that is meant for people reach them as a sentence."""

    async def show(request: Request, error: Exception) -> Response:
        status = STATUSES[type(error)]
        if status >= 500:
            log.warning("%s %s: %s", request.method, request.url.path, error)
        return problem_page(templates, request.scope, status, await sentence_of(parts_of(request).console.store, error))

    async def sign_in(request: Request, error: Exception) -> Response:
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
        return RedirectResponse("/sign-in", 303)

    async def wrong_request(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException | StarletteHTTPException) else 422
        sentence = _SENTENCES.get(status, "The console could not read that request. Go back, reload and try again.")
        return problem_page(templates, request.scope, status, sentence)

    for kind in STATUSES:
        app.add_exception_handler(kind, show)
    app.add_exception_handler(NotSignedIn, sign_in)
    app.add_exception_handler(StarletteHTTPException, wrong_request)
    app.add_exception_handler(RequestValidationError, wrong_request)
