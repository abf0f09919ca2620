"""What every answer of the voice keeps to: shown to the team, set by an admin."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from bot.console.visit import Here, Visit
from bot.moderation import require
from bot.moderation.comparing import set_checks
from curation.checks import LENGTHS, ChecksWrong
from curation.languages import NAMES
from curation.style import STYLES
from storage.records import Right

router = APIRouter()


@router.get("/training/checks")
async def checks_page(visit: Here) -> Response:
    """The checks as they are declared."""
    visit.require_team("the checks")
    return await _page(visit, await visit.store.voices.checks(visit.console.voice_id))


@router.post("/training/checks")
async def declare(visit: Here) -> Response:
    """Declare them anew; what cannot be used comes back with its sentence and everything that was typed."""
    require(visit.actor, Right.ADMIN, "set what answers keep to")
    try:
        checks = checks_in(visit)
        outcome = await set_checks(visit.store, visit.actor, await visit.voice(), checks, now=visit.console.now())
    except ChecksWrong as wrong:
        return await _page(visit, {}, status=422, problem=str(wrong), typed=_typed(visit))
    return visit.go("/training/checks", outcome.said)


def checks_in(visit: Visit) -> dict[str, Any]:
    """The checks that a form declares; an empty field declares none. Raises ChecksWrong."""
    checks: dict[str, Any] = {}
    if language := visit.text("language"):
        checks["language"] = language
    if length := {name: _whole(name, text) for name in LENGTHS if (text := visit.text(name).strip())}:
        checks["length"] = length
    for name in ("required", "forbidden"):
        if phrases := [line.strip() for line in visit.text(name).splitlines() if line.strip()]:
            checks[name] = phrases
    if styles := visit.texts("style"):
        checks["style"] = styles
    if schema := visit.text("json_schema").strip():
        try:
            checks["json_schema"] = json.loads(schema)
        except ValueError as wrong:
            raise ChecksWrong(f"The JSON schema is not JSON: {wrong}.") from wrong
    return checks


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError as wrong:
        raise ChecksWrong(f"{name.replace('_', ' ').capitalize()} is “{text}”, which is no whole number.") from wrong


def _typed(visit: Visit) -> dict[str, Any]:
    written = {name: visit.text(name) for name in ("language", *LENGTHS, "required", "forbidden", "json_schema")}
    return {**written, "style": visit.texts("style")}


def shown(checks: Mapping[str, Any]) -> dict[str, Any]:
    """Checks as the form's fields hold them."""
    length: Mapping[str, int] = checks.get("length", {})
    schema = checks.get("json_schema")
    return {
        "language": checks.get("language", ""),
        **{name: str(length.get(name, "")) for name in LENGTHS},
        "required": "\n".join(checks.get("required", ())),
        "forbidden": "\n".join(checks.get("forbidden", ())),
        "style": list(checks.get("style", ())),
        "json_schema": "" if schema is None else json.dumps(schema, ensure_ascii=False, indent=2),
    }


async def _page(
    visit: Visit,
    checks: Mapping[str, Any],
    status: int = 200,
    problem: str = "",
    typed: Mapping[str, Any] | None = None,
) -> Response:
    fields = typed if typed is not None else shown(checks)
    return await visit.page("checks.html", status, fields=fields, languages=NAMES, styles=STYLES, problem=problem)
