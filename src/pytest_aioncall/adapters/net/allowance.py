"""How many requests a provider bears at once, learned from its answers. Pure: knows no clock and no loop."""

from __future__ import annotations


class Allowance:
    """Additive increase, multiplicative decrease (Chiu and Jain 1989), between 1 and `ceiling`.

    One more a round trip while as many as allowed are under way, half as many after an overload. Requests
    that were under way at the last decrease say nothing new: 32 refusals at once halve it once.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = float(max(1, ceiling))
        self._limit = self._ceiling
        self._begun = 0
        self._news_from = 0
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
        return self._begun

    def end(self, number: int, *, overloaded: bool, answered: bool) -> None:
        """Count a request as over; neither: it says nothing of how much the server bears."""
        was_full = self.under_way >= int(self._limit)
        self.under_way -= 1
        if overloaded:
            if number > self._news_from:
                self._limit = max(1.0, self._limit / 2)
                self._news_from = self._begun
        elif answered and was_full:
            self._limit = min(self._ceiling, self._limit + 1.0 / self._limit)
