"""Writes the reference vectors that tests/unit/unlearning checks Zeroshift's metrics and attacks against.

    python -m venv venv && venv/bin/pip install numpy==2.2.6 scipy==1.15.3 scikit-learn==1.7.2
    venv/bin/python tests/reference/make_vectors.py

Run by hand when a definition changes; the JSON files beside this script are committed. Everything is computed in
float64 from float32 logits, by other code than Zeroshift's: scikit-learn's LIBSVM and L-BFGS, and SciPy.
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import sklearn
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

HERE = pathlib.Path(__file__).parent
VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
}
MEMBER, NON_MEMBER = 1, 0


def svm(tolerance):
    return SVC(C=3, gamma="auto", kernel="rbf", tol=tolerance)


def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression(C=1, tol=1e-12, max_iter=100_000))


def fitted(classifier, members, non_members):
    x = np.concatenate([members, non_members]).reshape(-1, 1)
    y = np.repeat([MEMBER, NON_MEMBER], [len(members), len(non_members)])
    return classifier.fit(x, y)


def classifier_cases():
    """Members' scores, non-members' scores, and the scores that the trained classifiers are asked about."""
    rng = np.random.default_rng(1)
    unit = np.linspace(-0.2, 1.2, 29)
    return {
        "overlapping confidences": (1 - rng.random(60) ** 6, 1 - rng.random(60) ** 2, unit),
        "losses with a long tail": (np.exp(rng.normal(-3, 2, 80)), np.exp(rng.normal(-1, 2, 80)), np.linspace(-1, 40, 42)),
        "normal": (rng.normal(0, 1, 100), rng.normal(0.7, 1.5, 100), np.linspace(-5, 6, 45)),
        "correct or not": ([1] * 48 + [0] * 2, [1] * 41 + [0] * 9, [0, 1]),
        "separable": (0.8 + 0.2 * rng.random(20), 0.3 * rng.random(20), unit),
        "many ties": (np.round(rng.random(50) ** 0.5, 1), np.round(rng.random(50), 1), unit),
        "one member, one non-member": ([0.9], [0.2], unit),
        "one member, many non-members": ([0.95], 0.9 * rng.random(30), unit),
        "members inside non-members": (rng.uniform(0.4, 0.6, 40), np.r_[rng.uniform(0, 0.35, 20), rng.uniform(0.65, 1, 20)], unit),
    }


def classifiers():
    cases = []
    for name, (members, non_members, queries) in classifier_cases().items():
        members, non_members, queries = (np.round(np.asarray(v, float), 4) for v in (members, non_members, queries))
        x = queries.reshape(-1, 1)
        exact = fitted(svm(1e-10), members, non_members)
        usual = fitted(svm(1e-3), members, non_members)
        regression = fitted(logistic(), members, non_members)
        cases.append(
            {
                "name": name,
                "members": members.tolist(),
                "nonMembers": non_members.tolist(),
                "queries": queries.tolist(),
                "svm": {
                    "decisions": exact.decision_function(x).tolist(),
                    "members": (usual.predict(x) == MEMBER).tolist(),
                },
                "logistic": {
                    "decisions": regression.decision_function(x).tolist(),
                    "members": (regression.predict(x) == MEMBER).tolist(),
                },
            }
        )
    constant = np.ones(5)
    x = np.array([[1.0], [0.0]])
    return {
        "versions": VERSIONS,
        "cases": cases,
        # What scikit-learn answers when the scores say nothing: the tie rules of its two
        # classifiers, which disagree.
        "constant": {
            "svm": fitted(svm(1e-3), constant, constant).predict(x).tolist(),
            "logistic": fitted(logistic(), constant, constant).predict(x).tolist(),
        },
    }


def scores(logits, labels):
    """The five scores, sample by sample; logarithms of 1 - p from the other classes' sum, as p = 1 needs."""
    z = logits.astype(np.float64)
    log_p = log_softmax(z, axis=1)
    result = {name: [] for name in ("correctness", "confidence", "entropy", "modified-entropy", "loss")}
    for row, logs, y in zip(z, log_p, labels):
        p = np.exp(logs)
        log_rest = np.array([logsumexp(np.delete(row, i)) - logsumexp(row) for i in range(len(row))])
        others = [i for i in range(len(row)) if i != y]
        result["correctness"].append(float(np.argmax(row) == y))
        result["confidence"].append(p[y])
        result["entropy"].append(-np.sum(p * logs))
        result["modified-entropy"].append(
            -np.exp(log_rest[y]) * logs[y] - np.sum([p[i] * log_rest[i] for i in others])
        )
        result["loss"].append(-logs[y])
    return {name: np.array(values, float) for name, values in result.items()}


def as_logits(values, labels, classes):
    return {"values": np.asarray(values, float).ravel().tolist(), "labels": [int(y) for y in labels], "classes": classes}


def draw(rng, n, classes, sharpness, labels=None):
    """Logits of a model that leans to the true class by `sharpness`, rounded so that the JSON stays small."""
    if labels is None:
        labels = rng.integers(0, classes, n)
    z = rng.normal(0, 1.5, (n, classes))
    z[np.arange(n), labels] += sharpness
    return np.round(z, 3).astype(np.float32), labels


