"""The second half of a run: candidate against incumbent on the held-out questions, and what follows from the verdict."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from curation import canary, voting
from curation.asking import Arm
from curation.dataset import HELD_OUT_FILE, TRAIN_FILE, Example
from curation.evaluation import Contest, compare
from curation.evidence import RulesChanged
from curation.examining import examine
from curation.exporting import first_exchanges, fixes_before
from curation.fixes import is_as_served
from curation.measures import CANDIDATE, INCUMBENT
from curation.release import set_id
from curation.sealing import seal, sealed
from curation.step import end, promised, tell
from curation.suites import Case
from curation.voice_card import checks_of
from curation.workshop import Workshop
from storage.errors import DeploymentMoved
from storage.records import Message, Part, Role, Run, RunState, Suite, Voice

FEW_SHOTS = 3  # examples shown to the base model, for what a prompt can do without training


async def evaluate(workshop: Workshop, run: Run) -> Run:
    """Ask incumbent and candidate the held-out questions; save both answers, the scores and the verdict."""
    store, recipe = workshop.store, workshop.recipe
    voice = await store.voices.get(run.voice_id)
    current = await store.models.current(voice.id)
    version_id = promised(run.dataset_version_id)
    version = await store.datasets.get(version_id)
    samples = await _samples(workshop, version_id)
    try:
        rules = await seal(workshop, run, _sets([sample.source_id for sample in samples], recipe.cases))
    except RulesChanged as changed:
        return await end(workshop, run, RunState.STOPPED, str(changed))

    async def progress(done: int, total: int) -> None:
        numbers = {"evaluated": float(done), "to_evaluate": float(total)}
        text = f"Compared {done} of {total} questions."
        await tell(workshop, run, f"evaluated-{run.epoch}-{done}", text, numbers=numbers)

    candidate = await store.models.by_name(voice.id, promised(run.candidate_name))
    forgotten = await examine(workshop, run, voice, candidate)
    trained_on = await store.datasets.file(version_id, TRAIN_FILE)
    contest = Contest(
        run.id,
        current.model.name,
        promised(run.candidate_name),
        voice.prompt(current.model.prompt),
        voice.prompt(version.prompt),
        samples,
        recipe.sampling,
        recipe.budget_tokens,
        rules,
        _beside(workshop, run, voice, trained_on),
        forgotten,
        cases=recipe.cases,
        checks=await checks_of(store, voice.id),
        known=trained_on.decode(),
        base_model=run.base_model,
        uses=await store.releases.uses(voice.id, run.id, [sample.source_id for sample in samples]),
        with_fixes=_with_fixes({INCUMBENT: current.model.shape, CANDIDATE: str(version.card["shape"])}, samples),
    )
    if contest.candidate_prompt != voice.system_prompt:
        saved = workshop.count_tokens([voice.system_prompt]) - workshop.count_tokens([contest.candidate_prompt])
        text = f"The candidate is asked with the short prompt: {saved} tokens fewer in every reply."
        await tell(workshop, run, "baked", text, numbers={"saved_tokens_per_reply": float(saved)})
    evaluation = await compare(
        contest,
        workshop.chat_model,
        workshop.count_tokens,
        now=workshop.now,
        progress=progress,
        critics=workshop.critics,
    )
    await store.runs.save_evaluation(evaluation)
    return await store.runs.advance(run.id, run.epoch, run.state, RunState.EVALUATED, at=workshop.now())


async def _samples(workshop: Workshop, version_id: str) -> tuple[Example, ...]:
    """The held-out questions of a version, each with the fixes it would be served with."""
    datasets = workshop.store.datasets
    lines = [line for line in await datasets.lines(version_id) if line.part is Part.HELD_OUT]
    answers = sorted((line for line in lines if line.role is Role.ANSWER), key=lambda line: line.position)
    counts = Counter(line.position for line in lines if line.role is Role.FIX)
    fixes = fixes_before(await datasets.file(version_id, HELD_OUT_FILE), counts) if counts else {}
    corrections = [(line, await workshop.store.corrections.get(line.source_id)) for line in answers]
    return tuple(
        Example(c.id, line.group_key, c.history, c.question, c.corrected_text, fixes=fixes.get(line.position, ()))
        for line, c in corrections
    )


def _with_fixes(shapes: Mapping[str, str], samples: Sequence[Example]) -> frozenset[str]:
    """Who is asked with the samples' fixes: whose replies have them when serving. Where no sample has any, nobody."""
    if not any(sample.fixes for sample in samples):
        return frozenset()
    return frozenset(way for way, shape in shapes.items() if is_as_served(shape))


def _sets(sample_ids: Sequence[str], cases: Sequence[Case]) -> list[str]:
    """What is asked, by suite; a suite of which nothing is asked is none."""
    asked = {Suite.TARGET: list(sample_ids)}
    for case in cases:
        asked.setdefault(case.suite, []).append(case.id)
    return [set_id(suite, ids) for suite, ids in asked.items()]


def _beside(workshop: Workshop, run: Run, voice: Voice, content: bytes) -> tuple[Arm, ...]:
    """What a prompt alone can do: the base with the full prompt, and with some of the training examples before the question."""
    exchanges: list[Message] = []
    left = workshop.recipe.budget_tokens // 2  # the other half is for the conversation that is asked about
    for question, answer in first_exchanges(content, FEW_SHOTS):
        left -= workshop.count_tokens([question, answer])
        if left < 0:
            break
        exchanges += [Message("user", question), Message("assistant", answer)]
    base = Arm("base", run.base_model, voice.system_prompt)
    return (base, replace(base, way="few_shot", exchanges=tuple(exchanges))) if exchanges else (base,)


async def decide(workshop: Workshop, run: Run) -> Run:
    """Promote on a passed verdict, or begin the canary; stop on another; compare again when another model serves by now.

    Where the plan lets people decide, the run comes back unchanged while their choices may still prove something.
    """
    store, at = workshop.store, workshop.now()
    evaluation = await store.runs.evaluation(run.id)
    current = await store.models.current(run.voice_id)
    if evaluation is None or evaluation.incumbent_name != current.model.name:
        return await store.runs.advance(run.id, run.epoch, run.state, RunState.SERVABLE, at=at)
    try:
        rules = await sealed(workshop, run)
    except RulesChanged as changed:
        return await end(workshop, run, RunState.STOPPED, str(changed))
    if voting.waits(evaluation, rules):
        decided = await voting.look(workshop, run, evaluation, rules)
        if decided is None:
            return run
        evaluation = decided
        await store.runs.save_evaluation(evaluation)
    if not evaluation.passed:
        return await end(workshop, run, RunState.STOPPED, evaluation.reason)
    try:
        if rules.candidate_share:
            return await canary.start(workshop, run, current.seq, rules.candidate_share, evaluation.reason)
        await store.runs.promote(run.id, run.epoch, current.seq, by=run.requested_by, why=evaluation.reason, at=at)
    except DeploymentMoved:
        return run  # somebody rolled back in between; the next call sees it
    return await store.runs.get(run.id)
