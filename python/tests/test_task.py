import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zeroshift import Task, ZeroshiftError
from zeroshift.tensors import read_tensors, write_tensors


def test_a_task_has_the_arrays_and_settings_of_its_file(make_task, monkeypatch):
    folder = make_task("unlearn", options={"epochs": 5})
    monkeypatch.setenv("ZEROSHIFT_TASK", str(folder / "task.json"))
    task = Task.load()
    assert (task.kind, task.seed, task.threads, task.device, task.resume) == ("unlearn", 3, 1, "cpu", None)
    assert isinstance(task.images, np.memmap) and task.images.shape == (200, 8, 8, 1)
    assert task.labels.dtype == np.int64 and set(task.labels[160:]) == {-1}
    assert set(task.labels[task.forget]) == {3} and 3 not in task.labels[task.retained]
    assert len(task.validation) == 0 and task.classes[3] == "3"
    settings = task.settings(epochs=1, rate=0.5)
    assert (settings.epochs, settings.rate) == (5, 0.5)
    with pytest.raises(ZeroshiftError, match="no option epochs; expected rate"):
        task.settings(rate=0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("{", "is not JSON"),
        ("[]", "has contract None"),
        ('{"contract": 2}', "has contract 2; this package knows contract 1"),
    ],
)
def test_a_file_that_is_no_task_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "task.json").write_text(content)
    with pytest.raises(ZeroshiftError, match=message):
        Task.load(tmp_path)


def test_a_program_that_was_started_by_hand_is_told_what_is_missing(monkeypatch):
    monkeypatch.delenv("ZEROSHIFT_TASK", raising=False)
    with pytest.raises(ZeroshiftError, match="ZEROSHIFT_TASK is not set"):
        Task.load()


def test_a_set_that_the_task_does_not_have_is_named(make_task):
    with pytest.raises(ZeroshiftError, match='"train" has no "sets.forget"'):
        _ = Task.load(make_task("train")).forget
    with pytest.raises(ZeroshiftError, match='"predict" has no "data.labels"'):
        _ = Task.load(make_task("predict")).labels


def test_images_are_normalised_by_the_statistics_of_the_training_samples(make_task):
    task = Task.load(make_task("train"))
    expected = (task.images[[5, 2]] / 16 - 0.3) / 0.35
    normalised = task.normalised([5, 2], layout="NHWC")
    assert normalised.dtype == np.float32
    np.testing.assert_allclose(normalised, expected, atol=1e-6)
    np.testing.assert_array_equal(task.normalised([5, 2]), normalised.transpose(0, 3, 1, 2))
    assert task.normalised().shape == (200, 1, 8, 8)


class TestBatches:
    def test_an_epoch_has_full_batches_in_an_order_of_its_own(self, make_task):
        task = Task.load(make_task("train"))
        batches = task.batches(task.train, 48, name="one")
        first, second = ([batch.indices.tolist() for batch in batches.epoch(epoch)] for epoch in (0, 1))
        assert [len(one) for one in first] == [48, 48, 48] and batches.per_epoch == 3
        assert len(set(sum(first, []))) == 144 and first != second
        whole = task.batches(task.train, 1000, name="one")
        assert whole.per_epoch == 1 and sorted(whole.at(0).indices) == list(range(160))

    def test_without_shuffling_an_epoch_has_every_sample_in_order(self, make_task):
        task = Task.load(make_task("train"))
        batches = task.batches(task.train, 48, shuffle=False)
        assert [len(batch.indices) for batch in batches.epoch(1)] == [48, 48, 48, 16]
        assert sum([batch.indices.tolist() for batch in batches.epoch(1)], []) == list(range(160))

    def test_a_batch_depends_on_seed_name_and_step_alone(self, make_task):
        task, other = (Task.load(make_task("train", seed=seed)) for seed in (3, 4))
        batch = task.batches(task.train, 16, name="one").at(23)
        np.testing.assert_array_equal(batch.indices, task.batches(task.train, 16, name="one").at(23).indices)
        assert (batch.indices != task.batches(task.train, 16, name="two").at(23).indices).any()
        assert (batch.indices != other.batches(other.train, 16, name="one").at(23).indices).any()
        np.testing.assert_array_equal(batch.images, task.normalised(batch.indices))
        np.testing.assert_array_equal(batch.labels, task.labels[batch.indices])

    def test_the_order_of_a_seed_is_the_recorded_one(self, make_task):
        task = Task.load(make_task("train"))
        assert task.batches(task.train, 5, name="one").at(0).indices.tolist() == FIRST_BATCH
        assert task.batches(task.train, 5, shuffle=False).at(1).indices.tolist() == [5, 6, 7, 8, 9]

    def test_no_samples_and_no_batch_size_are_refused(self, make_task):
        task = Task.load(make_task("unlearn"))
        with pytest.raises(ZeroshiftError, match='no samples to make batches "batches" of'):
            task.batches(task.validation, 4)
        with pytest.raises(ZeroshiftError, match="the batch size is 0"):
            task.batches(task.forget, 0)


