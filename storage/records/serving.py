"""The models that can answer, and which one did when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.records.talk import PromptKind


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can answer. `number` counts a voice's models from 0, the base; people say "model 3"."""

    id: str
    voice_id: str
    number: int
    name: str  # the provider's name, sent in requests
    base_model: str
    run_id: str | None  # None for the base
    dataset_version_id: str | None
    created_at: datetime
    erased_at: datetime | None = None  # when something it was trained on was erased
    prompt: PromptKind = PromptKind.FULL  # which of the voice's prompts it was trained with, and is asked with
    shape: str = ""  # of the prompts it was trained on, as its version's card says it; "" for a base

    @property
    def is_base(self) -> bool:
        """Whether this is the untuned base model."""
        return self.run_id is None


class DeploymentKind(StrEnum):
    """Why a deployment row was appended."""

    FIRST = "first"  # the base model, when the voice was created
    PROMOTION = "promotion"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Deployment:
    """This model serves since then, by whom and why. Append-only; the highest `seq` of a voice is the current one."""

    id: str
    voice_id: str
    seq: int
    kind: DeploymentKind
    model: Model
    run_id: str | None
    since: datetime
    by: str  # actor id
    why: str
