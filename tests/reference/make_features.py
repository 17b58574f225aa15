"""Writes the reference vectors that tests/unit/unlearning checks ZRF, linear CKA and linear probes against.

    python -m venv venv && venv/bin/pip install numpy==2.2.6 scipy==1.15.3 scikit-learn==1.7.2
    venv/bin/python tests/reference/make_features.py

Run by hand when a definition changes; features.json beside this script is committed. Everything is computed by other code
than Zeroshift's: SciPy's relative entropies, CKA by centred kernel matrices (Zeroshift has the form in features), and
scikit-learn's RidgeClassifier behind a StandardScaler. null is what Zeroshift calls missing.
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.special import softmax
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

HERE = pathlib.Path(__file__).parent
VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
}


def plain(values):
    """The shortest decimals that are these float32 values."""
    return [float(str(value)) for value in np.asarray(values, np.float32).ravel()]


def matrix(values):
    return {"values": plain(values), "shape": list(values.shape)}


# ZRF


def as_logits(values):
    n, classes = values.shape
    return {"values": plain(values), "labels": [i % classes for i in range(n)], "classes": classes}


def zrf(unlearned, twin):
    p, q = softmax(unlearned.astype(float), axis=1), softmax(twin.astype(float), axis=1)
    m = (p + q) / 2
    return 1 - float(np.mean(stats.entropy(p, m, base=2, axis=1) + stats.entropy(q, m, base=2, axis=1)) / 2)


def zrf_cases():
    rng = np.random.default_rng(21)
    unlearned = np.round(rng.normal(0, 3, (12, 5)), 3).astype(np.float32)
    twin = np.round(rng.normal(0, 0.5, (12, 5)), 3).astype(np.float32)
    opposed = np.zeros((4, 2), np.float32)
    opposed[:, 0] = 900
    cases = {
        "ordinary": (unlearned, twin),
        "the same outputs": (unlearned, unlearned),
        "the same probabilities": (unlearned, unlearned + np.float32(2)),
        "certain of opposite classes": (opposed, opposed[:, ::-1]),
        "one sample": (unlearned[:1], twin[:1]),
        "two classes": (unlearned[:, :2], twin[:, :2]),
    }
    return [
        {"name": name, "unlearned": as_logits(u), "twin": as_logits(t), "zrf": zrf(u, t)}
        for name, (u, t) in cases.items()
    ]


# linear CKA


def cka(x, y):
    x, y = x.astype(float), y.astype(float)
    n = len(x)
    centring = np.eye(n) - 1 / n
    k, l = centring @ x @ x.T @ centring, centring @ y @ y.T @ centring
    if np.ptp(x, axis=0).max() == 0 or np.ptp(y, axis=0).max() == 0:
        return None
    return float(np.sum(k * l) / np.sqrt(np.sum(k * k) * np.sum(l * l)))


def cka_cases():
    rng = np.random.default_rng(22)
    x = np.round(rng.normal(0, 1, (40, 6)), 3).astype(np.float32)
    rotation = np.linalg.qr(rng.normal(0, 1, (6, 6)))[0]
    y = np.round(x @ rng.normal(0, 1, (6, 9)) + rng.normal(0, 1, (40, 9)), 3).astype(np.float32)
    offset = (x + np.array([0, 100, -1000, 5, 0, 30])).astype(np.float32)
    some_constant = x.copy()
    some_constant[:, 2] = 0.1
    cases = {
        "related": (x, y),
        "unrelated": (x, np.round(rng.normal(0, 1, (40, 9)), 3).astype(np.float32)),
        "itself": (x, x),
        "rotated and scaled": (x, (3 * x @ rotation).astype(np.float32)),
        "features of other scales": (x, (x * np.array([1, 10, 100, 1, 1, 1])).astype(np.float32)),
        "far from 0": (offset, y),
        "great features": ((x * 1e15).astype(np.float32), y),
        "small features": ((x * 1e-15).astype(np.float32), y),
        "one of them constant": (some_constant, y),
        "more features than samples": (x[:4], y[:4]),
        "one feature each": (x[:, :1], y[:, :1]),
        "two samples": (x[:2], y[:2]),
        "one sample": (x[:1], y[:1]),
        "constant": (np.full((40, 3), 0.1, np.float32), y),
        "gold constant": (x, np.full((40, 3), -7.3, np.float32)),
    }
    return [{"name": name, "x": matrix(a), "y": matrix(b), "cka": cka(a, b)} for name, (a, b) in cases.items()]


# linear probes


def probe(x, y, x_test, y_test):
    if len(set(y)) < 2 or np.ptp(x, axis=0).max() == 0:
        return None
    weight = compute_sample_weight("balanced", y)
    scaler = StandardScaler().fit(x.astype(float), sample_weight=weight)
    classifier = RidgeClassifier(alpha=1e-3 * len(y), class_weight="balanced", solver="cholesky")
    classifier.fit(scaler.transform(x.astype(float)), y)
    return 100 * classifier.score(scaler.transform(x_test.astype(float)), y_test)


def probe_cases():
    rng = np.random.default_rng(23)

    def blobs(counts, d, apart, noise=1.0):
        centres = rng.normal(0, apart, (len(counts), d))
        y = np.repeat(np.arange(len(counts)), counts)
        return np.round(centres[y] + rng.normal(0, noise, (len(y), d)), 3).astype(np.float32), y

    def cut(x, y, of=None):
        order = rng.permutation(len(y))
        x, y = x[order], y[order]
        half = len(y) // 2
        test = np.arange(half, len(y)) if of is None else half + np.flatnonzero(y[half:] == of)
        return x[:half], y[:half], x[test], y[test]

    easy = cut(*blobs([40, 40, 40], 5, 3))
    hard = cut(*blobs([60, 60, 60, 60], 6, 0.6))
    uneven = cut(*blobs([300, 20, 60], 4, 0.8), of=1)
    wide = cut(*blobs([12, 12, 12], 60, 0.4))
    scaled = tuple(part * np.array([1, 100, 0.01, 1, 1, 1], np.float32) if part.ndim == 2 else part for part in hard)
    dead = tuple(np.c_[part, np.full(len(part), 0.3)].astype(np.float32) if part.ndim == 2 else part for part in hard)
    absent = (hard[0], hard[1], hard[2][:5], np.full(5, 7))
    two = cut(*blobs([30, 90], 3, 0.7))
    cases = {
        "easy": easy,
        "hard": hard,
        "uneven classes, tested on the rarest": uneven,
        "more features than samples": wide,
        "features of other scales": scaled,
        "a constant feature among them": dead,
        "a class that no probe was trained on": absent,
        "two classes": two,
        "one class": (easy[0][:10], np.zeros(10, int), easy[2], easy[3]),
        "constant": (np.full((9, 2), 0.1, np.float32), np.arange(9) % 3, np.full((3, 2), 0.1, np.float32), np.arange(3)),
    }
    return [
        {
            "name": name,
            "train": {"features": matrix(x), "labels": [int(c) for c in y]},
            "test": {"features": matrix(xt), "labels": [int(c) for c in yt]},
            "accuracy": probe(x, y, xt, yt),
        }
        for name, (x, y, xt, yt) in cases.items()
    ]


vectors = {"versions": VERSIONS, "zrf": zrf_cases(), "cka": cka_cases(), "probes": probe_cases()}
(HERE / "features.json").write_text(json.dumps(vectors, allow_nan=False) + "\n")
