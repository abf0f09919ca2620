"""Trained is one fact, servable another: deploying at each vendor, looked for before it is made, taken down again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.base import Host, JobState, JobStatus, ProviderError, ServingState
from providers.fake import FakeProvider
from providers.hosting import AtOnce, Azure, ByHand, Crusoe, Nebius, Together
from providers.quirks import AZURE, VENDORS
from providers.vendor import Access, open_vendor
from tests.providers.vendors import SERVERS, Fault, VendorServer, listening

RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/shop"
SLOW = {
    "nebius": ["validating", "active"],
    "azure": ["Creating", "Succeeded"],
    "crusoe": ["Provisioning", "ready"],
    "together": ["STARTING", "STARTED"],
}
BROKEN = {"nebius": "error", "azure": "Failed", "crusoe": "failed", "together": "ERROR"}
ASKED_AS = {
    "nebius": "base-LoRa:shop-7-AbCd",
    "azure": "shop-7",
    "crusoe": "shop-7",
    "together": "me/tuned-ab12",
}
ROUTES = {
    "nebius": "/v0/models",
    "azure": f"{RESOURCE}/deployments/shop-7",
    "crusoe": "/v1/projects/proj-1/foundry/selfserve/deployments",
    "together": "/v1/endpoints",
}
BODIES: dict[str, dict[str, Any]] = {
    "nebius": {"source": "ftjob-1:ftckpt-12", "base_model": "base", "name": "shop-7"},
    "azure": {
        "sku": {"name": "Standard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "tuned", "version": "1"}},
    },
    "crusoe": {"deployment_name": "shop-7", "fine_tuned_model": "ftmodel-9", "flavor_id": "h100-x1", "replicas": 1},
    "together": {
        "model": "tuned",
        "hardware": "1x_h100",
        "autoscaling": {"min_replicas": 1, "max_replicas": 1},
        "display_name": "shop-7",
        "state": "STARTED",
    },
}
JOB = JobStatus("ftjob-1", JobState.SUCCEEDED, "succeeded", "tuned", "", 10, None, datetime(2026, 11, 22, tzinfo=UTC))


@dataclass
class There:
    name: str
    server: VendorServer
    host: Host

    async def serve(self) -> tuple[ServingState, str | None]:
        found = await self.host.serve(JOB, "base", "shop-7")
        assert found.said.endswith((".", ")."))
        return found.state, found.model_name


@pytest.fixture(params=SLOW)
async def there(request: pytest.FixtureRequest) -> AsyncIterator[There]:
    name = request.param
    async with listening(SERVERS[name]()) as server:
        vendor = open_vendor(VENDORS[name], Access("key", f"{server.origin}/v1"))
        hosts: dict[str, Host] = {
            "nebius": Nebius(vendor.client, server.origin),
            "azure": Azure(vendor.client, RESOURCE, "entra", server.origin),
            "crusoe": Crusoe(vendor.client, "proj-1/h100-x1", server.origin),
            "together": Together(vendor.client, "1x_h100"),
        }
        server.deploy_words = list(SLOW[name])
        yield There(name, server, hosts[name])
        await vendor.aclose()


async def ready(there: There) -> None:
    states = [(await there.serve())[0] for _ in range(3)]
    assert states[-1] is ServingState.READY


async def test_a_model_is_deployed_once_and_asked_for_once_it_is_ready(there: There):
    assert await there.serve() == (ServingState.STARTING, None)
    assert await there.serve() == (ServingState.STARTING, None)
    assert await there.serve() == (ServingState.READY, ASKED_AS[there.name])
    (posted,) = there.server.posts(ROUTES[there.name])
    assert posted.body == BODIES[there.name]


async def test_deploying_takes_the_key_it_needs(there: There):
    await there.serve()
    (posted,) = there.server.posts(ROUTES[there.name])
    assert posted.authorization == ("bearer entra" if there.name == "azure" else "bearer key")


async def test_a_deployment_that_failed_fails_with_a_sentence(there: There):
    await there.serve()
    there.server.deploy_words = [BROKEN[there.name]]
    assert await there.serve() == (ServingState.FAILED, None)


async def test_a_deployment_whose_answer_was_lost_is_found_and_not_made_again(there: There):
    method = "PUT" if there.name == "azure" else "POST"
    there.server.faults.append(Fault(f"{method} {ROUTES[there.name]}", status=502, acts=True))
    with pytest.raises(ProviderError):
        await there.serve()
    await there.serve()
    assert await there.serve() == (ServingState.READY, ASKED_AS[there.name])
    assert len(there.server.posts(ROUTES[there.name])) == 1


async def test_what_is_served_is_listed_and_taken_down_and_a_second_time_harms_nothing(there: There):
    await ready(there)
    assert await there.host.served() == {ASKED_AS[there.name]}
    await there.host.take_down(ASKED_AS[there.name])
    assert await there.host.served() == frozenset()
    await there.host.take_down(ASKED_AS[there.name])


async def test_a_deletion_that_is_refused_is_not_passed_off_as_done(there: There):
    await ready(there)
    there.server.faults.append(Fault("DELETE", status=403))
    with pytest.raises(ProviderError, match="HTTP 403"):
        await there.host.take_down(ASKED_AS[there.name])


def test_only_those_that_bill_by_the_hour_bill_while_idle():
    assert {name for name, row in VENDORS.items() if row.bills_idle} == {"azure", "crusoe", "together"}
    assert [host.bills_idle for host in (Azure, Crusoe, Together, Nebius)] == [True, True, True, False]


async def test_a_vendor_that_serves_by_itself_is_ready_when_its_list_says_so():
    fake = FakeProvider(base_models=frozenset({"base"}))
    host = AtOnce(fake)
    assert (await host.serve(JOB, "base", "shop-7")).state is ServingState.STARTING
    fake.base_models |= {"tuned"}
    assert (await host.serve(JOB, "base", "shop-7")).model_name == "tuned"
    assert await host.served() == frozenset()


async def test_without_a_place_to_deploy_on_somebody_is_told_what_to_deploy_under_which_name():
    fake = FakeProvider()
    host = ByHand(fake, AZURE)
    found = await host.serve(JOB, "base", "shop-7")
    assert found.state is ServingState.BY_HAND
    assert "Deploy it at azure under the name shop-7" in found.said
    assert "FINETONE_HOSTING_KEY" in found.said
    fake.base_models |= {"shop-7"}
    assert (await host.serve(JOB, "base", "shop-7")).model_name == "shop-7"


@pytest.mark.parametrize(
    ("name", "hosting", "key", "kind"),
    [
        ("tuner", "", "", AtOnce),
        ("openai", "", "", AtOnce),
        ("azure", "", "", ByHand),
        ("azure", RESOURCE, "", ByHand),
        ("azure", RESOURCE, "entra", Azure),
        ("nebius", "", "", Nebius),
        ("crusoe", "", "", ByHand),
        ("crusoe", "proj/flavor", "", Crusoe),
        ("together", "1x_h100", "", Together),
    ],
)
async def test_each_row_is_hosted_as_it_says_once_its_needs_are_met(name: str, hosting: str, key: str, kind: type):
    vendor = open_vendor(VENDORS[name], Access("key", "", hosting, key))
    assert type(vendor.host) is kind
    await vendor.aclose()
