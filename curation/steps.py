"""A run of several jobs: what each is asked for with, under which key, and how the run gets from one to the next.

A job goes on from the model of the one before, which is no candidate: nobody is asked by it, and it gets no number. The step
before is kept and the next begun in one transaction (Runs.next_step), so that a crash between two jobs loses none and pays
for none twice: each has a key of its own, under which it is looked up before it is created.
"""

from dataclasses import replace

from curation.recipes import Training, methods_of, recipe_of
from curation.step import end, promised, tell
from curation.workshop import Workshop
from providers.base import JobRequest, JobStatus, Method
from storage.records import Run, RunState, RunStep


def method_of(run: Run, training: Training) -> Method:
    """How the run's step trains."""
    return methods_of(recipe_of(run, training))[run.step - 1]


def is_last(run: Run, training: Training) -> bool:
    """Whether the model of the run's step is the candidate."""
    return run.step >= len(methods_of(recipe_of(run, training)))


def key_of(run: Run) -> str:
    """What the step's job is found by at the vendor; in a search, which has one job a trial, the trial's."""
    if trial := run.plan.get("trial"):
        return f"{run.id}-{trial}"
    return run.id if run.step == 1 else f"{run.id}-{run.step}"


async def job_of(workshop: Workshop, run: Run, suffix: str) -> JobRequest:
    """What the step's job is asked for with. What is meant for one method alone is left out of the other's job."""
    recipe, training = workshop.recipe, workshop.recipe.training
    method = method_of(run, training)
    done = await workshop.store.runs.steps(run.id)
    return JobRequest(
        key_of(run),
        run.base_model,
        promised(run.training_file_id),
        suffix if is_last(run, training) else f"{suffix}-{method}",
        recipe.n_epochs,
        recipe.seed,
        method,
        None if method is Method.SFT else training.beta,
        training.learning_rate_multiplier,
        training.lora_r,
        training.replay if method is Method.SFT else None,
        starts_from=done[-1].model_name if done else None,
    )


async def next_step(workshop: Workshop, run: Run, job: JobStatus) -> Run:
    """Keep the succeeded job, and freeze the run for the next one."""
    if job.model_name is None:
        why = f"Training job {job.id} succeeded, and the provider names no model that the next job could go on from."
        return await end(workshop, run, RunState.FAILED, why)
    at, training = workshop.now(), workshop.recipe.training
    file_id = promised(run.training_file_id)
    over = RunStep(run.id, run.step, file_id, job.id, job.model_name, job.trained_tokens, job.created_at, at)
    then = method_of(replace(run, step=run.step + 1), training)
    seconds = (at - job.created_at).total_seconds()
    await tell(
        workshop,
        run,
        f"step-{run.step}",
        f"Step {run.step} of {run.steps} is done, by {method_of(run, training)} in {seconds:.0f} s: {job.model_name}. "
        f"The next job goes on from it by {then}.",
    )
    return await workshop.store.runs.next_step(run, over, at=at)
