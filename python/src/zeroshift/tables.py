"""Rows of tables, made from the JSON of reports and manifests. No function here needs pandas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Row = dict[str, Any]
Json = Mapping[str, Any]

RESULTS = ("label", "method", "is_floor", "seed", "metric", "value", "missing")
SUMMARY = ("label", "method", "is_floor", "verdict", "metric", "value", "low", "high", "n", "missing")
VERDICTS = (
    "label", "verdict", "excess", "criterion", "outcome", "p", "beyond_floor", "low90", "high90", "n",
)  # fmt: skip
ATTACKS = ("label", "seed", "attack", "set", "figure", "value", "low", "high", "missing")
PROGRAM_FIGURES = ("label", "seed", "figure", "value", "missing")
CURVES = ("label", "seed", "step", "loss", "accuracy", "learning_rate")


def figure(measured: Json) -> Row:
    """Returns value, low, high, n and missing of a figure. What it lacks is None.

    low and high are the ends of the 95% interval.
    """
    value, interval = measured.get("value"), measured.get("interval")
    low, high = measured.get("between") or (None, None)
    if isinstance(interval, list):
        low, high = interval
    elif interval is not None and value is not None:
        low, high = value - interval, value + interval
    return {"value": value, "low": low, "high": high, "n": measured.get("n"), "missing": measured.get("missing")}


def result_rows(computed: Json) -> Iterator[Row]:
    """A row for each method, seed and metric."""
    floors = floor_labels(computed)
    for number, rows in enumerate(computed.get("seeds", [computed["results"]]), 1):
        for row in rows:
            for metric, measured in row["metrics"].items():
                yield {
                    "label": row["label"],
                    "method": row["method"],
                    "is_floor": row["label"] in floors,
                    "seed": number,
                    "metric": metric,
                    "value": measured.get("value"),
                    "missing": measured.get("missing"),
                }


def summary_rows(computed: Json) -> Iterator[Row]:
    """A row for each method and metric: the mean over the seeds with its interval."""
    floors = floor_labels(computed)
    for row in computed["results"]:
        for metric, measured in row["metrics"].items():
            yield {
                "label": row["label"],
                "method": row["method"],
                "is_floor": row["label"] in floors,
                "verdict": row.get("standing", {}).get("verdict"),
                "metric": metric,
                **figure(measured),
            }


def floor_labels(computed: Json) -> set[str]:
    """The labels of further gold models, whose distances to gold are the floor."""
    listed = {row.get("label") or row["method"] for row in computed["spec"]["methods"]}
    return {row["label"] for row in computed["results"] if row["method"] == "retrain" and row["label"] not in listed}


def verdict_rows(computed: Json) -> Iterator[Row]:
    """A row for each method and criterion."""
    for method in computed["judgement"].get("methods", []):
        shared = {"label": method["label"], "verdict": method.get("verdict"), "excess": method.get("excess")}
        for test in method.get("tests", []):
            paired = test.get("test") or {}
            low, high = paired.get("interval90", (None, None))
            yield {
                **shared,
                "criterion": test["id"],
                "outcome": test.get("outcome"),
                "p": test.get("p"),
                "beyond_floor": paired.get("mean"),
                "low90": low,
                "high90": high,
                "n": paired.get("n"),
            }


def membership_rows(computed: Json) -> Iterator[Row]:
    """A row for each method, seed, set and figure of the attacks with shadow models."""
    for row in computed.get("membership", []):
        for number, seed in enumerate(row["seeds"], 1):
            for name, one in seed.get("sets", {}).items():
                for attack, figures in one["attacks"].items():
                    for kind, measured in figures.items():
                        given = {"label": row["label"], "seed": number, "attack": attack, "set": name, "figure": kind}
                        yield {**given, **figure(measured)}


def efficacy_rows(label: str, seed: int, manifest: Json) -> Iterator[Row]:
    """A row for each figure of the attacks on outputs: "svm on confidence" and others."""
    for kind in ("efficacy", "accuracy"):
        for classifier, scores in manifest["metrics"][kind].items():
            for score, measured in scores.items():
                given = {
                    "label": label,
                    "seed": seed,
                    "attack": f"{classifier} on {score}",
                    "set": "forget",
                    "figure": kind,
                }
                yield {**given, **figure(measured)}


def program_figure_rows(report: Json) -> Iterator[Row]:
    """A row for each figure that the program of a model reported. Reports without programs have none."""
    for row in report.get("programFigures", []):
        for number, figures in enumerate(row["seeds"], 1):
            for name, measured in figures.items():
                yield {
                    "label": row["label"],
                    "seed": number,
                    "figure": name,
                    "value": measured.get("value"),
                    "missing": measured.get("missing"),
                }


def curve_rows(label: str, seed: int, manifest: Json) -> Iterator[Row]:
    """A row for each point of a training curve."""
    for point in manifest["metrics"].get("curve", []):
        yield {
            "label": label,
            "seed": seed,
            "step": point["step"],
            "loss": point.get("loss"),
            "accuracy": point.get("accuracy"),
            "learning_rate": point.get("learningRate"),
        }
