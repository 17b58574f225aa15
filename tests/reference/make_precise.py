"""Writes the reference values of figures near p = 0 and p = 1 that tests/unit/unlearning/precise.test.ts checks.

    python -m venv venv && venv/bin/pip install mpmath==1.3.0 numpy==2.2.6
    venv/bin/python tests/reference/make_precise.py

Run by hand when a definition changes; precise.json beside this script is committed. Everything is computed from the
definitions with 400 digits: p = exp(z) / sum exp(z), then log p, sum p log p and so on as they are written, without any
of the rearrangements that doubles need.
"""

import json
import pathlib

import mpmath
import numpy as np
from mpmath import mpf

HERE = pathlib.Path(__file__).parent
mpmath.mp.dps = 400


def softmax(logits):
    terms = [mpmath.exp(mpf(float(z))) for z in logits]
    return [term / mpmath.fsum(terms) for term in terms]


def scores(logits, y):
    p = softmax(logits)
    others = [value for i, value in enumerate(p) if i != y]
    return {
        "loss": -mpmath.log(p[y]),
        "entropy": -mpmath.fsum(value * mpmath.log(value) for value in p),
        "modified-entropy": -(1 - p[y]) * mpmath.log(p[y]) - mpmath.fsum(value * mpmath.log(1 - value) for value in others),
        "margin": mpmath.log(p[y] / (1 - p[y])),
    }


def distances(a, b):
    p, q = softmax(a), softmax(b)
    middle = [(x + y) / 2 for x, y in zip(p, q)]
    divergence = lambda of: mpmath.fsum(x * mpmath.log(x / m, 2) for x, m in zip(of, middle))
    return {
        "activationDistance": mpmath.sqrt(mpmath.fsum((x - y) ** 2 for x, y in zip(p, q))),
        "jsDivergence": (divergence(p) + divergence(q)) / 2,
    }


def plain(values):
    return {name: float(value) for name, value in values.items()}


rng = np.random.default_rng(31)


def sure(gap, classes=5):
    """Logits of a model that is sure of class 0 by about `gap` nats, in float32 as models give them."""
    logits = np.round(rng.normal(0, 1, classes), 2)
    logits[0] += gap
    return logits.astype(np.float32)


samples = []
pairs = []
for gap in (0, 2, 10, 30, 36, 37, 38, 45, 80, 200, 300):
    for label in (0, 2):
        logits = sure(gap)
        samples.append({"logits": logits.tolist(), "label": label, **plain(scores(logits, label))})
    for other in (gap, gap + 5):
        a, b = sure(gap), sure(other)
        pairs.append({"unlearned": a.tolist(), "gold": b.tolist(), **plain(distances(a, b))})

text = json.dumps({"mpmath": mpmath.__version__, "samples": samples, "pairs": pairs}, allow_nan=False)
(HERE / "precise.json").write_text(text + "\n")
