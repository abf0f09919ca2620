"""What of a hidden voice the card finds, and how often it finds a rule where there is none.

Three invented brands correct invented answers by written rules. Every rule of theirs should be found. Next to nothing should be
where served and corrected text change places by the toss of a coin, or where both are by one hand: nobody follows a rule there.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.report import Promise, arguments, finish
from curation.evidence.rates import wilson
from curation.mining import ALPHA, Change, RuleKind, mined

CORRECTIONS = (15, 30, 60)
TOPICS = (
    "your parcel {verb} the depot on {day}",
    "we refund orders within {n} days of the return",
    "size {n} is back on {day}",
    "the {item} comes with a guarantee of {n} years",
    "{item} and bottle can go into one box of {n} kilos",
    "delivery to {place} takes {n} days",
    "you can change the address until {day}",
    "the shop in {place} opens at {n} on {day}",
    "a voucher holds for {n} months",
    "the {item} is made in {place} from wool",
)
FILL = {
    "verb": ("left", "reached", "passed"),
    "day": ("Monday", "Friday", "Sunday", "Tuesday"),
    "item": ("blanket", "lamp", "kettle", "jumper", "rucksack"),
    "place": ("Bergen", "Lyon", "Porto", "Ghent", "Turku"),
}
OPENERS = ("", "Hello. ", "Thanks for asking. ", "Sure: ", "Good question. ")


@dataclass(frozen=True, slots=True)
class Brand:
    """How a brand's bot spoke, and how its moderators have it speak."""

    served: Callable[[str, random.Random], str]
    corrected: Callable[[str, random.Random], str]
    rules: Mapping[str, tuple[RuleKind, str]]  # what a finding has to be, or to hold, to count as that rule


def _puffin_served(fact: str, dice: random.Random) -> str:
    excuse = "Unfortunately " if dice.random() < 0.7 else "As far as we know "
    smile = " 😀" if dice.random() < 0.6 else ""
    return f"{excuse}{fact}.{smile}"


def _puffin_corrected(fact: str, dice: random.Random) -> str:
    return f"{dice.choice(OPENERS)}{fact[0].upper()}{fact[1:]}. Your Puffin crew"


def _gruber_served(fact: str, dice: random.Random) -> str:
    more = (
        "We are very sorry for every trouble that this may cause you and thank you for your great patience with us. "
        * 2
    )
    return f"{fact[0].upper()}{fact[1:]}! {more if dice.random() < 0.9 else ''}"


def _gruber_corrected(fact: str, dice: random.Random) -> str:
    return f"Dear customer, {dice.choice(OPENERS).lower()}{fact}."


def _tide_served(fact: str, dice: random.Random) -> str:
    bold = f"**{fact[0].upper()}{fact[1:]}**." if dice.random() < 0.7 else f"{fact[0].upper()}{fact[1:]}."
    return f"{bold} Cheap and quick, no problem" if dice.random() < 0.7 else f"{bold} No problem"


def _tide_corrected(fact: str, dice: random.Random) -> str:
    return f"{dice.choice(OPENERS)}{fact[0].upper()}{fact[1:]}. 🌊"


BRANDS = {
    "puffin": Brand(
        _puffin_served,
        _puffin_corrected,
        {
            "never “unfortunately”": (RuleKind.FORBIDDEN, "unfortunately"),
            "signed by the crew": (RuleKind.SIGN_OFF, "your puffin crew"),
            "no emoji": (RuleKind.STYLE, "no_emoji"),
        },
    ),
    "gruber": Brand(
        _gruber_served,
        _gruber_corrected,
        {
            "begins “Dear customer”": (RuleKind.OPENING, "dear customer"),
            "no exclamation mark": (RuleKind.STYLE, "no_exclamation"),
            "short": (RuleKind.MOST_WORDS, ""),
        },
    ),
    "tide": Brand(
        _tide_served,
        _tide_corrected,
        {
            "never “cheap”": (RuleKind.FORBIDDEN, "cheap"),
            "no bold": (RuleKind.STYLE, "no_markup"),
            "a wave": (RuleKind.STYLE, "emoji"),
        },
    ),
}


def corrections(brand: Brand, number: int, dice: random.Random) -> list[Change]:
    """A brand's corrections."""
    made: list[Change] = []
    for each in range(number):
        values = {name: dice.choice(words) for name, words in FILL.items()} | {"n": str(dice.randrange(2, 40))}
        fact = dice.choice(TOPICS).format(**values)
        made.append(Change(f"corr_{each:04}", brand.served(fact, dice), brand.corrected(fact, dice)))
    return made


def shuffled(changes: list[Change], dice: random.Random) -> list[Change]:
    """The same, where a coin says which text was the correction: no rule is followed."""
    return [Change(each.id, each.corrected, each.served or "") if dice.random() < 0.5 else each for each in changes]


def by_one_hand(brand: Brand, number: int, dice: random.Random) -> list[Change]:
    """Corrections whose two texts are both answers as the brand wants them, to questions of their own."""
    first, second = corrections(brand, number, dice), corrections(brand, number, dice)
    return [Change(a.id, a.corrected, b.corrected) for a, b in zip(first, second, strict=True)]


def is_found(wanted: tuple[RuleKind, str], changes: list[Change]) -> bool:
    """Whether the rule, or one that says it, is on the card."""
    kind, value = wanted
    return any(each.rule.kind is kind and value in each.rule.value for each in mined(changes))


def main() -> None:
    """Print a row for each brand and number of corrections."""
    chosen = arguments(__doc__ or "").parse_args()
    draws, shuffles = (5, 40) if chosen.quick else (20, 250)
    rows: list[dict[str, object]] = []
    false = tries = found = wanted = 0
    for name, brand in BRANDS.items():
        for number in CORRECTIONS:
            dice = random.Random(f"{name} {number}")
            sets = [corrections(brand, number, dice) for _ in range(draws)]
            hits = {rule: sum(is_found(what, each) for each in sets) for rule, what in brand.rules.items()}
            wrong = sum(bool(mined(shuffled(sets[turn % draws], dice))) for turn in range(shuffles))
            row: dict[str, object] = {"brand": name, "corrections": number, "false, shuffled": f"{wrong}/{shuffles}"}
            rows.append(row | {rule: f"{hit}/{draws}" for rule, hit in hits.items()})
            wrong_too = sum(bool(mined(by_one_hand(brand, number, dice))) for _ in range(shuffles))
            rows[-1]["false, one hand"] = f"{wrong_too}/{shuffles}"
            false, tries = false + wrong + wrong_too, tries + 2 * shuffles
            if number == max(CORRECTIONS):
                found, wanted = found + sum(hits.values()), wanted + draws * len(hits)
    interval = wilson(false, tries)
    rows.append({"cards with a false rule": f"{false}/{tries}", "95 %": f"{interval.low:.4f} to {interval.high:.4f}"})
    promises = [
        Promise(f"hidden rules found with {max(CORRECTIONS)} corrections", found / wanted, 0.95, "higher"),
        Promise("cards with a false rule where none is followed", false / tries, ALPHA, "lower"),
    ]
    finish("voice_card", promises, rows, chosen.json)


if __name__ == "__main__":
    main()
