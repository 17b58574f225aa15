"""The files of a result."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .errors import ZeroshiftError
from .state import write_whole
from .tensors import encoded, read_tensors


def save_weights(folder: Path, weights: Any) -> None:
    """Writes model.safetensors. All tensors become float32."""
    tensors = {name: _float32(name, value) for name, value in named_tensors(weights).items()}
    write_whole(folder / "model.safetensors", encoded(tensors))


def save_adapter(folder: Path, adapter: Any) -> None:
    """Writes adapter_config.json and adapter_model.safetensors."""
    if hasattr(adapter, "save_pretrained"):
        adapter.save_pretrained(folder)
        return
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        source = Path(adapter) / name
        if not source.is_file():
            raise ZeroshiftError(f"{source} does not exist; expected the folder of an adapter that PEFT saved")
        shutil.copyfile(source, folder / name)


def save_logits(folder: Path, logits: Any, shape: tuple[int, int]) -> None:
    """Writes logits.npy."""
    array = _array(logits)
    if array.dtype != np.float64:
        array = array.astype(np.float32)
    if array.shape != shape:
        raise ZeroshiftError(
            f"the logits have the shape {array.shape}; expected {shape}: "
            "one row for every image, one column for every class"
        )
    _refuse_infinite("the logits", array)
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    write_whole(folder / "logits.npy", buffer.getvalue())


def named_tensors(weights: Any) -> Mapping[str, Any]:
    """Returns the tensors of a module by the names that Zeroshift expects. A mapping is returned as it is."""
    if hasattr(weights, "zeroshift_tensors"):
        return weights.zeroshift_tensors()
    if isinstance(weights, Mapping):
        named = weights
    else:
        named = _published(weights) if hasattr(weights, "save_pretrained") else weights.state_dict()
    # A counter of training steps, which no forward pass reads.
    return {name: value for name, value in named.items() if not name.endswith("num_batches_tracked")}


def _published(model: Any) -> Mapping[str, Any]:
    """Returns the tensors of a model of transformers by the names in published files, which are not its own."""
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder, max_shard_size="100GB")
        return read_tensors(Path(folder) / "model.safetensors")


def _float32(name: str, value: Any) -> np.ndarray:
    array = _array(value).astype(np.float32)
    _refuse_infinite(f'the tensor "{name}"', array)
    return array


def _array(value: Any) -> np.ndarray:
    """Converts a tensor of PyTorch, of any type and device, or anything that NumPy takes."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.double().numpy() if value.element_size() == 8 else value.float().numpy()
    return np.asarray(value)


def _refuse_infinite(what: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        first = tuple(int(axis) for axis in np.argwhere(~np.isfinite(array))[0])
        raise ZeroshiftError(f"{what}: {array[first]} at {first}; expected finite numbers. Has the training diverged?")
