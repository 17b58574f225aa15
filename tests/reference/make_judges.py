"""Writes the reference vectors that tests/unit/unlearning checks the agreement with gold, the feature distance and RULI against.

    python -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    venv/bin/python tests/reference/make_judges.py

Run by hand when a definition changes; judges.json beside this script is committed. Everything is computed by other code
than Zeroshift's: SciPy's rank correlation, kernel density estimates and orthogonal Procrustes rotation (Zeroshift has the
nuclear norm), and scikit-learn's ROC and balanced accuracy. null is what Zeroshift calls missing.
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.linalg import orthogonal_procrustes
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

HERE = pathlib.Path(__file__).parent
VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
}


def plain(array):
    return np.asarray(array, float).ravel().tolist()


def matrix(values):
    """The shortest decimals that are these float32 values."""
    return {"values": [float(str(value)) for value in np.asarray(values, np.float32).ravel()], "shape": list(values.shape)}


# agreement with gold


def agreement(own, gold):
    rank = None if np.ptp(own) == 0 or np.ptp(gold) == 0 else float(stats.spearmanr(own, gold).statistic)
    variance = None if np.ptp(gold) == 0 else float(own.var(ddof=1) / gold.var(ddof=1))
    return {"rank": rank, "variance": variance}


def agreement_cases():
    rng = np.random.default_rng(31)
    gold = np.round(rng.normal(3, 2, 60), 3)
    cases = {
        "related": (np.round(0.5 * gold + rng.normal(0, 1, 60), 3), gold),
        "unrelated": (np.round(rng.normal(0, 1, 60), 3), gold),
        "itself": (gold, gold),
        "the opposite order": (-gold, gold),
        "a monotone change": (np.round(np.exp(gold / 2), 6), gold),
        "many equal margins": (np.round(gold), np.round(gold + rng.normal(0, 1, 60))),
        "two samples": (np.array([1.0, 2.0]), np.array([5.0, 3.0])),
        "all margins equal": (np.full(60, 1.5), gold),
        "all of gold's margins equal": (gold, np.full(60, 1.5)),
    }
    return [{"name": name, "own": plain(a), "gold": plain(b), **agreement(a, b)} for name, (a, b) in cases.items()]


# feature distance


def procrustes(x, y):
    x, y = x.astype(float), y.astype(float)
    if np.ptp(x, axis=0).max() == 0 or np.ptp(y, axis=0).max() == 0:
        return None
    x, y = ((a - a.mean(0)) / np.linalg.norm(a - a.mean(0)) for a in (x, y))
    width = max(x.shape[1], y.shape[1])
    x, y = (np.pad(a, ((0, 0), (0, width - a.shape[1]))) for a in (x, y))
    rotation, _ = orthogonal_procrustes(y, x)
    return float(np.linalg.norm(x - y @ rotation) ** 2 / 2)


def procrustes_cases():
    rng = np.random.default_rng(32)
    x = np.round(rng.normal(0, 1, (40, 6)), 3).astype(np.float32)
    rotation = np.linalg.qr(rng.normal(0, 1, (6, 6)))[0]
    wider = np.round(x @ rng.normal(0, 1, (6, 9)) + rng.normal(0, 1, (40, 9)), 3).astype(np.float32)
    near = np.round(x @ rotation + rng.normal(0, 0.1, (40, 6)), 3).astype(np.float32)
    cases = {
        "near after a rotation": (x, near),
        "wider": (x, wider),
        "narrower": (wider, x),
        "unrelated": (x, np.round(rng.normal(0, 1, (40, 6)), 3).astype(np.float32)),
        "itself": (x, x),
        "rotated, scaled and moved": (x, (3 * x @ rotation + 5).astype(np.float32)),
        "mirrored": (x, (x * np.array([-1, 1, 1, 1, 1, 1])).astype(np.float32)),
        "features of other scales": (x, (x * np.array([1, 10, 100, 1, 1, 1])).astype(np.float32)),
        "great features": ((x * 1e15).astype(np.float32), wider),
        "more features than samples": (x[:4], wider[:4]),
        "one feature each": (x[:, :1], wider[:, :1]),
        "constant": (np.full((40, 3), 0.1, np.float32), wider),
        "gold constant": (x, np.full((40, 3), -7.3, np.float32)),
    }
    return [
        {"name": name, "x": matrix(a), "y": matrix(b), "distance": procrustes(a, b)} for name, (a, b) in cases.items()
    ]


# RULI


def variances(phi, members, kind):
    """For each sample the variance of φ under its models of a kind: its own from 32 models on, and else a pooled one."""
    groups = [phi[members[:, j] == kind, j] for j in range(phi.shape[1])]
    if min(len(group) for group in groups) >= 32:
        return np.array([group.var(ddof=1) for group in groups])
    squares = sum(((group - group.mean()) ** 2).sum() for group in groups)
    return np.full(len(groups), squares / sum(len(group) - 1 for group in groups))


def kernel(values, variance):
    factor = len(values) ** -0.2 * np.sqrt(variance / values.var(ddof=1))
    return stats.gaussian_kde(values, bw_method=factor)


def attack(target, phi, members, is_member):
    inside, outside = variances(phi, members, 1), variances(phi, members, 0)
    scores = {"gaussian": [], "kernel": []}
    for j, own in enumerate(target):
        groups = {1: phi[members[:, j] == 1, j], 0: phi[members[:, j] == 0, j]}
        spread = {1: inside[j], 0: outside[j]}
        log = {kind: stats.norm.logpdf(own, group.mean(), np.sqrt(spread[kind])) for kind, group in groups.items()}
        scores["gaussian"].append(log[1] - log[0])
        log = {kind: kernel(group, spread[kind]).logpdf(own)[0] for kind, group in groups.items()}
        scores["kernel"].append(log[1] - log[0])
    return {
        name: {
            "scores": plain(values),
            "auc": float(roc_auc_score(is_member, values)),
            "balancedAccuracy": float(balanced_accuracy_score(is_member, np.array(values) > 0)),
        }
        for name, values in scores.items()
    }


def ruli(target, phi, members, is_member, share):
    first = 2 * (len(phi) // 4)
    inside, outside = variances(phi[:first], members[:first], 1), variances(phi[:first], members[:first], 0)
    gaps = [
        phi[:first, j][members[:first, j] == 1].mean() - phi[:first, j][members[:first, j] == 0].mean()
        for j in range(phi.shape[1])
    ]
    vulnerability = np.array(gaps) / np.sqrt((inside + outside) / 2)
    chosen = []
    for kind in (True, False):
        positions = np.flatnonzero(is_member == kind)
        most = positions[np.argsort(-vulnerability[positions], kind="stable")[: max(1, round(share * len(positions)))]]
        chosen.extend(sorted(most))
    rest = slice(first, None)
    return {
        "vulnerability": plain(vulnerability),
        "chosen": [int(i) for i in chosen],
        "vulnerable": attack(target[chosen], phi[rest][:, chosen], members[rest][:, chosen], is_member[chosen]),
        "all": attack(target, phi[rest], members[rest], is_member),
    }


def ruli_cases():
    rng = np.random.default_rng(33)
    result = []
    for name, models, samples, left, share in [
        ("few models, pooled variances", 10, 48, 0.6, 0.25),
        ("many models, a variance for each sample", 128, 24, 0.6, 0.25),
        ("forgotten completely", 12, 48, 0.0, 0.5),
        ("all samples", 12, 30, 1.0, 1.0),
    ]:
        hardness, effect = rng.normal(2, 2, samples), rng.gamma(1, 2, samples)
        pairs = [rng.permutation(np.arange(samples) % 2) for _ in range(models // 2)]
        members = np.array([half for pair in pairs for half in (pair, 1 - pair)])
        # Two peaks, which a Gaussian does not describe.
        noise = rng.normal(0, 0.5, (models, samples)) + rng.choice([-1, 1], (models, samples))
        phi = np.round(hardness + effect * members + noise, 3)
        is_member = np.arange(samples) < samples * 2 // 3
        target = hardness + left * effect * is_member + rng.normal(0, 0.5, samples) + rng.choice([-1, 1], samples)
        target = np.round(target, 3)
        result.append(
            {
                "name": name,
                "share": share,
                "members": int(is_member.sum()),
                "target": plain(target),
                "shadow": {
                    "values": plain(phi),
                    "models": models,
                    "samples": samples,
                    "members": members.ravel().tolist(),
                },
                **ruli(target, phi, members, is_member, share),
            }
        )
    return result


vectors = {
    "versions": VERSIONS,
    "agreement": agreement_cases(),
    "procrustes": procrustes_cases(),
    "ruli": ruli_cases(),
}
(HERE / "judges.json").write_text(json.dumps(vectors, allow_nan=False) + "\n")
