"""Writes methods.json: what plain PyTorch makes of the first three steps of unlearning methods.

    python -m venv venv && venv/bin/pip install torch==2.15.0 numpy
    npx tsx tests/reference/methods.ts > input.json
    venv/bin/python tests/reference/make_methods.py input.json

Run by hand when a definition or the problem (methods.ts) changes; methods.json is committed, and
tests/unit/unlearning/methods/reference.test.ts holds Zeroshift's own code against it. The weights, the pictures and what is
drawn come from Zeroshift; losses, masks, targets and updates are written here from the papers, on torch.nn.functional and
torch.optim, in float64. LoRA is PEFT's: two layers beside the frozen one, not a sum of weights.
"""

import json
import pathlib
import platform
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent
GIVEN = json.loads(pathlib.Path(sys.argv[1]).read_text())
RETAINED, FORGET = (torch.tensor(GIVEN["sets"][name]) for name in ("retained", "forget"))
EVERYTHING = torch.cat([RETAINED, FORGET])
LABELS = torch.tensor(GIVEN["labels"])
CLASSES = GIVEN["classes"]
ADAPTED = ["conv1", "conv2", "linear1", "head"]


def pictures():
    height, width, channels = GIVEN["shape"]
    pixels = torch.tensor(GIVEN["images"], dtype=torch.float64).reshape(-1, height, width, channels)
    return ((pixels - GIVEN["mean"]) / GIVEN["deviation"]).permute(0, 3, 1, 2)


IMAGES = pictures()


def unpacked(values, specs):
    """Leaf tensors in Zeroshift's own shapes: convolutions [k, k, in, out], linear layers [in, out]."""
    tensors, offset = {}, 0
    for spec in specs:
        size = torch.Size(spec["shape"]).numel()
        part = torch.tensor(values[offset : offset + size], dtype=torch.float64)
        tensors[spec["name"]] = part.reshape(spec["shape"]).requires_grad_()
        offset += size
    return tensors


def packed(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors.values()])


def original():
    return unpacked(GIVEN["original"], GIVEN["parameters"])


def layer(theta, adapter, name, x):
    """One layer's output, and its adapter's beside it."""
    weight, bias = theta[f"{name}.weight"], theta[f"{name}.bias"]
    if weight.dim() == 4:
        y = F.conv2d(x, weight.permute(3, 2, 0, 1), bias, padding=1)
    else:
        y = x @ weight + bias
    if adapter is None:
        return y
    a, b = adapter[f"{name}.lora_A"], adapter[f"{name}.lora_B"]
    spec = GIVEN["specs"]["rfa"]
    scale = spec["alpha"] / spec["rank"]
    if weight.dim() == 4:
        k, _, channels, _ = weight.shape
        down = a.reshape(k, k, channels, -1).permute(3, 2, 0, 1)
        up = b.t().reshape(b.shape[1], b.shape[0], 1, 1)
        return y + scale * F.conv2d(F.conv2d(x, down, padding=1), up)
    return y + scale * (x @ a @ b)


def features(theta, samples, adapter=None):
    """The outputs of the layers with weights, by name; `head` is the logits."""
    return features_of(theta, IMAGES[samples], adapter)


def features_of(theta, x, adapter=None):
    out = {}
    for name in ("conv1", "conv2"):
        out[name] = layer(theta, adapter, name, x)
        x = F.max_pool2d(F.relu(out[name]), 2)
    x = x.permute(0, 2, 3, 1).flatten(1)
    out["linear1"] = layer(theta, adapter, "linear1", x)
    out["head"] = layer(theta, adapter, "head", F.relu(out["linear1"]))
    return out


def logits(theta, samples):
    return features(theta, samples)["head"]


def logits_of(theta, pictures):
    return features_of(theta, pictures)["head"]


