"""Uploaded and produced files: /v1/files."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import FileResponse

from tuner import wire
from tuner.errors import ApiError, bad_request
from tuner.http.gate import MAX_FILE_BYTES
from tuner.http.server import Server, Serving
from tuner.jobs import new_id
from tuner.records import FileRecord
from tuner.training_file import BadLine, parse_lines

PURPOSES = ("fine-tune",)

FileLimit = Annotated[int, Query(ge=1, le=10_000)]
router = APIRouter()


def _found(server: Server, file_id: str) -> FileRecord:
    if (record := server.store.file(file_id)) is None:
        raise ApiError(404, f"No such File object: {file_id}", param="id")
    return record


@router.post("/files")
def create_file(
    server: Serving, file: Annotated[UploadFile, File()], purpose: Annotated[str, Form()]
) -> dict[str, Any]:
    if purpose not in PURPOSES:
        raise bad_request(f"'{purpose[:40]}' is not one of ['fine-tune'] - 'purpose'", "purpose", "invalid_purpose")
    file_id = new_id("file-")
    target = server.home.files / file_id
    try:
        with target.open("wb") as out:
            shutil.copyfileobj(file.file, out, 1 << 20)
        size = target.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ApiError(413, f"The file is {size} bytes; at most {MAX_FILE_BYTES} are accepted.", param="file")
        if not size:
            raise bad_request("The file is empty.", "file")
        try:
            parse_lines(target.read_bytes())
        except BadLine as fault:
            raise bad_request(f"Invalid file format. Expected JSON lines; {fault}.", "file", "invalid_jsonl") from None
        name = Path(file.filename or "upload.jsonl").name[:255]
        record = FileRecord(file_id, name, purpose, size, int(time.time()))
        server.store.add_file(record)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return wire.file_object(record)


@router.get("/files")
def list_files(
    server: Serving,
    purpose: str | None = None,
    after: str | None = None,
    limit: FileLimit = 10_000,
    order: Annotated[str, Query(pattern="^(asc|desc)$")] = "desc",
) -> dict[str, Any]:
    records, has_more = server.store.files(purpose, after, limit, order == "desc")
    return wire.page([wire.file_object(record) for record in records], has_more)


@router.get("/files/{file_id}")
def retrieve_file(server: Serving, file_id: str) -> dict[str, Any]:
    return wire.file_object(_found(server, file_id))


@router.get("/files/{file_id}/content")
def file_content(server: Serving, file_id: str) -> FileResponse:
    record = _found(server, file_id)
    return FileResponse(server.home.files / record.id, media_type="application/octet-stream")


@router.delete("/files/{file_id}")
def delete_file(server: Serving, file_id: str) -> dict[str, Any]:
    record = _found(server, file_id)
    for job in server.store.open_jobs():
        if record.id in (job.training_file, job.validation_file):
            raise ApiError(409, f"The file {file_id} is used by the open job {job.id}; cancel it first.", param="id")
    server.store.delete_file(record.id, int(time.time()))
    (server.home.files / record.id).unlink(missing_ok=True)
    return {"id": file_id, "object": "file", "deleted": True}
