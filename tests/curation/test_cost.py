"""Tokens become money by prices that carry their source; what nobody knows is said and never free."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.cost import (
    Money,
    Traffic,
    estimate,
    idle_cost,
    monthly_traffic,
    serving_cost,
    training_cost,
)
from curation.prices import (
    PRICES,
    Item,
    Price,
    PriceKey,
    PriceUnreadable,
    Unit,
    base_name,
    price_of,
    with_overrides,
)

DAY = date(2026, 11, 21)
# 30,000 replies of 600 tokens in and 150 out.
MONTH = Traffic(Decimal(30_000), Decimal(18_000_000), Decimal(4_500_000))


def per_thousand(amount: str, currency: str = "USD") -> Price:
    return Price(Decimal(amount), Unit.THOUSAND_TOKENS, currency, "https://example.com", DAY)


def hourly(amount: str) -> Price:
    return Price(Decimal(amount), Unit.HOUR, "USD", "https://example.com", DAY)


def test_the_guides_example_comes_out():
    """100,000 tokens × 3 epochs at $0.008 per 1,000 tokens (OpenAI's fine-tuning guide of 2023)."""
    cost = training_cost(100_000, 3, per_thousand("0.008"))
    assert cost == Money(Decimal("2.40"), "USD")
    assert str(cost) == "$2.40"


def test_the_guides_example_comes_out_of_the_kept_prices_too():
    made = estimate(PRICES, "openai", "gpt-3.5-turbo at its launch", tokens=100_000, epochs=3)
    assert str(made.training) == "$2.40"
    assert made.sentences()[0].startswith(
        "Training: $2.40 (100,000 tokens × 3 epochs at $0.008 per 1,000 tokens, https://"
    )


@pytest.mark.parametrize(
    ("vendor", "model", "said"),
    [
        ("openai", "gpt-3.5-turbo at its launch", "$4.80"),
        ("openai", "gpt-4.1-mini", "$3.00"),
        ("nebius", "<20B", "$0.24"),
        ("crusoe", "Llama-3.1-8B", "$0.24"),
        ("fireworks", "<=16B", "$0.30"),
        ("tinker", "Qwen3-8B", "$0.26"),
    ],
)
def test_a_tune_of_five_hundred_corrections(vendor: str, model: str, said: str):
    """500 corrections × 400 tokens × 3 epochs; the 8B class costs a quarter of a dollar wherever it is trained."""
    assert str(estimate(PRICES, vendor, model, tokens=200_000, epochs=3).training) == said


@pytest.mark.parametrize(
    ("vendor", "model", "said"),
    [
        ("openai", "gpt-3.5-turbo at its launch", "$288.00"),
        ("openai", "gpt-3.5-turbo", "$81.00"),
        ("openai", "gpt-4.1-mini", "$28.80"),
        ("openai", "gpt-4o-mini", "$10.80"),
        ("tinker", "Qwen3-8B", "$6.21"),
    ],
)
def test_a_month_of_thirty_thousand_replies(vendor: str, model: str, said: str):
    assert str(estimate(PRICES, vendor, model, tokens=1, epochs=1, traffic=MONTH).serving) == said


@pytest.mark.parametrize(
    ("amount", "said"), [("1.70", "$1,241.00"), ("2.69", "$1,963.70"), ("5.50", "$4,015.00"), ("8", "$5,840.00")]
)
def test_a_dedicated_model_costs_whole_months_of_hours(amount: str, said: str):
    assert str(idle_cost(hourly(amount))) == said


def test_an_estimate_is_told_with_how_it_comes_about():
    prices = {
        PriceKey("v", "m", Item.TRAINING): per_thousand("0.008"),
        PriceKey("v", "m", Item.INPUT): per_thousand("0.001"),
        PriceKey("v", "m", Item.OUTPUT): Price(
            Decimal(3), Unit.MILLION_TOKENS, "USD", "https://example.com", DAY, "by day"
        ),
        PriceKey("v", "m", Item.HOSTING): hourly("1.70"),
    }
    assert estimate(prices, "v", "m", tokens=100_000, epochs=1, traffic=MONTH).sentences() == (
        "Training: $0.80 (100,000 tokens × 1 epoch at $0.008 per 1,000 tokens, https://example.com, 2026-11-21).",
        "Serving: $31.50 a month (18,000,000 tokens in at $0.001 per 1,000 tokens, https://example.com, 2026-11-21, "
        "4,500,000 out at $3 per 1,000,000 tokens, https://example.com, 2026-11-21; by day).",
        "Idle: $1,241.00 a month (730 hours at $1.70 per hour, https://example.com, 2026-11-21).",
    )
    without = estimate(prices, "v", "m", tokens=100_000, epochs=1)
    assert [sentence.split(":")[0] for sentence in without.sentences()] == ["Training", "Idle"]
    assert estimate({}, "v", "m", tokens=1, epochs=1).sentences() == estimate({}, "v", "m", tokens=1, epochs=1).unknown


def test_a_million_tokens_are_a_million():
    price = Price(Decimal(5), Unit.MILLION_TOKENS, "USD", "https://example.com", DAY)
    assert training_cost(3_000_000, 2, price) == Money(Decimal(30), "USD")


def test_what_nobody_knows_is_none_and_said_and_never_free():
    made = estimate(PRICES, "nebius", "<20B", tokens=100, epochs=3, traffic=MONTH)
    assert made.serving is None
    assert made.idle is None
    assert made.unknown == (
        "The price of input for <20B at nebius is unknown; nebius/<20B/input in FINETONE_PRICES gives it.",
        "The price of output for <20B at nebius is unknown; nebius/<20B/output in FINETONE_PRICES gives it.",
        "The price of hosting for <20B at nebius is unknown; nebius/<20B/hosting in FINETONE_PRICES gives it.",
    )
    assert "$0" not in " ".join(made.unknown)


def test_our_own_server_has_no_price_until_somebody_sets_one():
    assert estimate(PRICES, "tuner", "smollm2-135m-instruct", tokens=100, epochs=3).training is None
    own = with_overrides(PRICES, {"tuner/*/hosting": "0.30 EUR per hour"}, read_on=DAY)
    made = estimate(own, "tuner", "smollm2-135m-instruct", tokens=100, epochs=3)
    assert str(made.idle) == "219.00 EUR"
    assert made.training is None


@pytest.mark.parametrize("missing", ["input", "output"])
def test_serving_is_unknown_when_one_of_its_two_prices_is(missing: str):
    prices = {"input": per_thousand("1"), "output": per_thousand("1")}
    prices.pop(missing)
    assert serving_cost(MONTH, prices.get("input"), prices.get("output")) is None


def test_prices_in_two_currencies_are_not_added_up():
    own = with_overrides(PRICES, {"openai/gpt-4.1/input": "2.80 EUR per 1,000,000 tokens"}, read_on=DAY)
    made = estimate(own, "openai", "gpt-4.1", tokens=1, epochs=1, traffic=MONTH)
    assert made.serving is None
    assert made.unknown == ("Serving is not added up: its prices are in EUR and in USD.",)


def test_a_known_nothing_is_told_from_an_unknown():
    made = estimate(PRICES, "openai", "gpt-4.1", tokens=1, epochs=1)
    assert str(made.idle) == "$0.00"
    assert made.unknown == ()


@pytest.mark.parametrize(
    ("amount", "said"),
    [("0", "$0.00"), ("0.001", "less than $0.01"), ("0.005", "$0.01"), ("1234567.125", "$1,234,567.13")],
)
def test_money_is_rounded_only_where_it_is_read(amount: str, said: str):
    money = Money(Decimal(amount), "USD")
    assert str(money) == said
    assert money.amount == Decimal(amount)


def test_no_cent_is_lost_to_binary_fractions():
    """0.1 + 0.2 and its kind: a million times a tenth of a cent is a thousand dollars exactly."""
    assert training_cost(1_000_000_000, 1, per_thousand("0.001")) == Money(Decimal(1000), "USD")


@given(st.integers(0, 10**9), st.integers(1, 50), st.integers(0, 10**6))
def test_training_is_bilinear(tokens: int, epochs: int, thousandths: int):
    price = per_thousand(f"{thousandths / 1000:.3f}")
    once = training_cost(tokens, 1, price)
    assert once is not None
    assert training_cost(tokens, epochs, price) == Money(once.amount * epochs, "USD")


def test_a_week_of_traffic_is_scaled_to_a_month():
    traffic = monthly_traffic(7_000, 4_200_000, 1_050_000, days=7)
    assert round(traffic.replies, 3) == Decimal("30416.667")
    assert round(traffic.input_tokens / traffic.replies) == 600
    assert round(traffic.output_tokens / traffic.replies) == 150


def test_one_day_is_enough_to_scale_from():
    assert round(monthly_traffic(24, 0, 0, days=1).replies) == 730


def test_no_traffic_costs_nothing_to_serve_and_no_days_are_refused():
    silent = monthly_traffic(0, 0, 0, days=30)
    assert serving_cost(silent, per_thousand("1"), per_thousand("2")) == Money(Decimal(0), "USD")
    with pytest.raises(ValueError, match="0 days"):
        monthly_traffic(1, 1, 1, days=0)


def test_a_price_of_the_wrong_kind_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match=r"\$1 per hour"):
        training_cost(1, 1, hourly("1"))
    with pytest.raises(ValueError, match=r"\$1 per 1,000 tokens"):
        idle_cost(per_thousand("1"))


