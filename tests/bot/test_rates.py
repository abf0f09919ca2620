"""How many questions in a minute."""

import pytest

from bot import rates
from bot.rates import Latest, Rates
from tests.conftest import Clock


def test_so_many_in_a_minute_and_again_when_it_has_passed(clock: Clock):
    asked = Rates(clock)
    assert [asked.is_allowed("cleo", 3) for _ in range(5)] == [True, True, True, False, False]
    assert asked.is_allowed("bo", 3)
    clock.advance(60)
    assert asked.is_allowed("cleo", 3)


def test_no_limit_allows_everything(clock: Clock):
    assert all(Rates(clock).is_allowed("cleo", 0) for _ in range(100))


def test_not_everybody_is_remembered_for_ever(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rates, "REMEMBERED", 2)
    asked = Rates(clock)
    for person in ("ada", "bo", "cy"):
        asked.is_allowed(person, 1)
    assert asked.is_allowed("ada", 1)
    assert not asked.is_allowed("cy", 1)


def test_it_is_known_how_long_ago_somebody_last_asked(clock: Clock):
    latest = Latest(lambda: clock.now)
    assert latest.ago_s("cleo") is None
    latest.happened("cleo")
    clock.advance(30)
    assert latest.ago_s("cleo") == 30.0
    latest.happened("cleo")
    assert latest.ago_s("cleo") == 0.0


def test_who_asked_long_ago_is_forgotten_first(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rates, "REMEMBERED", 2)
    latest = Latest(clock)
    for person in ("ada", "bo", "ada", "cy"):
        latest.happened(person)
    assert [latest.ago_s(person) is None for person in ("ada", "bo", "cy")] == [False, True, False]
