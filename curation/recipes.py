"""How a run trains: the method, and the file it takes from a dataset version, in the shape of whoever trains.

Always from the pinned base on everything approved: what was learned before is learned anew, so nothing wears away.
"""

from dataclasses import dataclass

from curation.dataset import TRAIN_FILE
from curation.versions import export_for
from providers.quirks import TUNER, Method
from providers.rows import Quirks
from storage.records import Side
from storage.store import Store


class RecipeUnfit(Exception):
    """The version has too little of what the recipe learns from; the message says how much, and which recipe would do."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a job trains. None leaves a number to the vendor."""

    method: Method = Method.SFT
    beta: float | None = None  # dpo and kto: how closely the model is held to what it was
    learning_rate_multiplier: float | None = None  # times what the vendor would take
    lora_r: int | None = None  # rank of the adapter
    replay: float | None = None  # share of general examples beside ours; only supervised, and only the tuner has any


WHAT_IT_TAKES = {
    Method.DPO: "corrections of replies, which say what was answered instead",
    Method.KTO: "corrections of replies, and marks",
}


async def training_file(store: Store, version_id: str, row: Quirks, method: Method) -> bytes:
    """The version's train side as this vendor takes it. Raises RecipeUnfit, PartlyErased and MethodUnsupported.

    For the tuner, whose format datasets are written in, the supervised file is the version's own.
    """
    if method is Method.SFT and row.name == TUNER.name:
        return await store.datasets.file(version_id, TRAIN_FILE)
    exported = await export_for(store, version_id, Side.TRAIN, row, method, limits=None)
    if (count := len(exported.lines)) < row.minimum_examples:
        takes = WHAT_IT_TAKES.get(method, "approved corrections")
        advice = (
            "" if method is Method.SFT else " Set FINETONE_RECIPE=sft, which learns from every approved correction."
        )
        raise RecipeUnfit(
            f"{count} lines to train on by {method}, at least {row.minimum_examples} needed at {row.name}. "
            f"It learns from {takes}.{advice}"
        )
    return exported.content
