"""Writes recipe.json: three steps of the recipe of airbench in plain PyTorch, by SGD and by Muon.

    python -m venv venv && venv/bin/pip install torch==2.15.0 numpy
    npx tsx tests/reference/recipe.ts > input.json
    venv/bin/python tests/reference/make_recipe.py input.json

Run by hand when the problem (recipe.ts) changes; recipe.json is committed, and tests/unit/learning/training/recipe.test.ts
compares Zeroshift's own code with it. Weights, images and batches come from Zeroshift. The network, the optimizers and
Lookahead are written from their descriptions (K. Jordan, arXiv 2404.00498), in float64: the logits are multiplied by 1/9
here, learning rates are those of parameter groups, and the weight decay of a group is divided by its factor of the rate.
"""

import json
import pathlib
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent
GIVEN = json.loads(pathlib.Path(sys.argv[1]).read_text())
SCALE = 1 / 9


def pictures():
    pixels = torch.tensor(GIVEN["images"], dtype=torch.float64).reshape(-1, *GIVEN["shape"])
    return ((pixels - GIVEN["mean"]) / GIVEN["deviation"]).permute(0, 3, 1, 2)


IMAGES, LABELS = pictures(), torch.tensor(GIVEN["labels"])


def named(kind):
    tensors, offset = {}, 0
    for spec in GIVEN[kind]:
        size = torch.Size(spec["shape"]).numel()
        part = GIVEN["weights"][kind][offset : offset + size]
        tensors[spec["name"]] = torch.tensor(part, dtype=torch.float64).reshape(spec["shape"])
        offset += size
    return tensors


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        given = {**named("trained"), **named("statistics")}
        self.layers = nn.ModuleDict()
        for name in ["whiten", *(f"group{i}.conv{j}" for i in (1, 2, 3) for j in (1, 2))]:
            kernel = given[f"{name}.weight"].permute(3, 2, 0, 1)
            out, channels, size, _ = kernel.shape
            conv = nn.Conv2d(channels, out, size, padding=0 if name == "whiten" else 1, bias=name == "whiten")
            conv.weight.data.copy_(kernel)
            self.layers[name.replace(".", "_")] = conv
            if name == "whiten":
                conv.weight.requires_grad_(False)
                conv.bias.data.copy_(given["whiten.bias"])
            else:
                # PyTorch's momentum is the share of the new statistics.
                norm = nn.BatchNorm2d(out, eps=1e-12, momentum=0.4)
                norm.weight.requires_grad_(False)
                self.layers[f"{name}.norm".replace(".", "_")] = norm
        head = given["head.weight"].t()
        self.head = nn.Linear(head.shape[1], head.shape[0], bias=False)
        self.head.weight.data.copy_(head / SCALE)

    def forward(self, x):
        layers = self.layers
        x = F.gelu(layers["whiten"](x))
        for i in (1, 2, 3):
            x = F.max_pool2d(layers[f"group{i}_conv1"](x), 2)
            x = F.gelu(layers[f"group{i}_conv1_norm"](x))
            x = F.gelu(layers[f"group{i}_conv2_norm"](layers[f"group{i}_conv2"](x)))
        return self.head(F.max_pool2d(x, 3).flatten(1)) * SCALE

    def tensor(self, name):
        """A parameter or statistic in the shape that Zeroshift gives it."""
        if name == "head.weight":
            return self.head.weight.t() * SCALE
        layer, part = name.rsplit(".", 1)
        own = self.layers[layer.replace(".", "_")]
        if part == "weight":
            return own.weight.permute(2, 3, 1, 0)
        return getattr(own, {"bias": "bias", "beta": "bias", "mean": "running_mean", "variance": "running_var"}[part])

    def values(self, kind):
        return torch.cat([self.tensor(spec["name"]).detach().reshape(-1) for spec in GIVEN[kind]]).tolist()


class Muon:
    def __init__(self, kernels, rate, momentum):
        self.kernels, self.rate, self.momentum = kernels, rate, momentum
        self.buffers = [torch.zeros_like(kernel) for kernel in kernels]

    def step(self, factor):
        for kernel, buffer in zip(self.kernels, self.buffers):
            gradient = kernel.grad
            buffer.mul_(self.momentum).add_(gradient)
            direction = (gradient + self.momentum * buffer).reshape(len(kernel), -1)
            x = direction / direction.norm()
            for _ in range(3):
                a = x @ x.T
                x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
            kernel.data.mul_(len(kernel) ** 0.5 / kernel.data.norm())
            kernel.data.sub_(self.rate * factor * x.reshape(kernel.shape))


def triangle(step, steps, start, peak, end):
    done = step / steps
    return start + (1 - start) * done / peak if done < peak else 1 + (end - 1) * (done - peak) / (1 - peak)


def trained(training):
    net = Network().train()
    spec = training["optimizer"]
    sgd = spec["others"] if spec["name"] == "muon" else spec
    rate, decay = sgd["learningRate"], sgd["weightDecay"]
    kernels = [p for p in net.layers.parameters() if p.dim() == 4 and p.requires_grad]
    betas = [layer.bias for layer in net.layers.values() if isinstance(layer, nn.BatchNorm2d)]
    whiten = net.layers["whiten"].bias
    faster = spec["groups"][0]["rate"]
    others = [net.head.weight, whiten] + (kernels if spec["name"] == "sgd" else [])
    optimizer = torch.optim.SGD(
        [
            {"params": others, "lr": rate, "weight_decay": decay},
            {"params": betas, "lr": rate * faster, "weight_decay": decay / faster},
        ],
        lr=rate,
        momentum=sgd["momentum"],
        nesterov=True,
    )
    rates = [group["lr"] for group in optimizer.param_groups]
    muon = Muon(kernels, spec["learningRate"], spec["momentum"]) if spec["name"] == "muon" else None
    tensors = [t for t in net.state_dict().values() if t.is_floating_point()]
    average = [t.clone() for t in tensors]
    steps, (every, power) = len(GIVEN["batches"]), training["lookahead"].values()
    schedule = training["schedule"]
    for step, batch in enumerate(GIVEN["batches"]):
        factor = triangle(step, steps, schedule["from"], schedule["peak"], schedule["to"])
        for group, full in zip(optimizer.param_groups, rates):
            group["lr"] = full * factor
        optimizer.zero_grad(set_to_none=True)
        if muon:
            for kernel in kernels:
                kernel.grad = None
        whiten.requires_grad_(step < spec["groups"][1]["until"] * steps)
        F.cross_entropy(net(IMAGES[batch]), LABELS[batch], label_smoothing=training["labelSmoothing"]).backward()
        optimizer.step()
        if muon:
            muon.step(factor)
        taken = step + 1
        if taken % every == 0:
            keep = power**every * (taken / steps) ** 3
            for mean, tensor in zip(average, tensors):
                mean.mul_(keep).add_((1 - keep) * tensor)
                tensor.data.copy_(mean)
    for mean, tensor in zip(average, tensors):
        tensor.data.copy_(mean)
    return {kind: net.values(kind) for kind in ("trained", "statistics")}


EXPECTED = {name: trained(training) for name, training in GIVEN["trainings"].items()}
(HERE / "recipe.json").write_text(json.dumps({"input": GIVEN, "expected": EXPECTED}) + "\n")
