"""What was learned, what it took, and when the next run pays: of known rows, by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from curation.cost import Money
from curation.learning import NextRun, Taught, between_decisions, fix_tokens, forecast, taught_by, took
from curation.prices import Item, Price, PriceKey, Unit
from curation.tariff import Tariff
from storage.records import Deployment, DeploymentKind, Learned, LearnedVerdict, Model
from storage.upkeep import RepliesOf

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LEARNED, NOT_YET, OVER = LearnedVerdict.LEARNED, LearnedVerdict.NOT_YET, LearnedVerdict.OVER_GENERALISED


def a_model(number: int) -> Model:
    return Model(f"m{number}", "v", number, f"ft:{number}", "base", f"run{number}", f"ds{number}", NOW)


def a_promotion(number: int, kind: DeploymentKind = DeploymentKind.PROMOTION) -> Deployment:
    return Deployment(f"d{number}", "v", number, kind, a_model(number), f"run{number}", NOW, "ada", "better")


def verdicts(number: int, **of: LearnedVerdict) -> list[Learned]:
    return [
        Learned(id, f"m{number}", f"run{number}", verdict, verdict is not NOT_YET, True, 0.5, None, 0, 0, 0, 0, NOW)
        for id, verdict in of.items()
    ]


def told(
    *numbers: int, served: Sequence[int], said: Sequence[Learned]
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = taught_by([a_model(n) for n in numbers], [a_promotion(n) for n in served], said, [])
    return {run.model.number: (run.new, run.forgotten) for run in found}


def test_a_run_taught_what_no_model_that_served_before_had_learned_and_forgot_what_one_had():
    said = [
        *verdicts(1, a=LEARNED, b=NOT_YET),
        *verdicts(2, a=NOT_YET, b=LEARNED, c=LEARNED),
        *verdicts(3, a=LEARNED, b=LEARNED, c=OVER),
    ]
    assert told(1, 2, 3, served=[1, 2, 3], said=said) == {1: (("a",), ()), 2: (("b", "c"), ("a",)), 3: ((), ("c",))}


def test_what_a_candidate_that_never_served_knew_nobody_lost():
    said = [*verdicts(1, a=LEARNED), *verdicts(2, a=NOT_YET)]
    assert told(1, 2, served=[], said=said) == {1: (("a",), ()), 2: ((), ())}


def test_a_correction_that_is_not_asked_any_more_is_not_forgotten():
    said = [*verdicts(1, a=LEARNED, b=LEARNED), *verdicts(2, b=LEARNED)]
    assert told(1, 2, served=[1, 2], said=said)[2] == ((), ())


def test_a_model_that_nobody_judged_stands_in_no_row():
    assert told(1, 2, served=[1, 2], said=verdicts(2, a=LEARNED)) == {2: (("a",), ())}
    assert told(served=[], said=[]) == {}


def test_the_share_has_wilsons_interval_and_its_replies():
    replies = RepliesOf("ft:1", 4, 400, 1)
    (run,) = taught_by([a_model(1)], [a_promotion(1)], verdicts(1, a=LEARNED, b=LEARNED, c=OVER, d=NOT_YET), [replies])
    assert (run.judged, run.learned, run.replies) == (4, 2, replies)
    assert (run.share.low, run.share.high) == pytest.approx((0.1500, 0.8500), abs=0.0001)  # 2 of 4, by the closed form


# ---------------------------------------------------------------- what it took


def at(*seconds: float, who: str = "noor") -> list[tuple[str, datetime]]:
    return [(who, NOW + timedelta(seconds=each)) for each in seconds]


@pytest.mark.parametrize(
    ("decided", "seconds"),
    [
        ([], None),
        (at(0, 20, 40, 60, 80), None),
        (at(0, 20, 40, 60, 80, 100), 20),
        (at(0, 0, 0, 0, 0, 0, 0, 0), None),
        (at(0, 20, 40, 10_000, 10_020, 10_040, 10_100), 20),
        (sorted([*at(0, 30, 60, 90), *at(10, 40, 70, 100, who="mia")], key=lambda each: each[1]), 30),
    ],
    ids=["none", "four gaps", "five gaps", "one click", "a break", "two people at once"],
)
def test_a_decision_takes_what_lies_between_two_of_one_person_in_one_go(
    decided: list[tuple[str, datetime]], seconds: float | None
):
    assert between_decisions(decided) == seconds


def a_price(amount: str, currency: str = "USD") -> Price:
    return Price(Decimal(amount), Unit.MILLION_TOKENS, currency, "https://example.com", date(2026, 11, 22))


PRICED = Tariff("shop", prices={PriceKey("shop", "base", Item.TRAINING): a_price("3")})


def test_money_and_minutes_are_shared_among_the_learned_corrections():
    spent = took([("base", 50_000), ("base", 150_000)], PRICED, 4, at(0, 30, 60, 90, 120, 150), learned=3)
    assert (spent.tokens, spent.runs, spent.money) == (800_000, 2, Money(Decimal("2.4"), "USD"))
    assert spent.money_each == Money(Decimal("0.8"), "USD")
    assert spent.minutes_each == pytest.approx(6 * 30 / 60 / 3)


def test_an_unknown_price_makes_the_sum_unknown_and_this_machine_bills_nobody():
    unknown = took([("base", 50_000), ("other", 50_000)], PRICED, 4, [], learned=3)
    assert (unknown.money, unknown.is_free, unknown.money_each) == (None, False, None)
    free = took([("base", 50_000)], Tariff("tuner", is_this_machine=True), 4, [], learned=3)
    assert (free.money, free.is_free) == (None, True)


def test_nothing_is_shared_among_no_learned_correction():
    spent = took([("base", 50_000)], PRICED, 4, at(0, 30, 60, 90, 120, 150), learned=0)
    assert (spent.money_each, spent.minutes_each) == (None, None)


# ---------------------------------------------------------------- the next run


def test_the_forecast_is_of_the_newest_model_of_which_enough_were_judged():
    five = dict.fromkeys("abcde", LEARNED)
    found = taught_by([a_model(1), a_model(2)], [], [*verdicts(1, **five), *verdicts(2, a=NOT_YET)], [])
    share = forecast(found)
    assert share is not None
    assert share.high == 1.0
    assert forecast(found[1:]) is None


def test_fixes_take_what_was_shown_of_them_and_learned_ones_nothing():
    assert fix_tokens({"a": 3, "b": 2, "gone": 9}, {"a": 10, "b": 100}, learned={"b"}) == 30
    assert fix_tokens({}, {}, learned=()) == 0


def a_next_run(fixes: int, money: str | None, price: Price | None, found: Sequence[Taught]) -> NextRun:
    cost = None if money is None else Money(Decimal(money), "USD")
    return NextRun(3, 9, "", "", cost, fixes, forecast(found), price)


def half_learned() -> Sequence[Taught]:
    return taught_by(
        [a_model(1)], [], verdicts(1, a=LEARNED, b=LEARNED, c=LEARNED, d=NOT_YET, e=NOT_YET, f=NOT_YET), []
    )


def test_a_run_pays_after_the_days_in_which_its_cost_is_saved():
    run = a_next_run(1_000_000, "1", a_price("2"), half_learned())
    assert run.share is not None
    assert run.saved == (round(1_000_000 * run.share.low), round(1_000_000 * run.share.high))
    assert run.days is not None
    fastest, slowest = run.days
    assert fastest == pytest.approx(30 / (2 * run.share.high), rel=1e-5)
    assert slowest == pytest.approx(30 / (2 * run.share.low), rel=1e-5)


@pytest.mark.parametrize(
    ("fixes", "money", "price"),
    [(0, "1", a_price("2")), (1_000, None, a_price("2")), (1_000, "1", None), (1_000, "1", a_price("2", "EUR"))],
    ids=["no fix was shown", "no cost", "no price of prompts", "another currency"],
)
def test_no_days_are_told_where_a_number_for_them_is_missing(fixes: int, money: str | None, price: Price | None):
    assert a_next_run(fixes, money, price, half_learned()).days is None


def test_nothing_is_saved_by_a_share_that_nobody_knows():
    run = a_next_run(1_000, "1", a_price("2"), ())
    assert (run.saved, run.days) == (None, None)
