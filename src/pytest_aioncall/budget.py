"""Money and counts of a run under way."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Budget:
    """Money: `limit_usd` None is no cap. Spending is known only after a call, so the cap can be overrun by
    what is in flight.

    seen     something told a cost, if only of nothing: there is a sum to show
    unknown  a model answered without a price, or something told a cost that is no amount
    """

    limit_usd: float | None = None
    spent_usd: float = 0.0
    seen: bool = False
    unknown: bool = False

    def add(self, cost_usd: float) -> None:
        """Count what was spent; NaN and the like are unknown: a sum with them would never reach the cap."""
        if 0 <= cost_usd < math.inf:
            self.spent_usd += cost_usd
            self.seen = True
        else:
            self.unknown = True

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
