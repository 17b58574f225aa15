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


@torch.inference_mode()
def logits(task: Task, model: torch.nn.Module, *, batch_size: int = 500, device: torch.device | str = "cpu") -> np.ndarray:
    """Returns the logits of a model for every image of a task, float32 (samples, classes)."""
    model = model.to(device).eval()
    parts: list[Any] = []
    for first in range(0, len(task.images), batch_size):
        images = torch.from_numpy(task.normalised(slice(first, first + batch_size))).to(device)
        parts.append(model(images).float().cpu().numpy())
    return np.concatenate(parts)
