"""Writes the reference vectors that tests/unit/unlearning/population checks Zeroshift's population attacks against.

    python -m venv venv && venv/bin/pip install numpy==2.2.6 scipy==1.15.3 scikit-learn==1.7.2
    venv/bin/python tests/reference/make_population.py

Run by hand when a definition changes; population.json beside this script is committed. Everything is computed by other
code than Zeroshift's: scikit-learn's ROC, SciPy's distributions and confidence intervals, NumPy's histograms, and brute
force where Zeroshift is clever (all pairs for DeLong and RMIA, a fine grid of thresholds for forgetting quality).
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit, log_expit, logsumexp
from sklearn.metrics import roc_auc_score, roc_curve

HERE = pathlib.Path(__file__).parent
VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
}
Z = stats.norm.ppf(0.975)


def plain(array):
    return np.asarray(array, float).ravel().tolist()


def as_margins(phi):
    return {"values": plain(phi), "models": phi.shape[0], "samples": phi.shape[1]}


def as_pool(phi, members):
    return {**as_margins(phi), "members": np.asarray(members, int).ravel().tolist()}


# intervals


def intervals():
    rng = np.random.default_rng(11)
    degrees = [0.5, 1, 1.5, 2, 2.7, 3, 4, 9, 10, 29, 30.5, 99, 999, 1e4, 1e6]
    samples = [[1.5, 2.5], [3, 3, 3], plain(np.round(rng.normal(90, 3, 5), 3)), plain(np.round(rng.normal(0, 1e-3, 40), 6))]
    means = []
    for values in samples:
        constant = len(set(values)) == 1  # SciPy warns and answers NaN
        interval = (values[0], values[0]) if constant else stats.ttest_1samp(values, 0).confidence_interval(0.95)
        means.append({"values": values, "mean": float(np.mean(values)), "interval": plain(interval)})
    wilson = []
    for successes, n in [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 5000), (4999, 5000), (250, 500)]:
        ci = stats.binomtest(successes, n).proportion_ci(0.95, method="wilson")
        wilson.append({"successes": successes, "n": n, "interval": [ci.low, ci.high]})
    return {
        "studentQuantiles": [{"degrees": d, "quantile": float(stats.t.ppf(0.975, d))} for d in degrees],
        "means": means,
        "wilson": wilson,
    }


# ROC


def delong_variance(members, others):
    above = np.sign(members[:, None] - others[None, :]) / 2 + 0.5
    if min(above.shape) < 2:
        return np.nan
    return above.mean(1).var(ddof=1) / len(members) + above.mean(0).var(ddof=1) / len(others)


def hanley_mcneil_variance(auc, m, n):
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    return (auc * (1 - auc) + (m - 1) * (q1 - auc**2) + (n - 1) * (q2 - auc**2)) / (m * n)


def auc_interval(auc, members, others):
    variance = delong_variance(members, others)
    if variance > 0:
        return [max(0, auc - Z * np.sqrt(variance)), min(1, auc + Z * np.sqrt(variance))]
    m, n = len(members), len(others)

    def beyond(theta):
        return abs(auc - theta) - Z * np.sqrt(max(0, hanley_mcneil_variance(theta, m, n)))

    # Just inside (0, 1), where the variance is not 0; at an AUC of 0 or 1 the interval ends there.
    low = 0.0 if auc == 0 else brentq(beyond, 0, auc - 1e-9, xtol=1e-14)
    high = 1.0 if auc == 1 else brentq(beyond, auc + 1e-9, 1, xtol=1e-14)
    return [low, high]


def rocs():
    rng = np.random.default_rng(12)
    cases = {
        "overlapping": (np.round(rng.normal(1, 1, 80), 3), np.round(rng.normal(0, 1, 600), 3)),
        "many ties": (np.round(rng.normal(0.7, 1, 120)), np.round(rng.normal(0, 1, 700))),
        "tied at the top": (np.r_[np.full(5, 9.0), np.arange(5)], np.r_[np.full(20, 9.0), rng.integers(0, 5, 480)]),
        "worse than chance": (np.round(rng.normal(-1, 1, 40), 3), np.round(rng.normal(0, 2, 500), 3)),
        "separated": (np.linspace(2, 3, 30), np.linspace(0, 1, 500)),
        "separated the wrong way": (np.linspace(0, 1, 30), np.linspace(2, 3, 40)),
        "all equal": (np.zeros(20), np.zeros(30)),
        "one member": (np.array([0.3]), np.round(rng.normal(0, 1, 50), 3)),
        "one of each": (np.array([0.3]), np.array([0.1])),
        "enough for 0.1%": (np.round(rng.normal(1.5, 1, 50), 2), np.round(rng.normal(0, 1, 5000), 2)),
    }
    result = []
    for name, (members, others) in cases.items():
        labels = np.repeat([1, 0], [len(members), len(others)])
        scores = np.r_[members, others]
        auc = float(roc_auc_score(labels, scores))
        fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
        rates = []
        for rate in (0.01, 0.001):
            if len(others) >= 5 / rate:
                value = float(tpr[fpr <= rate].max())
                ci = stats.binomtest(round(value * len(members)), len(members)).proportion_ci(0.95, method="wilson")
                rates.append({"fpr": rate, "tpr": value, "interval": [ci.low, ci.high]})
        result.append(
            {
                "name": name,
                "members": plain(members),
                "nonMembers": plain(others),
                "auc": auc,
                "interval": plain(auc_interval(auc, np.asarray(members, float), np.asarray(others, float))),
                "rates": rates,
            }
        )
    return result


# margins


def margin_cases():
    rng = np.random.default_rng(13)
    z = np.round(rng.normal(0, 3, (8, 5)), 3).astype(np.float32)
    cases = {
        "ordinary": (z, rng.integers(0, 5, 8)),
        "two classes": (z[:, :2], [0, 1] * 4),
        "p = 0 and 1": (np.array([[900, 0, 0], [0, 900, 0], [-900, 0, 1], [60, 0, 0]], np.float32), [0, 0, 0, 0]),
        "great logits": (np.array([[-3e38, 3e38, 0], [1e20, 1e20, 0]], np.float32), [0, 0]),
    }
    result = []
    for name, (logits, labels) in cases.items():
        wide = logits.astype(np.float64)
        phi = [row[y] - logsumexp(np.delete(row, y)) for row, y in zip(wide, labels)]
        result.append(
            {
                "name": name,
                "logits": {"values": plain(wide), "labels": [int(y) for y in labels], "classes": logits.shape[1]},
                "margins": plain(phi),
                "logProbabilities": plain(log_expit(phi)),
            }
        )
    return result


# LiRA and RMIA


def shadow_pools():
    """Attacked model, shadow models with memberships, and a population that nobody trained on."""
    rng = np.random.default_rng(14)

    def draw(models, samples, shift, in_share=0.5):
        hardness = rng.normal(2, 2, samples)
        members = np.zeros((models, samples), int)
        for j in range(samples):
            members[rng.permutation(models)[: round(models * in_share)], j] = 1
        phi = np.round(hardness + shift * members + rng.normal(0, 1, (models, samples)), 3)
        target = np.round(hardness + shift * (rng.random(samples) < 0.5) + rng.normal(0, 1, samples), 3)
        return target, phi, members

    target, phi, members = draw(16, 20, 2)
    z_target, z_phi, _ = draw(16, 60, 0)
    ordinary = (target, phi, members, z_target, z_phi)

    few = draw(4, 10, 2)
    few_z = draw(4, 30, 0)
    ties = (np.full(6, 3.0), np.full((8, 6), 3.0), np.tile([[1], [0]], (4, 6)), np.full(7, 3.0), np.full((8, 7), 3.0))
    extreme_target, extreme_phi, extreme_members = draw(8, 10, 2)
    extreme_target[:4] = [300, -300, 40, -40]
    extreme_phi[:, 4] = np.where(extreme_members[:, 4] == 1, 45, -45)
    extreme_z = draw(8, 30, 0)
    neither = ordinary[2].copy()
    neither[0, :] = 2
    return {
        "ordinary": ordinary,
        "four models": (*few, few_z[0], few_z[1]),
        "all φ equal": ties,
        "p = 0 and 1": (extreme_target, extreme_phi, extreme_members, extreme_z[0], extreme_z[1]),
        "a model that counts as neither": (target, phi, neither, z_target, z_phi),
    }


LEAST_DEVIATION = 1e-6


def deviations(groups, pooled):
    if pooled:
        squares = sum(((group - group.mean()) ** 2).sum() for group in groups)
        freedom = sum(len(group) - 1 for group in groups)
        return [max(LEAST_DEVIATION, np.sqrt(squares / freedom))] * len(groups)
    return [max(LEAST_DEVIATION, group.std(ddof=1)) for group in groups]


def lira(target, phi, members):
    samples = range(phi.shape[1])
    inside = [phi[members[:, j] == 1, j] for j in samples]
    outside = [phi[members[:, j] == 0, j] for j in samples]
    result = {}
    for variance in ("per-sample", "pooled"):
        s_in, s_out = deviations(inside, variance == "pooled"), deviations(outside, variance == "pooled")
        result[variance] = {
            "online": [
                stats.norm.logpdf(target[j], inside[j].mean(), s_in[j])
                - stats.norm.logpdf(target[j], outside[j].mean(), s_out[j])
                for j in samples
            ],
            "offline": [(target[j] - outside[j].mean()) / s_out[j] for j in samples],
        }
    return result


def rmia(target, phi, members, z_target, z_phi):
    a, gamma = 0.3, 2
    p_out = np.array([expit(phi[members[:, j] == 0, j]).mean() for j in range(phi.shape[1])])
    p_in = np.array([expit(phi[members[:, j] == 1, j]).mean() for j in range(phi.shape[1])])
    z_out = expit(z_phi).mean(0)
    z_ratio = expit(z_target) / ((z_out + a * z_out + 1 - a) / 2)
    result = {}
    for mode, p_x in {"online": (p_in + p_out) / 2, "offline": (p_out + a * p_out + 1 - a) / 2}.items():
        x_ratio = expit(target) / p_x
        result[mode] = plain((x_ratio[:, None] / z_ratio[None, :] >= gamma).mean(1))
    return result


def shadow_attacks():
    result = []
    for name, (target, phi, members, z_target, z_phi) in shadow_pools().items():
        result.append(
            {
                "name": name,
                "target": plain(target),
                "shadow": as_pool(phi, members),
                "population": {"target": plain(z_target), "shadow": as_pool(z_phi, np.zeros_like(z_phi))},
                "lira": lira(target, phi, members),
                "rmia": rmia(target, phi, members, z_target, z_phi),
            }
        )
    return result


# U-LiRA


def u_lira(phi, members):
    right = {1: {}, 0: {}}
    balanced = []
    for j in range(phi.shape[1]):
        inside, outside = np.flatnonzero(members[:, j] == 1), np.flatnonzero(members[:, j] == 0)
        hits = {1: {m: [] for m in inside}, 0: {m: [] for m in outside}}
        for i in inside:
            for o in outside:
                rest_in, rest_out = phi[inside[inside != i], j], phi[outside[outside != o], j]
                gaussian_in = stats.norm(rest_in.mean(), max(LEAST_DEVIATION, rest_in.std(ddof=1)))
                gaussian_out = stats.norm(rest_out.mean(), max(LEAST_DEVIATION, rest_out.std(ddof=1)))
                for kind, m in ((1, i), (0, o)):
                    lead = gaussian_in.logpdf(phi[m, j]) - gaussian_out.logpdf(phi[m, j])
                    hits[kind][m].append(0.5 if lead == 0 else float((lead > 0) == (kind == 1)))
        for kind in hits:
            for m, shares in hits[kind].items():
                right[kind].setdefault(m, []).append(np.mean(shares))
        balanced.append(np.mean([np.mean([np.mean(shares) for shares in hits[kind].values()]) for kind in hits]))
    accuracy = float(np.mean(balanced))

    models = [np.array([np.mean(shares) for shares in right[kind].values()]) for kind in (1, 0)]
    terms = [(own.var(ddof=1) * (1 / len(own) + 1 / (len(own) - 1)) / 4, len(own) - 1) for own in models]
    variance = sum(v for v, _ in terms)
    if variance > 0:
        freedom = variance**2 / sum(v**2 / d for v, d in terms)
        half = stats.t.ppf(0.975, freedom) * np.sqrt(variance)
        interval = [max(0, accuracy - half), min(1, accuracy + half)]
    else:
        n = sum(len(own) for own in models)
        ci = stats.binomtest(round(accuracy * n), n).proportion_ci(0.95, method="wilson")
        interval = [ci.low, ci.high]
    return {"accuracy": 100 * accuracy, "interval": plain(100 * np.array(interval))}


def u_lira_cases():
    rng = np.random.default_rng(15)
    hardness = rng.normal(2, 2, 12)
    six = np.repeat([[1], [0]], 6, axis=0) * np.ones((1, 12), int)
    uneven = np.repeat([[1], [0]], [3, 7], axis=0) * np.ones((1, 12), int)
    random_members = np.array([rng.permutation([1] * 4 + [0] * 5 + [2]) for _ in range(12)]).T
    cases = {
        "alike": (np.round(hardness + rng.normal(0, 1, (12, 12)), 3), six),
        "a leak": (np.round(hardness - 2 * six + rng.normal(0, 1, (12, 12)), 3), six),
        "three against seven": (np.round(hardness - uneven + rng.normal(0, 1, (10, 12)), 3), uneven),
        "memberships of their own": (np.round(hardness + random_members % 2 + rng.normal(0, 1, (10, 12)), 3), random_members),
        "all φ equal": (np.full((8, 5), 1.5), np.repeat([[1], [0]], 4, axis=0) * np.ones((1, 5), int)),
        "told apart": (np.r_[rng.normal(0, 1e-3, (4, 5)), rng.normal(9, 1e-3, (4, 5))], np.repeat([[1], [0]], 4, axis=0) * np.ones((1, 5), int)),
    }
    return [{"name": name, "pool": as_pool(phi, members), **u_lira(phi, members)} for name, (phi, members) in cases.items()]


# KLoM


def klom(unlearned, gold):
    divergences = []
    for a, b in zip(np.clip(unlearned, -100, 100).T, np.clip(gold, -100, 100).T):
        low, high = min(a.min(), b.min()), max(a.max(), b.max())
        edges = np.linspace(low, high, 20) if low < high else np.array([low, low + 1])
        p = np.histogram(a, edges)[0] / len(a)
        q = np.histogram(b, edges)[0] / len(b)
        divergences.append(stats.entropy(p, np.where((p > 0) & (q == 0), 1e-5, q)))
    return {"mean": float(np.mean(divergences)), "percentile95": float(np.percentile(divergences, 95))}


def klom_cases():
    rng = np.random.default_rng(16)
    hardness = rng.normal(2, 3, 25)
    gold = np.round(hardness + rng.normal(0, 1, (30, 25)), 3)
    far = np.round(hardness + 500 + rng.normal(0, 1, (30, 25)), 3)
    cases = {
        "alike": (np.round(hardness + rng.normal(0, 1, (30, 25)), 3), gold),
        "lower and narrower": (np.round(hardness - 1 + rng.normal(0, 0.5, (20, 25)), 3), gold),
        "the same": (gold, gold),
        "clipped": (far, gold),
        "all φ equal": (np.full((5, 3), 2.5), np.full((4, 3), 2.5)),
        "one sample": (gold[:, :1] - 0.5, gold[:, :1]),
    }
    return [
        {"name": name, "unlearned": as_margins(u), "gold": as_margins(g), **klom(u, g)} for name, (u, g) in cases.items()
    ]


# forgetting quality

GRID = 250  # thresholds in a nat; the challenge's code has 100


def threshold_epsilon(fpr, fnr, delta=1e-5):
    with np.errstate(divide="ignore", invalid="ignore"):
        bounds = np.log(1 - delta - fpr) - np.log(fnr), np.log(1 - delta - fnr) - np.log(fpr)
        epsilon = np.maximum(0, np.fmax(*bounds))
    epsilon[fpr * fnr == 0] = np.nan
    epsilon[fpr + fnr == 0] = np.inf
    return epsilon


def epsilon(unlearned, gold):
    upper, lower = (gold, unlearned) if np.median(gold) > np.median(unlearned) else (unlearned, gold)
    spans = np.ptp(upper), np.ptp(lower)
    if min(spans) < 0.01 * max(spans):
        return 50.0
    both = np.r_[upper, lower]
    t = np.r_[np.linspace(both.min(), both.max(), int(np.ceil(np.ptp(both) * GRID)) + 2), both]
    single = threshold_epsilon((lower[:, None] >= t).mean(0), (upper[:, None] < t).mean(0))

    peaky, wide = (upper, lower) if spans[0] < spans[1] else (lower, upper)
    width = np.ptp(peaky)
    right = np.linspace(peaky.max() - 2, peaky.max() + 2, 4 * GRID)
    double = []
    for r in right:
        left = np.linspace(r - width - 2, r - width + 2, 4 * GRID)
        inside = lambda phi: (left <= phi[:, None]) & (phi[:, None] <= r)
        double.append(threshold_epsilon(inside(wide).mean(0), 1 - inside(peaky).mean(0)))
    return min(50.0, np.nanmax(np.r_[single, np.concatenate(double)]))


def forgetting_cases():
    rng = np.random.default_rng(17)

    def apart(models, samples, mean, deviation):
        """φ no two of which are closer than two steps of the grid, so that the grid splits them wherever they can be."""
        return np.round(rng.normal(mean, deviation, (models, samples)) / 0.02) * 0.02

    def pair(models, samples, shift, deviation):
        unlearned = apart(models, samples, shift, deviation)
        gold = apart(models, samples, 0, 1) + 0.009
        return np.round(unlearned, 6), np.round(gold, 6)

    cases = {
        "alike": pair(16, 12, 0, 1),
        "lower": pair(24, 12, -1.5, 1),
        "narrower": pair(24, 12, 0, 0.3),
        "wider": pair(16, 12, 0.5, 3),
        "told apart": pair(8, 4, -20, 1),
        "all the same": (np.full((6, 3), 1.0), pair(6, 3, 0, 1)[1]),
        "three models": pair(3, 12, 0, 1),
        # Beyond the double thresholds' reach, so that the single one is the better attack.
        "far spread": (apart(20, 12, 30, 30), np.round(apart(20, 12, 0, 30) + 0.009, 6)),
        "far spread, gold above": (apart(20, 12, 0, 30), np.round(apart(20, 12, 30, 30) + 0.009, 6)),
    }
    result = []
    for name, (unlearned, gold) in cases.items():
        models = len(gold)
        epsilons = [epsilon(a, b) for a, b in zip(unlearned.T, gold.T)]
        edges = np.arange(0, np.ceil(np.log(models - 1)) + 0.25, 0.5)
        bins = np.digitize(epsilons, edges)  # 1, 2, …, len(edges) beyond the last
        points = np.where(bins < len(edges), 2.0 / 2.0**bins, 0)
        result.append(
            {
                "name": name,
                "unlearned": as_margins(unlearned),
                "gold": as_margins(gold),
                "epsilons": plain(epsilons),
                "forgetting": float(points.mean()),
            }
        )
    return result


(HERE / "population.json").write_text(
    json.dumps(
        {
            "versions": VERSIONS,
            "intervals": intervals(),
            "rocs": rocs(),
            "margins": margin_cases(),
            "shadowAttacks": shadow_attacks(),
            "uLira": u_lira_cases(),
            "klom": klom_cases(),
            "forgettingQuality": forgetting_cases(),
        },
        allow_nan=False,
    )
    + "\n"
)
