"""What a running process holds, read from /proc, and how it grows."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

WARM = 0.25
"""Share of the samples after which everything that is made once has been made."""
MOST_POINTS = 300


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the process: `answered` requests so far, resident KiB, open files, threads."""

    at_s: float
    answered: int
    rss_kib: int
    files: int
    threads: int


def look_at(pid: int, *, answered: int, at_s: float) -> Look:
    """Look once. Raises OSError once the process is gone."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    if "VmRSS" not in fields:  # a process that has ended and was not waited for
        raise ProcessLookupError(pid)
    return Look(
        at_s=round(at_s, 3),
        answered=answered,
        rss_kib=int(fields["VmRSS"].split()[0]),
        files=len(os.listdir(f"/proc/{pid}/fd")),  # noqa: PTH208 - a count, often
        threads=int(fields["Threads"]),
    )


def watch(pid: int, *, answered: Callable[[], int], ended: Callable[[], bool], every_s: float) -> list[Look]:
    """Look at a process until it has ended."""
    looks: list[Look] = []
    started = time.monotonic()
    while not ended():
        try:
            looks.append(look_at(pid, answered=answered(), at_s=time.monotonic() - started))
        except OSError:
            break
        time.sleep(every_s)
    return looks


def warm(looks: Sequence[Look], *, samples: int) -> list[Look]:
    """Return the looks between warm-up and the last answers: collecting and reporting are other things."""
    low, high = WARM * samples, 0.98 * samples
    found = [look for look in looks if low <= look.answered <= high]
    return found[:: max(1, len(found) // MOST_POINTS)]


def growth_kib(looks: Sequence[Look]) -> float:
    """Return KiB per answered request: the median of the slopes of all pairs.

    The Theil-Sen estimator: up to 29 % of the looks may be anything (a garbage collection, an arena that the
    allocator took), and the slope stays. Raises StatisticsError with fewer than two looks apart.
    """
    slopes = [
        (late.rss_kib - early.rss_kib) / (late.answered - early.answered)
        for early, late in combinations(looks, 2)
        if late.answered > early.answered
    ]
    return statistics.median(slopes)


def rise(values: Sequence[float]) -> float:
    """Return how far the last quarter lies above the first, by their medians."""
    quarter = max(1, len(values) // 4)
    return statistics.median(values[-quarter:]) - statistics.median(values[:quarter])
