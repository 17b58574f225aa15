"""Batches of samples in an order that a seed decides."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .errors import ZeroshiftError


class Batch(NamedTuple):
    """Some samples. The arrays have one entry for each sample."""

    indices: np.ndarray
    """Rows of the data set, int64."""
    images: np.ndarray
    """Normalised images, float32, as `Task.normalised` returns them."""
    labels: np.ndarray
    """Class numbers, int64."""


def generator(seed: int, name: str, number: int = 0) -> np.random.Generator:
    """Returns a generator whose draws depend on the seed, the name and the number alone."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode()), number]))


class Batches:
    """Batches of some samples, epoch after epoch, each in a new order.

    As in Zeroshift's own trainings, shuffled samples at the end of an epoch that do not fill a batch
    are left out. Without shuffling, the last batch may be smaller than the others.

    The batch of a step depends on the seed, the name and the step alone. A program that continues
    from a checkpoint therefore reads the same batches as one that was never interrupted.
    """

    def __init__(
        self,
        indices: np.ndarray,
        batch_size: int,
        read: Callable[[np.ndarray], Batch],
        *,
        seed: int,
        name: str,
        shuffle: bool,
    ) -> None:
        if batch_size < 1:
            raise ZeroshiftError(f"the batch size is {batch_size}; expected at least 1")
        if len(indices) == 0:
            raise ZeroshiftError(f'there are no samples to make batches "{name}" of')
        self._indices = np.asarray(indices)
        self._read = read
        self._seed = seed
        self._name = name
        self._shuffle = shuffle
        self._order: tuple[int, np.ndarray] | None = None
        self.batch_size = min(batch_size, len(indices))
        #: The number of batches in an epoch.
        self.per_epoch = len(indices) // self.batch_size if shuffle else -(-len(indices) // self.batch_size)

    def at(self, step: int) -> Batch:
        """Returns the batch of a step, counted from 0 over all epochs."""
        epoch, position = divmod(step, self.per_epoch)
        first = position * self.batch_size
        return self._read(self._epoch_order(epoch)[first : first + self.batch_size])

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Iterates over the batches of one epoch, counted from 0."""
        return (self.at(epoch * self.per_epoch + position) for position in range(self.per_epoch))

    def _epoch_order(self, epoch: int) -> np.ndarray:
        if not self._shuffle:
            return self._indices
        if self._order is None or self._order[0] != epoch:
            random = generator(self._seed, self._name, epoch)
            self._order = (epoch, random.permutation(self._indices))
        return self._order[1]
