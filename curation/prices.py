"""Pure: what vendors charge, as data with source and day, and a way to put one's own prices in their place.

A price that is not here is unknown. Nothing is filled in for it: an estimate says so instead.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class Item(StrEnum):
    """What is paid for."""

    TRAINING = "training"  # per token and epoch
    INPUT = "input"  # tokens of the prompts, when the tuned model answers
    OUTPUT = "output"  # tokens of its replies
    HOSTING = "hosting"  # per hour that the tuned model is up, asked or not


class Unit(StrEnum):
    """What an amount buys."""

    THOUSAND_TOKENS = "1,000 tokens"
    MILLION_TOKENS = "1,000,000 tokens"
    HOUR = "hour"


TOKENS = MappingProxyType({Unit.THOUSAND_TOKENS: 1_000, Unit.MILLION_TOKENS: 1_000_000})


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of `currency` (ISO 4217) for one `unit`. `source` is a URL, or the setting that gave it."""

    amount: Decimal
    unit: Unit
    currency: str
    source: str
    read_on: date
    note: str = ""  # what a reader should know before believing it

    def __str__(self) -> str:
        """As it was published: `$0.008 per 1,000 tokens`, `$1.70 per hour`."""
        return f"{with_currency(f'{self.amount:f}', self.currency)} per {self.unit}"


@dataclass(frozen=True, slots=True)
class PriceKey:
    """Which price: of a vendor, for a model or a class of models ("<=16B"; "*": any), for an item."""

    vendor: str
    model: str
    item: Item

    def __str__(self) -> str:
        return f"{self.vendor}/{self.model}/{self.item}"


Prices = Mapping[PriceKey, Price]


class PriceUnreadable(ValueError):
    """A price set by hand cannot be read; the message shows it and the form it should have."""


def price_of(prices: Prices, vendor: str, model: str, item: Item) -> Price | None:
    """The price of an item, or None where nobody knows it.

    A dated or tuned name counts as its base (`ft:gpt-4o-mini-2024-07-18:org::id` → `gpt-4o-mini`) unless it has a price of
    its own; a price for "*" holds for every model of the vendor.
    """
    for name in (model, base_name(model), "*"):
        if (found := prices.get(PriceKey(vendor, name, item))) is not None:
            return found
    return None


def base_name(model: str) -> str:
    """A model's name without what tuning and dating put around it."""
    base = model.split(":")[1] if model.startswith("ft:") else model
    return re.sub(r"-\d{4}-\d{2}-\d{2}$", "", base)


def with_overrides(prices: Prices, overrides: Mapping[str, str], *, read_on: date, source: str = "settings") -> Prices:
    """Prices with some replaced or added: `{"tuner/*/hosting": "0.30 EUR per hour"}`.

    A key is vendor/model/item, where a model's name may hold slashes of its own; the text is an amount, a currency and
    `per hour`, `per 1,000 tokens` or `per 1,000,000 tokens` (commas may be missing). Raises PriceUnreadable.
    """
    own = {_read_key(key): _read_price(key, text, read_on, source) for key, text in overrides.items()}
    return MappingProxyType({**prices, **own})


def with_currency(amount: str, currency: str) -> str:
    """`$1.50`, or `1.50 EUR` for any other currency."""
    return f"${amount}" if currency == "USD" else f"{amount} {currency}"


_PRICE = re.compile(r"(?P<amount>\d+(?:\.\d+)?) (?P<currency>[A-Z]{3}) per (?P<unit>[\d,]+ tokens|hour)", re.ASCII)
_FORM = 'Write it like "0.40 USD per 1,000,000 tokens" or "1.70 USD per hour".'


def _read_key(key: str) -> PriceKey:
    vendor, _, rest = key.partition("/")
    model, _, item = rest.rpartition("/")
    if not vendor or not model or item not in list(Item):
        items = ", ".join(Item)
        raise PriceUnreadable(
            f"The price for {key!r} names no vendor, model and item. Write vendor/model/item; items: {items}."
        )
    return PriceKey(vendor, model, Item(item))


def _read_price(key: str, text: str, read_on: date, source: str) -> Price:
    units = {str(unit).replace(",", ""): unit for unit in Unit}
    matched = _PRICE.fullmatch(text.strip())
    unit = units.get(matched["unit"].replace(",", "")) if matched else None
    if matched is None or unit is None:
        raise PriceUnreadable(f"The price {text!r} for {key} cannot be read. {_FORM}")
    if (unit is Unit.HOUR) != (_read_key(key).item is Item.HOSTING):
        raise PriceUnreadable(
            f"The price {text!r} for {key} has the wrong unit: hosting is per hour, all else per tokens."
        )
    return Price(Decimal(matched["amount"]), unit, matched["currency"], source, read_on)


