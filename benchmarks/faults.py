"""Which requests a server answers badly, and how: drawn from a seed, the same in every run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

KINDS = ("http_500", "too_many", "reset", "slow", "truncated")
"""A 500; a 429 with Retry-After; a connection reset; an answer after a second more; half a JSON document."""


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The share of requests that meet a fault, each kind as often as the others."""

    share: float
    seed: int = 1

    def fault_of(self, number: int) -> str | None:
        """Return the kind of fault that request `number` meets, None for an answer as it should be."""
        drawn = hashlib.blake2s(b"fault %d %d" % (self.seed, number), digest_size=8).digest()
        if int.from_bytes(drawn[:4], "big") >= self.share * 2**32:
            return None
        return KINDS[int.from_bytes(drawn[4:], "big") % len(KINDS)]
