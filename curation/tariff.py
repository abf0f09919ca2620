"""Pure: what one training run would be charged here, as the one line of a preview. An unknown price is said to be unknown.

The card of a dataset version (card.py) reckons more: serving, idling, other vendors.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from curation.cost import training_cost
from curation.prices import Item, Price, PriceKey, price_of

ASSUMED_EPOCHS = 3  # where the trainer chooses, as OpenAI's guide reckons
NOTHING_TO_PAY = "nothing to pay: the tuner trains on this machine"


@dataclass(frozen=True, slots=True)
class Tariff:
    """Who trains, and by which prices."""

    vendor: str = ""  # as prices name it; "": nobody said
    is_this_machine: bool = False  # the tuner runs here, and bills nobody
    prices: Mapping[PriceKey, Price] = field(default_factory=lambda: MappingProxyType({}))


def charge(tariff: Tariff, model: str, tokens: int, n_epochs: int | None) -> str:
    """What training `model` on `tokens` tokens a pass is charged; `n_epochs` None where the trainer chooses.

    A price of one's own for the tuner counts, also on this machine: somebody pays for it.
    """
    price = price_of(tariff.prices, tariff.vendor, model, Item.TRAINING)
    epochs = n_epochs or ASSUMED_EPOCHS
    cost = training_cost(tokens, epochs, price)
    if price is None or cost is None:
        return NOTHING_TO_PAY if tariff.is_this_machine else _unknown(tariff.vendor, model)
    passes = f"{epochs} {'pass' if epochs == 1 else 'passes'}"
    passes += "" if n_epochs else ", should the trainer choose as many,"
    note = f"; {price.note}" if price.note else ""
    source = urlsplit(price.source).hostname or price.source  # chat platforms take addresses out of what a bot says
    return f"{cost}: {tokens:,} tokens × {passes} at {price} ({source}, {price.read_on.isoformat()}{note})"


def _unknown(vendor: str, model: str) -> str:
    if not vendor:
        return f"not known: no price of training {model} is known here"
    return (
        f"not known: no price of training {model} at {vendor} is known here; "
        f"{vendor}/{model}/{Item.TRAINING} in FINETONE_PRICES gives one"
    )
