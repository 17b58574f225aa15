"""What needs PyTorch. `ZEROSHIFT_REFERENCE` names a folder with models and logits of Zeroshift's own code."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zeroshift import Task, ZeroshiftError
from zeroshift.tensors import read_tensors, write_tensors

torch = pytest.importorskip("torch")

from zeroshift import torch_support  # noqa: E402
from zeroshift.torch_models import model_of  # noqa: E402

REFERENCE = os.environ.get("ZEROSHIFT_REFERENCE")
MODELS = sorted(entry.name for entry in Path(REFERENCE).iterdir()) if REFERENCE else []
CHECKPOINTS = Path(__file__).parents[3] / "shared/fixtures/huggingface"
EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.skipif(not MODELS, reason="ZEROSHIFT_REFERENCE is not set; tests/integration/python sets it")
@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_logits_and_tensors_of_zeroshift(name, make_task):
    folder = Path(REFERENCE) / name
    tensors, reference = (read_tensors(folder / f"{file}.safetensors") for file in ("model", "reference"))
    images = reference["images"]
    model = model_of(tensors, images.shape[1:])
    with torch.inference_mode():
        logits = model(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    assert np.abs(reference["logits"]).max() > 0.1
    np.testing.assert_allclose(logits, reference["logits"], atol=1e-5, rtol=0)
    task = make_task("unlearn", result="weights")
    Task.load(task).save(weights=model.train())
    saved = read_tensors(task / "output/model.safetensors")
    assert sorted(saved) == sorted(tensors)
    for key, values in tensors.items():
        np.testing.assert_array_equal(saved[key], values)


def test_tensors_of_another_model_are_refused():
    with pytest.raises(ZeroshiftError, match="expected those of mlp, cnn or resnet-cifar"):
        model_of({"vit.layernorm.weight": np.ones(3, np.float32)}, (8, 8, 1))


@pytest.mark.skipif(not CHECKPOINTS.is_dir(), reason=f"{CHECKPOINTS} is not there")
@pytest.mark.parametrize("name", ["vit-tiny", "resnet-tiny"])
def test_a_model_of_transformers_is_saved_under_published_names(name, make_task):
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForImageClassification.from_pretrained(CHECKPOINTS / name)
    folder = make_task("unlearn", result="weights")
    Task.load(folder).save(weights=model)
    saved, published = (read_tensors(path / "model.safetensors") for path in (folder / "output", CHECKPOINTS / name))
    assert sorted(saved) == sorted(key for key in published if not key.endswith("num_batches_tracked"))
    for key, values in saved.items():
        np.testing.assert_array_equal(values, published[key])


def mlp(random):
    layer = lambda rows, columns: random.normal(0, 0.2, (rows, columns)).astype(np.float32)
    return {
        "linear1.weight": layer(64, 12), "linear1.bias": layer(1, 12)[0],
        "head.weight": layer(12, 10), "head.bias": layer(1, 10)[0],
    }  # fmt: skip


def run(program, folder, **task):
    """Runs an example. Returns the lines of progress."""
    if task:
        path = folder / "task.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **task}))
    ended = subprocess.run(
        [sys.executable, EXAMPLES / program],
        env={**os.environ, "ZEROSHIFT_TASK": str(folder / "task.json")},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_scrub_moves_away_from_the_original_on_the_forget_set(make_task):
    folder = make_task("unlearn", options={"epochs": 4, "learningRate": 5e-3, "batchSize": 32}, result="weights")
    (folder / "original").mkdir()
    write_tensors(folder / "original/model.safetensors", mlp(np.random.default_rng(1)))
    lines = run("scrub.py", folder)
    assert [line["step"] for line in lines[:-1]] == list(range(1, lines[0]["steps"] + 1))
    assert lines[-1] == {"samples": {"retained": 144, "forget": 16}}
    task = Task.load(folder)
    before, after = (
        torch_support.logits(task, model_of(read_tensors(path), (8, 8, 1)))
        for path in (folder / "original/model.safetensors", folder / "output/model.safetensors")
    )
    change = np.abs(after - before).mean(1)
    assert change[task.forget].mean() > 0.01
    first = digest(folder / "output/model.safetensors")
    run("scrub.py", folder)
    assert digest(folder / "output/model.safetensors") == first


PROGRAM = """
import torch
from zeroshift import Task
from zeroshift.torch_support import checkpoint, prepare, restore, tensors
task = Task.load()
prepare(task)
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
batches = task.batches(task.train, 32)
for step in range(restore(task, model=model, optimizer=optimizer), 20):
    images, labels = tensors(batches.at(step))
    loss = torch.nn.functional.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    checkpoint(task, step + 1, seconds=0, model=model, optimizer=optimizer)
task.save(model=model)
"""


def test_a_program_that_continues_from_a_checkpoint_ends_in_the_same_bytes(make_task, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    folder, resumed = make_task("train"), make_task("train")
    lines = run(program, folder)
    assert lines[6] == {"step": 7, "checkpoint": "step-7.pt"}
    run(program, resumed, resume=str(folder / "checkpoints/step-7.pt"))
    whole, rest = (digest(one / "output/model.pt") for one in (folder, resumed))
    assert whole == rest
    assert len(list((resumed / "checkpoints").iterdir())) == 13
