"""What a preference job may start from beside the base: a tuned model of this home, whose adapter it goes on training.

Supervised jobs start from the base with all examples, so that nothing learned earlier wears away. Preferences are learned
best after the answers themselves: the published recipe is supervised first, then DPO from that model
(https://developers.openai.com/api/docs/guides/direct-preference-optimization, "recommended workflow", read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tuner.errors import ApiError, bad_request
from tuner.paths import PEFT_FOLDER, WEIGHTS_FILE, Home
from tuner.recipe import Asked
from tuner.records import Job, TunedModel
from tuner.store import Store

GOES_ON = ("dpo", "kto")


@dataclass(frozen=True)
class Starts:
    """The tuned models of one home that jobs on `base` may start from."""

    store: Store
    home: Home
    base: str

    def require(self, named: str, model: str, method: str, asked: Asked) -> Asked:
        """What was asked, with the adapter's own rank and alpha. Raises ApiError 400 where no job may start from `model`.

        `named` is the model as the caller wrote it, `model` the same with aliases resolved.
        """
        found = self.store.model(model, deleted=True)
        if found is None:
            raise _refusal(
                f"Model {named} is not available for fine-tuning or does not exist. This server trains {self.base}, and by "
                f"{' or '.join(GOES_ON)} the models tuned from it."
            )
        self._require_usable(named, found)
        if method not in GOES_ON:
            raise _refusal(
                f"{named} is a tuned model, and only {' and '.join(GOES_ON)} go on from one; "
                f"start from the base {self.base} with all examples instead."
            )
        return self._with_its_shape(named, found, asked)

    def adapter(self, job: Job) -> Path | None:
        """The served adapter of the model the job started from, also of one deleted since; None: it started from the base."""
        if job.starts_from is None or (source := self.store.model(job.starts_from, deleted=True)) is None:
            return None
        return self.home.jobs / source.job_id / source.adapter

    def weights(self, job: Job) -> Path | None:
        """The folder of the same adapter in the layout it is trained in."""
        adapter = self.adapter(job)
        return None if adapter is None else adapter.parent / PEFT_FOLDER

    def _require_usable(self, named: str, found: TunedModel) -> None:
        if self.store.model(found.name) is None:
            raise _refusal(f"Model {named} was deleted. Start from {self.base}, or from a model that is still listed.")
        if found.base != self.base:
            raise _refusal(
                f"{named} was tuned from {found.base}, and this server has {self.base} loaded. Serve {found.base} to train it "
                f"further, or start from {self.base}."
            )
        if found.is_checkpoint:
            final = found.name.partition(":ckpt-step-")[0]
            raise _refusal(f"{named} is a checkpoint. Start from {final}, the model that its job ended with.")
        folder = self.home.jobs / found.job_id / PEFT_FOLDER
        if not (folder / WEIGHTS_FILE).exists():
            raise _refusal(
                f"The weights of {named} are no longer in {folder}. Put {WEIGHTS_FILE} back, or start from {self.base}."
            )

    def _with_its_shape(self, named: str, found: TunedModel, asked: Asked) -> Asked:
        source = self.store.job(found.job_id)
        assert source is not None, "a model's job is held by a foreign key"
        for name in ("lora_r", "lora_alpha"):
            wanted, has = getattr(asked, name), source.recipe[name]
            if wanted is not None and wanted != has:
                raise bad_request(
                    f"{name} is {wanted}, and {named} has {has}, which a job that goes on from it keeps. Leave {name} out.",
                    name,
                )
        return replace(asked, lora_r=source.recipe["lora_r"], lora_alpha=source.recipe["lora_alpha"])


def _refusal(sentence: str) -> ApiError:
    return bad_request(sentence, "model", "model_not_available")
