"""The models `mlp`, `cnn` and `resnet-cifar` of Zeroshift in PyTorch, for images in the layout NCHW.

Parameters have Zeroshift's names, except that batch norms have PyTorch's (weight, bias, running_mean and
running_var instead of gamma, beta, mean and variance). Linear weights are transposed, and kernels have
the layout OIHW instead of HWIO.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .errors import ZeroshiftError

_NORM = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "variance": "running_var"}
_FROM_NORM = {theirs: ours for ours, theirs in _NORM.items()}


def model_of(tensors: Mapping[str, np.ndarray], shape: Sequence[int]) -> BuiltIn:
    """Returns the model that has these tensors, in evaluation mode.

    tensors: by Zeroshift's names. shape: (height, width, channels) of an image.
    """
    if "stem.weight" in tensors:
        model: BuiltIn = ResNetCifar(tensors)
    elif "conv1.weight" in tensors and "linear1.weight" in tensors:
        model = Cnn(tensors, shape)
    elif "head.weight" in tensors and not any(value.ndim > 2 for value in tensors.values()):
        model = Mlp(tensors)
    else:
        raise ZeroshiftError(
            f"no model that this package builds has the tensors {', '.join(sorted(tensors)[:4])}, …; "
            "expected those of mlp, cnn or resnet-cifar"
        )
    model.load_state_dict(torch_state(tensors))
    return model.eval()


class BuiltIn(nn.Module):
    """A model of Zeroshift. `Task.save(weights=…)` accepts it."""

    def zeroshift_tensors(self) -> dict[str, np.ndarray]:
        """Returns all parameters and statistics by Zeroshift's names and in Zeroshift's layouts."""
        state = self.state_dict()
        return dict(
            _to_zeroshift(name, tensor.detach().cpu().numpy())
            for name, tensor in state.items()
            if not name.endswith("num_batches_tracked")
        )


def torch_state(tensors: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Returns Zeroshift's tensors by the names and in the layouts of PyTorch."""
    state = {}
    for name, values in tensors.items():
        layer, part = name.rsplit(".", 1)
        if values.ndim > 1:
            values = values.transpose(3, 2, 0, 1) if values.ndim == 4 else values.T
        state[f"{layer}.{_NORM.get(part, part)}"] = torch.from_numpy(np.array(values, np.float32, order="C"))
    for name in [name for name in state if name.endswith("running_mean")]:
        state[name.replace("running_mean", "num_batches_tracked")] = torch.tensor(0)
    return state


def _to_zeroshift(name: str, values: np.ndarray) -> tuple[str, np.ndarray]:
    layer, part = name.rsplit(".", 1)
    if layer.endswith(".norm"):
        part = _FROM_NORM[part]
    if values.ndim > 1:
        values = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values.T
    return f"{layer}.{part}", values


class Mlp(BuiltIn):
    """Linear layers with ReLU between them, over the pixels of an image."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self._hidden = _numbered(tensors, "linear")
        for name in self._hidden:
            self.add_module(name, _linear(tensors, name))
        self.head = _linear(tensors, "head")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = _flat(images)
        for name in self._hidden:
            x = F.relu(self.get_submodule(name)(x))
        return self.head(x)


class Cnn(BuiltIn):
    """Two convolutions with max-pooling, and two linear layers."""

    def __init__(self, tensors: Mapping[str, np.ndarray], shape: Sequence[int]) -> None:
        super().__init__()
        self.conv1 = _convolution(tensors, "conv1")
        self.conv2 = _convolution(tensors, "conv2")
        self.linear1 = _linear(tensors, "linear1")
        self.head = _linear(tensors, "head")
        side = [-(-(-(-axis // 2)) // 2) for axis in shape[:2]]
        expected = side[0] * side[1] * self.conv2.out_channels
        if self.linear1.in_features != expected:
            raise ZeroshiftError(
                f'the tensor "linear1.weight" takes {self.linear1.in_features} values; '
                f"images of the shape {tuple(shape)} give {expected}"
            )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        # ceil_mode is TensorFlow's 'same' padding.
        x = F.max_pool2d(F.relu(self.conv1(images)), 2, ceil_mode=True)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2, ceil_mode=True)
        return self.head(F.relu(self.linear1(_flat(x))))


class ResNetCifar(BuiltIn):
    """A ResNet for small images (He et al. 2016, section 4.2), or ResNet-18 with a 3×3 stem."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self.stem = ConvNorm(tensors, "stem", 1)
        self._stages = _numbered(tensors, "stage")
        for number, name in enumerate(self._stages):
            blocks = sorted({int(key.split(".")[1]) for key in tensors if key.startswith(f"{name}.")})
            self.add_module(
                name,
                nn.Sequential(
                    *(Block(tensors, f"{name}.{block}", 2 if number > 0 and block == 0 else 1) for block in blocks)
                ),
            )
        self.head = _linear(tensors, "head")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.stem(images))
        for name in self._stages:
            x = self.get_submodule(name)(x)
        return self.head(x.mean((2, 3)))


class Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, tensors: Mapping[str, np.ndarray], name: str, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(tensors, f"{name}.conv1", stride)
        self.conv2 = ConvNorm(tensors, f"{name}.conv2", 1)
        has_shortcut = f"{name}.shortcut.weight" in tensors
        self.shortcut = ConvNorm(tensors, f"{name}.shortcut", stride) if has_shortcut else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x))


class ConvNorm(nn.Conv2d):
    """A convolution with TensorFlow's 'same' padding and a batch norm."""

    def __init__(self, tensors: Mapping[str, np.ndarray], name: str, stride: int) -> None:
        height, width, channels, out = tensors[f"{name}.weight"].shape
        super().__init__(channels, out, (height, width), stride, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sides = zip(x.shape[2:], self.kernel_size, self.stride)
        (top, bottom), (left, right) = (_same(size, kernel, stride) for size, kernel, stride in sides)
        return self.norm(super().forward(F.pad(x, (left, right, top, bottom))))


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """The zeros before and after an axis. An odd one comes after it."""
    zeros = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return zeros // 2, zeros - zeros // 2


def _convolution(tensors: Mapping[str, np.ndarray], name: str) -> nn.Conv2d:
    height, width, channels, out = tensors[f"{name}.weight"].shape
    return nn.Conv2d(channels, out, (height, width), padding="same")


def _linear(tensors: Mapping[str, np.ndarray], name: str) -> nn.Linear:
    return nn.Linear(*tensors[f"{name}.weight"].shape)


def _numbered(tensors: Mapping[str, np.ndarray], prefix: str) -> list[str]:
    """The layers or stages whose name is the prefix and a number, in order."""
    found = {match[0] for name in tensors if (match := re.match(rf"{prefix}\d+", name))}
    return sorted(found, key=lambda name: int(name.removeprefix(prefix)))


def _flat(images: torch.Tensor) -> torch.Tensor:
    """Flattens images in the order height, width, channels, as Zeroshift does."""
    return images.permute(0, 2, 3, 1).flatten(1)
