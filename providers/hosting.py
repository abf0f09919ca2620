"""Host for each way a trained model comes to answer (rows.Hosting). Each looks for the deployment before it makes one.

Names of deployments are ours and belong to one training run, so a second call, or a second process, finds what the first made.
"""

import re
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, cast

from providers.base import ChatModel, ErrorKind, JobStatus, ProviderError, Sampling, Serving, ServingState
from providers.rows import Quirks
from providers.wire import Wire, items

ARM = "https://management.azure.com"
ARM_VERSION = "2024-10-01"  # Microsoft.CognitiveServices/accounts/deployments
CRUSOE_CLOUD = "https://api.crusoecloud.com"


class AtOnce:
    """The vendor serves what it has trained by itself: the model can be asked as soon as its list names it."""

    bills_idle = False

    def __init__(self, chat_model: ChatModel) -> None:
        self._chat_model = chat_model

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Ask whether the list names it yet. Raises ProviderError."""
        if job.model_name is None:
            return Serving(ServingState.FAILED, None, f"Training job {job.id} succeeded without naming a model.")
        if job.model_name in await self._chat_model.model_names():
            return Serving(ServingState.READY, job.model_name, f"{job.model_name} can be asked.")
        return _starting(f"{job.model_name} is trained; waiting until it can be asked.")

    async def served(self) -> frozenset[str]:
        """Nothing here can be taken down, and nothing has to be."""
        return frozenset()

    async def take_down(self, model_name: str) -> None:
        """Nothing to do."""


class ByHand(AtOnce):
    """Somebody deploys: the vendor bills by the hour, and FINETONE_HOSTING does not say on what."""

    def __init__(self, chat_model: ChatModel, row: Quirks) -> None:
        super().__init__(chat_model)
        self._row = row
        self.bills_idle = row.bills_idle

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Ask the deployment that was asked for one token: not every vendor lists them. Raises ProviderError."""
        if await self._answers(name):
            return Serving(ServingState.READY, name, f"{name} can be asked.")
        key = " and FINETONE_HOSTING_KEY" if self._row.hosting_needs_key else ""
        said = (
            f"{job.model_name or f'The model of job {job.id}'} is trained. Deploy it at {self._row.name} under the name "
            f"{name}, and the run goes on; or set FINETONE_HOSTING ({self._row.hosting_needs}){key} to have it deployed."
        )
        return Serving(ServingState.BY_HAND, None, said)

    async def _answers(self, name: str) -> bool:
        try:
            async for _ in self._chat_model.stream(name, [_Probe()], Sampling(max_tokens=1)):
                pass
        except ProviderError as error:
            if error.kind is ErrorKind.MODEL_GONE:
                return False
            raise
        return True


@dataclass(frozen=True, slots=True)
class _Probe:
    role: str = "user"
    content: str = "Hello"


class Nebius:
    """POST /v0/models with job and checkpoint; paid by the token (docs.tokenfactory.nebius.com/post-training)."""

    bills_idle = False

    def __init__(self, wire: Wire, origin: str) -> None:
        self._wire = wire
        self._models = f"{origin}/v0/models"

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Deploy the job's last checkpoint, or ask how it stands. Raises ProviderError."""
        found = next((m for m in await self._list() if _is_lora(str(m.get("name")), name)), None)
        if found is None:
            points = items(
                await self._wire.call("GET", f"/fine_tuning/jobs/{job.id}/checkpoints", doing="listing checkpoints")
            )
            if not points:
                return _starting(f"Training job {job.id} is over; waiting for its checkpoints.")
            last = max(points, key=lambda point: int(point.get("step_number") or 0))
            body = {"source": f"{job.id}:{last['id']}", "base_model": base_model, "name": name}
            found = await self._wire.call("POST", self._models, body, doing=f"deploying {name}", creating=True)
        model = str(found.get("name") or name)
        match str(found.get("status")):
            case "active":
                return Serving(ServingState.READY, model, f"{model} can be asked.")
            case "error":
                why = found.get("status_reason") or "no reason given"
                return Serving(ServingState.FAILED, None, f"nebius could not serve {model}: {why}.")
            case word:
                return _starting(f"{model} is trained; nebius is at it ({word}).")

    async def served(self) -> frozenset[str]:
        """The custom models there. Raises ProviderError."""
        return frozenset(str(model["name"]) for model in await self._list() if model.get("name"))

    async def take_down(self, model_name: str) -> None:
        """Delete the custom model; the job keeps its checkpoints. Raises ProviderError."""
        await _unless_gone(self._wire.call("DELETE", f"{self._models}/{model_name}", doing=f"taking down {model_name}"))

    async def _list(self) -> list[dict[str, Any]]:
        return items(await self._wire.call("GET", self._models, doing="listing custom models"))