def optimizer_of(spec, tensors):
    options = spec["optimizer"]
    assert spec.get("schedule", {"name": "constant"})["name"] == "constant"
    if options["name"] == "adam":
        return torch.optim.AdamW(
            tensors,
            lr=options["learningRate"],
            betas=(options["beta1"], options["beta2"]),
            eps=1e-8,
            weight_decay=options["weightDecay"],
        )
    return torch.optim.SGD(
        tensors,
        lr=options["learningRate"],
        momentum=options["momentum"],
        nesterov=options["nesterov"],
        weight_decay=options["weightDecay"],
    )


def divergence(teacher, student, temperature):
    """KL(teacher ‖ student), the mean over samples."""
    p, q = (F.log_softmax(each / temperature, dim=1) for each in (teacher, student))
    return F.kl_div(q, p, log_target=True, reduction="batchmean")


def rfa():
    """Residual feature alignment; the target is the centroid of the class that the teacher ranks next best."""
    spec = GIVEN["specs"]["rfa"]
    theta = original()
    with torch.no_grad():
        on_retained = features(theta, RETAINED)
        ranked = features(theta, FORGET)["head"].argsort(dim=1, descending=True)
        present = set(LABELS[RETAINED].tolist())
        next_best = [
            next(c for c in row.tolist() if c != label and c in present)
            for row, label in zip(ranked, LABELS[FORGET].tolist())
        ]
        target = {
            name: torch.stack([f[LABELS[RETAINED] == c].mean(0) for c in next_best]) for name, f in on_retained.items()
        }
        weight = {name: 1 / f.flatten(1).square().sum(1).mean() for name, f in on_retained.items()}
    adapter = unpacked(GIVEN["adapter"], GIVEN["adapterParameters"])
    optimizer = optimizer_of(spec, list(adapter.values()))

    def merged():
        merged_theta = {}
        for name, tensor in theta.items():
            module, kind = name.rsplit(".", 1)
            if kind == "weight":
                delta = adapter[f"{module}.lora_A"] @ adapter[f"{module}.lora_B"]
                tensor = tensor + spec["alpha"] / spec["rank"] * delta.reshape(tensor.shape)
            merged_theta[name] = tensor
        return packed(merged_theta)

    for _ in range(3):
        h_retained = features(theta, RETAINED, adapter)
        h_forget = features(theta, FORGET, adapter)
        loss = 0
        for name in ADAPTED:
            residual = (h_retained[name] - on_retained[name]).flatten(1)
            shifted = (h_forget[name] - target[name]).flatten(1)
            loss = loss + weight[name] * residual.square().sum(1).mean()
            loss = loss + spec["lambda"] * weight[name] * shifted.square().sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield merged()


def salun():
    """Random labels; gradients outside the mask are zeroed and the weights there put back."""
    spec = GIVEN["specs"]["salun"]
    theta = original()
    start = {name: tensor.detach().clone() for name, tensor in theta.items()}
    F.cross_entropy(logits(theta, FORGET), LABELS[FORGET]).backward()
    saliency = torch.cat([tensor.grad.abs().reshape(-1) for tensor in theta.values()])
    chosen = torch.zeros_like(saliency)
    chosen[saliency.argsort(descending=True)[: round(spec["share"] * len(saliency))]] = 1
    mask = unpacked(chosen.tolist(), GIVEN["parameters"])

    optimizer = optimizer_of(spec, list(theta.values()))
    labels = torch.tensor(GIVEN["relabelled"])
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(logits(theta, EVERYTHING), labels[EVERYTHING]).backward()
        for name, tensor in theta.items():
            tensor.grad *= mask[name].detach()
        optimizer.step()
        with torch.no_grad():
            for name, tensor in theta.items():
                tensor.copy_(torch.where(mask[name] == 1, tensor, start[name]))
        yield packed(theta)


def ssd():
    """Selective synaptic dampening; one gradient a batch."""
    spec = GIVEN["specs"]["ssd"]
    theta = original()

    def importance(samples):
        batches = samples.split(spec["batchSize"])
        total = torch.zeros(len(packed(theta)))
        for batch in batches:
            loss = F.cross_entropy(logits(theta, batch), LABELS[batch])
            gradient = torch.autograd.grad(loss, list(theta.values()))
            total += torch.cat([part.reshape(-1) for part in gradient]).square()
        return total / len(batches)

    on_forget, on_all = importance(FORGET), importance(EVERYTHING)
    values = packed(theta)
    for i in range(len(values)):
        if on_forget[i] > spec["alpha"] * on_all[i]:
            values[i] *= min(spec["lambda"] * on_all[i] / on_forget[i], 1)
    yield values