# ---------------------------------------------------------------- what is known

_READ = date(2026, 11, 21)
_OPENAI = "https://openai.com/api/pricing/"
_LITELLM = "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json"  # release 1.109.1
_OPENAI_2023 = "https://openai.com/index/gpt-3-5-turbo-fine-tuning-and-api-updates/"
_AZURE = "https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/fine-tuning"
_NEBIUS = "https://docs.tokenfactory.nebius.com/post-training"
_CRUSOE = "https://docs.crusoecloud.com/serverless-fine-tuning"
_TOGETHER = "https://docs.together.ai/docs/fine-tuning"
_FIREWORKS = "https://docs.fireworks.ai/fine-tuning"
_TINKER = "https://tinker-docs.thinkingmachines.ai/inference/openai/overview"
_SECONDARY = "from a secondary source, so look there before spending"
_RANGE = "the highest of a range by model, {low} to {high}; from a secondary source, so look there before spending"


def _usd(
    vendor: str,
    model: str,
    source: str,
    read_on: date = _READ,
    *,
    note: str = "",
    unit: Unit = Unit.MILLION_TOKENS,
    **amounts: str,
) -> dict[PriceKey, Price]:
    """Prices of one model in US dollars; hosting is per hour, whatever the unit of the others."""
    return {
        PriceKey(vendor, model, Item(item)): Price(
            Decimal(amount), Unit.HOUR if item == Item.HOSTING else unit, "USD", source, read_on, note
        )
        for item, amount in amounts.items()
    }


PRICES: Prices = MappingProxyType(
    {
        **_usd(
            "openai",
            "gpt-3.5-turbo at its launch",
            _OPENAI_2023,
            note="announced 2023-08; the model was shut down on 2026-10-23",
            unit=Unit.THOUSAND_TOKENS,
            training="0.008",
            input="0.012",
            output="0.016",
        ),
        **_usd("openai", "gpt-3.5-turbo", _LITELLM, training="8", input="3", output="6"),
        **_usd("openai", "gpt-4o-mini", _LITELLM, input="0.30", output="1.20"),
        **_usd("openai", "gpt-4o-mini", _OPENAI, note=_SECONDARY, training="3"),
        **_usd("openai", "gpt-4o", _LITELLM, input="3.75", output="15"),
        **_usd("openai", "gpt-4o", _OPENAI, note=_SECONDARY, training="25"),
        **_usd("openai", "gpt-4.1", _OPENAI, training="25", input="3", output="12"),
        **_usd("openai", "gpt-4.1-mini", _OPENAI, training="5", input="0.80", output="3.20"),
        **_usd("openai", "gpt-4.1-nano", _OPENAI, training="1.50", input="0.20", output="0.80"),
        **_usd("openai", "*", _OPENAI, note="tuned models are paid by the token alone", hosting="0"),
        **_usd(
            "azure", "*", _AZURE, date(2026, 3, 19), note="Developer tier: no fee, gone after 24 hours", hosting="1.70"
        ),
        **_usd("nebius", "<20B", _NEBIUS, date(2026, 8, 1), note="from its cookbook", training="0.40"),
        **_usd("crusoe", "Llama-3.1-8B", _CRUSOE, date(2026, 9, 20), note=_SECONDARY, training="0.40", hosting="5.50"),
        **_usd("crusoe", "gpt-oss-120b", _CRUSOE, date(2026, 9, 20), note=_SECONDARY, training="6"),
        **{
            key: price
            for model, low, high in (("<=16B", "0.48", "1.35"), ("17-69B", "1.50", "4.12"), ("70-100B", "2.90", "8.00"))
            for key, price in _usd(
                "together", model, _TOGETHER, date(2026, 5, 8), note=_RANGE.format(low=low, high=high), training=high
            ).items()
        },
        **_usd(
            "together",
            "*",
            _TOGETHER,
            date(2026, 5, 8),
            note=_RANGE.format(low="3.99", high="9.95"),
            hosting="9.95",
        ),
        **_usd("fireworks", "<=16B", _FIREWORKS, date(2026, 10, 7), note=f"lora, sft; {_SECONDARY}", training="0.50"),
        **_usd("fireworks", "*", _FIREWORKS, date(2026, 10, 7), note=f"one H100 or H200; {_SECONDARY}", hosting="8"),
        **_usd(
            "tinker",
            "Qwen3-8B",
            _TINKER,
            date(2026, 10, 7),
            note=_SECONDARY,
            training="0.44",
            input="0.195",
            output="0.60",
        ),
    }
)