# ---------------------------------------------------------------- prices


@pytest.mark.parametrize("key", PRICES, ids=str)
def test_every_price_has_its_address_its_day_and_a_unit_that_fits(key: PriceKey):
    price = PRICES[key]
    assert price.source.startswith("https://")
    assert date(2026, 1, 1) <= price.read_on <= DAY
    assert (price.unit is Unit.HOUR) == (key.item is Item.HOSTING)
    assert price.amount > 0 or price.note


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "gpt-4o-mini"),
        ("Qwen3-8B", "Qwen3-8B"),
    ],
)
def test_a_dated_or_tuned_name_counts_as_its_base(name: str, base: str):
    assert base_name(name) == base


def test_a_longer_name_is_not_mistaken_for_its_beginning():
    assert price_of(PRICES, "openai", "gpt-4o-audio", Item.TRAINING) is None


def test_an_override_wins_and_leaves_the_others():
    own = with_overrides(PRICES, {"openai/gpt-4.1/training": "20 USD per 1000000 tokens"}, read_on=DAY)
    price = price_of(own, "openai", "gpt-4.1-2025-04-14", Item.TRAINING)
    assert price == Price(Decimal(20), Unit.MILLION_TOKENS, "USD", "settings", DAY)
    assert price_of(own, "openai", "gpt-4.1", Item.INPUT) == price_of(PRICES, "openai", "gpt-4.1", Item.INPUT)
    assert price_of(PRICES, "openai", "gpt-4.1", Item.TRAINING) != price


