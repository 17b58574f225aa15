"""The task that Zeroshift gives to a program, and the program's answers."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .batches import Batch, Batches, generator
from .errors import ZeroshiftError
from .progress import write_progress
from .result import save_adapter, save_logits, save_weights
from .state import find_state, read_state, write_state
from .tensors import read_tensors

if TYPE_CHECKING:
    import torch

CONTRACT_VERSION = 1

Layout = Literal["NCHW", "NHWC"]


class Task:
    """What a program is asked to do: train a model, unlearn a set, or predict.

    Arrays are memory maps that are opened when they are first read.
    """

    def __init__(self, folder: Path, fields: Mapping[str, Any]) -> None:
        self.folder = folder
        self._fields = fields
        self._stopping = False
        self._handles_stop = False
        self._saved_at = time.monotonic()
        #: "train", "unlearn" or "predict".
        self.kind: str = fields["task"]
        #: Decides all random draws. The same seed has to give the same result.
        self.seed: int = fields["seed"]
        #: The number of threads to compute with.
        self.threads: int = fields.get("threads", 1)
        #: "cpu" or "gpu".
        self.device: str = fields.get("device", "cpu")
        #: The options of the config. `settings` returns them with defaults.
        self.options: dict[str, Any] = dict(fields.get("options", {}))
        #: The names of the classes. A label is an index of this list.
        self.classes: list[str] = list(fields["data"]["classes"])

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Task:
        """Reads a task. `path`: of task.json, or of its folder; else of the variable ZEROSHIFT_TASK."""
        given = path or os.environ.get("ZEROSHIFT_TASK")
        if not given:
            raise ZeroshiftError(
                "ZEROSHIFT_TASK is not set: Zeroshift sets it when it starts a program. "
                "Give Task.load the path of a task.json to start the program by hand."
            )
        file = Path(given).absolute()
        if file.is_dir():
            file = file / "task.json"
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ZeroshiftError(f"{file} does not exist; expected the task.json of a task") from error
        except ValueError as error:
            raise ZeroshiftError(f"{file} is not JSON: {error}") from error
        version = fields.get("contract") if isinstance(fields, dict) else None
        if version != CONTRACT_VERSION:
            raise ZeroshiftError(
                f"{file} has contract {version!r}; this package knows contract {CONTRACT_VERSION}. "
                "Install the package of your version of Zeroshift."
            )
        return cls(file.parent, fields)

    # Data

    @cached_property
    def images(self) -> np.ndarray:
        """Pixels as stored, (samples, height, width, channels), usually uint8."""
        return self._array("data", "images")

    @cached_property
    def labels(self) -> np.ndarray:
        """Class numbers, int64. Every sample of the test set has −1. Absent in a task to predict."""
        return self._array("data", "labels")

    @cached_property
    def train(self) -> np.ndarray:
        """The rows to train on. Task "train" only."""
        return self._array("sets", "train")

    @cached_property
    def retained(self) -> np.ndarray:
        """The rows whose influence stays. Task "unlearn" only."""
        return self._array("sets", "retained")

    @cached_property
    def forget(self) -> np.ndarray:
        """The rows to forget. Task "unlearn" only."""
        return self._array("sets", "forget")

    @cached_property
    def validation(self) -> np.ndarray:
        """The rows that are set apart to choose options by. Task "unlearn" only; may be empty."""
        return self._array("sets", "validation")

    def normalised(self, indices: Any = None, layout: Layout = "NCHW") -> np.ndarray:
        """Returns images as built-in models see them, float32: (pixel / white − mean) / deviation.

        Mean and deviation are those of the training samples, per channel. Without indices: all images.
        """
        data = self._fields["data"]
        pixels = np.asarray(self.images if indices is None else self.images[indices], np.float32)
        white = np.float64(data["white"])
        mean = (white * np.asarray(data["mean"])).astype(np.float32)
        deviation = (white * np.asarray(data["deviation"])).astype(np.float32)
        images = (pixels - mean) / deviation
        return images if layout == "NHWC" else np.ascontiguousarray(images.transpose(0, 3, 1, 2))

    def batches(
        self,
        indices: np.ndarray,
        batch_size: int,
        *,
        name: str = "batches",
        shuffle: bool = True,
        layout: Layout = "NCHW",
    ) -> Batches:
        """Divides samples into batches, in a new order in each epoch.

        The order depends on the seed, the name and the epoch. Give the batches of different sets
        different names.
        """

        def read(rows: np.ndarray) -> Batch:
            return Batch(rows, self.normalised(rows, layout), np.asarray(self.labels[rows]))

        return Batches(indices, batch_size, read, seed=self.seed, name=name, shuffle=shuffle)

    def random(self, name: str, number: int = 0) -> np.random.Generator:
        """Returns a generator of random numbers that depends on the seed, the name and the number."""
        return generator(self.seed, name, number)

    # Options and models

    def settings(self, **defaults: Any) -> SimpleNamespace:
        """Returns the options of the config as attributes, with these defaults.

        Options that have no default here are refused, so that a misspelt option is noticed.
        """
        unknown = sorted(set(self.options) - set(defaults))
        if unknown:
            raise ZeroshiftError(
                f"this program has no option {', '.join(unknown)}; expected {', '.join(sorted(defaults)) or 'none'}"
            )
        return SimpleNamespace(**{**defaults, **self.options})

    @property
    def original(self) -> Path:
        """The folder with the files of the original model. Task "unlearn" only."""
        return self._path("original")

    @property
    def model(self) -> Path:
        """The folder with the files of the model to predict with. Task "predict" only."""
        return self._path("model")

    @property
    def output(self) -> Path:
        """The empty folder that receives the result. `save` writes there."""
        return self._path("output")

    def original_weights(self) -> dict[str, np.ndarray]:
        """Returns the tensors of the original by name, if its model is built in or pre-trained."""
        return read_tensors(self.original / "model.safetensors")

    def torch_model(self) -> torch.nn.Module:
        """Returns the original as a PyTorch module. Models `mlp`, `cnn` and `resnet-cifar` only.

        It takes images in the layout NCHW. `save(weights=…)` accepts it.
        """
        from .torch_models import model_of

        return model_of(self.original_weights(), self.images.shape[1:])

    def load_model(self) -> Any:
        """Returns what the program saved by `save(model=…)`: the original, or the model to predict with."""
        return read_state(find_state(self.model if self.kind == "predict" else self.original, "model"))

    # Progress and checkpoints

    def report(
        self,
        *,
        step: int | None = None,
        steps: int | None = None,
        loss: Any = None,
        accuracy: Any = None,
        samples: Mapping[str, int] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> None:
        """Tells Zeroshift about the progress.

        step, steps: done, and in all. loss, accuracy (in percent): a point of the training curve at
        this step. samples: the numbers of distinct samples that were read, by set ("retained",
        "forget"). metrics: other figures by name. Numbers have to be finite.
        """
        write_progress(step=step, steps=steps, loss=loss, accuracy=accuracy, samples=samples, metrics=metrics)

    @property
    def resume(self) -> Path | None:
        """The checkpoint of an earlier attempt, a file or folder, or None if there is none."""
        return self._path("resume") if self._fields.get("resume") else None

    def load_checkpoint(self) -> Any:
        """Returns the state that an earlier attempt saved by `checkpoint`, or None."""
        return None if self.resume is None else read_state(self.resume)

    def checkpoint(self, step: int, state: Callable[[], Any], *, seconds: float = 30) -> None:
        """Saves a checkpoint if the last one is `seconds` old, and if Zeroshift stops the program.

        `state` is called for the state: NumPy arrays and numbers by name, or anything that
        `torch.save` writes and `torch.load` reads with weights_only. A stopped program ends here,
        with the exit code 143.
        """
        stopping = self.stopping
        if stopping or time.monotonic() - self._saved_at >= seconds:
            self.checkpoints.mkdir(exist_ok=True)
            self.announce(step, write_state(self.checkpoints, f"step-{step}", state()))
        if stopping:
            raise SystemExit(128 + signal.SIGTERM)

    def announce(self, step: int, path: Path) -> None:
        """Announces a file or folder in `checkpoints` that is complete and will not be changed."""
        name = path.relative_to(self.checkpoints).as_posix()
        write_progress(step=step, checkpoint=name)
        self._saved_at = time.monotonic()

    @property
    def checkpoints(self) -> Path:
        """The folder for checkpoints."""
        return self._path("checkpoints")

    @property
    def stopping(self) -> bool:
        """Whether Zeroshift asked the program to stop (SIGTERM).

        From the first reading on, SIGTERM does not end the program any more. After the grace period
        of the config it is killed.
        """
        if not self._handles_stop:
            signal.signal(signal.SIGTERM, self._stop)
            self._handles_stop = True
        return self._stopping

    def _stop(self, *_: Any) -> None:
        self._stopping = True

    # Result

    def save(self, *, weights: Any = None, adapter: Any = None, logits: Any = None, model: Any = None) -> None:
        """Writes the result, in the form that `result` in the config names.

        weights: arrays or PyTorch tensors by the names of the experiment's model, or a module.
        adapter: a model of PEFT, or the folder of a saved adapter.
        logits: for every row of `images`, (samples, classes).
        model: a state as `checkpoint` takes it, which `load_model` returns to the command `predict`.
        """
        given = {
            name: value
            for name, value in {"weights": weights, "adapter": adapter, "logits": logits, "model": model}.items()
            if value is not None
        }
        if len(given) != 1:
            raise ZeroshiftError(
                f"save was given {', '.join(given) or 'nothing'}; expected one of weights, adapter, logits and model"
            )
        wanted = self._fields.get("result", "logits" if self.kind == "predict" else None)
        if wanted is not None and ("predict" if model is not None else [*given][0]) != wanted:
            raise ZeroshiftError(
                f'save was given {[*given][0]}; `result` of the config is "{wanted}", which takes '
                f"save({'model' if wanted == 'predict' else wanted}=…)"
            )
        self.output.mkdir(exist_ok=True)
        if weights is not None:
            save_weights(self.output, weights)
        elif adapter is not None:
            save_adapter(self.output, adapter)
        elif logits is not None:
            save_logits(self.output, logits, (len(self.images), len(self.classes)))
        else:
            write_state(self.output, "model", model)

    def _path(self, name: str) -> Path:
        if name not in self._fields:
            raise ZeroshiftError(f'a task "{self.kind}" has no "{name}"')
        return self.folder / self._fields[name]

    def _array(self, group: str, name: str) -> np.ndarray:
        path = self._fields.get(group, {}).get(name)
        if path is None:
            raise ZeroshiftError(f'a task "{self.kind}" has no "{group}.{name}"')
        return np.load(self.folder / path, mmap_mode="r", allow_pickle=False)
