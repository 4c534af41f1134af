"""How many requests a provider bears at once, learned from its answers. Pure: knows no clock and no loop."""

from __future__ import annotations


class Allowance:
    """Additive increase, multiplicative decrease (Chiu and Jain 1989), between 1 and `ceiling`.

    One more a round trip in which as many as allowed were under way, half as many after an overload. Requests
    that were under way at the last decrease say nothing new: 32 refusals at once halve it once.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = float(max(1, ceiling))
        self._limit = self._ceiling
        self._begun = 0
        self._news_from = 0
        self._proofs = 0
        self.under_way = 0

    @property
    def limit(self) -> int:
        """How many may be under way at once."""
        return int(self._limit)

    @property
    def is_free(self) -> bool:
        return self.under_way < int(self._limit)

    def begin(self) -> int:
        """Count a request as under way; return its number for `end`."""
        self.under_way += 1
        self._begun += 1
        if not self.is_free:
            # As many answers as are under way now prove that so many are borne.
            self._proofs = self.under_way
        return self._begun

    def end(self, number: int, *, overloaded: bool, answered: bool) -> None:
        """Count a request as over; neither: it says nothing of how much the server bears."""
        self.under_way -= 1
        if overloaded:
            if number > self._news_from:
                self._limit = max(1.0, self._limit / 2)
                self._news_from = self._begun
                self._proofs = 0
        elif answered and self._proofs:
            self._proofs -= 1
            self._limit = min(self._ceiling, self._limit + 1.0 / self._limit)
