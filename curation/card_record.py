"""Pure: a card as JSON, to be kept with its version, and its basis read back from there, so that it can be worked out again."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from curation.card import Basis, Card
from curation.cost import Estimate, Money, Traffic
from curation.prices import Item, Price, PriceKey, Unit


def card_document(card: Card) -> dict[str, Any]:
    """Everything on the card; money and traffic as text of the exact amount, and of the prices those that were used."""
    return {
        "version": card.version_id,
        **asdict(card.numbers),
        "agreement": {**asdict(card.agreement), "raters": [asdict(counts) for counts in card.agreement.raters]},
        "costs": [_cost(made) for made in card.estimates],
        "basis": {
            "tokens_counted_by": card.basis.counted_by,
            "epochs": card.basis.epochs,
            "full_prompt": card.basis.full_prompt,
            "caps": dict(card.basis.caps),
            "traffic": None if card.basis.traffic is None else _texts(asdict(card.basis.traffic)),
        },
    }


def basis_of(document: Mapping[str, Any]) -> Basis:
    """The basis of a kept card. Its prices are those that were used, under the names they were asked for by."""
    basis: Mapping[str, Any] = document["basis"]
    traffic: Mapping[str, str] | None = basis["traffic"]
    prices = {
        PriceKey(cost["vendor"], cost["model"], Item(price["item"])): _price(price)
        for cost in document["costs"]
        for price in cost["prices"]
    }
    return Basis(
        basis["tokens_counted_by"],
        basis["epochs"],
        basis["full_prompt"],
        prices,
        dict(basis["caps"]),
        tuple((cost["vendor"], cost["model"]) for cost in document["costs"]),
        None if traffic is None else Traffic(**{name: Decimal(amount) for name, amount in traffic.items()}),
    )


def _cost(made: Estimate) -> dict[str, Any]:
    return {
        "vendor": made.vendor,
        "model": made.model,
        "training": _money(made.training),
        "serving_per_month": _money(made.serving),
        "idle_per_month": _money(made.idle),
        "prices": [{"item": str(item), **_texts(asdict(price))} for item, price in made.prices],
        "unknown": list(made.unknown),
    }


def _money(money: Money | None) -> str | None:
    """The exact amount and its currency: `2.400 USD`."""
    return None if money is None else f"{money.amount} {money.currency}"


def _texts(fields: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items()}


def _price(kept: Mapping[str, str]) -> Price:
    read_on = date.fromisoformat(kept["read_on"])
    return Price(Decimal(kept["amount"]), Unit(kept["unit"]), kept["currency"], kept["source"], read_on, kept["note"])
