"""Trained is one fact, servable another: a run waits for the deployment, names it, and fails with the vendor's sentence."""

from dataclasses import dataclass, field, replace

from curation.serving import served_name, slug
from providers.base import JobStatus, Serving, ServingState
from storage.records import RunState
from tests.curation.conftest import House

WAITING = Serving(ServingState.STARTING, None, "It is being deployed.")
BY_HAND = Serving(ServingState.BY_HAND, None, "Deploy it at azure under the name puffin-1.")
BROKEN = Serving(ServingState.FAILED, None, "azure could not deploy it: Failed.")


@dataclass
class SlowHost:
    """Says what it is told to, in order, and keeps what it was asked."""

    says: list[Serving]
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    bills_idle: bool = True

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        self.asked.append((job.id, base_model, name))
        if self.says:
            return self.says.pop(0)
        assert job.model_name is not None
        return Serving(ServingState.READY, job.model_name, "It can be asked.")

    async def served(self) -> frozenset[str]:
        return frozenset()

    async def take_down(self, model_name: str) -> None:
        return


def with_host(house: House, *says: Serving) -> SlowHost:
    host = SlowHost(list(says))
    house.workshop = replace(house.workshop, host=host)
    return host


async def test_a_run_waits_until_the_deployment_answers_and_asks_for_one_name(house: House):
    await house.approve(*range(12))
    host = with_host(house, WAITING, WAITING)
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    name = await served_name(house.workshop, run)
    assert host.asked == [("ftjob-1", "base", name)] * 3
    assert (await house.events(run)).count("It is being deployed.") == 1


async def test_a_deployment_to_be_made_by_hand_is_told_once_and_waited_for(house: House):
    await house.approve(*range(12))
    with_host(house, BY_HAND, BY_HAND, BY_HAND)
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    assert (await house.events(run)).count(BY_HAND.said) == 1


async def test_a_deployment_that_failed_ends_the_run_with_its_sentence(house: House):
    await house.approve(*range(12))
    with_host(house, BROKEN)
    run = await house.finish(await house.request())
    assert (run.state, run.end_reason) == (RunState.FAILED, BROKEN.said)


async def test_two_runs_are_served_under_two_names(house: House):
    await house.approve(*range(12))
    run = await house.request()
    assert await served_name(house.workshop, run) != await served_name(house.workshop, replace(run, id="run_other123"))


def test_a_voices_name_becomes_a_suffix_any_vendor_takes():
    assert [slug(name) for name in ("The Puffin & Co.", "Ж", "x" * 60)] == ["the-puffin-co", "voice", "x" * 40]
