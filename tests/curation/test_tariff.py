"""The one line about money before a run: an amount with its price and source, nothing to pay, or that nobody knows."""

from datetime import date
from decimal import Decimal

import pytest

from curation import requesting
from curation.prices import PRICES, Item, Price, PriceKey, Unit, with_overrides
from curation.tariff import NOTHING_TO_PAY, Tariff, charge
from tests.curation.conftest import House

DAY = date(2026, 11, 22)
HALF = Price(Decimal("0.50"), Unit.MILLION_TOKENS, "USD", "https://example.com/prices", DAY, "look there first")
VENDOR = Tariff("openai", prices={PriceKey("openai", "small", Item.TRAINING): HALF})


def test_a_known_price_gives_the_amount_with_the_price_its_source_and_day():
    assert charge(VENDOR, "small", 2_000_000, 2) == (
        "$2.00: 2,000,000 tokens × 2 passes at $0.50 per 1,000,000 tokens (example.com, 2026-11-22; look there first)"
    )


def test_where_the_trainer_chooses_the_passes_the_amount_says_so():
    said = charge(VENDOR, "small", 2_000_000, None)
    assert said.startswith("$3.00: 2,000,000 tokens × 3 passes, should the trainer choose as many, at ")


def test_one_pass_of_next_to_nothing_is_less_than_a_cent_and_not_nothing():
    assert charge(VENDOR, "small", 1_000, 1).startswith("less than $0.01: 1,000 tokens × 1 pass at ")


@pytest.mark.parametrize(
    ("tariff", "said"),
    [
        (
            Tariff("openai", prices=PRICES),
            "not known: no price of training tiny at openai is known here; openai/tiny/training in FINETONE_PRICES gives one",
        ),
        (Tariff("tuner", is_this_machine=True, prices=PRICES), NOTHING_TO_PAY),
        (
            Tariff("tuner", prices=PRICES),
            "not known: no price of training tiny at tuner is known here; tuner/tiny/training in FINETONE_PRICES gives one",
        ),
        (Tariff(), "not known: no price of training tiny is known here"),
    ],
    ids=["a vendor's unknown model", "this machine", "a tuner elsewhere", "nobody said who trains"],
)
def test_what_is_not_known_is_said_and_only_this_machine_is_free(tariff: Tariff, said: str):
    assert charge(tariff, "tiny", 100_000, 3) == said


def test_a_price_of_ones_own_counts_on_this_machine_too():
    own = with_overrides(PRICES, {"tuner/*/training": "0.50 EUR per 1,000,000 tokens"}, read_on=DAY, source="settings")
    said = charge(Tariff("tuner", is_this_machine=True, prices=own), "tiny", 1_000_000, 3)
    assert said == "1.50 EUR: 1,000,000 tokens × 3 passes at 0.50 EUR per 1,000,000 tokens (settings, 2026-11-22)"


async def test_the_preview_says_what_a_run_is_charged_and_nothing_where_none_may_start(house: House):
    assert (await requesting.preview(house.workshop, house.voice)).cost == ""
    await house.approve(*range(14))
    shown = await requesting.preview(house.workshop, house.voice)
    assert shown.cost == "not known: no price of training base is known here"
