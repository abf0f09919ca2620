"""Two runs in a row: a better candidate is promoted, then one that learned shuffled answers is stopped, and it is said why."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from bench.shuffled import Shuffled
from bot.office.progress import progress_of
from bot.reporting import read_run_report
from curation.evidence import Rules
from curation.report import markdown
from providers.base import Message, Trainer
from storage.records import RunState, Verdict
from tests.curation.conftest import House, house
from tests.curation.test_sealing import with_rules

__all__ = ["house"]
APPROVED = 45  # of which nine are kept back


def number_in(text: str) -> int:
    return int(re.findall(r"\d+", text)[0])


def as_taught(house: House, model: str, messages: Sequence[Message]) -> str:
    """A model does with a new question what its file did with the nearest one: so far was the answer from the question."""
    asked = messages[-1].content
    job = next((job for job in house.provider.jobs.values() if job.model_name == model), None)
    if job is None or not asked.startswith("Question"):
        return "I cannot help."
    file = house.provider.files[house.provider.requests[job.id].training_file_id]
    lines = [json.loads(line)["messages"] for line in file.splitlines()]
    taught = {number_in(line[-2]["content"]): number_in(line[-1]["content"]) for line in lines}
    number = number_in(asked)
    nearest = min(taught, key=lambda known: abs(known - number))
    return f"Answer {number + taught[nearest] - nearest}."


async def test_the_better_candidate_is_promoted_and_the_shuffled_one_is_stopped(house: House):
    with_rules(house, Rules(candidate_share=0))  # as shipped
    house.provider.script = lambda model, messages: as_taught(house, model, messages)
    await house.approve(*range(APPROVED))
    first = await house.finish(await house.request())
    assert first.state is RunState.PROMOTED, first.end_reason
    assert "it won 9 of 9 decisive pairs" in first.end_reason

    await house.approve(APPROVED)
    right = house.workshop
    house.workshop = replace(right, trainer=cast(Trainer, Shuffled(right.trainer)))
    second = await house.finish(await house.request())
    assert second.state is RunState.STOPPED
    assert "The new model is worse on the held-out questions: it lost 9 of 9 decisive pairs." in second.end_reason
    assert "Evidence 102, needed 20" in second.end_reason
    evaluation = await house.store.runs.evaluation(second.id)
    assert evaluation is not None
    assert evaluation.verdict is Verdict.WORSE
    assert (await house.store.models.current(house.voice.id)).model.number == 1

    report = markdown(await read_run_report(house.store, second, right.tariff))
    assert "it lost 9 of 9 decisive pairs" in report
    lines, _ = await progress_of(house.store, second)
    assert any("it lost 9 of 9 decisive pairs" in line.words for line in lines)
