"""The results of a run as pandas DataFrames and NumPy arrays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from . import tables
from .errors import ZeroshiftError
from .store import find_run, read_blob, read_json
from .tensors import decoded

if TYPE_CHECKING:
    import pandas

Set = Literal["retained", "forget", "validation", "attackTest", "test", "forgottenTest"]


class Run:
    """A finished run. Tables come from its report; curves, attacks on outputs and logits need its store."""

    def __init__(self, run: str | os.PathLike[str], store: str | os.PathLike[str] | None = None) -> None:
        """run: an id or the unique beginning of one, a report.json, or the folder of a report.

        store: the directory of the store; else the variable ZEROSHIFT_STORE, or `.zeroshift/store`.
        """
        path, self._store = find_run(run, store)
        #: The content of report.json.
        self.report: dict[str, Any] = read_json(path)
        if not isinstance(self.report, dict) or "results" not in self.report.get("computed", {}):
            raise ZeroshiftError(f"{path} is no report of a run; expected an object with computed.results")
        self._computed = self.report["computed"]
        self._path = path

    @property
    def digest(self) -> str:
        """The digest of all computed results. Equal runs have the same."""
        return self.report["digest"]

    @property
    def spec(self) -> dict[str, Any]:
        """The config with its defaults filled in."""
        return self._computed["spec"]

    @property
    def labels(self) -> list[str]:
        """The rows of the table of results: methods, and last the gold models of the floor."""
        return [row["label"] for row in self._computed["results"]]

    def table(self) -> pandas.DataFrame:
        """Every figure of every seed: label, method, is_floor, seed, metric, value, missing.

        `missing` is the reason why there is no value. is_floor marks gold models that are judged like
        methods: their distances to gold show how far equal models are apart.
        """
        return _frame(tables.result_rows(self._computed), tables.RESULTS)

    def summary(self) -> pandas.DataFrame:
        """The mean of every figure over the seeds, with the ends of its 95% interval (low, high)."""
        return _frame(tables.summary_rows(self._computed), tables.SUMMARY)

    @property
    def floor(self) -> float | None:
        """The average gap between two gold models in points. None if there is one gold model."""
        return self._computed["floor"].get("value")

    @property
    def verdicts(self) -> pandas.DataFrame:
        """Every method and criterion: verdict of the method, outcome, p and distance beyond the floor.

        low90 and high90 are the ends of the 90% interval, by which equivalence is decided.
        """
        return _frame(tables.verdict_rows(self._computed), tables.VERDICTS)

    @property
    def program_figures(self) -> pandas.DataFrame:
        """Figures that external programs reported of their models: label, seed, figure, value, missing."""
        return _frame(tables.program_figure_rows(self.report), tables.PROGRAM_FIGURES)

    @property
    def curves(self) -> pandas.DataFrame:
        """The training curves of all models: label, seed, step, loss, accuracy, learning_rate."""
        rows = [
            row
            for label, seed, candidate in self._candidates()
            if self.is_finished(candidate["model"])
            for row in tables.curve_rows(label, seed, self.manifest(candidate["model"]))
        ]
        return _frame(rows, tables.CURVES)

    @property
    def attacks(self) -> pandas.DataFrame:
        """The membership-inference attacks: label, seed, attack, set, figure, value, low, high, missing.

        Attacks with shadow models are in the report. Attacks on outputs are added if there is a store.
        """
        outputs = [
            row
            for label, seed, candidate in (self._candidates() if self._store else [])
            if self.is_finished(candidate["attack"])
            for row in tables.efficacy_rows(label, seed, self.manifest(candidate["attack"]))
        ]
        return _frame([*tables.membership_rows(self._computed), *outputs], tables.ATTACKS)

    def logits(self, label: str, set: Set = "test", seed: int = 1) -> np.ndarray:
        """Returns the logits of a model on a set, float32 (samples, classes). Seeds count from 1.

        The rows are in the same order for all models of a seed.
        """
        return self._evaluation(label, seed)[f"{set}.logits"]

    def true_labels(self, label: str, set: Set = "test", seed: int = 1) -> np.ndarray:
        """Returns the class numbers of the samples of `logits`."""
        return self._evaluation(label, seed)[f"{set}.labels"]

    def manifest(self, stage: dict[str, Any]) -> dict[str, Any]:
        """Returns the record of a stage, given by kind and key: parameters, inputs, figures, output files."""
        return read_json(self._manifest_path(stage))

    def is_finished(self, stage: dict[str, Any]) -> bool:
        """Whether the store has the record of a stage, given by kind and key."""
        return self._manifest_path(stage).is_file()

    def _manifest_path(self, stage: dict[str, Any]) -> Path:
        return self._needed_store / "stages" / stage["kind"] / stage["key"] / "manifest.json"

    def _evaluation(self, label: str, seed: int) -> dict[str, np.ndarray]:
        for own, number, candidate in self._candidates():
            if own == label and number == seed:
                blob = self.manifest(candidate["evaluate"])["outputs"]["logits"]
                return decoded(read_blob(self._needed_store, blob["sha256"]))
        raise ZeroshiftError(
            f"the run has no model {label!r} of seed {seed}; expected one of {', '.join(self.labels)}, "
            f"and a seed from 1 to {len(self._seed_plans)}"
        )

    def _candidates(self) -> Iterable[tuple[str, int, dict[str, Any]]]:
        """The stages of every row and seed."""
        for number, plan in enumerate(self._seed_plans, 1):
            for candidate in [*plan["candidates"], *plan["floor"]]:
                yield candidate["label"], number, candidate

    @cached_property
    def _seed_plans(self) -> list[dict[str, Any]]:
        """The stages of each seed. The first seed's are in the plan itself."""
        plan = read_json(self._needed_store / "runs" / self._path.parent.parent.name / "run.json")["plan"]
        return [plan, *plan.get("seeds", [])]

    @property
    def _needed_store(self) -> Path:
        if self._store is None:
            raise ZeroshiftError(
                f"{self._path} lies in no store, and the report does not contain this: give its id and the store, "
                'as in Run("digits-class-a101be1d", store=".zeroshift/store")'
            )
        return self._store


def _frame(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError as error:
        raise ZeroshiftError("tables need pandas: pip install 'zeroshift[pandas]'") from error
    return pandas.DataFrame(list(rows), columns=list(columns))