def fisher():
    """Noise by the diagonal of the Fisher information, from the gradients of single samples."""
    spec = GIVEN["specs"]["fisher"]
    theta = original()
    information = torch.zeros(len(packed(theta)))
    for sample in RETAINED.split(1):
        log_probabilities = F.log_softmax(logits(theta, sample), dim=1)[0]
        for log_probability in log_probabilities:
            gradient = torch.autograd.grad(log_probability, list(theta.values()), retain_graph=True)
            squared = torch.cat([part.reshape(-1) for part in gradient]).square()
            information += log_probability.detach().exp() * squared / len(RETAINED)
    variance = spec["alpha"] * (1 / information ** spec["power"]).clamp(max=spec["ceiling"])
    yield packed(theta) + torch.tensor(GIVEN["noise"]) * variance.sqrt()


def damp():
    """Projections by pseudo-inverses; probes by the normal equations of ridge regression."""
    theta = original()
    with torch.no_grad():
        out = features(theta, torch.arange(len(LABELS)))
        hidden = F.max_pool2d(F.relu(out["conv2"]), 2).permute(0, 2, 3, 1).flatten(1)
        inputs = {
            "conv2": F.max_pool2d(F.relu(out["conv1"]), 2).mean((2, 3)),
            "linear1": hidden,
            "head": F.relu(out["linear1"]),
        }
        for depth, (name, x) in enumerate(inputs.items(), start=1):
            means = lambda samples: torch.stack([x[samples[LABELS[samples] == c]].mean(0) for c in LABELS[samples].unique()])
            r, f = means(RETAINED).t(), means(FORGET).t()
            rest = f - r @ torch.linalg.pinv(r) @ f
            if rest.norm() < 1e-9 * f.norm():
                continue
            q, _ = torch.linalg.qr(rest)
            drawn = [x[torch.tensor(GIVEN["probe"][part])] for part in ("forget", "retained")]
            half = (len(drawn[0]) + 1) // 2
            train, test = (torch.cat([each[part] for each in drawn]) for part in (slice(half), slice(half, None)))
            deviation = train.std(0, unbiased=False)
            standard = lambda z: torch.where(deviation == 0, 0.0, (z - train.mean(0)) / deviation)
            targets = torch.tensor([0.5] * half + [-0.5] * half)
            z = standard(train)
            weights = torch.linalg.solve(z.t() @ z + 1e-3 * len(z) * torch.eye(z.shape[1]), z.t() @ targets)
            rest_of_each = len(drawn[0]) - half
            truth = torch.tensor([True] * rest_of_each + [False] * rest_of_each)
            accuracy = ((standard(test) @ weights > 0) == truth).double().mean()
            share = (2 * accuracy - 1).clamp(0, 1) * depth / len(inputs)
            weight = theta[f"{name}.weight"]
            weight.copy_(weight - share * (q @ q.t()) @ weight)
    yield packed(theta)


def scrub():
    """A step away from the teacher on D_f, then two with it on D_r."""
    spec = GIVEN["specs"]["scrub"]
    teacher, theta = original(), original()
    temperature = spec["temperature"]
    optimizer = optimizer_of(spec, list(theta.values()))
    for samples in (FORGET, RETAINED, RETAINED):
        with torch.no_grad():
            wanted = logits(teacher, samples)
        found = logits(theta, samples)
        distance = temperature**2 * divergence(wanted, found, temperature)
        if samples is FORGET:
            loss = -distance
        else:
            loss = spec["alpha"] * distance + spec["gamma"] * F.cross_entropy(found, LABELS[samples])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield packed(theta)