def score_cases():
    rng = np.random.default_rng(2)
    ordinary = draw(rng, 12, 5, 2)
    return {
        "ordinary": ordinary,
        "one sample": (ordinary[0][:1], ordinary[1][:1]),
        "two classes": draw(rng, 6, 2, 1),
        "one class only": (ordinary[0], np.full(12, 3)),
        "ties": (np.array([[1, 1, 0], [1, 1, 0], [2, 2, 2], [0, 3, 3]], np.float32), [0, 1, 2, 2]),
        "p = 0 and 1": (
            np.array([[200, 0, 0], [200, 0, -5], [0, 900, 0], [0, 900, -900], [60, 0, 0], [-40, 0, 0]], np.float32),
            [0, 1, 1, 2, 0, 0],
        ),
        "great logits": (np.array([[1e20, 1e20, 0], [-3e38, 3e38, 0], [1e6, 1e6 + 1, 0]], np.float32), [0, 0, 1]),
    }


def plain_scores():
    cases = []
    for name, (z, labels) in score_cases().items():
        expected = {score: values.tolist() for score, values in scores(z, labels).items()}
        cases.append({"name": name, "logits": as_logits(z, labels, z.shape[1]), "scores": expected})
    return cases


def attacks():
    """Whole attacks on sets small enough that every member and non-member trains: no draw matters."""
    rng = np.random.default_rng(3)
    cases = []
    for name, (member_sharpness, forget_sharpness) in {
        "forgotten": (5, 2),
        "remembered": (5, 5),
    }.items():
        sets = {
            "retained": draw(rng, 60, 4, member_sharpness),
            "nonMembers": draw(rng, 60, 4, 2),
            "forget": draw(rng, 30, 4, forget_sharpness),
            "test": draw(rng, 40, 4, 2),
        }
        scored = {key: scores(*value) for key, value in sets.items()}
        efficacy = {}
        for classifier_name, classifier in {"svm": svm(1e-10), "logistic": logistic()}.items():
            efficacy[classifier_name] = {}
            for score in scored["forget"]:
                attack = fitted(classifier, scored["retained"][score], scored["nonMembers"][score])
                called = attack.predict(scored["forget"][score].reshape(-1, 1))
                efficacy[classifier_name][score] = 100 * float(np.mean(called == NON_MEMBER))
        logits = {key: as_logits(z, labels, 4) for key, (z, labels) in sets.items()}
        cases.append({"name": name, "sets": logits, "efficacy": efficacy})
    return cases


def percent_correct(z, labels):
    return 100 * float(accuracy_score(labels, np.argmax(z, axis=1)))


def comparisons():
    rng = np.random.default_rng(4)
    ordinary = draw(rng, 25, 6, 2)
    disjoint = np.zeros((3, 10), np.float32)
    disjoint[:, 0] = 2000
    opposite = np.zeros((3, 10), np.float32)
    opposite[:, 1] = 2000
    pairs = {
        "ordinary": (ordinary[0], draw(rng, 25, 6, 3, ordinary[1])[0], ordinary[1]),
        "one sample": (ordinary[0][:1], ordinary[0][1:2], ordinary[1][:1]),
        "the same": (ordinary[0], ordinary[0], ordinary[1]),
        "all probability on different classes": (disjoint, opposite, [0, 1, 0]),
        "p = 0 against p > 0": (disjoint, np.zeros((3, 10), np.float32), [0, 1, 0]),
    }
    cases = []
    for name, (a, b, labels) in pairs.items():
        p, q = (softmax(z.astype(np.float64), axis=1) for z in (a, b))
        confidence = p[np.arange(len(labels)), labels]
        cases.append(
            {
                "name": name,
                "unlearned": as_logits(a, labels, a.shape[1]),
                "gold": as_logits(b, labels, a.shape[1]),
                "accuracy": percent_correct(a, labels),
                "histogram": np.histogram(confidence, bins=20, range=(0, 1))[0].tolist(),
                "activationDistance": float(np.mean(np.linalg.norm(p - q, axis=1))),
                "jsDivergence": float(np.mean([jensenshannon(a, b, base=2) ** 2 for a, b in zip(p, q)])),
            }
        )
    return cases


def gaps():
    rng = np.random.default_rng(5)
    cases = []
    for _ in range(5):
        unlearned, gold = (
            dict(zip(("fa", "ra", "ta", "mia"), np.round(100 * rng.random(4), 2).tolist())) for _ in range(2)
        )
        for figures in (unlearned, gold):
            figures["ua"] = 100 - figures["fa"]
        difference = {name: abs(unlearned[name] - gold[name]) for name in gold}
        cases.append(
            {
                "unlearned": unlearned,
                "gold": gold,
                "averageGap": float(np.mean([difference[name] for name in ("ua", "ra", "ta", "mia")])),
                "tow": float(np.prod([1 - difference[name] / 100 for name in ("fa", "ra", "ta")])),
            }
        )
    return cases


def write(name, value):
    (HERE / name).write_text(json.dumps(value, allow_nan=False) + "\n")


write("classifiers.json", classifiers())
write("attacks.json", {"versions": VERSIONS, "scores": plain_scores(), "attacks": attacks()})
write("metrics.json", {"versions": VERSIONS, "comparisons": comparisons(), "gaps": gaps()})
