"""Reads the files of a run: from a store in a directory, or from the folder of a report."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from .errors import ZeroshiftError


def find_run(run: str | os.PathLike[str], store: str | os.PathLike[str] | None) -> tuple[Path, Path | None]:
    """Returns the path of a run's report.json, and its store if it has one.

    run: an id, or the unique beginning of one; without `store` also a report.json, or a folder that
    contains report.json or report/report.json.
    """
    path = Path(run)
    reports = [] if store is not None else [path, path / "report.json", path / "report" / "report.json"]
    for report in reports:
        if report.is_file():
            return report, _store_around(report)
    root = _directory(store if store is not None else os.environ.get("ZEROSHIFT_STORE") or ".zeroshift/store")
    runs = root / "runs"
    ids = sorted(entry.name for entry in runs.iterdir() if entry.is_dir()) if runs.is_dir() else []
    matches = [str(run)] if str(run) in ids else [one for one in ids if one.startswith(str(run))]
    if len(matches) != 1:
        found = (
            f"{len(matches)} runs begin with {run}: {', '.join(matches)}" if matches else f"no run begins with {run}"
        )
        raise ZeroshiftError(f"{found}; the store {root} has {', '.join(ids) or 'no runs'}")
    report = runs / matches[0] / "report" / "report.json"
    if not report.is_file():
        raise ZeroshiftError(f"{matches[0]} has no report yet: `zeroshift report {matches[0]}` renders it")
    return report, root


def read_json(path: Path) -> Any:
    """Reads a file of JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ZeroshiftError(f"{path} does not exist") from error
    except ValueError as error:
        raise ZeroshiftError(f"{path} is not JSON: {error}") from error


def read_blob(store: Path, sha256: str) -> bytes:
    """Reads a blob and checks its digest."""
    path = store / "blobs" / "sha256" / sha256[:2] / sha256
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ZeroshiftError(f"{path} does not exist: the store lacks a result of this run") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ZeroshiftError(f"{path} is damaged: its bytes have another SHA-256 than its name")
    return data


def _store_around(report: Path) -> Path | None:
    """Returns the store of STORE/runs/ID/report/report.json."""
    folders = report.absolute().parents
    is_inside = len(folders) > 3 and folders[2].name == "runs" and (folders[3] / "blobs").is_dir()
    return folders[3] if is_inside else None


def _directory(store: str | os.PathLike[str]) -> Path:
    if "://" in str(store):
        raise ZeroshiftError(
            f"{store} is no directory: copy the run by `zeroshift store copy {store} DIRECTORY --run ID`, "
            "and open it there"
        )
    if not Path(store).is_dir():
        raise ZeroshiftError(f"the store {store} does not exist; give the directory of one as `store`")
    return Path(store)
