"""Before a run: what it would do if it were started now, and the request that starts it or joins the open one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from curation.dataset import Dataset, TooFewExamples
from curation.gathering import build, build_now, gather, pick
from curation.passes import Pass, passes_of
from curation.recipes import RecipeUnfit, recipe_of, require_passes
from curation.shutdowns import BaseDies, base_of
from curation.step import MEASURED
from curation.tariff import charge
from curation.workshop import Workshop
from storage.records import CorrectionState, Deployment, Run, Trigger, Voice
from storage.store import Store


class NothingNew(Exception):
    """The dataset would be the one the serving model was trained on; the message says so and what would change it."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would do if it were started now. `refusal` is a sentence, or "" when it may start."""

    train: int
    held_out: int
    train_tokens: int
    left_out: Mapping[str, int]  # reason → count
    waiting: int  # corrections that wait for approval
    new: int  # approved corrections the serving model was not trained on
    tokens_counted_by: str
    expected_seconds: float | None  # None until a first run here has been measured
    cost: str  # what the provider charges, in words; "" where no run may start
    open_run: Run | None
    refusal: str
    instead: str = ""  # why it trains on another base than the voice's, as a sentence; "" where it does not
    passes: tuple[Pass, ...] = ()  # what each job reads; none where no run may start


REFUSALS = (TooFewExamples, NothingNew, BaseDies, RecipeUnfit)
"""What keeps a run from starting, each a sentence."""


async def preview(workshop: Workshop, voice: Voice) -> Preview:
    """Build the dataset without storing it and say what training on it would mean."""
    store = workshop.store
    material = await gather(store, voice, workshop.press, at=workshop.now())
    picked = await pick(material, voice, workshop.press)
    counts = await store.corrections.count(voice.id)
    current = await store.models.current(voice.id)
    trained_on = await _trained_on(store, current)
    new = sum(correction.id not in trained_on for correction in material.approved)
    waiting = counts.get(CorrectionState.PROPOSED, 0)
    open_run = await store.runs.open_run(voice.id)
    selection = picked.selection
    left_out = dict(Counter(str(reason) for _, reason in selection.left_out))
    try:
        dataset = await build(picked, material.sides, voice, workshop.press)
        base = await base_of(workshop, voice)
        await _require_news(store, dataset, current, base.base_model)
        passes = _trainable_passes(workshop, dataset)
    except REFUSALS as refused:
        refusal = _with_queue(str(refused), waiting)
        return Preview(
            len(selection.examples), 0, 0, left_out, waiting, new, workshop.counter_name, None, "", open_run, refusal
        )
    return Preview(
        len(dataset.taught),
        len(dataset.held_out),
        dataset.train_tokens,
        dataset.card["left_out"],
        waiting,
        new,
        workshop.counter_name,
        await _expected_seconds(workshop, voice.id, dataset.train_tokens),
        charge(workshop.tariff, base.base_model, sum(each.tokens for each in passes), workshop.recipe.n_epochs),
        open_run,
        "",
        base.why,
        passes,
    )


async def request(workshop: Workshop, voice: Voice, *, by: str, trigger: Trigger = Trigger.PERSON) -> tuple[Run, bool]:
    """Start a run, or join the open one (then the second value is False). Raises one of REFUSALS.

    It trains on the voice's base, or on the successor that the settings name once that base nears its end.
    """
    store = workshop.store
    if (open_run := await store.runs.open_run(voice.id)) is not None:
        return open_run, False
    dataset = await build_now(store, voice, workshop.press, at=workshop.now())
    base = await base_of(workshop, voice)
    await _require_news(store, dataset, await store.models.current(voice.id), base.base_model)
    _trainable_passes(workshop, dataset)
    recipe = workshop.recipe.training.recipe
    return await store.runs.request(voice.id, base.base_model, trigger, by, at=workshop.now(), recipe=recipe)


def _trainable_passes(workshop: Workshop, dataset: Dataset) -> tuple[Pass, ...]:
    """What each job reads. Raises RecipeUnfit where one of them could not be paid for."""
    recipe = workshop.recipe.training.recipe
    passes = passes_of(dataset, recipe, workshop.count_tokens)
    require_passes(passes, workshop.vendor, recipe)
    return passes


async def _trained_on(store: Store, current: Deployment) -> frozenset[str]:
    """Ids of the corrections the serving model has seen, on either side."""
    version_id = current.model.dataset_version_id
    if version_id is None:
        return frozenset()
    return frozenset(line.source_id for line in await store.datasets.lines(version_id))


async def _require_news(store: Store, dataset: Dataset, current: Deployment, base_model: str) -> None:
    """Raise NothingNew where the serving model was trained on the very lines: marks that only say what not to say are no news."""
    if current.model.dataset_version_id is None or current.model.base_model != base_model:
        return
    version = await store.datasets.get(current.model.dataset_version_id)
    if version.id == dataset.id or version.card.get("sides_id") == dataset.card["sides_id"]:
        raise NothingNew(
            f"Model {current.model.number} was trained on exactly these {len(dataset.train)} examples. "
            "Approve another correction first."
        )


def _with_queue(sentence: str, waiting: int) -> str:
    if not waiting:
        return sentence
    verb = "correction still waits" if waiting == 1 else "corrections still wait"
    return f"{sentence} {waiting} {verb} for approval: finetone queue lists them."


async def _expected_seconds(workshop: Workshop, voice_id: str, tokens: int) -> float | None:
    """Seconds a run should take, from the newest one here that was measured and trained by the same recipe; None without."""
    store, recipe = workshop.store, workshop.recipe.training.recipe
    for run in await store.runs.recent(voice_id, limit=20):
        if recipe_of(run, workshop.recipe.training) is not recipe:
            continue
        for _, event in await store.runs.events(run.id):
            if event.key == MEASURED and event.numbers.get("train_tokens"):
                return event.numbers["seconds"] / event.numbers["train_tokens"] * tokens
    return None
