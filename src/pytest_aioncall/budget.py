"""Money and counts of a run under way."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """Money: `limit_usd` None is no cap. Spending is known only after a call, so a sample is started only if
    it and all those in flight would stay under the cap at the price of the dearest one so far.

    expected_usd  what a sample may cost, as long as none has told; None: nobody knows, the first goes alone
    seen          something told a cost, if only of nothing: there is a sum to show
    unknown       a model answered without a price, or something told a cost that is no amount
    in_flight     samples that were started and have not told what they cost
    """

    limit_usd: float | None = None
    expected_usd: float | None = 0.0
    spent_usd: float = 0.0
    seen: bool = False
    unknown: bool = False
    in_flight: int = 0
    _dearest_usd: float = 0.0
    _settled: bool = False

    def add(self, cost_usd: float) -> float:
        """Count what was spent and return it; NaN and the like are unknown: no sum of them reaches a cap."""
        if not 0 <= cost_usd < math.inf:
            self.unknown = True
            return 0.0
        self.spent_usd += cost_usd
        self.seen = True
        return cost_usd

    def may_start(self) -> bool:
        """Tell whether one more sample stays under the cap, whatever those in flight come to."""
        if self.limit_usd is None:
            return True
        if self.exhausted:
            return False
        each = self._each_usd
        if each is None:
            return not self.in_flight
        # A hair of slack: a hundred samples of a cent are a dollar.
        return self.spent_usd + (self.in_flight + 1) * each <= self.limit_usd * (1 + 1e-9)

    def start(self) -> None:
        """Count a sample as in flight; every one is settled once."""
        self.in_flight += 1

    def settle(self, cost_usd: float) -> None:
        """Count a sample as done; what it cost was added as it became known."""
        self.in_flight -= 1
        self.expected_usd = self.expected_usd or 0.0
        if cost_usd > 0:
            self._settled = True
            self._dearest_usd = max(self._dearest_usd, cost_usd)

    @property
    def _each_usd(self) -> float | None:
        return self._dearest_usd if self._settled else self.expected_usd

    @property
    def why_stopped(self) -> str:
        """Say why no further sample is started, and the way on."""
        told = f"cost cap of ${self.limit_usd:g} reached"
        if not self.exhausted:
            each = self._each_usd or 0.0
            told += f": ${self.spent_usd:.4g} is spent, and one more sample may cost ${each:.2g}"
        return f"{told}; raise it with --aioncall-max-cost"

    @property
    def exhausted(self) -> bool:
        return self.limit_usd is not None and self.spent_usd > 0 and self.spent_usd >= self.limit_usd


@dataclass(slots=True)
class Progress:
    """Counts of one run, for the live line."""

    total: int = 0
    done: int = 0
    errors: int = 0
    retries: int = 0
    started: float = field(default_factory=time.monotonic)