def test_a_models_name_may_hold_slashes():
    own = with_overrides({}, {"nebius/meta-llama/Llama-3.3-70B/training": "2.5 USD per 1,000,000 tokens"}, read_on=DAY)
    assert [(key.vendor, key.model) for key in own] == [("nebius", "meta-llama/Llama-3.3-70B")]


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        pytest.param("openai", "1 USD per hour", "'openai' names no vendor, model and item", id="key"),
        pytest.param("openai/gpt-4.1/tuning", "1 USD per hour", "items: training, input, output, hosting", id="item"),
        pytest.param("a/b/training", "cheap", "'cheap' for a/b/training cannot be read", id="words"),
        pytest.param("a/b/training", "-1 USD per 1,000 tokens", "cannot be read", id="negative"),
        pytest.param("a/b/training", "1 USD per 500 tokens", "cannot be read", id="unit"),
        pytest.param("a/b/training", "1 dollar per 1,000 tokens", "cannot be read", id="currency"),
        pytest.param("a/b/training", "1 USD per hour", "has the wrong unit", id="training by the hour"),
        pytest.param("a/b/hosting", "1 USD per 1,000 tokens", "has the wrong unit", id="hosting by the token"),
    ],
)
def test_a_price_that_cannot_be_read_is_shown_with_the_form_it_should_have(key: str, text: str, said: str):
    with pytest.raises(PriceUnreadable, match=said):
        with_overrides(PRICES, {key: text}, read_on=DAY)
