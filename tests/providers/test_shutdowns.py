"""On which day a base model stops, and by whose word."""

from datetime import date

import pytest

from providers.shutdowns import ANNOUNCED, shutdown_of

LISTED = {"gpt-4o-mini-2024-07-18": date(2027, 1, 14), "ft:gpt-9:org::1": date(2028, 1, 1)}


@pytest.mark.parametrize(
    ("vendor", "model", "listed", "day"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", LISTED, date(2027, 1, 14)),
        ("openai", "ft:gpt-4o-mini-2024-07-18:org:puffin:abc", LISTED, date(2027, 1, 14)),
        ("openai", "ft:gpt-9:org::1", LISTED, date(2028, 1, 1)),
        ("openai", "gpt-4.1-mini-2025-04-14", {}, date(2027, 1, 14)),
        ("openai", "gpt-4.1-mini-2025-04-14", {"gpt-4.1-mini-2025-04-14": date(2027, 3, 1)}, date(2027, 3, 1)),
        ("azure", "gpt-4.1-mini-2025-04-14", {}, date(2027, 10, 1)),
        ("openai", "gpt-6-luna", {}, None),
        ("tuner", "smollm2-135m-instruct", {}, None),
        ("nebius", "gpt-4.1-mini", {}, None),
    ],
)
def test_the_vendors_own_list_counts_before_a_page(vendor: str, model: str, listed: dict[str, date], day: date | None):
    found = shutdown_of(vendor, model, listed)
    assert (found.on if found else None) == day


def test_every_announced_day_names_its_page_and_when_it_was_read():
    for shutdown in ANNOUNCED.values():
        assert shutdown.source.startswith("https://")
        assert shutdown.read_on is not None
