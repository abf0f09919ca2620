"""The learning page's numbers, read from the store for every surface."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from curation import requesting
from curation.cost import training_cost
from curation.learning import MONTH_DAYS, Learning, NextRun, Taught, fix_tokens, forecast, taught_by, took
from curation.prices import Item, price_of
from curation.tariff import ASSUMED_EPOCHS
from curation.workshop import Workshop
from storage.records import Correction, Voice

DEPLOYMENTS_READ = 10_000
SHOWN = 5  # corrections named of one run; the others are counted


async def read_learning(workshop: Workshop, voice: Voice) -> Learning:
    """Everything the page shows, as it is now."""
    store = workshop.store
    models = await store.models.list(voice.id)
    deployments = await store.models.deployments(voice.id, DEPLOYMENTS_READ)
    replies = await store.upkeep.by_model(voice.id)
    taught = taught_by(models, deployments, await store.learned.of_voice(voice.id), replies)
    by_name = {one.model_name: one for one in replies}
    current = await store.models.current(voice.id)
    learned = await store.learned.learned_by(current.model.id)
    trained = [
        (model.base_model, (await store.datasets.get(model.dataset_version_id)).train_tokens)
        for model in models
        if model.dataset_version_id is not None
    ]
    decided = await store.upkeep.decided(voice.id)
    return Learning(
        taught,
        tuple((model, by_name[model.name]) for model in models if model.name in by_name),
        took(trained, workshop.tariff, workshop.recipe.n_epochs, decided, len(learned)),
        await _next_run(workshop, voice, taught, learned),
    )


async def _next_run(workshop: Workshop, voice: Voice, taught: Sequence[Taught], learned: frozenset[str]) -> NextRun:
    """What a run would do now: its cost, and the tokens of fixes it would make unnecessary."""
    store, tariff = workshop.store, workshop.tariff
    preview = await requesting.preview(workshop, voice)
    in_force = {correction.id: correction for correction in await store.corrections.in_force(voice.id)}
    shown = await store.upkeep.fixes_shown(voice.id, workshop.now() - timedelta(days=MONTH_DAYS))
    sizes = {
        id: workshop.count_tokens([correction.question, correction.corrected_text])
        for id, correction in in_force.items()
        if shown[id]
    }
    epochs = workshop.recipe.n_epochs or ASSUMED_EPOCHS
    price = price_of(tariff.prices, tariff.vendor, voice.base_model, Item.TRAINING)
    is_priced = preview.train_tokens and not preview.instead  # of another base, the price is another
    return NextRun(
        preview.new,
        len(in_force.keys() - learned),
        preview.refusal,
        preview.cost,
        training_cost(preview.train_tokens, epochs, price) if is_priced else None,
        fix_tokens(shown, sizes, learned),
        forecast(taught),
        price_of(tariff.prices, tariff.vendor, voice.base_model, Item.INPUT),
    )


async def corrections_named(workshop: Workshop, learning: Learning) -> Mapping[str, Correction]:
    """The first few corrections that each run taught or forgot, by id."""
    ids = [id for run in learning.taught for named in (run.new, run.forgotten) for id in named[:SHOWN]]
    return {correction.id: correction for correction in await workshop.store.corrections.many(ids)}
