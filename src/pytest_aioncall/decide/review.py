"""The weekly review, from the history alone: what rang, what changed, what nobody could see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..model.alert import Alert, EvalsetCondition
from ..model.history import HistoryEntry, MeanRow, RunRef
from ..model.oncall import Monitors
from ..model.review import (
    Review,
    ReviewAlert,
    ReviewBaseline,
    ReviewChange,
    ReviewCost,
    ReviewGap,
    ReviewIncident,
    ReviewModel,
    ReviewSlice,
)
from .gaterows import SMALLEST_SLICE
from .monitor.budget import budgets
from .monitor.fold import Fold
from .monitor.looks import Look, daily_entries, day_of, days_between, looks_by_evalset, time_of
from .monitor.missed import missed_evalsets, removed_evalsets
from .trend import changes_by_day

_SLICES_OF_DAYS = 90
"""A slice that had cases within so many days and has none now is missed."""


def review_of(
    entries: Sequence[HistoryEntry],
    *,
    since: datetime,
    until: datetime,
    monitors: Monitors,
    owners: Mapping[str, str],
    files: Set[str] = frozenset(),
) -> Review:
    """Return the review of the time from `since` (not included) until `until`, both aware.

    entries  the whole history, sorted by time; daily live runs are looked at, later ones than `until` are not
    owners   model owner by evalset, before the evalset's own
    files    files of evalsets that are in the tree still
    """
    known = [one for one in daily_entries(entries) if time_of(one) <= until]
    now = [one for one in known if time_of(one) > since]
    looks = looks_by_evalset(known)
    days = _days(known, since=since, until=until)
    ran = {one.day for one in now}
    week = _week_of(known, since=since, until=until, monitors=monitors, owners=owners, files=files)
    alerts = list(_alerts(week, since=since))
    changed = {one.title for one in alerts if one.kind == "provider_change"}
    return Review(
        since=_zulu(since),
        until=_zulu(until),
        runs=len(now),
        days=tuple(days),
        judged_days=sum(_is_judged(day, now) for day in days),
        silent_days=tuple(day for day in days if day not in ran),
        alerts=tuple(alerts),
        incidents=tuple(_incidents(week.conditions, since=since)),
        models=tuple(_models(looks, since=since)),
        changes=tuple(_changes(known, looks, since=since)),
        costs=tuple(_costs(known, since=since, until=until)),
        slices=tuple(row for name in sorted(looks) for row in _slices(name, looks[name])),
        baselines=tuple(_baselines(looks, until=until)),
        gaps=tuple(_gaps(now)),
        # Which models answered has a section of its own, with the runs that saw them first.
        lines=tuple(line for line in week.lines if line not in changed),
    )


@dataclass(frozen=True, slots=True)
class _Week:
    """What held after the runs of each day, as they could know it, and how all stands at the end.

    days  (day, alerts), the oldest first
    """

    days: tuple[tuple[str, tuple[Alert, ...]], ...]
    conditions: tuple[EvalsetCondition, ...]
    lines: tuple[str, ...]


def _zulu(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _days(known: Sequence[HistoryEntry], *, since: datetime, until: datetime) -> list[str]:
    """Return the UTC days after that of `since`, to that of `until`; before the history began is no day."""
    if not known:
        return []
    last = until.astimezone(UTC).date()
    first = max(since.astimezone(UTC).date() + timedelta(days=1), day_of(known[0].day) or last)
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    # A day that is not over may still be run.
    return days if days and known[-1].day == days[-1] else days[:-1]


def _is_judged(day: str, now: Sequence[HistoryEntry]) -> bool:
    return any(one.judged for entry in now if entry.day == day for one in entry.evalsets)


def _week_of(
    known: Sequence[HistoryEntry],
    *,
    since: datetime,
    until: datetime,
    monitors: Monitors,
    owners: Mapping[str, str],
    files: Set[str],
) -> _Week:
    """Fold the history once, and look after each day of the time."""
    today = _day(until)
    folds: dict[str, Fold] = {}
    days: dict[str, dict[str, Alert]] = {}
    shares = budgets(known, pages_per_year=monitors.false_pages_per_year)
    for entry, budget in zip(known, shares, strict=True):
        for day in entry.evalsets:
            folds.setdefault(day.evalset, Fold(monitors)).look(Look(entry, day), budget=budget)
        if time_of(entry) > since:
            held = (alert for fold in folds.values() for alert in fold.alerts)
            days.setdefault(entry.day, {}).update({alert.key: alert for alert in held})
    missed = missed_evalsets(known)
    gone = removed_evalsets(missed, known, folds=folds, files=files)
    for alerts in days.values():
        for key in [key for key, alert in alerts.items() if alert.evalset in gone]:
            del alerts[key]
    here = [folds[name] for name in sorted(folds) if name not in gone]
    conditions = tuple(
        fold.condition(owner=owners.get(name), today=today, left_out=name in missed)
        for name, fold in sorted(folds.items())
        if name not in gone
    )
    absent = {alert.key: alert for one in conditions for alert in one.alerts if alert.kind == "no_data"}
    if absent:
        # That nothing runs is known at the end, by no run.
        days.setdefault(today, {}).update(absent)
    return _Week(
        tuple((day, tuple(held.values())) for day, held in days.items()),
        conditions,
        tuple(line for fold in here for line in fold.review(today)),
    )


def _alerts(week: _Week, *, since: datetime) -> Iterator[ReviewAlert]:
    """Yield each alert once, the urgent ones first, as the last run that saw it says it."""
    found: dict[str, list[tuple[str, Alert]]] = {}
    for day, alerts in week.days:
        for alert in alerts:
            found.setdefault(alert.key, []).append((day, alert))
    standing = {alert.key for one in week.conditions for alert in one.alerts}
    rows = []
    for key, held in found.items():
        last_day, last = held[-1]
        first = min(held[0][0], last.since.day if last.since else held[0][0])
        rows.append(
            ReviewAlert(
                kind=last.kind,
                tier=min(alert.tier for _, alert in held),
                evalset=last.evalset,
                title=last.title,
                first_day=first,
                last_day=last_day,
                days=len({day for day, _ in held}),
                began=first > _day(since),
                holds=key in standing,
            )
        )
    yield from sorted(rows, key=lambda row: (row.tier, row.first_day, row.evalset, row.title))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def _incidents(conditions: Sequence[EvalsetCondition], *, since: datetime) -> Iterator[ReviewIncident]:
    """Yield the episodes that touch the time, the open ones first."""
    rows = []
    for one in conditions:
        for episode in (*([one.episode] if one.episode else ()), *one.earlier):
            ended = episode.recovered
            if ended is not None and ended.day <= _day(since):
                continue
            rows.append(
                ReviewIncident(
                    evalset=one.evalset,
                    owner=one.owner,
                    first_bad=episode.first_bad,
                    recovered=ended,
                    opened=episode.first_bad.day > _day(since),
                    closed=ended is not None,
                )
            )
    yield from sorted(rows, key=lambda row: (row.closed, row.first_bad.day, row.evalset))


def _models(looks: Mapping[str, Sequence[Look]], *, since: datetime) -> Iterator[ReviewModel]:
    """Yield the model ids that responses of this time named, by evalset, in the order they appeared."""
    for name in sorted(looks):
        first: dict[str, RunRef] = {}
        last: dict[str, str] = {}
        newest: set[str] = set()
        began = ""
        for look in looks[name]:
            entry, day = look.entry, look.evalset
            # A run without an answer names no model, and none is gone by that.
            newest = set(day.models) or newest
            began = began or (entry.day if day.models else "")
            for model in day.models:
                first.setdefault(model, entry.ref)
                last[model] = entry.day
        for model, ref in first.items():
            if last[model] > _day(since):
                yield ReviewModel(
                    evalset=name,
                    model=model,
                    first=ref,
                    last_day=last[model],
                    is_new=ref.day > _day(since) and ref.day > began,
                    is_gone=model not in newest,
                )


def _changes(
    known: Sequence[HistoryEntry], looks: Mapping[str, Sequence[Look]], *, since: datetime
) -> Iterator[ReviewChange]:
    for name in sorted(looks):
        for day, what in changes_by_day(known, name):
            if day > _day(since):
                yield ReviewChange(evalset=name, day=day, what=what)


def _costs(known: Sequence[HistoryEntry], *, since: datetime, until: datetime) -> Iterator[ReviewCost]:
    """Yield the cost of each evalset in this time, and in one as long before."""
    before = since - (until - since)
    for name, looks in sorted(looks_by_evalset(known).items()):
        now = [one.evalset.cost_usd for one in looks if time_of(one.entry) > since]
        then = [one.evalset.cost_usd for one in looks if before < time_of(one.entry) <= since]
        if now:
            yield ReviewCost(
                evalset=name,
                usd=_sum(now),
                runs=len(now),
                unknown=sum(usd is None for usd in now),
                before_usd=_sum(then),
                before_runs=len(then),
            )


def _sum(costs: Sequence[float | None]) -> float | None:
    known = [usd for usd in costs if usd is not None]
    return sum(known) if known else None


def _slices(name: str, looks: Sequence[Look]) -> Iterator[ReviewSlice]:
    """Yield the rows of an evalset that cannot see what they are for, as its newest judged run has them."""
    judged = [look for look in looks if look.evalset.judged]
    if not judged:
        return
    newest = judged[-1].evalset
    rows = {_key(row): row for row in newest.rows}
    lately = [one for one in judged[:-1] if days_between(one.day, judged[-1].day) <= _SLICES_OF_DAYS]
    earlier = {_key(row): row for one in lately for row in one.evalset.rows}
    for key, row in earlier.items():
        if row.slice and row.n_cases and row.scorer in newest.scorers and key not in rows:
            yield _told(name, row, why="missing", n_cases=0)
    # A row that is red saw what it is there for.
    gated = {(v.scorer, _named(v.slice)): v for v in newest.verdicts if v.gating and v.status != "regressed"}
    for key, row in rows.items():
        verdict = gated.get(key)
        if row.slice and not row.n_cases:
            yield _told(name, row, why="missing", n_cases=0)
        elif row.slice and row.n_cases < SMALLEST_SLICE:
            yield _told(name, row, why="small", n_cases=row.n_cases)
        elif verdict is not None and verdict.mde is not None and verdict.mde > (verdict.margin or 0.0):
            yield _told(name, row, why="weak", n_cases=row.n_cases).model_copy(
                update={"mde": verdict.mde, "margin": verdict.margin}
            )


def _told(name: str, row: MeanRow, *, why: str, n_cases: int) -> ReviewSlice:
    return ReviewSlice.model_validate(
        {
            "evalset": name,
            "scorer": row.scorer,
            "slice": row.slice,
            "why": why,
            "n_cases": n_cases,
            "scale": row.scale,
        }
    )


def _key(row: MeanRow) -> tuple[str, tuple[tuple[str, str], ...]]:
    return row.scorer, _named(row.slice)


def _named(part: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((part or {}).items()))


def _baselines(looks: Mapping[str, Sequence[Look]], *, until: datetime) -> Iterator[ReviewBaseline]:
    for name in sorted(looks):
        entry, day = looks[name][-1].entry, looks[name][-1].evalset
        if not day.baseline:
            yield ReviewBaseline(evalset=name)
            continue
        if day.baseline_age_days is None or day.baseline_limit_days is None:
            continue
        age = day.baseline_age_days + (until - time_of(entry)).total_seconds() / 86400
        if age > day.baseline_limit_days:
            yield ReviewBaseline(evalset=name, age_days=age, limit_days=day.baseline_limit_days)


def _gaps(now: Sequence[HistoryEntry]) -> Iterator[ReviewGap]:
    """Yield the days on which an evalset ran and no run of it could be judged."""
    judged = {(day.evalset, entry.day) for entry in now for day in entry.evalsets if day.judged}
    told: dict[tuple[str, str], str] = {}
    for entry in now:
        for day in entry.evalsets:
            if (day.evalset, entry.day) not in judged:
                told[day.evalset, entry.day] = day.because
    for (evalset, on), because in sorted(told.items()):
        yield ReviewGap(evalset=evalset, day=on, because=because)
