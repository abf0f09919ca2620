"""Pure: a JobRequest in a vendor's own words. What the vendor has no field for is refused by name, never left out in silence."""

from typing import Any

from providers.base import ErrorKind, JobRequest, Method, ProviderError
from providers.rows import GoesOn, Quirks, Rank

RUN_KEY = "finetone_run"  # the metadata key a job is found by
METHOD_WORDS = {Method.SFT: "supervised", Method.DPO: "dpo", Method.KTO: "kto"}  # as the API's `method.type` names them


def openai_body(request: JobRequest, row: Quirks) -> dict[str, Any]:
    """The body of POST /fine_tuning/jobs. Raises ProviderError for what this vendor cannot be asked."""
    refuse_unknown(request, row)
    numbers: dict[str, Any] = {"n_epochs": "auto" if request.n_epochs is None else request.n_epochs}
    if request.beta is not None:
        numbers["beta"] = request.beta
    if request.learning_rate_multiplier is not None:
        numbers["learning_rate_multiplier"] = request.learning_rate_multiplier
    numbers |= dict(row.extra_hyperparameters)
    body: dict[str, Any] = {
        "model": request.starts_from or request.base_model,
        "training_file": request.training_file_id,
        "suffix": request.suffix,
        **dict(row.extra_body),
    }
    if request.lora_r is not None:
        (body if row.rank is Rank.BODY else numbers)[_rank_field(row.rank)] = request.lora_r
    if row.method_style:
        word = METHOD_WORDS[request.method]
        body["method"] = {"type": word, word: {"hyperparameters": numbers}}
    else:
        body["hyperparameters"] = numbers
    if request.seed is not None:
        body["seed"] = request.seed
    if request.validation_file_id is not None:
        body["validation_file"] = request.validation_file_id
    if row.knows_metadata:
        body["metadata"] = {RUN_KEY: request.run_key}
    if request.replay:
        body["replay"] = request.replay
    return body


def together_body(request: JobRequest, row: Quirks) -> dict[str, Any]:
    """The body of Together's POST /fine-tunes, whose adapters have rank 8 unless told. Raises ProviderError."""
    refuse_unknown(request, row)
    method: dict[str, Any] = {"method": "sft", "train_on_inputs": False}
    if request.method is Method.DPO:
        method = {"method": "dpo"} if request.beta is None else {"method": "dpo", "dpo_beta": request.beta}
    r = request.lora_r or 8
    start = {"model": request.base_model} if request.starts_from is None else {row.goes_on.value: request.starts_from}
    body: dict[str, Any] = {
        **start,
        "training_file": request.training_file_id,
        "suffix": request.suffix,
        "training_method": method,
        "training_type": {"type": "Lora", "lora_r": r, "lora_alpha": 2 * r},
    }
    if request.n_epochs is not None:
        body["n_epochs"] = request.n_epochs
    if request.validation_file_id is not None:
        body |= {"validation_file": request.validation_file_id, "n_evals": request.n_epochs or 1}
    return body


def refuse_unknown(request: JobRequest, row: Quirks) -> None:
    """Raise ProviderError where the request asks for what the vendor's row says it does not know."""
    if request.method not in row.methods:
        known = ", ".join(sorted(row.methods))
        raise _refusal(f"{row.name} trains {known}, not {request.method}. Set FINETONE_RECIPE=sft.")
    if request.starts_from is not None and row.goes_on is GoesOn.NOWHERE:
        raise _refusal(f"{row.name} starts every job from a base model, and {request.starts_from} is a tuned one.")
    if request.learning_rate_multiplier is not None and not row.knows_rate_multiplier:
        raise _refusal(
            f"{row.name} takes learning rates as absolute numbers, and a multiplier of "
            f"{request.learning_rate_multiplier:g} was asked for. Leave the rate to it."
        )
    if request.lora_r is not None and row.rank is Rank.NOWHERE:
        raise _refusal(
            f"{row.name} chooses the adapter's rank itself, and {request.lora_r} was asked for. Leave it out."
        )
    if request.replay and not row.knows_replay:
        raise _refusal(
            f"{row.name} has no general examples to mix in, and a share of {request.replay:g} was asked for. "
            "Set FINETONE_REPLAY=0."
        )


def _rank_field(rank: Rank) -> str:
    return "lora_r" if rank is Rank.BODY else rank.value


def _refusal(sentence: str) -> ProviderError:
    return ProviderError(sentence, ErrorKind.BAD_REQUEST)