def bad_teacher():
    """The original on D_r, a randomly initialised model on D_f."""
    spec = GIVEN["specs"]["bad-teacher"]
    competent, theta = original(), original()
    incompetent = unpacked(GIVEN["incompetent"], GIVEN["parameters"])
    with torch.no_grad():
        wanted = torch.cat([logits(competent, RETAINED), logits(incompetent, FORGET)])
    optimizer = optimizer_of(spec, list(theta.values()))
    for _ in range(3):
        loss = divergence(wanted, logits(theta, EVERYTHING), spec["temperature"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield packed(theta)


def delete():
    """The original's probabilities of the other classes, on D_f."""
    spec = GIVEN["specs"]["delete"]
    theta = original()
    with torch.no_grad():
        wanted = logits(original(), FORGET)
        wanted[torch.arange(len(FORGET)), LABELS[FORGET]] = -torch.inf
        wanted = F.softmax(wanted, dim=1)
    optimizer = optimizer_of(spec, list(theta.values()))
    for _ in range(3):
        optimizer.zero_grad()
        F.kl_div(F.log_softmax(logits(theta, FORGET), dim=1), wanted, reduction="batchmean").backward()
        optimizer.step()
        yield packed(theta)


def finetuned(theta, spec, frozen=(), factors=None, warmup=0, steps=3):
    """Descent on D_r from theta, without the frozen layers and with gradients times their factors."""
    moving = {name: tensor for name, tensor in theta.items() if name.split(".")[0] not in frozen}
    optimizer = optimizer_of(spec, list(moving.values()))
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = spec["optimizer"]["learningRate"] * ((step + 1) / warmup if step < warmup else 1)
        optimizer.zero_grad()
        F.cross_entropy(logits(theta, RETAINED), LABELS[RETAINED]).backward()
        for name, factor in (factors or {}).items():
            theta[name].grad *= factor
        optimizer.step()
        yield packed(theta)


def ct():
    """Transposed kernels, then fine-tuning."""
    theta = original()
    with torch.no_grad():
        for tensor in theta.values():
            if tensor.dim() == 4:
                tensor.copy_(tensor.transpose(0, 1).clone())
    yield from finetuned(theta, GIVEN["specs"]["ct"])


def cf_k():
    """Fine-tuning of the last two layers."""
    yield from finetuned(original(), GIVEN["specs"]["cf-k"], frozen=("conv1", "conv2"))


def eu_k():
    """New last two layers, trained on D_r."""
    theta, fresh = original(), unpacked(GIVEN["fresh"], GIVEN["parameters"])
    with torch.no_grad():
        for name in ("linear1", "head"):
            for part in ("weight", "bias"):
                theta[f"{name}.{part}"].copy_(fresh[f"{name}.{part}"])
    yield from finetuned(theta, GIVEN["specs"]["eu-k"], frozen=("conv1", "conv2"))


def msg():
    """New weights where the gradient is small, then fine-tuning; each number of steps has a warm-up of its own."""
    spec = GIVEN["specs"]["msg"]
    for steps in (1, 2, 3):
        theta = original()
        part = torch.tensor(GIVEN["retainedPart"])
        (F.cross_entropy(logits(theta, part), LABELS[part]) - F.cross_entropy(logits(theta, FORGET), LABELS[FORGET])).backward()
        normals = iter(GIVEN["normals"])
        factors = {}
        for name in ("conv1", "conv2"):
            weight = theta[f"{name}.weight"]
            k, _, _, out = weight.shape
            chosen = weight.grad.abs().reshape(-1).argsort()[: round(spec["share"] * weight.numel())].sort().values
            factor = torch.full((weight.numel(),), spec["damping"])
            factor[chosen] = 1
            factors[f"{name}.weight"] = factor.reshape(weight.shape)
            with torch.no_grad():
                for position in chosen.tolist():
                    weight.view(-1)[position] = (2 / (k * k * out)) ** 0.5 * next(normals)
        *_, last = finetuned(theta, spec, factors=factors, warmup=int(steps / 2 + 0.5), steps=steps)
        yield last


def amun():
    """Descent on D_r and on adversarial pictures of D_f under their wrong class."""
    spec = GIVEN["specs"]["amun"]
    theta = original()
    lowest, highest = ((edge - GIVEN["mean"]) / GIVEN["deviation"] for edge in (0, 255))
    length = lambda x: x.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
    x, truth = IMAGES[FORGET], LABELS[FORGET]
    best = x.clone()
    radius = spec["epsilon"] * 255 / GIVEN["deviation"]
    for _ in range(10):
        if not (logits_of(theta, best).argmax(1) == truth).any():
            break
        for _ in range(spec["attackSteps"]):
            moved = best.detach().requires_grad_()
            scores = logits_of(theta, moved)
            (gradient,) = torch.autograd.grad(F.cross_entropy(scores, truth), moved)
            with torch.no_grad():
                right = scores.argmax(1) == truth
                stepped = (moved + radius / 10 * gradient / length(gradient)).clamp(lowest, highest)
                change = stepped - x
                projected = (x + change * (radius / length(change)).clamp(max=1)).clamp(lowest, highest)
                best = torch.where(right.reshape(-1, 1, 1, 1), projected, moved)
        radius *= 2
    with torch.no_grad():
        wanted = logits_of(theta, best)
        wanted[torch.arange(len(FORGET)), truth] = -torch.inf
    pictures_now = torch.cat([IMAGES[RETAINED], best])
    labels = torch.cat([LABELS[RETAINED], wanted.argmax(1)])
    optimizer = optimizer_of(spec, list(theta.values()))
    for _ in range(3):
        optimizer.zero_grad()
        F.cross_entropy(logits_of(theta, pictures_now), labels).backward()
        optimizer.step()
        yield packed(theta)


def sfr_on():
    """Ascent on D_f, then two steps of descent on D_r."""
    spec = GIVEN["specs"]["sfr-on"]
    theta = original()
    squares = []
    for samples in (FORGET, RETAINED):
        loss = F.cross_entropy(logits(theta, samples), LABELS[samples])
        squares.append([gradient.square() for gradient in torch.autograd.grad(loss, list(theta.values()))])
    masks = [(f + 1e-15) / (r + 1e-15) >= spec["threshold"] for f, r in zip(*squares)]
    optimizer = optimizer_of(spec, list(theta.values()))
    for samples in (FORGET, RETAINED, RETAINED):
        errors = F.cross_entropy(logits(theta, samples), LABELS[samples], reduction="none")
        optimizer.zero_grad()
        if samples is FORGET:
            weights = 1 / (errors.detach() ** spec["lambda"] + 1e-15)
            (-spec["alpha"] * (weights / weights.sum() * errors).sum()).backward()
            for tensor, mask in zip(theta.values(), masks):
                tensor.grad *= mask
            torch.nn.utils.clip_grad_norm_(list(theta.values()), spec["maxNorm"])
        else:
            errors.mean().backward()
        optimizer.step()
        yield packed(theta)


def rounded(values):
    return [float(f"{value:.9g}") for value in values.tolist()]


methods = {
    "rfa": rfa,
    "salun": salun,
    "ssd": ssd,
    "fisher": fisher,
    "damp": damp,
    "scrub": scrub,
    "bad-teacher": bad_teacher,
    "delete": delete,
    "ct": ct,
    "msg": msg,
    "amun": amun,
    "sfr-on": sfr_on,
    "cf-k": cf_k,
    "eu-k": eu_k,
}
result = {
    "versions": {"python": platform.python_version(), "torch": torch.__version__},
    "input": GIVEN,
    # θ_u after each step; ssd, fisher and damp have one.
    "expected": {name: [rounded(theta) for theta in method()] for name, method in methods.items()},
}
(HERE / "methods.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
before = torch.tensor(GIVEN["original"])
for name, steps in result["expected"].items():
    moved = (torch.tensor(steps[-1]) - before).abs() > 1e-8
    print(f"{name}: {int(moved.sum())} of {len(before)} parameters moved")
