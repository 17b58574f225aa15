"""
The steps of bench/steps.ts in PyTorch. Reads lines `NAME LAYOUT COUNT`, LAYOUT nchw or channels_last, takes COUNT
steps and answers with the milliseconds of one step.
"""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_num_threads(int(sys.argv[1]))


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.linear1 = nn.Linear(4096, 128)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.head(F.relu(self.linear1(x.flatten(1))))


class Block(nn.Module):
    def __init__(self, into, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(into, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        changes = stride != 1 or into != out
        projection = lambda: nn.Sequential(nn.Conv2d(into, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        self.shortcut = projection() if changes else nn.Identity()

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, blocks, widths=(16, 32, 64)):
        super().__init__()
        into = widths[0]
        layers = [nn.Conv2d(3, into, 3, 1, 1, bias=False), nn.BatchNorm2d(into), nn.ReLU()]
        for stage, width in enumerate(widths):
            for i in range(blocks):
                layers.append(Block(into, width, 2 if stage > 0 and i == 0 else 1))
                into = width
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(into, 10)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


class Airbench(nn.Module):
    def __init__(self, widths=(64, 128, 128)):
        super().__init__()
        whiten = nn.Conv2d(3, 24, 2)
        whiten.weight.requires_grad_(False)
        layers, into = [whiten, nn.GELU()], 24
        for out in widths:
            layers += [nn.Conv2d(into, out, 3, padding=1, bias=False), nn.MaxPool2d(2), self.norm(out), nn.GELU()]
            layers += [nn.Conv2d(out, out, 3, padding=1, bias=False), self.norm(out), nn.GELU()]
            into = out
        self.body = nn.Sequential(*layers, nn.MaxPool2d(3), nn.Flatten())
        self.head = nn.Linear(into, 10, bias=False)

    @staticmethod
    def norm(channels):
        norm = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
        norm.weight.requires_grad_(False)
        return norm

    def forward(self, x):
        return self.head(self.body(x))


class Vit(nn.Module):
    def __init__(self, patch=8, width=192, depth=12, heads=3):
        super().__init__()
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 1 + (32 // patch) ** 2, width) * 0.02)
        block = lambda: nn.TransformerEncoderLayer(
            width, heads, 4 * width, 0.0, F.gelu, 1e-12, batch_first=True, norm_first=True
        )
        self.blocks = nn.Sequential(*(block() for _ in range(depth)))
        self.norm = nn.LayerNorm(width, 1e-12)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], 1) + self.positions
        return self.head(self.norm(self.blocks(tokens))[:, 0])


def training(make, batch):
    def build(layout):
        model = make().to(memory_format=layout)
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.01, momentum=0.9, weight_decay=5e-4)
        x = torch.randn(batch, 3, 32, 32).to(memory_format=layout)
        y = torch.randint(0, 10, (batch,))

        def step(_):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

        return step

    return build


def forward_pass(make, samples, batch):
    def build(layout):
        model = make().to(memory_format=layout).eval()
        x = torch.randn(samples, 3, 32, 32).to(memory_format=layout)

        def step(_):
            with torch.inference_mode():
                for first in range(0, samples, batch):
                    model(x[first : first + batch])

        return step

    return build


def alignment(cached):
    """RFA with LoRA of rank 4 on the last three layers; `cached`: the frozen model's features are kept."""
    rank, retained, forget, samples = 4, 192, 64, 1024

    def build(layout):
        net = Cnn().to(memory_format=layout)
        for parameter in net.parameters():
            parameter.requires_grad_(False)
        down2 = nn.Conv2d(32, rank, 3, padding=1, bias=False).to(memory_format=layout)
        up2 = nn.Conv2d(rank, 64, 1, bias=False).to(memory_format=layout)
        down3, up3 = nn.Linear(4096, rank, bias=False), nn.Linear(rank, 128, bias=False)
        down4, up4 = nn.Linear(128, rank, bias=False), nn.Linear(rank, 10, bias=False)
        trained = [p for layer in (down2, up2, down3, up3, down4, up4) for p in layer.parameters()]
        optimizer = torch.optim.Adam(trained, 1e-3)
        x = torch.randn(samples, 3, 32, 32).to(memory_format=layout)

        def first(images):
            return F.max_pool2d(F.relu(net.conv1(images)), 2)

        def teacher(h):
            conv = net.conv2(h)
            hidden = net.linear1(F.max_pool2d(F.relu(conv), 2).flatten(1))
            return conv, hidden, net.head(F.relu(hidden))

        def student(h):
            conv = net.conv2(h) + up2(down2(h))
            flat = F.max_pool2d(F.relu(conv), 2).flatten(1)
            hidden = net.linear1(flat) + up3(down3(flat))
            last = F.relu(hidden)
            return conv, hidden, net.head(last) + up4(down4(last))

        with torch.no_grad():
            kept_input = first(x)
            kept = teacher(kept_input)
            means = [feature.mean(0, keepdim=True) for feature in kept]

        def step(_):
            rows = torch.randint(0, samples, (retained + forget,))
            if cached:
                h = kept_input[rows]
                frozen = [feature[rows[:retained]] for feature in kept]
            else:
                with torch.no_grad():
                    h = first(x[rows])
                    frozen = [feature[:retained] for feature in teacher(h)]
            loss = 0
            for feature, wanted, mean in zip(student(h), frozen, means):
                loss = loss + (feature[:retained] - wanted).square().mean()
                loss = loss + (feature[retained:] - mean).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        return step

    return build


ROWS = {
    "rfa": alignment(cached=True),
    "rfa-plain": alignment(cached=False),
    "cnn-64": training(Cnn, 64),
    "cnn-256": training(Cnn, 256),
    "resnet8-128": training(lambda: ResNet(1), 128),
    "resnet20-128": training(lambda: ResNet(3), 128),
    "resnet18-64": training(lambda: ResNet(2, (64, 128, 256, 512)), 64),
    "airbench-1024": training(Airbench, 1024),
    "vit-64": training(Vit, 64),
    "forward-resnet20": forward_pass(lambda: ResNet(3), 10_000, 500),
    "forward-cnn": forward_pass(Cnn, 10_000, 500),
}
LAYOUTS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}

built = {}
print(torch.__version__, flush=True)
for line in sys.stdin:
    name, layout, count = line.split()
    if (name, layout) not in built:
        built[name, layout] = ROWS[name](LAYOUTS[layout])
    step = built[name, layout]
    step(0)
    started = time.perf_counter()
    for i in range(int(count)):
        step(i)
    print((time.perf_counter() - started) / int(count) * 1e3, flush=True)
