"""What would settle a row that is open: more cases, more epochs, or more epochs on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..model.verdict import Needed
from ..stats.arrays import Floats
from ..stats.lattice import ScoreKind
from ..stats.passbound import Bound, pooled_variance, within_variance
from ..stats.power import needed_cases, needed_epochs, plain_within, reach


@dataclass(frozen=True, slots=True)
class Needs:
    """The two sides of an open row (cases x epochs, judged on both) and the bound that they gave."""

    before: Floats
    after: Floats
    claim: Literal["these-cases", "cases-like-these"]
    bound: Bound
    kind: ScoreKind
    low: float

    def needed(self, distance: float, *, alpha: float) -> Needed | None:
        """Return what tells a true `distance` from none with power .8, at one-sided level `alpha`.

        Epochs of the candidate come first; where the baseline's own noise is in the way, epochs of both. What
        is not more than there is already is left out.
        """
        if distance <= 0:
            return None
        cases = self.before.shape[0]
        these = self.claim == "these-cases"
        pseudo = 0.0 if these else self.kind.pseudo
        more_cases = needed_cases(
            cases, se=self.bound.se, distance=distance, alpha=alpha, pseudo=pseudo, df=self.bound.df
        )
        width = cases if these else cases + 2
        budget = (distance * width / reach(alpha, df=self.bound.df)) ** 2
        sides = self._these(budget) if these else self._such(budget)
        epochs, both, unknown = sides
        return Needed(
            cases=more_cases if more_cases is not None and more_cases > cases else None,
            epochs=epochs,
            both_sides=both,
            epochs_unknown=unknown,
        )

    def _these(self, budget: float) -> tuple[int | None, bool, bool]:
        """Wear down the noise of these cases, shrunk as their bound has it."""
        pooled = pooled_variance([self.before, self.after], least=self.kind.least_noise)

        noise = tuple(
            _Foresight(side, kind=self.kind, low=self.low, pooled=pooled)
            for side in (self.before, self.after)
        )
        was = within_variance(self.before, kind=self.kind, low=self.low, pooled=pooled)
        fixed = float((was / np.sum(~np.isnan(self.before), axis=1)).sum())
        return self._least(budget, fixed=0.0, baseline=fixed, noise=(noise[0].summed, noise[1].summed))

    def _such(self, budget: float) -> tuple[int | None, bool, bool]:
        """Leave what differs between cases, and the pseudo-pair, as they are; wear down the rest."""
        was, now = plain_within(self.before), plain_within(self.after)
        if was is None or now is None:
            return None, False, True
        cases = self.before.shape[0]
        per_was, per_now = (
            float((1 / np.sum(~np.isnan(side), axis=1)).sum()) for side in (self.before, self.after)
        )
        every = self.bound.se**2 * (cases + 2) ** 2
        baseline = was * per_was
        between = max(2 * self.kind.pseudo**2, every - baseline - now * per_now)
        return self._least(
            budget,
            fixed=between,
            baseline=baseline,
            noise=(lambda epochs: cases * was / epochs, lambda epochs: cases * now / epochs),
        )

    def _least(
        self,
        budget: float,
        *,
        fixed: float,
        baseline: float,
        noise: tuple[Callable[[int], float], Callable[[int], float]],
    ) -> tuple[int | None, bool, bool]:
        """Find the epochs of the candidate, or else of both sides; `noise` is the baseline's and its own."""
        before, after = noise
        alone = needed_epochs(budget=budget, fixed=fixed + baseline, noise=after)
        have = int(np.sum(~np.isnan(self.after), axis=1).max())
        if alone is not None:
            return (alone if alone > have else None), False, False
        together = needed_epochs(budget=budget, fixed=fixed, noise=lambda n: before(n) + after(n))
        return together, together is not None, False


class _Foresight:
    """The summed variance of the cases' means over more epochs that come out as these did, shrunk alike."""

    def __init__(self, scores: Floats, *, kind: ScoreKind, low: float, pooled: float) -> None:
        counts = np.sum(~np.isnan(scores), axis=1)
        means = np.nansum(scores, axis=1) / counts
        self._kind, self._pooled = kind, pooled
        self._cases: int = counts.size
        self._rates = (means - low) / kind.span
        squares = np.nansum(np.square(scores - means[:, None]), axis=1)
        self._own = float(np.where(counts > 1, squares / np.maximum(counts - 1, 1), pooled).sum())

    def summed(self, epochs: int) -> float:
        """Return the sum over the cases after `epochs` epochs."""
        if self._kind.kind == "binary":
            share = (self._rates * epochs + 0.5) / (epochs + 1)
            every: float = self._kind.span**2 * float((share * (1 - share)).sum())
            return every / epochs
        return (self._own * (epochs - 1) + self._pooled * self._cases) / epochs / epochs
