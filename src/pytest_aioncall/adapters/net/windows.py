"""How many requests or tokens go out in any stretch of a minute. Pure: the caller has a clock."""

from __future__ import annotations

from collections import deque


class Booking:
    """So much, taken at a moment (seconds of the caller's clock)."""

    __slots__ = ("amount", "at")

    def __init__(self, at: float, amount: float) -> None:
        self.at, self.amount = at, amount


class Window:
    """No more than `per_minute` in any stretch of a minute, counted from when each was booked.

    Below one a minute the stretch grows instead. An amount above the whole limit waits for an empty window.
    """

    def __init__(self, per_minute: float) -> None:
        self._limit = max(1.0, float(per_minute))
        self._span_s = 60.0 * self._limit / per_minute
        self._taken: deque[Booking] = deque()
        self._sum = 0.0

    def wait_s(self, amount: float, *, now: float) -> float:
        """Return in how many seconds `amount` fits as things stand; 0 means now."""
        self._forget(now)
        if not self._taken or self._sum + amount <= self._limit:
            return 0.0
        left = self._sum
        for booking in self._taken:
            left -= booking.amount
            if left + amount <= self._limit:
                return max(0.0, booking.at + self._span_s - now)
        return max(0.0, self._taken[-1].at + self._span_s - now)

    def book(self, amount: float, *, now: float) -> Booking:
        """Take `amount` now, whether or not it fits."""
        booking = Booking(now, amount)
        self._taken.append(booking)
        self._sum += amount
        return booking

    def settle(self, booking: Booking, amount: float) -> None:
        """Correct what a booking took, unless its minute is over."""
        if self._taken and booking.at >= self._taken[0].at:
            self._sum += amount - booking.amount
            booking.amount = amount

    def _forget(self, now: float) -> None:
        # The same sum as in wait_s: taken apart, rounding would have the two disagree for ever.
        while self._taken and self._taken[0].at + self._span_s - now <= 0:
            self._sum -= self._taken.popleft().amount
        if not self._taken:
            self._sum = 0.0
