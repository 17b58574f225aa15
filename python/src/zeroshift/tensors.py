"""Files in the safetensors format, read and written with NumPy alone."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ZeroshiftError

_TYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}


def read_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Returns the tensors of a file by name, as arrays of their own. BF16 becomes float32."""
    data = Path(path).read_bytes()
    try:
        return decoded(data)
    except (ValueError, KeyError, TypeError) as error:
        raise ZeroshiftError(f"{path} is not a complete safetensors file: {error}") from error


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, Any]) -> None:
    """Writes arrays. Names are in order, so that equal arrays give equal bytes."""
    Path(path).write_bytes(encoded(tensors))


def encoded(tensors: Mapping[str, Any]) -> bytes:
    """Returns the bytes of a safetensors file."""
    header: dict[str, Any] = {}
    parts: list[bytes] = []
    offset = 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if array.dtype not in _NAMES:
            raise ZeroshiftError(f'the tensor "{name}" has the type {array.dtype}; expected one of {_known()}')
        part = array.tobytes(order="C")
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(part)],
        }
        parts.append(part)
        offset += len(part)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def decoded(data: bytes) -> dict[str, np.ndarray]:
    """Returns the tensors of a file's bytes."""
    start = 8 + int.from_bytes(data[:8], "little")
    if len(data) < start or start == 8:
        raise ValueError(f"{len(data)} bytes are there, its header ends at byte {start}")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {name: _tensor(name, entry, data[start:]) for name, entry in header.items()}


def _tensor(name: str, entry: dict[str, Any], data: bytes) -> np.ndarray:
    begin, end = entry["data_offsets"]
    shape = entry["shape"]
    # NumPy has no bfloat16, which is the upper half of a float32.
    is_half = entry["dtype"] == "BF16"
    dtype: np.dtype[Any] = np.dtype("<u2") if is_half else _TYPES[entry["dtype"]]
    if not 0 <= begin <= end <= len(data):
        raise ValueError(f'the tensor "{name}" ends at byte {end} of {len(data)}')
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError(f'the tensor "{name}" has {end - begin} bytes, which its shape {shape} does not take')
    values = np.frombuffer(data[begin:end], dtype).reshape(shape)
    if is_half:
        return (values.astype("<u4") << 16).view("<f4")
    return values.copy()


def _known() -> str:
    return ", ".join(str(dtype) for dtype in _TYPES.values())
