"""Does retrieval still find what it should? Shares of cases that hit, today against the reference days."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ...model import spelling
from ...model.alert import Alert, Evidence
from ...model.baseline import ScorerInfo
from ...stats.counts import more_events, share_interval
from . import titles
from .calm import CalmDay, CalmDays
from .looks import Look
from .reference import LEAST_SHARED

KIND = "retrieval_hit"
ALPHA = 0.01
FEWEST_DAYS = 7
RATE = (0.0, 1.0)


Key = tuple[str, str]


class Retrieval:
    """Ask of each run whether its hit rate fell. What the reference hit is counted once.

    asked  scorers of which the newest run could tell
    """

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self._pools: dict[str, tuple[tuple[str, int], dict[Key, tuple[int, int]]]] = {}

    def alerts(self, look: Look, calm: CalmDays) -> list[Alert]:
        """Return an alert for each scorer of kind `retrieval_hit` whose share of hits fell.

        Cases are counted, not samples, for the epochs of a case mostly retrieve the same: a case hits when
        half of its epochs do. One-sided conditional binomial test on the misses, mid-p <= .01.
        """
        found = []
        self.asked.clear()
        for name, info in sorted(look.evalset.scorers.items()):
            if info.kind != KIND:
                continue
            days = calm.reference_where(partial(_has, name=name, info=info))
            if len(days) < FEWEST_DAYS:
                continue
            known = self._pool(name, days)
            now = _hits(look, name)
            shared = {key: hit for key, hit in now.items() if key in known}
            if shared and len(shared) >= LEAST_SHARED * len(now):
                self.asked.add(name)
                found.append(_tested(look, name, now=shared, was={key: known[key] for key in shared}))
        return [alert for alert in found if alert is not None]

    def _pool(self, name: str, days: list[CalmDay]) -> dict[Key, tuple[int, int]]:
        """Return of each case on how many days it hit, of so many."""
        mark = days[0].day, len(days)
        held = self._pools.get(name)
        if held is None or held[0] != mark:
            counts: dict[Key, tuple[int, int]] = {}
            for look in (one for day in days for one in day.looks):
                for key, hit in _hits(look, name).items():
                    hits, of = counts.get(key, (0, 0))
                    counts[key] = hits + hit, of + 1
            held = self._pools[name] = mark, counts
        return held[1]


def _has(look: Look, *, name: str, info: ScorerInfo) -> bool:
    return look.evalset.scorers.get(name) == info


def _hits(look: Look, name: str) -> dict[Key, bool]:
    low, high = look.evalset.scorers[name].scale
    found = {}
    for case in look.evalset.cases:
        judged = [score for score in case.scores.get(name, ()) if score is not None]
        if judged:
            found[case.case, case.digest] = sum(judged) / len(judged) >= (low + high) / 2
    return found


def _tested(
    look: Look, name: str, *, now: Mapping[Key, bool], was: Mapping[Key, tuple[int, int]]
) -> Alert | None:
    misses_now, cases = sum(not hit for hit in now.values()), len(now)
    earlier = sum(of for _, of in was.values())
    misses_was = earlier - sum(hits for hits, _ in was.values())
    p = more_events(misses_was, misses_now, exposure_before=earlier, exposure_after=cases)
    if p > ALPHA:
        return None
    rate_now, rate_was = 1 - misses_now / cases, 1 - misses_was / earlier
    low, high = share_interval(cases - misses_now, cases, alpha=0.05)
    told = f"{cases - misses_now} of {cases} cases, 95 % interval {100 * low:.1f}..{100 * high:.1f} %"
    before = f"{earlier - misses_was} of {earlier} case-days; p {p:.2g}, limit {ALPHA:g}"
    return Alert(
        kind="retrieval",
        tier=2,
        evalset=look.evalset.evalset,
        scorer=name,
        title=titles.about(
            look.evalset.evalset,
            name,
            f"{spelling.mean(rate_was, RATE)} -> {spelling.mean(rate_now, RATE)} "
            f"(delta {spelling.difference(rate_now - rate_was, RATE)}, n={cases})",
        ),
        summary="Retrieval finds the wanted document in fewer cases than on the reference days.",
        evidence=(
            Evidence(name="hit rate", value=told),
            Evidence(name="reference", value=before),
            Evidence(name="retrieved a sample", value=titles.amount(look.evalset.amounts.retrieved)),
        ),
    )
