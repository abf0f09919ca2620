"""The short form of `python -m bench.kill`: real workers, killed and frozen, and a vendor whose ledger is what counts."""

import pytest

from bench import kill
from storage.records import RecipeKind


async def test_a_worker_killed_at_random_moments_pays_once_and_promotes_once_a_run():
    row = await kill.killed_alone(kills=2, seed=7)
    assert row["runs"] == row["promoted"] == row["promotions"] == row["jobs"]
    assert row["kills"] == 2


async def test_a_worker_killed_between_the_two_jobs_of_a_run_loses_none_and_pays_for_no_third():
    row = await kill.killed_between_the_jobs(times=1)
    assert (row["runs"], row["promoted"], row["promotions"], row["jobs"]) == (1, 1, 1, 2)


@pytest.mark.slow
async def test_a_worker_killed_at_random_moments_pays_once_a_job_where_a_run_has_two():
    row = await kill.killed_alone(kills=2, seed=8, recipe=RecipeKind.SFT_DPO)
    assert row["runs"] == row["promoted"] == row["promotions"]
    assert row["jobs"] == row["steps"] == 2 * row["runs"]


@pytest.mark.postgres
@pytest.mark.usefixtures("postgres_database")  # skips where there is no server
async def test_a_worker_frozen_before_its_create_wakes_to_find_the_run_anothers():
    row = await kill.frozen_before_the_intent(times=1)
    assert (row["runs"], row["promoted"], row["promotions"], row["jobs"]) == (1, 1, 1, 1)
