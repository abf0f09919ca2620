"""Existing answers from a file, proposed for review, with a report of every row that was refused."""

import asyncio
import tempfile
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from bot.console.visit import Here, Visit
from bot.importing import LAYOUTS, place_of, source_for, summary
from bot.moderation import propose_answers, require
from curation.imports import Imported, ImportRefused, read_answers
from storage.records import Right

REFUSALS_SHOWN = 200  # rows of the report; beyond that the number is enough
CHUNK = 1024 * 1024  # bytes copied at a time

NO_FILE = f"No file was chosen. Choose a .csv, .json, .jsonl or .zip file with {LAYOUTS}."

router = APIRouter()


@router.get("/import")
async def import_form(visit: Here) -> Response:
    """Choose a file."""
    require(visit.actor, Right.MODERATOR, "import answers")
    return await visit.page("import.html", report=None, problem="")


@router.post("/import")
async def import_answers(visit: Here) -> Response:
    """Propose the file's answers and say what was refused."""
    require(visit.actor, Right.MODERATOR, "import answers")
    upload = visit.file("file")
    if upload is None:
        return await visit.page("import.html", 422, report=None, problem=NO_FILE)
    name = Path(upload.filename or "").name
    try:
        imported = await _read(visit, upload, name)
    except ImportRefused as refused:
        return await visit.page("import.html", 422, report=None, problem=str(refused))
    return await _propose(visit, name, imported)


async def _propose(visit: Visit, name: str, imported: Imported) -> Response:
    outcome = await propose_answers(
        visit.store, visit.actor, await visit.voice(), name, imported.answers, now=visit.console.now()
    )
    return await visit.page(
        "import.html",
        problem="",
        report={
            "name": name,
            "summary": summary(imported),
            "said": outcome.said,
            "refused": len(imported.refusals),
            "refusals": [(place_of(name, refusal), refusal.reason) for refusal in imported.refusals[:REFUSALS_SHOWN]],
        },
    )


async def _read(visit: Visit, upload: UploadFile, name: str) -> Imported:
    """Read what was sent. Raises ImportRefused, with the file's own name and not that of our copy."""
    with tempfile.TemporaryDirectory(prefix="finetone-import-") as folder:
        copy = Path(folder) / f"upload{Path(name).suffix}"
        with copy.open("wb") as file:
            while chunk := await upload.read(CHUNK):
                await asyncio.to_thread(file.write, chunk)
        try:
            return await asyncio.to_thread(read_answers, copy, source_for(visit.text("staff")))
        except ImportRefused as refused:
            raise ImportRefused(str(refused).replace(str(copy), name)) from refused
