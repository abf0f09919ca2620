"""Trainer at Together, whose training has routes and fields of its own behind the same client (docs.together.ai/reference)."""

from datetime import UTC, datetime

from providers.alternatives import elsewhere
from providers.answers import job_event, job_status, moment
from providers.base import ErrorKind, JobEvent, JobRequest, JobStatus, ProviderError
from providers.requests import together_body
from providers.rows import Quirks
from providers.wire import Wire, items


class TogetherTrainer:
    """Trains by POST /fine-tunes. Jobs carry no metadata, so a run's job is found by its own training file."""

    def __init__(self, wire: Wire, row: Quirks) -> None:
        self._wire = wire
        self._row = row

    async def upload(self, filename: str, content: bytes) -> str:
        """Upload JSONL for training; return the vendor's file id. Raises ProviderError."""
        fields = {"purpose": "fine-tune", "file_name": filename}
        file = (filename, content)
        answer = await self._wire.call("POST", "/files/upload", fields, doing=f"uploading {filename}", file=file)
        if not answer.get("id"):
            raise ProviderError(f"together took {filename} and gave it no id.", ErrorKind.UNREACHABLE)
        return str(answer["id"])

    async def create_job(self, request: JobRequest) -> JobStatus:
        """Start a job, exactly one POST. Raises ProviderError; AMBIGUOUS where the job may exist all the same."""
        body = together_body(request, self._row)
        with elsewhere(self._row, request.method, datetime.now(UTC).date()):
            answer = await self._wire.call("POST", "/fine-tunes", body, doing="creating a training job", creating=True)
        return job_status(answer)

    async def find_jobs(self, run_key: str, training_file_id: str, since: datetime) -> list[JobStatus]:
        """Jobs created for this run, oldest first, by the run's own training file. Raises ProviderError."""
        listed = items(await self._wire.call("GET", "/fine-tunes", doing="looking for the training job"))
        ours = [job for job in listed if job.get("training_file") == training_file_id]
        found = [job_status(job) for job in ours if moment(job.get("created_at")) >= since]
        return sorted(found, key=lambda status: (status.created_at, status.id))

    async def job(self, job_id: str) -> JobStatus:
        """The job now; its model counts once it is completed. Raises ProviderError."""
        return job_status(await self._wire.call("GET", f"/fine-tunes/{job_id}", doing=f"reading training job {job_id}"))

    async def events(self, job_id: str) -> list[JobEvent]:
        """Every event so far, oldest first. Raises ProviderError."""
        answer = await self._wire.call("GET", f"/fine-tunes/{job_id}/events", doing=f"reading events of {job_id}")
        return sorted((job_event(event, at) for at, event in enumerate(items(answer))), key=lambda event: event.at)

    async def cancel(self, job_id: str) -> JobStatus:
        """Ask the vendor to stop the job; one that is already over is returned as it is. Raises ProviderError."""
        try:
            return job_status(
                await self._wire.call("POST", f"/fine-tunes/{job_id}/cancel", doing=f"cancelling training job {job_id}")
            )
        except ProviderError as error:
            if error.kind in (ErrorKind.BAD_REQUEST, ErrorKind.CONFLICT):
                return await self.job(job_id)
            raise
