"""A small task as Zeroshift writes it. Nothing here needs more than NumPy."""

import json

import numpy as np
import pytest

SHAPE = (8, 8, 1)
CLASSES = 10


def samples(count):
    """Images with a bright row whose number is the label, and noise."""
    random = np.random.default_rng(1)
    labels = np.arange(count, dtype=np.int64) % CLASSES
    images = random.integers(0, 8, (count, *SHAPE), np.uint8)
    for index, label in enumerate(labels):
        images[index, label % 8, :, 0] = 16 if label < 8 else 12
    return images, labels


def write_task(folder, kind, *, count=200, seed=3, **fields):
    """Writes a task directory. A fifth of the samples is the test set."""
    images, labels = samples(count)
    trained = count * 4 // 5
    for name in ("data", "sets", "output", "checkpoints"):
        (folder / name).mkdir(parents=True)
    np.save(folder / "data/images.npy", images)
    data = {
        "images": "data/images.npy", "classes": [str(one) for one in range(CLASSES)], "white": 16,
        "mean": [0.3], "deviation": [0.35],
    }  # fmt: skip
    task = {
        "contract": 1, "task": kind, "seed": seed, "threads": 1, "device": "cpu", "options": {}, "data": data,
        "output": "output/",
    }  # fmt: skip
    if kind == "predict":
        task["model"] = "model/"
    else:
        np.save(folder / "data/labels.npy", np.where(np.arange(count) < trained, labels, -1))
        data["labels"] = "data/labels.npy"
        rows = np.arange(trained)
        sets = {"train": rows}
        if kind == "unlearn":
            task["original"] = "original/"
            sets = {
                "retained": rows[labels[:trained] != 3],
                "forget": rows[labels[:trained] == 3],
                "validation": rows[:0],
            }
        for name, indices in sets.items():
            np.save(folder / f"sets/{name}.npy", indices)
        task["sets"] = {name: f"sets/{name}.npy" for name in sets}
        task["checkpoints"] = "checkpoints/"
    (folder / "task.json").write_text(json.dumps({**task, **fields}))
    return folder


@pytest.fixture
def make_task(tmp_path):
    """Writes tasks in folders of their own."""
    counter = iter(range(100))
    return lambda kind, **fields: write_task(tmp_path / f"task{next(counter)}", kind, **fields)
