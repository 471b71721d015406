#!/usr/bin/env python3
"""Writes what confseq's bets come to, for the test that decides about canaries.

    python bench/peers/make_canary_fixtures.py trainer/src/test/resources/canary-bets.json

Made with confseq at its commit 70b1ef3 (Waudby-Smith and Ramdas' own code) and numpy 2.4. Per case the differences, the threshold and
alpha; then the capital of those who bet on "above" and on "below" after each of some differences, and the bounds that hold
at all times, found by halving.
"""

import json
import sys

import numpy as np

np.float_ = np.float64  # confseq still calls it so
from confseq.betting import diversified_betting_mart

STAKES = [0.0075, 0.015, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.28, 0.36, 0.46, 0.58, 0.72, 0.9]
AFTER = [1, 2, 10, 100, 400]


def above(z, mean):
    """Capital after each, of bets that the mean of z is above this one."""
    return diversified_betting_mart(
        z, mean, lambdas_fns_positive=[lambda x, m, f=f: np.repeat(f / m, len(x)) for f in STAKES],
        theta=1, convex_comb=True, trunc_scale=1)


def low(z, alpha):
    refuted, possible = 0.0, 1.0
    for _ in range(40):
        middle = (refuted + possible) / 2
        refuted, possible = (middle, possible) if above(z, middle)[-1] >= 1 / alpha else (refuted, middle)
    return refuted


def case(name, differences, threshold, alpha):
    d = np.round(np.asarray(differences, dtype=float), 6)
    z, m = (1 + d) / 2, (1 + threshold) / 2
    return {
        "name": name, "differences": d.tolist(), "threshold": threshold, "alpha": alpha, "after": AFTER,
        "above": [above(z, m)[n - 1] for n in AFTER],
        "below": [above(1 - z, 1 - m)[n - 1] for n in AFTER],
        "low": 2 * low(z, alpha) - 1,
        "high": 1 - 2 * low(1 - z, alpha),
    }


def main() -> None:
    draw = np.random.default_rng(7)
    thumbs = draw.binomial(1, 0.7, 400) - draw.binomial(9, 0.7, 400) / 9
    cases = [
        case("as good", thumbs, -0.1, 0.05),
        case("better", draw.binomial(1, 0.8, 400) - draw.binomial(1, 0.6, 400), 0.0, 0.05),
        case("much worse", draw.binomial(1, 0.2, 400) - draw.binomial(1, 0.8, 400), -0.05, 0.01),
        case("stars", draw.integers(0, 5, 400) / 4 - draw.integers(0, 5, 400) / 4, -0.1, 0.1),
        case("always the best", np.ones(400), 0.3, 0.05),
    ]
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump(cases, out)
        out.write("\n")


if __name__ == "__main__":
    main()