GOLDEN = Path(__file__).parents[2] / "tests/fixtures/programs/golden"
FIRST_BATCH = [137, 70, 115, 67, 10]


def test_a_report_is_one_line_of_json(make_task, capsys):
    task = Task.load(make_task("train"))
    task.report(
        step=3, steps=90, loss=np.float32(0.5), accuracy=88, samples={"retained": np.int64(4)}, metrics={"a": 1.5}
    )
    task.report(step=4)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        {"step": 3, "steps": 90, "loss": 0.5, "accuracy": 88, "samples": {"retained": 4}, "metrics": {"a": 1.5}},
        {"step": 4},
    ]
    with pytest.raises(ZeroshiftError, match="loss is nan"):
        task.report(step=5, loss=float("nan"))


class TestCheckpoints:
    def test_a_checkpoint_is_announced_when_it_is_complete(self, make_task, capsys):
        folder = make_task("train")
        state = {"step": 7, "weights": np.arange(4, dtype=np.float32)}
        Task.load(folder).checkpoint(7, lambda: state, seconds=0)
        assert json.loads(capsys.readouterr().out) == {"step": 7, "checkpoint": "step-7.safetensors"}
        assert [entry.name for entry in (folder / "checkpoints").iterdir()] == ["step-7.safetensors"]
        resumed = Task.load(make_task("train", resume=str(folder / "checkpoints/step-7.safetensors")))
        saved = resumed.load_checkpoint()
        assert saved["step"] == 7
        np.testing.assert_array_equal(saved["weights"], state["weights"])

    def test_the_state_is_not_taken_before_it_is_time(self, make_task, capsys):
        task = Task.load(make_task("train"))
        task.checkpoint(7, lambda: pytest.fail("the state was taken"), seconds=1000)
        assert capsys.readouterr().out == "" and task.load_checkpoint() is None

    def test_a_stopped_program_saves_a_checkpoint_and_ends(self, make_task):
        folder = make_task("train")
        program = (
            "from zeroshift import Task\n"
            "task = Task.load()\n"
            "for step in range(10**9):\n"
            "    task.checkpoint(step, lambda: {'step': step}, seconds=1000)\n"
            "    if step == 5: task.report(step=step)\n"
        )
        environment = {**os.environ, "ZEROSHIFT_TASK": str(folder / "task.json")}
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert json.loads(process.stdout.readline()) == {"step": 5}
            process.send_signal(signal.SIGTERM)
            line = json.loads(process.stdout.readline())
        assert process.returncode == 143
        assert read_tensors(folder / "checkpoints" / line["checkpoint"])["step"] == line["step"]


