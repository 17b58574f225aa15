"""Lines of progress, which Zeroshift reads from standard output."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

from .errors import ZeroshiftError


def progress_line(**values: Any) -> str:
    """Returns one line of JSON without the values that are None. Numbers may be of NumPy or PyTorch."""
    return json.dumps({key: _plain(key, value) for key, value in values.items() if value is not None})


def write_progress(**values: Any) -> None:
    """Writes a line of progress at once."""
    sys.stdout.write(progress_line(**values) + "\n")
    sys.stdout.flush()


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(f"{name}.{key}", entry) for key, entry in value.items()}
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, (str, int)):
        return value
    number = float(value)
    if not math.isfinite(number):
        raise ZeroshiftError(f"{name} is {number}: a report takes finite numbers. Has the training diverged?")
    return number
