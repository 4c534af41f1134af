"""What is promised of the speed, and whether the stored runs keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.clients import OURS, OURS_FAST
from benchmarks.results import Results
from benchmarks.tables import figures


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure, as a mark names it, and what it may be at most."""

    words: str
    of: str
    whose: str
    which: str
    most: float
    unit: str = ""

    def found(self, parts: Mapping[str, Results]) -> float | None:
        """Return the figure, None where it was not measured."""
        return figures(parts).get(self.of, {}).get(self.whose, {}).get(self.which)


ONE, TEN = "1,000 cases", "10,000 cases"
PROMISES = (
    Promise(f"{ONE}: wall, over the raw httpx client's", "contest 1000", OURS, "x raw httpx", 1.4),
    Promise(f"{TEN}: wall, over the raw httpx client's", "contest 10000", OURS, "x raw httpx", 1.25),
    Promise(f"{ONE}, judged: wall, over raw httpx", "contest 1000 judge", OURS, "x raw httpx", 1.4),
    Promise(f"{TEN}, judged: wall, over raw httpx", "contest 10000 judge", OURS, "x raw httpx", 1.25),
    Promise(f"{TEN}: CPU of a case above raw httpx", "contest 10000", OURS, "CPU ms above raw", 1.0, "ms"),
    Promise(f"{TEN}, `[speed]`: wall, over the ideal", "contest 10000", OURS_FAST, "x ideal", 1.25),
    Promise(f"{TEN}: peak memory", "contest 10000", OURS, "peak MiB", 160, "MiB"),
    Promise(f"a case further than {TEN}: memory", "growth", "100000", "KiB past 10,000", 6, "KiB"),
    Promise("judging 500 cases x 5 scorers x 200 slices: CPU", "gates", "500 x 5 x 200", "judge s", 3, "s"),
    Promise("the same in clusters: CPU", "gates", "500 x 5 x 200 clustered", "judge s", 3, "s"),
)


def told(promise: Promise, parts: Mapping[str, Results]) -> tuple[str, str]:
    """Return the figure and whether the promise is kept, as a table shows them."""
    found = promise.found(parts)
    if found is None:
        return "not measured", ""
    unit = f" {promise.unit}" if promise.unit else ""
    return f"{found:.2f}{unit}", "yes" if found <= promise.most else "**no**"


def broken(parts: Mapping[str, Results]) -> list[Promise]:
    """Return the promises that the stored runs break."""
    return [one for one in PROMISES if (found := one.found(parts)) is not None and found > one.most]
