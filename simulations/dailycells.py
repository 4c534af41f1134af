"""The scenarios of the daily monitor, and what is promised of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from statistics import fmean, quantiles
from typing import Literal

from .daily import Daily, Seen

NEVER = 999
"""Days told where nothing was paged, or an episode did not end."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the years of one scenario come to; shares and counts a year, days."""

    years: int
    pages: float
    pages_error: float
    tickets: float
    bad_share: float
    delay: float
    delay_p90: float
    kept: float
    ended: float
    fixed_2sd: float
    fixed_5: float
    rolling: float


def figures_of(scenario: Daily, seen: list[Seen]) -> Figures:
    """Sum years up. `pages` and the like are a year of 365 days, whatever was watched."""
    years, scale = len(seen), 365 / scenario.watched
    pages = [one.pages * scale for one in seen]
    mean = fmean(pages)
    spread = math.sqrt(sum((one - mean) ** 2 for one in pages) / max(1, years - 1))
    delays = sorted(NEVER if one.delay is None else one.delay for one in seen)
    ended = sorted(NEVER if one.ended is None else one.ended for one in seen)
    days = scenario.watched * scenario.evalsets * years
    return Figures(
        years=years,
        pages=mean,
        pages_error=spread / math.sqrt(years),
        tickets=fmean(one.tickets * scale for one in seen),
        bad_share=sum(one.bad_days for one in seen) / days,
        delay=float(delays[years // 2]),
        delay_p90=float(quantiles(delays, n=10)[-1]) if years > 1 else float(delays[0]),
        kept=fmean(one.closed == 0 for one in seen),
        ended=float(ended[years // 2]),
        fixed_2sd=fmean(one.fixed_2sd * scale for one in seen),
        fixed_5=fmean(one.fixed_5 * scale for one in seen),
        rolling=fmean(one.rolling * scale for one in seen),
    )


@cache
def scenarios() -> dict[str, Daily]:
    """Return every scenario by its name."""
    step, watched = 0.16, 60
    every = (
        Daily("unchanged, 200 judged a day"),
        Daily("unchanged, 50 judged a day", cases=50),
        Daily("unchanged, 0-1, 100 cases x 3", kind="binary", cases=100, epochs=3),
        Daily("unchanged, 14-day reference", reference=14),
        Daily("unchanged, counted from day 15 on", from_fewest=True),
        Daily("unchanged, 10 series in 2 evalsets", evalsets=2, scorers=5),
        Daily("unchanged, 12 pages a year asked for", pages=12),
        Daily("unchanged, with the gate, 1-5, 200 cases", gate=True),
        Daily("unchanged, with the gate, 0-1, 50 cases x 3", kind="binary", cases=50, epochs=3, gate=True),
        Daily("4.21 to 4.05, 200 judged a day", drop=step, watched=watched),
        Daily("4.21 to 4.05, 50 judged a day", cases=50, drop=step, watched=watched),
        Daily("4.21 to 4.05 in one of 10 series", evalsets=2, scorers=5, drop=step, watched=watched),
        Daily("4.05 for ever, 200 judged a day", drop=step),
        Daily("4.05 for ever, 50 judged a day", cases=50, drop=step),
        Daily("4.05 for 20 days, 200 judged a day", drop=step, lasts=20, watched=watched),
        Daily("4.05 for 20 days, 50 judged a day", cases=50, drop=step, lasts=20, watched=watched),
    )  # fmt: skip
    return {one.name: one for one in every}


def effort(scenario: Daily) -> float:
    """Return the share of the years asked for that a scenario gets: some are dear."""
    return 0.1 if scenario.gate else 0.25 if scenario.evalsets * scenario.scorers > 1 else 1.0


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure of a scenario and its bound; `error` gives its standard error, 0 for a median."""

    scenario: str
    what: str
    side: Literal["at most", "at least"]
    bound: float
    figure: Callable[[Figures], float]
    error: Callable[[Figures], float]

    def keeps(self, found: Figures, *, slack: float = 2.0) -> bool:
        """Tell whether the bound is kept, within so many standard errors."""
        value, room = self.figure(found), slack * self.error(found)
        return value <= self.bound + room if self.side == "at most" else value >= self.bound - room


def _exact(_: Figures) -> float:
    return 0.0


def _share_error(found: Figures) -> float:
    p = min(max(found.kept, 0.5 / found.years), 1 - 0.5 / found.years)
    return math.sqrt(p * (1 - p) / found.years)


@cache
def promises() -> tuple[Promise, ...]:
    """Return every promise: false pages at most 1.5 times the number asked for, drops found, kept open."""
    quiet = [one for one in scenarios().values() if not one.drop and one.reference == 30]
    return (
        *(
            Promise(
                one.name,
                "pages a year",
                "at most",
                1.5 * one.pages,
                lambda found: found.pages,
                lambda found: found.pages_error,
            )
            for one in quiet
            if not one.from_fewest
        ),
        *(
            Promise(f"4.21 to 4.05, {judged}", "median days to the page", "at most", days, _delay, _exact)
            for judged, days in (("200 judged a day", 3), ("50 judged a day", 5))
        ),
        Promise("4.05 for ever, 200 judged a day", "kept open", "at least", 0.99, _kept, _share_error),
        Promise("4.05 for ever, 50 judged a day", "kept open", "at least", 0.85, _kept, _share_error),
    )


def _delay(found: Figures) -> float:
    return found.delay


def _kept(found: Figures) -> float:
    return found.kept
