#!/usr/bin/env python3
"""Writes what SciPy, statsmodels and RapidFuzz say of the gate's statistics, for the trainer's tests.

    python bench/peers/make_gate_fixtures.py trainer/src/test/resources/gate-statistics.json

Made with scipy 1.17.1, statsmodels 0.15.0 and rapidfuzz 3.14.6. Resamples differ between random generators, so an interval or a
p-value of the bootstrap is met only as nearly as 20,000 resamples allow; all else is exact.
"""

import json
import sys

import numpy as np
from rapidfuzz.distance import LCSseq
from scipy import stats
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(20)


def holm():
    cases = []
    for size in (1, 2, 3, 5, 9, 14):
        for scale in (0.01, 0.05, 0.3):
            p = np.round(random.random(size) ** 2 * scale, 6)
            rejected = multipletests(p, alpha=0.05, method="holm")[0]
            cases.append({"p": p.tolist(), "rejected": rejected.tolist()})
    return cases


def clopper_pearson():
    cases = []
    for count, n in ((0, 10), (0, 300), (1, 300), (3, 300), (10, 10), (300, 300), (299, 300), (7, 40), (500, 1000)):
        interval = stats.binomtest(count, n).proportion_ci(0.95, method="exact")
        cases.append({"count": count, "n": n, "low": float(interval.low), "high": float(interval.high)})
    return cases


def bootstrap():
    """Paired differences of means, and one-sided p-values of the t test, which the bootstrap approaches."""
    cases = []
    for n, shift, spread in ((60, 0.0, 1.0), (200, 0.05, 0.5), (500, -0.02, 0.2)):
        before = np.round(random.gamma(3, 1, n), 6)
        after = np.round(before + shift + spread * random.standard_normal(n), 6)
        difference = after - before
        found = stats.bootstrap((difference,), np.mean, n_resamples=20_000, method="percentile", rng=random)
        margin = 0.08
        cases.append(
            {
                "before": before.tolist(),
                "after": after.tolist(),
                "low": float(found.confidence_interval.low),
                "high": float(found.confidence_interval.high),
                "margin": margin,
                # not worse, where lower is better; and not better by the margin either
                "p_rises": float(stats.ttest_1samp(difference - margin, 0, alternative="less").pvalue),
                "p_falls": float(stats.ttest_1samp(difference + margin, 0, alternative="greater").pvalue),
            }
        )
    return cases


def agreement():
    cases = []
    for one, other in ((0, 0), (5, 5), (12, 7), (30, 48), (48, 48), (48, 1)):
        a = random.integers(0, 6, one).tolist()
        b = random.integers(0, 6, other).tolist()
        f = 2 * LCSseq.similarity(a, b) / (one + other) if one + other else 1.0
        cases.append({"one": a, "other": b, "f1": f})
    return cases


def main() -> None:
    told = {"holm": holm(), "clopper_pearson": clopper_pearson(), "bootstrap": bootstrap(), "agreement": agreement()}
    with open(sys.argv[1], "w") as file:
        json.dump(told, file)
        file.write("\n")


if __name__ == "__main__":
    main()
