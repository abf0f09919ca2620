from collections.abc import Callable
from pathlib import Path

import pytest

from tuner.cores import Cores, Ticks, engine_threads, read_ticks

HZ = 100  # ticks per second and core
FIRST = Ticks(1000, 9000)


def told(*readings: Ticks | None) -> Callable[[], Ticks | None]:
    """A machine that answers these, one after the other."""
    left = iter(readings)
    return lambda: next(left)


def after(seconds: int, busy_cores: float, n_machine: int, since: Ticks = FIRST) -> Ticks:
    return Ticks(since.used_by_others + int(seconds * busy_cores * HZ), since.total + seconds * n_machine * HZ)


def test_an_idle_machine_gives_every_core() -> None:
    assert Cores(2, 2, told(FIRST, after(3, 0.1, 2))).free() == 2


def test_a_busy_program_takes_its_core() -> None:
    assert Cores(2, 2, told(FIRST, after(3, 1.0, 2))).free() == 1


def test_one_core_is_always_left_to_training() -> None:
    assert Cores(2, 2, told(FIRST, after(3, 2.0, 2))).free() == 1


def test_each_look_counts_only_what_happened_since_the_last() -> None:
    second = after(3, 4.0, 4)
    cores = Cores(4, 4, told(FIRST, second, after(3, 0.0, 4, second)))
    assert [cores.free(), cores.free()] == [1, 4]


def test_a_process_that_may_use_few_cores_of_a_large_machine_gets_no_more() -> None:
    assert Cores(2, 16, told(FIRST, after(3, 5.0, 16))).free() == 2


def test_where_the_machine_does_not_tell_all_cores_are_taken() -> None:
    assert Cores(2, 2, told(None, None)).free() == 2
    assert read_ticks(Path("/nowhere/stat")) is None


def test_a_second_look_in_the_same_tick_divides_by_nothing() -> None:
    assert Cores(2, 2, told(FIRST, FIRST)).free() == 2


def test_the_kernels_own_line_is_read_without_what_niced_programs_used(tmp_path: Path) -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice, as proc(5) lists them
    (tmp_path / "stat").write_text("cpu  10 500 20 4000 7 3 4 1 0 0\ncpu0 5 250 10 2000 3 1 2 0 0 0\n")
    assert read_ticks(tmp_path / "stat") == Ticks(10 + 20 + 3 + 4, 10 + 500 + 20 + 4000 + 7 + 3 + 4 + 1)


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="this system has no /proc/stat")
def test_this_kernel_is_read() -> None:
    ticks = read_ticks()
    assert ticks is not None
    assert 0 < ticks.used_by_others < ticks.total


@pytest.mark.parametrize(("n_cores", "alone", "beside_training"), [(1, 1, 1), (2, 2, 1), (8, 8, 4)])
def test_the_engine_leaves_half_the_cores_to_training(n_cores: int, alone: int, beside_training: int):
    assert engine_threads(n_cores, is_training=False) == alone
    assert engine_threads(n_cores, is_training=True) == beside_training