class TestSave:
    def test_weights_become_float32_in_order(self, make_task):
        folder = make_task("unlearn")
        Task.load(folder).save(
            weights={"b": np.arange(3), "a": np.ones((2, 2)), "norm.num_batches_tracked": np.array(4)}
        )
        tensors = read_tensors(folder / "output/model.safetensors")
        assert list(tensors) == ["a", "b"] and {tensor.dtype for tensor in tensors.values()} == {np.dtype("float32")}
        np.testing.assert_array_equal(tensors["b"], [0, 1, 2])

    def test_logits_have_a_row_for_every_image(self, make_task):
        folder = make_task("train")
        task = Task.load(folder)
        with pytest.raises(ZeroshiftError, match=r"the shape \(160, 10\); expected \(200, 10\)"):
            task.save(logits=np.zeros((160, 10)))
        broken = np.zeros((200, 10))
        broken[7, 2] = np.inf
        with pytest.raises(ZeroshiftError, match=r"inf at \(7, 2\)"):
            task.save(logits=broken)
        assert list((folder / "output").iterdir()) == []
        task.save(logits=np.arange(2000).reshape(200, 10))
        saved = np.load(folder / "output/logits.npy")
        assert saved.dtype == np.float32 and saved[199, 9] == 1999

    def test_a_model_of_arrays_comes_back_in_the_task_to_predict(self, make_task):
        folder = make_task("train")
        Task.load(folder).save(model={"centres": np.eye(3)})
        other = make_task("predict", model=str(folder / "output") + "/")
        np.testing.assert_array_equal(Task.load(other).load_model()["centres"], np.eye(3))

    def test_the_files_of_an_adapter_are_copied(self, make_task, tmp_path):
        folder = make_task("unlearn")
        with pytest.raises(ZeroshiftError, match="adapter_config.json does not exist"):
            Task.load(folder).save(adapter=tmp_path)
        (tmp_path / "adapter_config.json").write_text("{}")
        write_tensors(tmp_path / "adapter_model.safetensors", {"a": np.ones(2)})
        Task.load(folder).save(adapter=tmp_path)
        assert (folder / "output/adapter_config.json").read_text() == "{}"

    def test_another_result_than_the_config_asks_for_is_refused(self, make_task):
        task = Task.load(make_task("unlearn", result="weights"))
        with pytest.raises(ZeroshiftError, match=r'"weights", which takes save\(weights=…\)'):
            task.save(logits=np.zeros((200, 10)))
        with pytest.raises(ZeroshiftError, match="save was given nothing"):
            task.save()


class TestTensors:
    def test_arrays_of_all_types_come_back(self, tmp_path):
        arrays = {
            str(dtype): np.arange(6).reshape(2, 3).astype(dtype)
            for dtype in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "?")
        }
        arrays["empty"], arrays["scalar"] = np.zeros((0, 3), np.float32), np.float32(2)
        write_tensors(tmp_path / "file", arrays)
        found = read_tensors(tmp_path / "file")
        assert sorted(found) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype and found[name].shape == array.shape

    def test_half_precision_of_other_libraries_is_widened(self, tmp_path):
        bits = (np.array([1.5, -2], np.float32).view("<u4") >> 16).astype("<u2")
        header = json.dumps({"a": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}, "__metadata__": {}}).encode()
        (tmp_path / "file").write_bytes(len(header).to_bytes(8, "little") + header + bits.tobytes())
        np.testing.assert_array_equal(read_tensors(tmp_path / "file")["a"], [1.5, -2])

    @pytest.mark.parametrize("length", [0, 7, 8, 20, 100])
    def test_a_truncated_file_is_refused(self, tmp_path, length):
        write_tensors(tmp_path / "file", {"a": np.ones(40, np.float32)})
        (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes()[:length])
        with pytest.raises(ZeroshiftError, match="is not a complete safetensors file"):
            read_tensors(tmp_path / "file")

    def test_other_types_are_refused(self, tmp_path):
        with pytest.raises(ZeroshiftError, match='"a" has the type complex128'):
            write_tensors(tmp_path / "file", {"a": np.ones(2, complex)})


@pytest.mark.parametrize("kind", ["train", "unlearn", "predict"])
def test_the_tasks_that_zeroshift_writes_are_read(kind):
    task = Task.load(GOLDEN / kind / "task")
    assert task.kind == kind and task.normalised().shape == (len(task.images), *np.roll(task.images.shape[1:], 1))
    sets = {"train": ["train"], "unlearn": ["retained", "forget", "validation"], "predict": []}[kind]
    for name in sets:
        rows = getattr(task, name)
        assert rows.dtype == np.int64 and (task.labels[rows] >= 0).all()


def test_reports_are_lines_of_the_contract(make_task, capsys):
    for line in (GOLDEN / "progress.jsonl").read_text().splitlines():
        fields = json.loads(line)
        if "checkpoint" not in fields:
            Task.load(make_task("train")).report(**fields)
            assert json.loads(capsys.readouterr().out) == fields
