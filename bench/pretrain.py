"""Pre-trains the checkpoints of docs/results/pretrained.md, with transformers, on CIFAR-10's batches 1 and 2.

    python -m venv venv && venv/bin/pip install torch==2.13.0 transformers==5.23.0
    venv/bin/python bench/pretrain.py vit CIFAR-10-DIRECTORY OUT --minutes 30
    venv/bin/python bench/pretrain.py resnet CIFAR-10-DIRECTORY OUT --minutes 5

Random crops and flips, AdamW, a learning rate that falls as a cosine over the minutes given. The experiments train on
batches 3 and 4, which the checkpoint has never seen: what is to be forgotten is not in it. Batch 5 is the test set.
"""

import argparse
import json
import math
import pathlib
import time

import numpy as np
import torch
from transformers import (
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]
BATCH, RATE = 128, 1e-3

labels = {"id2label": dict(enumerate(CLASSES)), "label2id": {name: i for i, name in enumerate(CLASSES)}}
# The size of DeiT-tiny, on patches of 8.
VIT = ViTConfig(
    image_size=32, patch_size=8, hidden_size=192, num_hidden_layers=12, num_attention_heads=3, intermediate_size=768, **labels
)
RESNET = ResNetConfig(
    embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[1, 1, 1, 1], layer_type="basic", **labels
)


def read(directory, names):
    records = np.concatenate([np.fromfile(directory / name, np.uint8).reshape(-1, 3073) for name in names])
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(np.int64))


def normalised(images):
    return (images.float() / 255 - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def augmented(images, generator):
    padded = torch.nn.functional.pad(images, (4, 4, 4, 4))
    y, x = torch.randint(0, 9, (2, len(images)), generator=generator)
    flips = torch.rand(len(images), generator=generator) < 0.5
    crops = [image[:, a : a + 32, b : b + 32] for image, a, b in zip(padded, y, x)]
    return torch.stack([crop.flip(-1) if flip else crop for crop, flip in zip(crops, flips)])


def accuracy(model, images, targets):
    model.eval()
    with torch.no_grad():
        hits = [
            (model(pixel_values=normalised(images[i : i + 500])).logits.argmax(1) == targets[i : i + 500]).sum()
            for i in range(0, len(images), 500)
        ]
    model.train()
    return 100 * sum(hits).item() / len(images)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=["vit", "resnet"])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=30)
    args = parser.parse_args()

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    images, targets = read(args.data, [f"data_batch_{i}.bin" for i in (1, 2)])
    model = ViTForImageClassification(VIT) if args.model == "vit" else ResNetForImageClassification(RESNET)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)
    start, steps, done = time.monotonic(), 0, 0.0
    while done < 1:
        batch = torch.randint(0, len(images), (BATCH,), generator=generator)
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (steps + 1) / 200) * (1 + math.cos(math.pi * done)) / 2
        loss = torch.nn.functional.cross_entropy(
            model(pixel_values=normalised(augmented(images[batch], generator))).logits, targets[batch]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
        done = (time.monotonic() - start) / (60 * args.minutes)
        if steps % 100 == 0:
            print(f"step {steps}, loss {loss.item():.3f}, {100 * done:.0f}% of the time", flush=True)

    test = read(args.data, ["data_batch_5.bin"])
    print(f"{steps} steps of {BATCH}; test accuracy {accuracy(model, *test):.2f}%", flush=True)
    model.save_pretrained(args.out)
    preprocessor = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": 32, "width": 32},
        "image_mean": MEAN,
        "image_std": STD,
    }
    (args.out / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")


main()
