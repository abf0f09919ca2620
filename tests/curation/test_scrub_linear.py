"""A long hostile text costs in proportion to its length: no rule looks further than it says, and none is tried more often.

What a regular expression does inside cannot be counted; bench/scrub.py times the same texts.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable
from re import _parser  # type: ignore[attr-defined]  # the only way to ask a pattern how far it reaches
from typing import Any

import pytest

import curation.scrub
from bench.scrub_corpus import HOSTILE
from curation.scrub import Person, Placeholders, Rules, scrub_conversation
from curation.scrub.names import _patterns

FURTHEST = 70_000  # characters: a private key's body, the longest thing there is a rule for
ANNA = Person(("Anna Berg",), ("anna.b",))


def patterns() -> dict[str, re.Pattern[str]]:
    found = {
        f"{module.name}.{name}": value
        for module in pkgutil.iter_modules(curation.scrub.__path__)
        for name, value in vars(importlib.import_module(f"curation.scrub.{module.name}")).items()
        for value in (value if isinstance(value, tuple) else (value,))
        if isinstance(value, re.Pattern)
    }
    return found | {f"names of a person, {i}": p for i, p in enumerate(_patterns(ANNA)) if p is not None}


def test_no_pattern_reaches_without_limit():
    found = patterns()
    assert len(found) > 20
    assert {name for name, p in found.items() if _parser.parse(p.pattern, p.flags).getwidth()[1] > FURTHEST} == set()


def steps(work: Callable[[], Any]) -> int:
    """Calls made during the work, of Python's functions and of those written in C."""
    counted = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_four_times_the_text_is_at_most_five_times_the_steps(make: Callable[[int], str]):
    def scrub(text: str) -> Callable[[], object]:
        return lambda: scrub_conversation([text], Placeholders(b"salt"), Rules(people=(ANNA,)))

    scrub(make(100))()  # what is worked out once
    short, long = steps(scrub(make(2_000))), steps(scrub(make(8_000)))
    assert long <= 5 * short + 100
