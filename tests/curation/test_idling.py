"""What costs money while nobody asks it is taken down, and nothing that may still be needed."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from curation.idling import Idle, take_down_idle
from curation.promotion import roll_back
from curation.serving import served_name
from providers.base import ErrorKind, JobStatus, ProviderError, Serving, ServingState
from storage.records import RunState
from tests.curation.conftest import House

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Hourly:
    """Serves under the trained model's name, bills by the hour, and lists what is up."""

    up: set[str] = field(default_factory=set)
    bills_idle: bool = True
    looks: int = 0
    refuses: bool = False

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        assert job.model_name is not None
        self.up.add(job.model_name)
        return Serving(ServingState.READY, job.model_name, "It can be asked.")

    async def served(self) -> frozenset[str]:
        self.looks += 1
        return frozenset(self.up)

    async def take_down(self, model_name: str) -> None:
        if self.refuses:
            raise ProviderError("The token has run out.", ErrorKind.TRAINING_UNAVAILABLE, status=401)
        self.up.discard(model_name)


def hourly(house: House) -> Hourly:
    host = Hourly()
    house.workshop = replace(house.workshop, host=host)
    return host


async def promote(house: House, *numbers: int) -> str:
    await house.approve(*numbers)
    run = await house.finish(await house.request())
    assert run.state is RunState.PROMOTED
    assert run.candidate_name is not None
    return run.candidate_name


async def three_models(house: House) -> list[str]:
    models = [await promote(house, *range(12))]
    for start in (20, 40):
        current = await house.store.models.current(house.voice.id)
        base = await house.store.models.by_name(house.voice.id, "base")
        await house.store.models.roll_back(
            house.voice.id, current.seq, base.id, by=house.admin.id, why="", at=house.workshop.now()
        )
        models.append(await promote(house, *range(start, start + 12)))
    house.advance(2 * 86400)
    return models


async def test_an_old_model_goes_and_what_serves_and_what_could_be_rolled_back_to_stay(house: House):
    host = hourly(house)
    first, second, third = await three_models(house)
    host.up.add("somebody-elses")
    taken = await take_down_idle(house.workshop)
    current = await house.store.models.current(house.voice.id)
    assert current.model.name == third
    assert taken == [first, second]  # the base serves in between, so it is what can be rolled back to
    assert host.up == {third, "somebody-elses"}
    alarms = await house.store.alarms.since(house.voice.id, LONG_AGO)
    assert [alarm.text.partition(" was")[0] for alarm in alarms] == [f"Model 1 ({first})", f"Model 2 ({second})"]
    assert [entry.verb for entry in await house.store.audit.entries(2)] == ["take_down", "take_down"]


async def test_the_model_before_stays_and_so_does_one_that_was_rolled_back_to(house: House):
    host = hourly(house)
    first, second, third = await three_models(house)
    await roll_back(house.store, house.voice.id, by=house.admin, why="", at=house.workshop.now(), to_number=1)
    assert (await house.store.models.current(house.voice.id)).model.name == first
    assert await take_down_idle(house.workshop) == [second, third]
    assert host.up == {first}


async def test_what_a_run_made_today_stays_for_an_admin_to_release(house: House):
    hourly(house)
    await promote(house, *range(12))
    assert await take_down_idle(house.workshop) == []


async def test_a_deployment_that_a_cancelled_run_left_behind_goes(house: House):
    host = hourly(house)
    await house.approve(*range(12))
    run = await house.request()
    name = await served_name(house.workshop, run)
    host.up.add(name)
    assert await take_down_idle(house.workshop) == []  # the run is open
    await house.store.runs.request_cancel(run.id, house.admin.id, at=house.workshop.now())
    assert (await house.finish(run)).state is RunState.CANCELLED
    house.advance(2 * 86400)
    assert await take_down_idle(house.workshop) == [name]
    (alarm,) = await house.store.alarms.since(house.voice.id, LONG_AGO)
    assert alarm.text.startswith(f"{name}, which a run left behind, was taken down")


async def test_it_is_looked_at_once_an_hour_and_not_at_all_where_idling_is_free(house: House):
    host = hourly(house)
    idle = Idle(house.workshop)
    await idle.look()
    await idle.look()
    assert host.looks == 1
    house.advance(3601)
    host.bills_idle = False
    await idle.look()
    assert host.looks == 1


async def test_a_refusal_is_logged_and_nothing_is_told_as_done(house: House):
    host = hourly(house)
    await three_models(house)
    host.refuses = True
    await Idle(house.workshop).look()
    assert len(host.up) == 3
    assert await house.store.alarms.since(house.voice.id, LONG_AGO) == []
