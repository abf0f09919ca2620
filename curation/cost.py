"""Pure: tokens → money, in the order of surprise: training, serving by the token, and a dedicated model that idles.

Exact decimals throughout; only what a person reads is rounded. An unknown price makes an unknown cost, which is said, and
never counts as nothing.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from curation.prices import TOKENS, Item, Price, Prices, Unit, price_of, with_currency

HOURS_PER_MONTH = Decimal(730)  # 365 days × 24 hours / 12 months
HOURS_PER_DAY = 24
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of a currency (ISO 4217)."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        """Rounded to a hundredth, half up: `$2.40`, `1,241.00 EUR`; `less than $0.01` for what would round to nothing."""
        rounded = self.amount.quantize(CENT, ROUND_HALF_UP)
        if self.amount > 0 and rounded == 0:
            return f"less than {with_currency(str(CENT), self.currency)}"
        return with_currency(f"{rounded:,}", self.currency)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a tuned model would have to serve in a month of 730 hours."""

    replies: Decimal
    input_tokens: Decimal  # of all prompts
    output_tokens: Decimal  # of all replies


def monthly_traffic(replies: int, input_tokens: int, output_tokens: int, *, days: int) -> Traffic:
    """A month at the pace of the last `days` days (at least 1), whose totals are given."""
    if days < 1:
        raise ValueError(f"Traffic of {days} days says nothing of a month; give at least 1.")
    months = Decimal(days * HOURS_PER_DAY) / HOURS_PER_MONTH
    return Traffic(replies / months, input_tokens / months, output_tokens / months)


def training_cost(tokens: int, epochs: int, price: Price | None) -> Money | None:
    """tokens × epochs × price: how the vendors bill a job. None for an unknown price."""
    return None if price is None else _for_tokens(Decimal(tokens * epochs), price)


def serving_cost(traffic: Traffic, input_price: Price | None, output_price: Price | None) -> Money | None:
    """A month's prompts and replies by the token. None where a price is unknown, or the two are in different currencies."""
    if input_price is None or output_price is None or input_price.currency != output_price.currency:
        return None
    asked = _for_tokens(traffic.input_tokens, input_price)
    said = _for_tokens(traffic.output_tokens, output_price)
    return Money(asked.amount + said.amount, asked.currency)


def idle_cost(price: Price | None, hours: Decimal = HOURS_PER_MONTH) -> Money | None:
    """What a dedicated model costs while it is up, asked or not. None for an unknown price."""
    if price is None:
        return None
    if price.unit is not Unit.HOUR:
        raise ValueError(f"Hosting is paid by the hour, and this price is {price}.")
    return Money(price.amount * hours, price.currency)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one training run and a month of serving would cost at a vendor. None: unknown, and `unknown` says which price."""

    vendor: str
    model: str
    tokens: int
    epochs: int
    traffic: Traffic | None
    training: Money | None
    serving: Money | None  # a month, by the token
    idle: Money | None  # a month, by the hour
    prices: tuple[tuple[Item, Price], ...]  # those that were used
    unknown: tuple[str, ...]  # sentences

    def sentences(self) -> tuple[str, ...]:
        """The estimate as a person reads it: what, how it comes about, whose prices."""
        at = dict(self.prices)
        said: list[str] = []
        if self.training is not None:
            how = f"{self.tokens:,} tokens × {_plural(self.epochs, 'epoch')} at {_given(at[Item.TRAINING])}"
            said.append(f"Training: {self.training} ({how}).")
        if self.serving is not None and self.traffic is not None:
            how = (
                f"{self.traffic.input_tokens:,.0f} tokens in at {_given(at[Item.INPUT])}, "
                f"{self.traffic.output_tokens:,.0f} out at {_given(at[Item.OUTPUT])}"
            )
            said.append(f"Serving: {self.serving} a month ({how}).")
        if self.idle is not None:
            said.append(f"Idle: {self.idle} a month ({HOURS_PER_MONTH} hours at {_given(at[Item.HOSTING])}).")
        return (*said, *self.unknown)


def estimate(
    prices: Prices, vendor: str, model: str, *, tokens: int, epochs: int, traffic: Traffic | None = None
) -> Estimate:
    """Cost of training on `tokens` tokens for `epochs` passes and, where traffic is given, of a month of serving."""
    found = {item: price_of(prices, vendor, model, item) for item in Item}
    wanted = [Item.TRAINING, Item.HOSTING] if traffic is None else list(Item)
    unknown = [
        f"The price of {item} for {model} at {vendor} is unknown; {vendor}/{model}/{item} in FINETONE_PRICES gives it."
        for item in wanted
        if found[item] is None
    ]
    asked, said = found[Item.INPUT], found[Item.OUTPUT]
    if traffic is not None and asked and said and asked.currency != said.currency:
        unknown.append(f"Serving is not added up: its prices are in {asked.currency} and in {said.currency}.")
    return Estimate(
        vendor,
        model,
        tokens,
        epochs,
        traffic,
        training_cost(tokens, epochs, found[Item.TRAINING]),
        None if traffic is None else serving_cost(traffic, asked, said),
        idle_cost(found[Item.HOSTING]),
        tuple((item, price) for item in wanted if (price := found[item]) is not None),
        tuple(unknown),
    )


def _for_tokens(tokens: Decimal, price: Price) -> Money:
    if price.unit not in TOKENS:
        raise ValueError(f"Tokens are paid by the token, and this price is {price}.")
    return Money(tokens * price.amount / TOKENS[price.unit], price.currency)


def _given(price: Price) -> str:
    note = f"; {price.note}" if price.note else ""
    return f"{price}, {price.source}, {price.read_on.isoformat()}{note}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
