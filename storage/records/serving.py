"""The models that can answer, and which one did when."""

import hashlib
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
    CANARY = "canary"  # a candidate answers a share of the conversations; the model of before the rest
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
    canary: Model | None = None  # the candidate that answers `canary_share` of the conversations
    canary_share: float = 0.0  # in [0, 1]

    def model_for(self, conversation_id: str) -> Model:
        """Who answers a conversation; the same as long as this deployment is the current one."""
        return self.canary if self.canary is not None and self.is_in_canary(conversation_id) else self.model

    def is_in_canary(self, conversation_id: str) -> bool:
        """Whether the conversation is given to the candidate: a draw with the chance `canary_share`, by a hash.

        Of what was fixed before the conversation's reply: so the draw is known, and no process needs to remember it.
        """
        drawn = hashlib.sha256(f"{self.id}/{conversation_id}".encode()).digest()[:8]
        return int.from_bytes(drawn) < self.canary_share * 2**64
