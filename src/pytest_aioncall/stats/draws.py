"""Random numbers that no library version can change: raw PCG64 words, cut into signs and choices by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .arrays import Bools, Floats, Ints

SEED = 20_261_121
CHUNK = 1 << 21


class Words:
    """Read one stream of 64-bit words. numpy promises the raw stream of a bit generator, not its floats."""

    def __init__(self, *, seed: int = SEED) -> None:
        self._bits = np.random.PCG64(seed)

    def take(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        """Return the next `count` words."""
        words: np.ndarray[tuple[int], np.dtype[np.uint64]] = self._bits.random_raw(count)
        return words

    def taken(self, wanted: Ints, *, left: Ints) -> Bools:
        """Return rows x len(left) choices: each is taken with chance `wanted`/`left`, as `below` draws it."""
        raw = self.take(wanted.size).reshape(wanted.shape) >> np.uint64(32)
        return raw * left.astype(np.uint64) < wanted.astype(np.uint64) << np.uint64(32)

    def coins(self, rows: int, *, width: int) -> Bools:
        """Return fair coins, rows x width: each row starts on a word of its own."""
        words = -(-width // 64)
        raw = self.take(rows * words).astype("<u8").view(np.uint8).reshape(rows, words * 8)
        return np.unpackbits(raw, axis=1, count=width).astype(np.bool_)

    def below(self, limits: Ints, *, rows: int) -> Ints:
        """Return rows x len(limits) whole numbers, column j uniform on 0 .. limits[j] - 1 (bias < 2^-20)."""
        raw = self.take(rows * limits.size).reshape(rows, limits.size) >> np.uint64(32)
        drawn: Ints = ((raw * limits.astype(np.uint64)) >> np.uint64(32)).astype(np.int64)
        return drawn

    def shares(self, rows: int, *, width: int) -> Floats:
        """Return rows x width numbers, uniform on [0, 1), from the upper 53 bits of a word each."""
        words = (self.take(rows * width) >> np.uint64(11)).reshape(rows, width)
        drawn: Floats = words.astype(np.float64) * 2.0**-53
        return drawn


def chunked(draws: int, *, width: int) -> Iterator[int]:
    """Split `draws` rows of `width` values so that no chunk holds more than CHUNK values."""
    rows = max(1, CHUNK // max(1, width))
    for start in range(0, draws, rows):
        yield min(rows, draws - start)


FIRST, SECOND = 999, 9_999
# With 20 hits among 9,999 draws p is known to a fifth of itself, and far from what many rows ask for.
CLEAR = 20 / SECOND


def stages(draws: int) -> list[int]:
    """Return the sizes of the parts in which `draws` are drawn; `is_clear` says after which they may end."""
    ends = [end for end in (FIRST, SECOND) if end < draws]
    return [end - start for start, end in zip([0, *ends], [*ends, draws], strict=True)]


def is_clear(tally: Tally, *, alpha: float) -> bool:
    """Tell whether more draws would change no verdict: beyond 4 alpha, or no extreme p after the second part.

    The draws beyond the second part are there for families of many rows, in which p has to be tiny.
    """
    return tally.p > 4 * alpha or (tally.draws >= SECOND and tally.p > CLEAR)


class Tally:
    """Count how often a drawn sum lies below and level with the observed one.

    `slack` is the width of a tie: two orders of summation differ in the last bits, and a tie is half a hit.
    """

    def __init__(self, observed: float, *, slack: float) -> None:
        self.observed, self.slack = observed, slack
        self.below = self.level = self.draws = 0

    def add(self, sums: Floats) -> None:
        """Count one chunk of drawn sums."""
        gap = sums - self.observed
        self.level += int(np.count_nonzero(np.abs(gap) <= self.slack))
        self.below += int(np.count_nonzero(gap < -self.slack))
        self.draws += sums.size

    @property
    def p(self) -> float:
        """Return the mid-p of the lower tail, the observed arrangement counted as one draw."""
        return (self.below + (self.level + 1) / 2) / (self.draws + 1)


def draws_for(resolution: float) -> int:
    """Return how many draws bring the smallest attainable mid-p, .5/(draws + 1), under `resolution`."""
    return max(9_999, int(np.ceil(0.5 / resolution)))
