"""The base migration drill: trained elsewhere, compared correction by correction, taken down again, and nothing switched."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from curation.migration import Destination, DrillFailed, drill, prepared
from curation.shutdowns import BaseDies
from curation.survival import Report, markdown
from curation.tariff import Tariff
from providers.base import ErrorKind, JobState, JobStatus, Message, ProviderError, Serving, ServingState
from providers.fake import FakeProvider
from storage.records import RunState
from tests.curation.conftest import RULES, House, learned, words
from tests.curation.test_shutdowns import Listing


def learns_half(model: str, messages: Sequence[Message]) -> str:
    """Elsewhere: a tuned model answers questions with an even number as approved, and the others badly."""
    question = messages[-1].content
    if not model.startswith("ft:"):
        return "As an assistant I cannot."
    number = int("".join(sign for sign in question if sign.isdigit()))
    return learned(model, messages) if number % 2 == 0 else "No idea at all."


@dataclass
class Dedicated:
    """Serves at the second look, bills by the hour, keeps what is up."""

    up: set[str] = field(default_factory=set)
    bills_idle: bool = True
    fails: bool = False
    looks: int = 0

    async def serve(self, job: JobStatus, base_model: str, name: str) -> Serving:
        assert job.model_name is not None
        self.looks += 1
        self.up.add(job.model_name)
        if self.fails:
            return Serving(ServingState.FAILED, None, "No hardware is free.")
        if self.looks == 1:
            return Serving(ServingState.STARTING, None, "It is being deployed.")
        return Serving(ServingState.READY, job.model_name, "It can be asked.")

    async def served(self) -> frozenset[str]:
        return frozenset(self.up)

    async def take_down(self, model_name: str) -> None:
        self.up.discard(model_name)


@dataclass
class Elsewhere:
    provider: FakeProvider
    host: Dedicated
    there: Destination
    said: list[str] = field(default_factory=list)


def elsewhere() -> Elsewhere:
    provider = FakeProvider(base_models=frozenset({"other-base"}), script=learns_half)
    host = Dedicated()
    there = Destination(
        "other-base", provider, provider, host, Listing(), RULES, words, "words", Tariff("nebius"), poll_s=0.0
    )
    return Elsewhere(provider, host, there)


async def drilled(house: House, away: Elsewhere, trained_asked: int = 4) -> Report:
    async def wait(seconds: float) -> None:
        house.advance(seconds)

    dataset = await prepared(house.workshop, house.voice, away.there)
    return await drill(
        house.workshop,
        house.voice,
        away.there,
        dataset,
        trained_asked=trained_asked,
        tell=away.said.append,
        wait=wait,
    )


async def serving(house: House) -> None:
    """A model tuned here serves, which knows every approved answer."""
    await house.approve(*range(30))
    assert (await house.finish(await house.request())).state is RunState.PROMOTED


async def test_each_correction_is_named_kept_or_lost_and_nothing_is_switched(house: House):
    await serving(house)
    before = await house.store.models.current(house.voice.id)
    away = elsewhere()
    report = await drilled(house, away)
    held_out = report.of(held_out=True)
    assert len(held_out) > 1
    assert len(report.survivors) == len(held_out) + 4
    for one in report.survivors:
        number = int("".join(sign for sign in one.sample.question if sign.isdigit()))
        assert one.fate == ("kept" if number % 2 == 0 else "lost")
    assert await house.store.models.current(house.voice.id) == before
    assert len(await house.store.models.list(house.voice.id)) == 2  # base and model 1
    assert len(away.provider.jobs) == 1
    [entry] = await house.store.audit.entries(1)
    assert (entry.verb, entry.detail["lost"]) == ("migration_drill", report.counts()["lost"])


async def test_what_bills_while_idle_is_taken_down_at_the_end_and_after_a_failure(house: House):
    await serving(house)
    away = elsewhere()
    await drilled(house, away)
    assert away.host.up == set()
    assert away.said[-1].endswith("is taken down again.")
    away = elsewhere()
    away.host.fails = True
    with pytest.raises(DrillFailed, match="No hardware is free"):
        await drilled(house, away)
    assert away.host.up == set()


async def test_a_second_drill_goes_on_with_the_job_of_the_first(house: House):
    await serving(house)
    away = elsewhere()
    await drilled(house, away)
    await drilled(house, away)
    assert len(away.provider.jobs) == 1


async def test_a_job_that_fails_there_fails_the_drill_with_the_vendors_sentence(house: House):
    await serving(house)
    away = elsewhere()
    away.provider.final_state = JobState.FAILED
    with pytest.raises(DrillFailed, match="The fake failed it"):
        await drilled(house, away)


async def test_a_vendor_that_is_away_for_a_while_is_asked_again_and_one_that_refuses_is_not(house: House):
    await serving(house)
    away = elsewhere()
    away.provider.fail_next("job", ErrorKind.UNREACHABLE, times=3)
    await drilled(house, away)
    away = elsewhere()
    away.provider.fail_next("create_job", ErrorKind.TRAINING_UNAVAILABLE)
    with pytest.raises(ProviderError):
        await drilled(house, away)


async def test_a_base_that_dies_is_not_tried(house: House):
    await house.approve(*range(12))
    away = elsewhere()
    soon = Listing({"other-base": house.workshop.now().date()})
    assert isinstance(soon.dates["other-base"], date)
    with pytest.raises(BaseDies, match="other-base stops on"):
        await prepared(house.workshop, house.voice, replace(away.there, catalogue=soon))


async def test_the_report_says_what_was_lost_and_how_to_move_and_nobodys_words_are_markup(house: House):
    await serving(house)
    report = await drilled(house, elsewhere())
    first = next(one for one in report.survivors if one.fate == "lost")
    hostile = replace(first, sample=replace(first.sample, candidate_text="# Ha\n<script>`x`</script>"))
    shown = markdown(replace(report, voice_name="a|b <i>", survivors=(hostile,)))
    assert shown.startswith("# Migration drill: a\\|b \\<i\\> on other-base\n")
    assert "0 of 1 corrections asked about survive (0 better, 1 lost)." in shown
    assert "\n    # Ha\n    <script>`x`</script>\n" in shown
    assert "Set `FINETONE_PROVIDER=nebius` and `FINETONE_BASE_MODEL=other-base`" in shown
    assert "Nothing was switched." in shown
