"""The short form of `python -m bench.swap`: three processes answer while a model is promoted and rolled back."""

import pytest

from bench import swap


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres_database")  # skips where there is no server
async def test_no_reply_is_lost_or_anothers_while_models_are_swapped():
    row = await swap.play(times=1)
    assert row["swaps"] == 2
    assert row["replies"] == row["told"] > 0
    assert (row["errors"], row["misattributed"]) == (0, 0)
