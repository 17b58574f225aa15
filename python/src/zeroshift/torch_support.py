"""What programs in PyTorch need."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from .batches import Batch
from .task import Task


def prepare(task: Task) -> torch.device:
    """Sets PyTorch's seed and threads and asks for deterministic kernels. Returns the device."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.manual_seed(task.seed)
    torch.set_num_threads(task.threads)
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda" if task.device == "gpu" and torch.cuda.is_available() else "cpu")


def tensors(batch: Batch, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """Returns images and labels of a batch."""
    return torch.from_numpy(batch.images).to(device), torch.from_numpy(batch.labels).to(device)


def checkpoint(task: Task, step: int, *, seconds: float = 30, **parts: Any) -> None:
    """Saves a checkpoint of modules, optimizers and schedules, and of PyTorch's random numbers.

    `Task.checkpoint` says when. `step` is the number of steps that are done.
    """

    def state() -> dict[str, Any]:
        states = {name: part.state_dict() for name, part in parts.items()}
        return {"step": step, "random": _random_state(), "parts": states}

    task.checkpoint(step, state, seconds=seconds)


def restore(task: Task, **parts: Any) -> int:
    """Restores what `checkpoint` saved in an earlier attempt. Returns the number of steps that are done."""
    saved = task.load_checkpoint()
    if saved is None:
        return 0
    for name, part in parts.items():
        part.load_state_dict(saved["parts"][name])
    torch.set_rng_state(saved["random"]["cpu"])
    if torch.cuda.is_available() and "cuda" in saved["random"]:
        torch.cuda.set_rng_state(saved["random"]["cuda"])
    return saved["step"]


def _random_state() -> dict[str, torch.Tensor]:
    state = {"cpu": torch.get_rng_state()}
    return {**state, "cuda": torch.cuda.get_rng_state()} if torch.cuda.is_initialized() else state


@torch.inference_mode()
def logits(
    task: Task, model: torch.nn.Module, *, batch_size: int = 500, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Returns the logits of a model for every image of a task, float32 (samples, classes).

    The model takes images in the layout NCHW. Models of transformers are accepted.
    """
    model = model.to(device).eval()
    parts: list[Any] = []
    for first in range(0, len(task.images), batch_size):
        images = torch.from_numpy(task.normalised(slice(first, first + batch_size))).to(device)
        output = model(images)
        parts.append(getattr(output, "logits", output).float().cpu().numpy())
    return np.concatenate(parts)
