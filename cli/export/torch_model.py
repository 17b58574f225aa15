"""Loads the model beside this file as a PyTorch module. Needs torch and safetensors alone.

    from model import load
    model = load()                  # in evaluation mode; load(directory) for another one
    logits = model(images)          # [n, channels, height, width], float32 from 0 to 1

`config.json` lists the layers and the classes, `model.safetensors` has the weights.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


def same_padding(size, kernel, stride):
    """The padding before and after `size` values with which TensorFlow's `same` gives ⌈size / stride⌉ values."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def padded(x, kernel, stride, padding, value):
    if padding is not None:
        return F.pad(x, (padding,) * 4, value=value)
    sides = (*same_padding(x.shape[3], kernel, stride), *same_padding(x.shape[2], kernel, stride))
    return F.pad(x, sides, value=value)


def module_of(layer, is_flat):
    """The module with the parameters of a layer, or None for a layer without any."""
    kind = layer["kind"]
    if kind == "linear":
        return nn.Linear(layer["in"], layer["out"], bias=layer.get("bias", True))
    if kind == "conv":
        return nn.Conv2d(layer["in"], layer["out"], layer["kernel"], layer["stride"], bias=layer["bias"])
    if kind == "batch-norm":
        norm = nn.BatchNorm1d if is_flat else nn.BatchNorm2d
        return norm(layer["channels"], eps=layer.get("epsilon", 1e-5), momentum=1 - layer.get("momentum", 0.9))
    return None


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layers = config["layers"]
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(config["input"][name]).view(1, -1, 1, 1), persistent=False)
        self.add(self.layers, False)

    def add(self, layers, is_flat):
        for layer in layers:
            if layer["kind"] == "residual":
                self.add(layer["body"], is_flat)
                self.add(layer["shortcut"], is_flat)
            is_flat = is_flat or layer["kind"] in ("flatten", "global-average-pool")
            module = module_of(layer, is_flat)
            if module is not None:
                self.place(layer["name"], module)

    def place(self, name, module):
        *parents, last = name.split(".")
        place = self
        for parent in parents:
            if not hasattr(place, parent):
                place.add_module(parent, nn.Module())
            place = getattr(place, parent)
        place.add_module(last, module)

    def forward(self, images):
        return self.run(self.layers, (images - self.mean) / self.std)

    def run(self, layers, x):
        for layer in layers:
            x = self.apply_layer(layer, x)
        return x

    def apply_layer(self, layer, x):
        kind = layer["kind"]
        if kind == "conv":
            module = self.get_submodule(layer["name"])
            return module(padded(x, layer["kernel"], layer["stride"], layer.get("padding"), 0.0))
        if kind in ("linear", "batch-norm"):
            return self.get_submodule(layer["name"])(x)
        if kind == "relu":
            return F.relu(x)
        if kind == "gelu":
            return F.gelu(x, approximate="tanh" if layer["tanh"] else "none")
        if kind == "max-pool":
            size = layer["size"]
            stride = layer.get("stride", size)
            return F.max_pool2d(padded(x, size, stride, layer.get("padding"), float("-inf")), size, stride)
        if kind == "global-average-pool":
            return x.mean((2, 3))
        if kind == "flatten":
            # Weights of the next layer are in the order of rows, columns, channels.
            return x.permute(0, 2, 3, 1).flatten(1)
        if kind == "residual":
            shortcut = self.run(layer["shortcut"], x)
            return self.run(layer["body"], x) + shortcut
        raise ValueError(f"config.json has a layer of the kind {kind!r}, which this file does not know")


def load(directory=Path(__file__).parent):
    directory = Path(directory)
    model = Model(json.loads((directory / "config.json").read_text()))
    model.load_state_dict(load_file(directory / "model.safetensors"))
    return model.eval()
