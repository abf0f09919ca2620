"""Who is asked for money, read from the settings."""

from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from bot.program import access_of, prices_of, quirks_of, tariff_of, vendor_of
from bot.settings import Settings, SettingsMissing, SettingsWrong, load_settings
from curation.prices import Item, PriceUnreadable, price_of

DAY = date(2026, 11, 22)
HOSTED: dict[str, Any] = {"provider": "openai", "api_key": SecretStr("sk-1"), "base_model": "gpt-4.1-mini"}


def settings(**chosen: Any) -> Settings:
    return Settings(_env_file=None, **chosen)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("chosen", "vendor", "is_this_machine"),
    [
        ({}, "tuner", True),
        ({"api_url": "http://127.0.0.1:8000/v1"}, "tuner", True),
        ({"api_url": "http://gpu.example:8000/v1"}, "tuner", False),
        (HOSTED, "openai", False),
        (HOSTED | {"api_url": "https://api.openai.com/v1"}, "openai", False),
        (HOSTED | {"api_url": "https://api.tokenfactory.nebius.com/v1/"}, "nebius", False),
        (HOSTED | {"api_url": "https://trainer.example/v1"}, "trainer.example", False),
    ],
    ids=[
        "embedded",
        "a tuner beside us",
        "a tuner elsewhere",
        "openai",
        "openai by address",
        "nebius",
        "somebody else",
    ],
)
def test_the_vendor_is_whoever_answers_at_the_address(chosen: dict[str, Any], vendor: str, is_this_machine: bool):
    tariff = tariff_of(settings(**chosen), DAY)
    assert (tariff.vendor, tariff.is_this_machine) == (vendor, is_this_machine)
    assert vendor_of(settings(**chosen)) == vendor


def test_a_price_of_the_settings_stands_in_place_of_a_known_one():
    own = settings(prices={"openai/gpt-4.1-mini/training": "2 USD per 1,000,000 tokens"})
    price = price_of(prices_of(own, DAY), "openai", "gpt-4.1-mini", Item.TRAINING)
    assert price is not None
    assert (str(price), price.source, price.read_on) == ("$2 per 1,000,000 tokens", "FINETONE_PRICES", DAY)


def test_a_price_that_cannot_be_read_stops_the_start():
    with pytest.raises(PriceUnreadable, match="names no vendor, model and item"):
        tariff_of(settings(prices={"tuner": "cheap"}), DAY)


@pytest.mark.parametrize(
    ("chosen", "row"),
    [
        ({}, "tuner"),
        (HOSTED, "openai"),
        (HOSTED | {"api_url": "https://api.tokenfactory.nebius.com/v1/"}, "nebius"),
        (HOSTED | {"api_url": "https://trainer.example/v1"}, "openai"),
        (HOSTED | {"provider": "together"}, "together"),
        (HOSTED | {"provider": "azure", "api_url": "https://shop.openai.azure.com/openai/v1/"}, "azure"),
    ],
)
def test_the_row_that_holds_is_the_named_vendors_or_whose_address_is_given(chosen: dict[str, Any], row: str):
    assert quirks_of(settings(**chosen)).name == row


def test_what_is_needed_to_deploy_comes_from_the_settings():
    access = access_of(settings(**HOSTED, hosting="proj/flavor", hosting_key=SecretStr("entra")))
    assert (access.key, access.hosting, access.hosting_key) == ("sk-1", "proj/flavor", "entra")
    assert access_of(settings()).key == "none"


def test_azure_needs_the_address_of_its_resource():
    with pytest.raises(SettingsMissing, match="FINETONE_API_URL is not set"):
        load_settings(None, provider="azure", api_key="k", base_model="gpt-4.1-mini")


def test_general_examples_are_mixed_in_with_the_supervised_recipe_alone():
    with pytest.raises(SettingsWrong, match=r"FINETONE_REPLAY is 0\.3, and FINETONE_RECIPE is 'dpo'"):
        load_settings(None, recipe="dpo", replay=0.3)
    assert load_settings(None, recipe="sft", replay=0.3).replay == 0.3