class Azure:
    """A deployment of the resource, asked for by its own name; an hourly fee from then on.

    learn.microsoft.com/azure/foundry/openai/how-to/fine-tuning-deploy. An Entra token lasts about an hour, so one that has
    run out is TRAINING_UNAVAILABLE with the vendor's words.
    """

    bills_idle = True

    def __init__(self, wire: Wire, resource: str, token: str, origin: str = ARM) -> None:
        self._wire = wire
        self._deployments = f"{origin}/{resource.strip('/')}/deployments"
        self._token = token

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Put the deployment, or ask how it stands. Raises ProviderError."""
        found = next((d for d in await self._list() if d.get("name") == name), None)
        if found is None:
            model = {"format": "OpenAI", "name": job.model_name, "version": "1"}
            body = {"sku": {"name": "Standard", "capacity": 1}, "properties": {"model": model}}
            found = await self._ask("PUT", f"/{name}", body, doing=f"deploying {name}", creating=True)
        state = str(cast(dict[str, Any], found.get("properties") or {}).get("provisioningState"))
        if state == "Succeeded":
            return Serving(ServingState.READY, name, f"{name} can be asked.")
        if state in ("Failed", "Canceled", "Disabled"):
            return Serving(ServingState.FAILED, None, f"azure could not deploy {name}: {state}. Its portal says why.")
        return _starting(f"{job.model_name} is trained; azure is deploying it as {name} ({state}).")

    async def served(self) -> frozenset[str]:
        """The resource's deployments. Raises ProviderError."""
        return frozenset(str(found["name"]) for found in await self._list() if found.get("name"))

    async def take_down(self, model_name: str) -> None:
        """Delete the deployment; the tuned model stays. Raises ProviderError."""
        await _unless_gone(self._ask("DELETE", f"/{model_name}", doing=f"taking down {model_name}"))

    async def _list(self) -> list[dict[str, Any]]:
        return items(await self._ask("GET", "", doing="listing deployments"), "value")

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, doing: str, creating: bool = False
    ) -> dict[str, Any]:
        url = f"{self._deployments}{path}?api-version={ARM_VERSION}"
        return await self._wire.call(method, url, body, doing=doing, creating=creating, key=self._token)


class Crusoe:
    """A self-serve deployment of a checkpoint, asked for by its own name; GPU hours from then on.

    `where` is project/flavor. docs.crusoecloud.com/self-serve-deployments; provisioning takes up to 40 minutes.
    """

    bills_idle = True

    def __init__(self, wire: Wire, where: str, origin: str = CRUSOE_CLOUD) -> None:
        self._wire = wire
        project, _, self._flavor = where.partition("/")
        self._deployments = f"{origin}/v1/projects/{project}/foundry/selfserve/deployments"

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Deploy the job's last checkpoint, or ask how it stands. Raises ProviderError."""
        found = next((d for d in await self._list() if d.get("deployment_name") == name and _is_up(d)), None)
        if found is None:
            model = await self._checkpoint(job)
            if model is None:
                return _starting(f"Training job {job.id} is over; waiting for its checkpoints.")
            body = {"deployment_name": name, "fine_tuned_model": model, "flavor_id": self._flavor, "replicas": 1}
            found = await self._wire.call("POST", self._deployments, body, doing=f"deploying {name}", creating=True)
        match str(found.get("status")).lower():  # capitals in the documents, none on the wire
            case "ready":
                return Serving(ServingState.READY, name, f"{name} can be asked.")
            case "failed":
                return Serving(ServingState.FAILED, None, f"crusoe could not deploy {name}. Its console says why.")
            case word:
                return _starting(f"{name} is being deployed at crusoe ({word}), which takes up to 40 minutes.")

    async def served(self) -> frozenset[str]:
        """The project's deployments. Raises ProviderError."""
        return frozenset(str(found["deployment_name"]) for found in await self._list() if _is_up(found))

    async def take_down(self, model_name: str) -> None:
        """Delete the deployment; the adapter stays. Raises ProviderError."""
        for found in await self._list():
            if found.get("deployment_name") == model_name and _is_up(found):
                path = f"{self._deployments}/{found.get('id')}"
                await _unless_gone(self._wire.call("DELETE", path, doing=f"taking down {model_name}"))

    async def _checkpoint(self, job: JobStatus) -> str | None:
        """The deployable name of the last checkpoint, ftmodel-…; a display name stands beside it."""
        listed = await self._wire.call("GET", f"/fine_tuning/jobs/{job.id}/checkpoints", doing="listing checkpoints")
        points = [point for point in items(listed) if point.get("fine_tuned_model_id")]
        last = max(points, key=lambda point: int(point.get("step_number") or 0), default=None)
        return None if last is None else str(last["fine_tuned_model_id"])

    async def _list(self) -> list[dict[str, Any]]:
        return items(
            await self._wire.call("GET", self._deployments, doing="listing deployments"), "deployments", "data"
        )


