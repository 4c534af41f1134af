"""How strict each look has to be so that looking several times costs no more alpha than looking once.

A spending function (Lan and DeMets 1983) tells how much alpha may be used up by the time that the share t of
all information is in. The bounds follow look by look by recursive integration (Armitage, McPherson and Rowe
1969): the density of the statistic among the runs that no look has stopped yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from .arrays import Floats
from .special import ndtr, ndtri

NODES = 160
"""Nodes of the integral over the runs that go on."""
LOWEST = -8.0
"""Where the integral begins, in standard deviations."""
LEAST_STEP = 0.005
"""Looks nearer to the one before than this bring nothing new: the kernel would be thinner than the grid."""
DIGITS = 6


Function = Callable[[float], float]


def evenly(share: float) -> float:
    """Return the share of alpha spent by `share` of the information: ln(1 + (e-1) t), near to even bounds."""
    return math.log1p((math.e - 1) * share)


def late(share: float) -> float:
    """Return t^2 (Kim and DeMets 1987): strict at first, so that little is lost at the last look."""
    return share * share


class Spending:
    """The alpha of one row over its looks; `level_at` is asked once a look, in order."""

    def __init__(self, alpha: float, function: Function = evenly) -> None:
        self._alpha = alpha
        self._function = function
        self._looks = _Looks()
        self._used = 0.0
        self._before = 0.0

    def level_at(self, share: float) -> float:
        """Return the one-sided level that this look tests at, so that all of them together spend a(t).

        share  information by now, as a share of that at the last planned look, in (0, 1]
        A look that brings no new information has level 0: it can stop nothing. Levels are rounded down to
        `DIGITS` significant digits, so that the last bits of a library decide nothing.
        """
        by_now = self._alpha * self._function(min(1.0, max(0.0, share)))
        budget = by_now - self._used
        if share - self._before < LEAST_STEP or budget <= 0:
            # The last look may use what is left whatever it adds: by itself, which is never too mild.
            return _rounded_down(budget) if share >= 1.0 and budget > 0 else 0.0
        bound = self._looks.bound(share, budget=budget)
        self._used, self._before = by_now, share
        return _rounded_down(float(ndtr(-bound)))


def nominal_levels(shares: Sequence[float], *, alpha: float, function: Function = evenly) -> list[float]:
    """Return the levels of all looks at once (see `Spending.level_at`)."""
    spending = Spending(alpha, function)
    return [spending.level_at(share) for share in shares]


def _rounded_down(level: float) -> float:
    if level <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(level)) - DIGITS + 1)
    return math.floor(level / unit) * unit


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Return the points and weights of Gauss and Legendre on (-1, 1)."""
    points, weights = np.polynomial.legendre.leggauss(NODES)
    return points, weights


class _Looks:
    """The runs that no look has stopped: density of the Brownian motion at the last look, on nodes."""

    def __init__(self) -> None:
        self._share = 0.0
        self._nodes: Floats | None = None
        self._mass: Floats | None = None
        self._points, self._weights = _nodes()

    def bound(self, share: float, *, budget: float) -> float:
        """Return z such that runs that go on until now cross it at `share` with probability `budget`."""
        step = math.sqrt(share - self._share)
        if self._nodes is None or self._mass is None:
            bound = -float(ndtri(budget))
        else:
            low, high = 0.0, 12.0
            for _ in range(60):
                middle = (low + high) / 2
                beyond = ndtr((self._nodes - middle * math.sqrt(share)) / step)
                crossing = float(beyond @ self._mass)
                low, high = (middle, high) if crossing > budget else (low, middle)
            bound = high
        self._go_on(share, bound=bound, step=step)
        return bound

    def _go_on(self, share: float, *, bound: float, step: float) -> None:
        top, bottom = bound * math.sqrt(share), LOWEST * math.sqrt(share)
        nodes: Floats = bottom + (self._points + 1) * (top - bottom) / 2
        weights = self._weights * (top - bottom) / 2
        if self._nodes is None or self._mass is None:
            density = np.exp(-0.5 * np.square(nodes / step)) / (step * math.sqrt(2 * math.pi))
        else:
            gaps = (nodes[:, None] - self._nodes[None, :]) / step
            density = np.exp(-0.5 * np.square(gaps)) @ self._mass / (step * math.sqrt(2 * math.pi))
        self._share, self._nodes, self._mass = share, nodes, density * weights
