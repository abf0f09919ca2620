"""The first look at vectors is a short cut: the nearest are found as if every row were compared whole."""

import pytest

np = pytest.importorskip("numpy", reason="the extra recall is not installed")

from curation.recall.vectors import SHORTLIST, Vectors  # noqa: E402

ROWS, WIDTH, FIRST = 3_000, 32, 8


def always(_: int) -> bool:
    return True


def filled(first_look: int) -> Vectors:
    """Rows whose first numbers tell most of what they are near to, as in a vector that was trained to be cut short."""
    numbers = np.random.default_rng(5).normal(size=(ROWS, WIDTH)).astype(np.float32)
    numbers[:, FIRST:] *= 0.1
    rows = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    vectors = Vectors(first_look)
    for start in range(0, ROWS, 700):  # so that there is room to be made in between
        vectors.extend(rows[start : start + 700], rows[start : start + 700])
    return vectors


@pytest.fixture(scope="module")
def whole() -> Vectors:
    return filled(0)


@pytest.fixture
def short() -> Vectors:
    return filled(FIRST)


def asked(number: int) -> "np.ndarray":
    vector = np.random.default_rng(number).normal(size=WIDTH).astype(np.float32)
    vector[FIRST:] *= 0.1
    return vector / np.linalg.norm(vector)


def test_a_first_look_finds_the_same_nearest_in_the_same_order(whole: Vectors, short: Vectors):
    for number in range(50):
        vector = asked(number)
        assert short.nearest(vector, 12, always) == whole.nearest(vector, 12, always)


def test_it_looks_on_until_enough_hold(whole: Vectors, short: Vectors):
    """Those that do not hold here fill the whole short list, and more."""
    vector = asked(1)
    nearest = set(whole.nearest(vector, 2 * SHORTLIST, always))
    found = short.nearest(vector, 3, lambda slot: slot not in nearest)
    assert len(found) == 3
    assert found == whole.nearest(vector, 3, lambda slot: slot not in nearest)


def test_a_forgotten_row_is_in_no_look(short: Vectors):
    vector = asked(2)
    first, *others = short.nearest(vector, 3, always)
    short.forget(first)
    assert short.nearest(vector, 2, always) == others
    assert short.only([others[0], first]).nearest(vector, 2, always) == [0]
