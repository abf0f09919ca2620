"""How a run trains: the methods, and for each the file it takes from a dataset version, in the shape of whoever trains.

Always from the pinned base on everything approved: what was learned before is learned anew, so nothing wears away. A recipe of
two methods is two jobs of one run, the second of which goes on from the model of the first (steps.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from curation.dataset import TRAIN_FILE
from curation.passes import Pass
from curation.versions import export_for
from providers.quirks import TUNER, VENDORS, Method
from providers.rows import GoesOn, Quirks
from storage.records import RecipeKind, Run, Side
from storage.store import Store


class RecipeUnfit(Exception):
    """The recipe does not fit the version, or whoever trains; the message says why, and which recipe would do."""


@dataclass(frozen=True, slots=True)
class Training:
    """How a run's jobs train. None leaves a number to the vendor."""

    recipe: RecipeKind = RecipeKind.SFT
    beta: float | None = None  # dpo and kto: how closely the model is held to what it was
    learning_rate_multiplier: float | None = None  # times what the vendor would take
    lora_r: int | None = None  # rank of the adapter
    replay: float | None = None  # share of general examples beside ours; only supervised, and only the tuner has any


WHAT_IT_TAKES = {
    Method.DPO: "corrections of replies, which say what was answered instead",
    Method.KTO: "corrections of replies, and marks",
}
SET_SFT = "Set FINETONE_RECIPE=sft, which learns from every approved correction."


def methods_of(recipe: RecipeKind) -> tuple[Method, ...]:
    """The method of each job, in order."""
    return tuple(Method(word) for word in recipe.methods)


def recipe_of(run: Run, training: Training) -> RecipeKind:
    """What the run was asked for with, whatever the settings say now.

    A run from before that was kept goes by the settings; it had one job, so where they name two it is the first.
    """
    if run.recipe is not None or len(training.recipe.methods) == 1:
        return run.recipe or training.recipe
    return RecipeKind(training.recipe.methods[0])


def require_recipe(vendor: Quirks, recipe: RecipeKind) -> None:
    """Raise RecipeUnfit unless the vendor can do each of the recipe's jobs."""
    methods = methods_of(recipe)
    for method in methods:
        if method not in vendor.methods:
            able = ", ".join(sorted(row.name for row in VENDORS.values() if method in row.methods))
            has = ", ".join(sorted(vendor.methods))
            raise RecipeUnfit(f"{vendor.name} trains by {has}, not by {method}. These do: {able}. {SET_SFT}")
    if len(methods) > 1 and vendor.goes_on is GoesOn.NOWHERE:
        able = ", ".join(sorted(row.name for row in VENDORS.values() if row.goes_on is not GoesOn.NOWHERE))
        raise RecipeUnfit(
            f"{recipe} trains by {methods[1]} from the model that {methods[0]} made, and {vendor.name} starts every job from "
            f"a base model. These go on from a tuned one: {able}. {SET_SFT}"
        )


async def require_files(store: Store, version_id: str, vendor: Quirks, recipe: RecipeKind) -> None:
    """Raise what `require_recipe` and `training_file` raise for any of the jobs, before the first of them is paid for."""
    require_recipe(vendor, recipe)
    for method in methods_of(recipe):
        await training_file(store, version_id, vendor, method)


async def training_file(store: Store, version_id: str, row: Quirks, method: Method) -> bytes:
    """The version's train side as this vendor takes it. Raises RecipeUnfit, PartlyErased and MethodUnsupported.

    For the tuner, whose format datasets are written in, the supervised file is the version's own.
    """
    if method is Method.SFT and row.name == TUNER.name:
        return await store.datasets.file(version_id, TRAIN_FILE)
    exported = await export_for(store, version_id, Side.TRAIN, row, method, limits=None)
    _require_enough(len(exported.lines), row, method)
    return exported.content


def require_passes(passes: Sequence[Pass], vendor: Quirks, recipe: RecipeKind) -> None:
    """Raise as `require_files` does, as far as that can be said of a version that is not stored yet."""
    require_recipe(vendor, recipe)
    for each in passes:
        if each.method is not Method.SFT:
            _require_enough(each.lines, vendor, each.method)


def _require_enough(count: int, row: Quirks, method: Method) -> None:
    if count >= row.minimum_examples:
        return
    takes = WHAT_IT_TAKES.get(method, "approved corrections")
    advice = "" if method is Method.SFT else f" {SET_SFT}"
    raise RecipeUnfit(
        f"{count} lines to train on by {method}, at least {row.minimum_examples} needed at {row.name}. "
        f"It learns from {takes}.{advice}"
    )
