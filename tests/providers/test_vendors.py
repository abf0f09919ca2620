"""Every vendor row against a server with that vendor's documented routes, fields and status words, faults included."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from providers.base import ErrorKind, JobRequest, JobState, Method, ProviderError
from providers.quirks import VENDORS
from providers.vendor import Access, Vendor, open_vendor
from tests.providers.vendors import SERVERS, Fault, VendorServer, listening

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CREATE = {name: "/v1/fine-tunes" if name == "together" else "/v1/fine_tuning/jobs" for name in SERVERS}
WANTED = JobRequest("run_1", "base", "file-1", "shop-1", n_epochs=3)


@dataclass
class There:
    name: str
    server: VendorServer
    vendor: Vendor

    def fail(self, start: str, **fault: object) -> None:
        self.server.faults.append(Fault(start, **fault))  # type: ignore[arg-type]

    @property
    def paid(self) -> int:
        return len(self.server.posts(CREATE[self.name]))


@pytest.fixture(params=SERVERS)
async def there(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[There]:
    monkeypatch.setattr("providers.openai_api.CALL_TIMEOUT_S", 2.0)
    monkeypatch.setattr("providers.openai_api.FILE_LOOK_S", 0.01)
    async with listening(SERVERS[request.param]()) as server:
        vendor = open_vendor(VENDORS[request.param], Access("key", f"{server.origin}/v1"))
        yield There(request.param, server, vendor)
        await vendor.aclose()


async def refused(call: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await call  # type: ignore[misc]
    return caught.value


BODIES = {
    "tuner": {
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "metadata": {"finetone_run": "run_1"},
    },
    "openai": {
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "metadata": {"finetone_run": "run_1"},
    },
    "azure": {
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "metadata": {"finetone_run": "run_1"},
        "trainingType": "Standard",
    },
    "nebius": {"hyperparameters": {"n_epochs": 3, "lora": True}},  # false unless said, and then it cannot be served
    "crusoe": {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}}},
    "together": {
        "n_epochs": 3,
        "training_method": {"method": "sft", "train_on_inputs": False},
        "training_type": {"type": "Lora", "lora_r": 8, "lora_alpha": 16},
    },
}


async def test_a_job_is_asked_for_in_the_vendors_own_fields(there: There):
    file_id = await there.vendor.trainer.upload("train.jsonl", b'{"messages": []}')
    assert file_id == "file-1"
    await there.vendor.trainer.create_job(WANTED)
    (posted,) = there.server.posts(CREATE[there.name])
    assert posted.body == {"model": "base", "training_file": "file-1", "suffix": "shop-1", **BODIES[there.name]}
    assert posted.authorization == "bearer key"


async def test_a_job_goes_through_the_vendors_words_to_its_end(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    states = [(await there.vendor.trainer.job(job.id)).state for _ in range(3)]
    assert states == [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]


async def test_a_job_is_found_again_and_no_other(there: There):
    first = await there.vendor.trainer.create_job(WANTED)
    await there.vendor.trainer.create_job(JobRequest("run_2", "base", "file-2", "shop-2"))
    assert [job.id for job in await there.vendor.trainer.find_jobs("run_1", "file-1", LONG_AGO)] == [first.id]
    assert await there.vendor.trainer.find_jobs("run_1", "file-1", datetime.now(UTC).replace(year=2100)) == []


async def test_a_list_that_lags_finds_the_job_later(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    there.server.hidden.add(job.id)
    assert await there.vendor.trainer.find_jobs("run_1", "file-1", LONG_AGO) == []
    there.server.hidden.clear()
    assert [found.id for found in await there.vendor.trainer.find_jobs("run_1", "file-1", LONG_AGO)] == [job.id]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_a_vendor_that_takes_no_job_is_asked_once_and_others_are_named(there: There, status: int):
    there.fail(f"POST {CREATE[there.name]}", status=status)
    error = await refused(there.vendor.trainer.create_job(WANTED))
    assert error.kind is ErrorKind.TRAINING_UNAVAILABLE
    assert there.paid == 1
    assert "the vendor's own words" in str(error)
    assert "It is not tried again." in str(error)
    named = str(error).partition("Vendors that would take a job by sft: ")[2].partition(". `finetone")[0]
    open_to_all = ["tuner (your own machine)", "nebius", "crusoe", "together"]
    assert named.split(", ") == [name for name in open_to_all if not name.startswith(there.name)]


async def test_a_vendor_that_is_busy_names_its_time_and_is_asked_once(there: There):
    there.fail(f"POST {CREATE[there.name]}", status=429, headers={"retry-after": "7"})
    error = await refused(there.vendor.trainer.create_job(WANTED))
    assert (error.kind, error.retry_after_s, there.paid) == (ErrorKind.RATE_LIMIT, 7.0, 1)


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, {"hangs": True}], ids=["500", "503", "hangs"])
async def test_a_create_of_unknown_outcome_is_paid_once_and_found_by_looking(there: There, fault: dict[str, object]):
    there.fail(f"POST {CREATE[there.name]}", acts=True, **fault)
    error = await refused(there.vendor.trainer.create_job(WANTED))
    assert (error.kind, there.paid) == (ErrorKind.AMBIGUOUS, 1)
    assert len(await there.vendor.trainer.find_jobs("run_1", "file-1", LONG_AGO)) == 1


async def test_a_create_whose_answer_is_no_json_may_have_made_a_job(there: There):
    there.fail(f"POST {CREATE[there.name]}", status=200, acts=True, raw=b"<html>gateway</html>")
    assert (await refused(there.vendor.trainer.create_job(WANTED))).kind is ErrorKind.AMBIGUOUS
    assert len(await there.vendor.trainer.find_jobs("run_1", "file-1", LONG_AGO)) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_look_that_fails_once_is_tried_again(there: There, status: int):
    job = await there.vendor.trainer.create_job(WANTED)
    there.fail("GET /v1/fine", status=status, headers={"retry-after": "0.01"})
    assert (await there.vendor.trainer.job(job.id)).id == job.id


async def test_a_word_nobody_has_documented_ends_nothing(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    there.server.words = ("paused_by_somebody",)
    status = await there.vendor.trainer.job(job.id)
    assert (status.state, status.vendor_status) == (JobState.RUNNING, "paused_by_somebody")


async def test_a_job_stopped_at_the_vendor_is_cancelled(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    there.server.words = ("cancelled",)
    assert (await there.vendor.trainer.job(job.id)).state is JobState.CANCELLED


async def test_a_job_that_failed_says_why_where_the_vendor_does(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    there.server.words = ("error" if there.name == "together" else "failed",)
    status = await there.vendor.trainer.job(job.id)
    assert status.state is JobState.FAILED
    assert status.error == ("" if there.name == "together" else "The loss became nan.")


async def test_a_job_with_hardly_any_field_is_read_all_the_same(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    there.server.jobs[job.id] = {"id": job.id}
    status = await there.vendor.trainer.job(job.id)
    assert (status.id, status.created_at.year, status.trained_tokens) == (job.id, 1970, None)


async def test_events_come_oldest_first_and_each_has_a_key_of_its_own(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    events = await there.vendor.trainer.events(job.id)
    assert len({event.id for event in events}) == len(events) == 2
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert {event.level for event in events} <= {"info", "warn"}


async def test_a_running_job_is_cancelled_and_one_that_is_over_is_returned(there: There):
    job = await there.vendor.trainer.create_job(WANTED)
    there.server.words = ("completed" if there.name == "together" else "succeeded",)
    there.fail("POST /v1/fine", status=400, message="already over")
    assert (await there.vendor.trainer.cancel(job.id)).state is JobState.SUCCEEDED
    assert (await there.vendor.trainer.cancel(job.id)).state in (JobState.CANCELLED, JobState.RUNNING)


@pytest.mark.parametrize(
    ("there", "field", "value", "said"),
    [
        ("nebius", "method", Method.DPO, "nebius trains sft, not dpo"),
        ("crusoe", "method", Method.KTO, "crusoe trains sft, not kto"),
        ("openai", "method", Method.KTO, "openai trains dpo, sft, not kto"),
        ("openai", "lora_r", 8, "openai chooses the adapter's rank itself, and 8 was asked for"),
        ("together", "learning_rate_multiplier", 2.0, "absolute numbers, and a multiplier of 2 was asked for"),
        ("nebius", "starts_from", "ft:x", "nebius starts every job from a base model, and ft:x is a tuned one"),
        ("crusoe", "starts_from", "ft:x", "crusoe starts every job from a base model, and ft:x is a tuned one"),
        ("azure", "replay", 0.3, "azure has no general examples to mix in, and a share of 0.3 was asked for"),
    ],
    indirect=["there"],
)
async def test_what_a_vendor_has_no_field_for_is_refused_by_name_and_costs_nothing(
    there: There, field: str, value: object, said: str
):
    wanted = JobRequest("run_1", "base", "file-1", "shop-1", **{field: value})  # type: ignore[arg-type]
    error = await refused(there.vendor.trainer.create_job(wanted))
    assert error.kind is ErrorKind.BAD_REQUEST
    assert said in str(error)
    assert there.paid == 0


@pytest.mark.parametrize("there", [name for name in SERVERS if name != "tuner"], indirect=True)
async def test_a_vendor_that_scores_no_answers_is_named_and_not_asked(there: There):
    error = await refused(there.vendor.score("base", [], "Ahoy!"))
    assert (error.kind, str(error)) == (ErrorKind.BAD_REQUEST, f"{there.name} does not score given answers.")
    assert there.server.seen == []


@pytest.mark.parametrize("there", ["openai", "tuner"], indirect=True)
async def test_shutdown_dates_are_read_from_the_list_of_models(there: There):
    assert await there.vendor.shutdown_dates() == {"base": date(2027, 1, 14)}
    there.server.models = lambda: [{"id": "odd", "shutdown_date": "soon"}]  # type: ignore[attr-defined]
    assert await there.vendor.shutdown_dates() == {}


@pytest.mark.parametrize("there", ["tuner", "openai", "azure", "together"], indirect=True)
async def test_a_preference_job_carries_its_beta(there: There):
    await there.vendor.trainer.create_job(JobRequest("r", "ft:a", "file-1", "s", method=Method.DPO, beta=0.2))
    body = there.server.posts(CREATE[there.name])[0].body
    if there.name == "together":
        assert body["training_method"] == {"method": "dpo", "dpo_beta": 0.2}
    else:
        assert body["method"] == {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": "auto", "beta": 0.2}}}


@pytest.mark.parametrize("there", ["tuner", "openai", "azure", "together"], indirect=True)
async def test_a_preference_job_goes_on_from_a_tuned_model(there: There):
    wanted = JobRequest("r", "base", "file-1", "s", method=Method.DPO, starts_from="ft:base:sft")
    await there.vendor.trainer.create_job(wanted)
    body = there.server.posts(CREATE[there.name])[0].body
    named = {"from_checkpoint" if there.name == "together" else "model": "ft:base:sft"}
    assert {name: body[name] for name in ("model", "from_checkpoint") if name in body} == named


@pytest.mark.parametrize("there", ["azure"], indirect=True)
async def test_a_file_is_waited_for_until_a_job_may_name_it(there: There):
    await there.vendor.trainer.upload("train.jsonl", b"{}")
    assert there.server.looks["file-1"] == 3
    there.server.file_words = ("running", "error")  # type: ignore[attr-defined]
    there.server.looks.clear()
    error = await refused(there.vendor.trainer.upload("train.jsonl", b"{}"))
    assert (error.kind, "azure refused train.jsonl: bad" in str(error)) == (ErrorKind.BAD_REQUEST, True)
    there.server.file_words = ("running",)  # type: ignore[attr-defined]
    assert (await refused(there.vendor.trainer.upload("train.jsonl", b"{}"))).kind is ErrorKind.UNREACHABLE


@pytest.mark.parametrize("there", ["openai"], indirect=True)
async def test_a_server_without_a_list_of_models_gives_none_a_last_day_and_one_that_fails_is_an_error(there: There):
    there.fail("GET /v1/models", status=404)
    assert await there.vendor.shutdown_dates() == {}
    there.fail("GET /v1/models", status=403)
    assert (await refused(there.vendor.shutdown_dates())).status == 403
