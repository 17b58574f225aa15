"""Programs for Zeroshift: `Task` is one side of the contract, `Run` opens results."""

from .batches import Batch, Batches
from .errors import ZeroshiftError
from .run import Run
from .task import Task

__all__ = ["Batch", "Batches", "Run", "Task", "ZeroshiftError"]
