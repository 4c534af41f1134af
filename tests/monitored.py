"""Histories made by hand: daily runs of one evalset, as `entry_of` would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pytest_aioncall.decide.monitor import conditions
from pytest_aioncall.model.alert import AlertsFile, EvalsetCondition
from pytest_aioncall.model.history import EvalsetDay, HistoryEntry, MeanRow
from pytest_aioncall.model.oncall import Monitors
from pytest_aioncall.model.verdict import Floor, Verdict

START = date(2026, 9, 1)
GRADED = (1.0, 5.0)
# Thirty days around 4.21 with a deviation of about .05, no two neighbours alike.
CALM = [4.21 + 0.05 * ((7 * at % 11) - 5) / 3.3 for at in range(60)]


def day_name(number: int) -> str:
    """Return the UTC day so many days after the start."""
    return (START + timedelta(days=number)).isoformat()


def row(mean: float | None, **given: Any) -> MeanRow:
    """Return the overall row of `helpfulness`, 200 cases graded 1-5."""
    told = {
        "scorer": "helpfulness",
        "scale": GRADED,
        "mean": mean,
        "n_cases": 200,
        "judged": 200,
        "planned": 200,
    }
    return MeanRow(**{**told, **given})


def red(**given: Any) -> Verdict:
    """Return a gate row that is red."""
    told: dict[str, Any] = {
        "scorer": "helpfulness",
        "status": "regressed",
        "reason": "dropped",
        "claim": "cases-like-these",
        "baseline": 4.21,
        "candidate": 4.05,
        "difference": -0.16,
        "ci": (-0.24, -0.08),
        "p": 1e-5,
        "p_adjusted": 1e-5,
        "margin": 0.16,
        "n_cases": 200,
        "judged": 200,
        "planned": 200,
        "scale": GRADED,
        "alpha": 0.05,
    }
    return Verdict(**{**told, **given})


def must(case: str = "no-legal-advice", **given: Any) -> Floor:
    """Return a `must` that broke."""
    told: dict[str, Any] = {"kind": "must", "case": case, "scorer": "must[0]:not_contains", "ok": False}
    return Floor(**{**told, "held": 2, "epochs": 3, "needed": 3, **given})


BASELINE = {"commit": "a1b2c3d", "accepted_at": "2026-08-31T08:00:00Z", "run": "20260831-080000-base"}


def evalset_day(mean: float | None = 4.21, **given: Any) -> EvalsetDay:
    """Return one judged day of the evalset `summarizer`."""
    told: dict[str, Any] = {
        "evalset": "summarizer",
        "owner": "@ann",
        "judged": True,
        "status": "pass",
        "baseline": BASELINE,
        "rows": (row(mean),),
        "planned": 200,
        "judged_samples": 200,
        "subject": {"target": {"model": "openai/m-2026-08-01"}},
    }
    if "verdicts" in given and "status" not in given:
        told["status"] = "regressed"
    return EvalsetDay(**{**told, **given})


def unjudged(because: str = "31 % of samples errored, limit 2 %", **given: Any) -> EvalsetDay:
    """Return a day on which the run could not be judged."""
    told: dict[str, Any] = {"judged": False, "status": "cannot_judge", "because": because, "rows": ()}
    return evalset_day(None, **{**told, "judged_samples": 138, **given})


def entry(
    number: int, *days: EvalsetDay, hour: int = 3, run: str | None = None, **given: Any
) -> HistoryEntry:
    """Return the daily run of a day; by default one good evalset."""
    day = day_name(number)
    told: dict[str, Any] = {
        "run": run or f"{day.replace('-', '')}-{hour:02d}0000-aaaa",
        "kind": "daily",
        "created_at": f"{day}T{hour:02d}:17:00Z",
        "day": day,
        "commit": f"{number:07x}",
        "evalsets": days or (evalset_day(CALM[number % len(CALM)]),),
    }
    return HistoryEntry(**{**told, **given})


def calm(days: int, **given: Any) -> list[HistoryEntry]:
    """Return so many good days from the start on."""
    return [entry(at, evalset_day(CALM[at % len(CALM)], **given)) for at in range(days)]


def alerts_after(
    entries: Sequence[HistoryEntry],
    *,
    monitors: Monitors | None = None,
    now: datetime | None = None,
    owners: Mapping[str, str] | None = None,
    last: HistoryEntry | None = None,
    files: Set[str] = frozenset(),
) -> AlertsFile:
    """Return what holds after the newest of the entries (or after `last` asks), half an hour later."""
    newest = last or max(entries, key=lambda one: (one.created_at, one.attempt))
    made = datetime.fromisoformat(newest.created_at).astimezone(UTC)
    return conditions(
        entries,
        run=newest.run,
        attempt=newest.attempt,
        monitors=monitors or Monitors(),
        now=now or made + timedelta(minutes=30),
        owners=owners or {},
        files=files,
    )


def standing(entries: Sequence[HistoryEntry], **given: Any) -> EvalsetCondition:
    """Return the condition of the only evalset after the newest entry."""
    (only,) = alerts_after(entries, **given).evalsets
    return only