class Together:
    """A dedicated endpoint for the model, asked for by the endpoint's name; paid by the minute (docs.together.ai)."""

    bills_idle = True

    def __init__(self, wire: Wire, hardware: str) -> None:
        self._wire = wire
        self._hardware = hardware

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        """Start an endpoint for the model, or ask how it stands. Raises ProviderError."""
        if job.model_name is None:
            return Serving(ServingState.FAILED, None, f"Training job {job.id} is over without naming a model.")
        found = next((e for e in await self._list() if e.get("model") == job.model_name), None)
        if found is None:
            body = {
                "model": job.model_name,
                "hardware": self._hardware,
                "autoscaling": {"min_replicas": 1, "max_replicas": 1},
                "display_name": name,
                "state": "STARTED",
            }
            found = await self._wire.call("POST", "/endpoints", body, doing=f"deploying {name}", creating=True)
        endpoint = str(found.get("name"))
        match str(found.get("state")):
            case "STARTED":
                return Serving(ServingState.READY, endpoint, f"{endpoint} can be asked.")
            case "ERROR":
                return Serving(
                    ServingState.FAILED, None, f"together could not serve {job.model_name}. Its console says why."
                )
            case word:
                return _starting(f"{job.model_name} is trained; together starts its endpoint ({word}).")

    async def served(self) -> frozenset[str]:
        """The endpoints that run. Raises ProviderError."""
        return frozenset(str(found["name"]) for found in await self._list() if found.get("name") and _runs(found))

    async def take_down(self, model_name: str) -> None:
        """Delete the endpoint; the model stays. Raises ProviderError."""
        for found in await self._list():
            if found.get("name") == model_name:
                await _unless_gone(
                    self._wire.call("DELETE", f"/endpoints/{found.get('id')}", doing=f"taking down {model_name}")
                )

    async def _list(self) -> list[dict[str, Any]]:
        return items(await self._wire.call("GET", "/endpoints?type=dedicated&mine=true", doing="listing endpoints"))


def _starting(said: str) -> Serving:
    return Serving(ServingState.STARTING, None, said)


def _is_lora(model: str, name: str) -> bool:
    """Whether a model of Nebius's is the one deployed under our name: `<base>-LoRa:<name>-xxxx`."""
    return re.search(rf"-LoRa:{re.escape(name)}-[^-:]+$", model, re.IGNORECASE) is not None or model == name


def _is_up(deployment: dict[str, Any]) -> bool:
    return str(deployment.get("status")).lower() not in ("deleting", "deleted")


def _runs(endpoint: dict[str, Any]) -> bool:
    return str(endpoint.get("state")) not in ("STOPPED", "STOPPING", "ERROR")


async def _unless_gone(call: Coroutine[Any, Any, object]) -> None:
    """Await a deletion; what is gone already needs none."""
    try:
        await call
    except ProviderError as error:
        if error.status not in (404, 410):
            raise
