"""Which examples share a batch: those of similar length, in an order that only seed and epoch decide.

A resumed job draws the same order again, so it neither repeats nor skips an example. Pure but for the sampler.
"""

# pyright: reportMissingTypeArgument=false
from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import chain

from torch.utils.data import Sampler

WINDOW_BATCHES = (
    8  # about so many are sorted together: enough to put like with like, few enough that each epoch mixes anew
)


def grouped_order(lengths: list[int], batch_size: int, seed: int, epoch: int) -> list[int]:
    """Every index once, so that each run of `batch_size` has similar lengths; a last, smaller run stands at the end.

    The indices are shuffled, sorted by length within windows, cut into batches, and the batches shuffled.
    """
    chance = random.Random(f"{seed} {epoch}")
    order = list(range(len(lengths)))
    chance.shuffle(order)
    n_batches = -(-len(order) // batch_size)
    n_windows = max(1, round(n_batches / WINDOW_BATCHES))
    window = max(1, -(-n_batches // n_windows)) * batch_size
    batches: list[list[int]] = []
    for start in range(0, len(order), window):
        alike = sorted(order[start : start + window], key=lambda index: lengths[index], reverse=True)
        batches += [alike[at : at + batch_size] for at in range(0, len(alike), batch_size)]
    full = [batch for batch in batches if len(batch) == batch_size]
    chance.shuffle(full)
    return list(chain(*full, *(batch for batch in batches if len(batch) < batch_size)))


def padding_share(lengths: list[int], order: list[int], batch_size: int) -> float:
    """Share of the tokens computed that are only filler, 0 to 1, when each batch is as wide as its longest example."""
    batches = [order[at : at + batch_size] for at in range(0, len(order), batch_size)]
    computed = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    return 1 - sum(lengths) / computed if computed else 0.0


class EpochSampler(Sampler):
    """Hands a trainer the order of the epoch it is in; accelerate and transformers call `set_epoch`."""

    def __init__(self, order: Callable[[int], list[int]], n_examples: int) -> None:
        self._order = order
        self._n_examples = n_examples
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return iter(self._order(self._epoch))

    def __len__(self) -> int:
        return self._n_examples
