"""Files of a program's own state: of a checkpoint, or of a model that only the program knows."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ZeroshiftError
from .tensors import encoded, read_tensors

_SUFFIXES = (".safetensors", ".pt")


def write_state(folder: Path, name: str, state: Any) -> Path:
    """Writes a state and returns its file, which appears only when it is complete.

    NumPy arrays and numbers by name are a `.safetensors` file. Everything else is written by
    `torch.save` as a `.pt` file: modules as their `state_dict`, and tensors, numbers and texts in
    dictionaries and lists.
    """
    suffix, data = _bytes_of(state)
    path = folder / f"{name}{suffix}"
    write_whole(path, data)
    return path


def read_state(path: Path) -> Any:
    """Reads what `write_state` wrote. Tensors are on the CPU."""
    if path.suffix == ".safetensors":
        return read_tensors(path)
    if path.suffix == ".pt":
        import torch

        return torch.load(path, map_location="cpu", weights_only=True)
    raise ZeroshiftError(f"{path} is no state that this package wrote; expected a {' or '.join(_SUFFIXES)} file")


def find_state(folder: Path, name: str) -> Path:
    """Returns the file that `write_state` wrote in a folder under this name."""
    for suffix in _SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.is_file():
            return path
    there = ", ".join(sorted(entry.name for entry in folder.iterdir())) if folder.is_dir() else "no such folder"
    raise ZeroshiftError(
        f"{folder} has no {' or '.join(name + suffix for suffix in _SUFFIXES)} (there is: {there or 'nothing'}); "
        "the program that made the model writes it by task.save(model=…)"
    )


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file under another name first, so that nobody sees half of it."""
    partial = path.with_name(f".{path.name}.partial")
    with open(partial, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _bytes_of(state: Any) -> tuple[str, bytes]:
    if isinstance(state, Mapping) and all(
        isinstance(value, (np.ndarray, np.generic, int, float)) for value in state.values()
    ):
        return ".safetensors", encoded(state)
    try:
        import torch
    except ImportError as error:
        raise ZeroshiftError(
            f"a state of type {type(state).__name__} needs PyTorch; without it, a state is NumPy arrays by name"
        ) from error
    buffer = io.BytesIO()
    # A file's own name would become part of its bytes.
    torch.save(state.state_dict() if isinstance(state, torch.nn.Module) else state, buffer)
    return ".pt", buffer.getvalue()
