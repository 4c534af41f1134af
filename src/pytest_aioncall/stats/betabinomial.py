"""How flaky are the cases, and how many would fail every epoch by chance alone?"""

from __future__ import annotations

import numpy as np

from .arrays import Floats, Ints
from .special import betaln

LEAST_STRENGTH, MOST_STRENGTH = 0.2, 100.0


def fitted_rates(passed: Ints, *, epochs: Ints) -> tuple[float, float]:
    """Fit Beta(a, b) to the pass rates of cases by moments.

    passed, epochs  one entry a case, epochs >= 1
    The mean is smoothed by half a pass, so that a perfect suite is not taken for a certain one. The strength
    a + b follows from the share of the variance that is between cases; without repeats, or where the moments
    have no solution, it is 1, which is what suites with few flaky cases look like.
    """
    total = int(epochs.sum())
    mean = (float(passed.sum()) + 0.5) / (total + 1)
    repeated = epochs >= 2
    strength = 1.0
    if int(repeated.sum()) >= 2:
        rates = passed[repeated] / epochs[repeated]
        inside = float(np.mean(rates * (1 - rates) * epochs[repeated] / (epochs[repeated] - 1)))
        spread = mean * (1 - mean)
        # inside/spread = (a + b)/(a + b + 1): what epochs of one case differ, of all that epochs differ.
        share = inside / spread
        if 0 < share < 1:
            strength = share / (1 - share)
        elif share >= 1:
            strength = MOST_STRENGTH
    strength = min(MOST_STRENGTH, max(LEAST_STRENGTH, strength))
    return mean * strength, (1 - mean) * strength


def all_fail_after(passed: Ints, *, failed: Ints, epochs: Ints, prior: tuple[float, float]) -> Floats:
    """Return the chance that a case fails all of its next `epochs`, given what it did before.

    The posterior mean of (1 - rate)^epochs: B(a + k, b + f + r)/B(a + k, b + f).
    """
    a, b = prior[0] + passed, prior[1] + failed
    chance: Floats = np.exp(betaln(a, b + epochs) - betaln(a, b))
    return chance
