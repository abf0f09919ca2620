"""Identifiers sort by the moment they were made in, and say of what they are."""

import re
from datetime import UTC, datetime, timedelta

from storage.ids import new_id, new_ids

AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def test_an_id_is_its_kind_and_26_characters_nobody_confuses():
    assert re.fullmatch(r"run_[0-9a-hjkmnp-tv-z]{26}", new_id("run", AT))


def test_ids_sort_by_the_moment_they_were_made_in():
    made = [new_id("run", AT + timedelta(milliseconds=n)) for n in (0, 1, 1_000, 10**9, 10**12)]
    assert sorted(made) == made
    assert len({one[:14] for one in made}) == len(made)


def test_the_moment_is_the_first_ten_characters():
    """In the ULID layout, whose own example this is: https://github.com/ulid/spec (read 2026-11-21)."""
    assert new_id("x", datetime.fromtimestamp(1469918176.385, UTC))[2:12] == "01ARYZ6S41".lower()


def test_ids_of_one_moment_are_given_in_their_order_and_differ():
    made = new_ids("run", AT, 100)
    assert sorted(set(made)) == made
