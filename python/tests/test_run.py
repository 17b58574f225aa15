"""Reads a store and a published report of this repository."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from zeroshift import Run, ZeroshiftError

ROOT = Path(__file__).parents[2]
STORE = ROOT / "tests/fixtures/stores/format-1"
PUBLISHED = ROOT / "docs/results/digits-class-methods"


def accuracy(run, label, name):
    return 100 * np.mean(run.logits(label, name).argmax(1) == run.true_labels(label, name))


def test_logits_are_those_of_the_evaluation():
    run = Run("small", store=STORE)
    own = next(row["metrics"] for row in run.report["computed"]["results"] if row["label"] == "rfa")
    assert accuracy(run, "rfa", "retained") == pytest.approx(own["ra"]["value"], abs=1e-9)
    assert 100 - accuracy(run, "rfa", "forget") == pytest.approx(own["ua"]["value"], abs=1e-9)
    assert run.logits("rfa", "test").dtype == np.float32


@pytest.mark.parametrize(
    ("run", "store", "message"),
    [
        ("other", STORE, "no run begins with other; the store .* has small-"),
        ("small", "s3://bucket/results", "s3://bucket/results is no directory: copy the run"),
        ("small", STORE / "nowhere", "the store .*nowhere does not exist"),
        (STORE / "store.json", None, "store.json is no report of a run"),
    ],
)
def test_what_cannot_be_opened_is_refused(run, store, message):
    with pytest.raises(ZeroshiftError, match=message):
        Run(run, store=store)


def test_the_beginning_of_an_id_has_to_be_unique(tmp_path):
    source = next((STORE / "runs").iterdir())
    for name in ("small-1", "small-2"):
        shutil.copytree(source, tmp_path / "runs" / name)
    with pytest.raises(ZeroshiftError, match="2 runs begin with small: small-1, small-2"):
        Run("small", store=tmp_path)
    assert Run("small-2", store=tmp_path).labels == Run(source).labels


def test_a_model_that_the_run_does_not_have_is_refused():
    run = Run("small", store=STORE)
    with pytest.raises(ZeroshiftError, match="no model 'other' of seed 1; expected one of "):
        run.logits("other")
    with pytest.raises(ZeroshiftError, match="a seed from 1 to 1"):
        run.logits("rfa", seed=2)


def test_a_damaged_blob_is_refused(tmp_path):
    shutil.copytree(STORE, tmp_path / "store")
    run = Run("small", store=tmp_path / "store")
    for blob in (tmp_path / "store/blobs/sha256").glob("*/*"):
        blob.chmod(0o644)
        blob.write_bytes(blob.read_bytes() + b"!")
    with pytest.raises(ZeroshiftError, match="is damaged: its bytes have another SHA-256"):
        run.logits("rfa")


def test_a_report_alone_says_that_logits_need_the_store():
    with pytest.raises(ZeroshiftError, match="lies in no store"):
        Run(PUBLISHED).logits("rfa")


class TestTables:
    @pytest.fixture(autouse=True)
    def pandas(self):
        return pytest.importorskip("pandas")

    def test_every_method_seed_and_metric_has_a_row(self):
        run = Run(PUBLISHED)
        table = run.table()
        seeds = run.report["computed"]["seeds"]
        assert len(table) == sum(len(row["metrics"]) for rows in seeds for row in rows)
        row = table[(table.label == "rfa") & (table.seed == 3) & (table.metric == "ua")].iloc[0]
        expected = next(row for row in seeds[2] if row["label"] == "rfa")
        assert row.value == expected["metrics"]["ua"]["value"] and not row.is_floor
        floors = set(table[table.is_floor].label)
        assert floors == {"retrain, gold 2"}
        gaps = table[table.is_floor & (table.metric == "averageGap")]
        assert gaps.value.mean() == pytest.approx(run.floor)

    def test_the_summary_has_means_with_intervals(self):
        run = Run(PUBLISHED)
        summary, table = run.summary(), run.table()
        assert (summary.dropna(subset="low").low <= summary.dropna(subset="low").value).all()

        def figure(metric):
            row = summary[(summary.label == "finetune") & (summary.metric == metric)].iloc[0]
            seeds = table[(table.label == "finetune") & (table.metric == metric)].value
            assert row.value == pytest.approx(seeds.mean()) and row.n == len(seeds) == 8
            return row, 2.364624 * seeds.std() / np.sqrt(8)

        row, half = figure("ra")
        assert row.high - row.value == pytest.approx(half, rel=1e-4)
        assert row.value - row.low == pytest.approx(half, rel=1e-4)
        assert row.verdict == "distinguishable"
        # The symmetric interval would exceed 100%, so this one is symmetric on the logit scale.
        row, half = figure("ua")
        assert row.value + half > 100 > row.high
        logit = np.log([part / (100 - part) for part in (row.low, row.value, row.high)])
        shift = half * 100 / (row.value * (100 - row.value))
        assert np.diff(logit) == pytest.approx([shift, shift], rel=1e-4)

    def test_verdicts_have_a_row_for_every_method_and_criterion(self):
        run = Run(PUBLISHED)
        judged = run.report["computed"]["judgement"]["methods"]
        assert len(run.verdicts) == sum(len(method["tests"]) for method in judged)
        assert set(run.verdicts.verdict) <= {"distinguishable", "equivalent", "undecided"}
        assert (run.verdicts.low90 <= run.verdicts.high90).all()

    def test_attacks_by_shadow_models_come_from_the_report(self):
        attacks = Run(PUBLISHED).attacks
        assert set(attacks.attack) == {"lira", "liraOffline", "rmia"} and set(attacks.set) == {"forget", "retained"}
        known = attacks[attacks.missing.isna()]
        assert known.value.between(known.low, known.high).all()
        assert attacks[attacks.value.isna()].missing.notna().all()

    def test_curves_and_attacks_on_outputs_come_from_the_store(self):
        run = Run("small", store=STORE)
        assert list(run.curves.columns) == ["label", "seed", "step", "loss", "accuracy", "learning_rate"]
        assert set(run.curves.label) >= {"retrain", "rfa"} and run.curves.loss.notna().all()
        results = run.table()
        for label in ("retrain", "rfa"):
            mia = run.attacks[(run.attacks.label == label) & (run.attacks.attack == "svm on confidence")]
            efficacy = mia[mia.figure == "efficacy"].value.iloc[0]
            assert efficacy == results[(results.label == label) & (results.metric == "mia")].value.iloc[0]

    def test_figures_of_programs_come_from_the_report(self, tmp_path):
        assert list(Run(PUBLISHED).program_figures.columns) == ["label", "seed", "figure", "value", "missing"]
        assert Run(PUBLISHED).program_figures.empty
        report = json.loads((PUBLISHED / "report.json").read_text())
        seeds = [{"norm": {"value": 1.5}}, {"norm": {"missing": "the program did not report this figure"}}]
        report["programFigures"] = [{"label": "mine", "isFloor": False, "seeds": seeds}]
        (tmp_path / "report.json").write_text(json.dumps(report))
        figures = Run(tmp_path).program_figures
        assert list(figures.label) == ["mine", "mine"] and list(figures.seed) == [1, 2]
        assert figures.value[0] == 1.5 and np.isnan(figures.value[1])
        assert figures.missing[1] == "the program did not report this figure"

    def test_a_stage_that_did_not_finish_is_left_out(self, tmp_path):
        shutil.copytree(STORE, tmp_path / "store")
        (manifest,) = (tmp_path / "store/stages/unlearn").glob("*/manifest.json")
        manifest.unlink()
        assert "rfa" not in set(Run("small", store=tmp_path / "store").curves.label)

    def test_a_run_without_verdicts_has_an_empty_table(self):
        assert list(Run("small", store=STORE).verdicts.label) == []


def test_tables_without_pandas_say_what_to_install():
    try:
        import pandas  # noqa: F401

        pytest.skip("pandas is there")
    except ImportError:
        pass
    with pytest.raises(ZeroshiftError, match="pip install 'zeroshift\\[pandas\\]'"):
        Run(PUBLISHED).table()
