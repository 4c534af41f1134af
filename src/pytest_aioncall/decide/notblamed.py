"""A change is not blamed for what it did not do: rows that the base's newest daily run has red already.

Such a row stops gating only where this run is not significantly worse than that one, by the test of the gate
itself, case by case. Where that cannot be told, the row stays as it is, and why is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..model.baseline import CaseRow
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.history import EvalsetDay, HistoryEntry
from ..model.report import AlreadyRegressed
from ..model.verdict import Judgement, RowName, Verdict
from . import sentences
from .compare import judge
from .excused import Blame
from .sides import Side

__all__ = ["Blame", "judged_days", "rows_red_before"]

# With these nothing was compared, so nothing was found not to be worse.
_CANNOT_TELL = frozenset({"nothing_to_compare", "not_comparable", "one_epoch", "errors_at_floor"})
_LEAST_SHARED = 0.5
"""Share of a row's cases that the daily run has to have, too."""


@dataclass(frozen=True, slots=True)
class DailyRun:
    """One judged daily run of one evalset."""

    entry: HistoryEntry
    day: EvalsetDay

    @property
    def red(self) -> dict[RowName, Verdict]:
        """Return the rows that were red there, by name; what was accepted is not."""
        return {v.row: v for v in self.day.verdicts if v.status == "regressed" and v.reason != "accepted"}


def judged_days(entries: Sequence[HistoryEntry], evalset: str) -> list[DailyRun]:
    """Return the judged daily runs of an evalset, newest first; recordings say nothing about the base."""
    return [
        DailyRun(entry, day)
        for entry in reversed(entries)
        if entry.kind == "daily" and not entry.replayed
        for day in entry.evalsets
        if day.evalset == evalset and day.judged
    ]


def rows_red_before(
    judgement: Judgement,
    candidate: Side,
    days: Sequence[DailyRun],
    *,
    defaults: Defaults,
    branch: str,
    today: date,
    most_days: int,
    recovery_days: int = 1,
    issue: tuple[int, str | None] | None = None,
) -> Blame:
    """Return which regressed rows were so before this change.

    days       judged daily runs of the base, newest first
    most_days  an older newest run says nothing about the base of today
    recovery_days  days in a row without it that end what is regressed, as they end an incident
    issue      number and address of the open issue of the evalset
    """
    red = [v for v in judgement.verdicts if v.gating and v.status == "regressed"]
    if not red or not days:
        return Blame()
    newest = days[0]
    there = newest.red
    shared = [v for v in red if v.row in there]
    if not shared:
        return Blame()
    age = (today - date.fromisoformat(newest.entry.day)).days
    if age > most_days:
        note = (
            f"{_named(shared)} regressed on {branch}, too, but its newest daily run is {age} days old; "
            "that excuses nothing"
        )
        return Blame(notes=(note,))
    beside = _compared(shared, candidate, newest.day, defaults=defaults)
    already, notes = [], []
    failed: dict[RowName, frozenset[str]] = {}
    for verdict in shared:
        since = _since(verdict.row, days, recovery_days=recovery_days)
        why_not = _worse(verdict, beside.get(verdict.row))
        if why_not:
            notes.append(f"{_named([verdict])} regressed on {branch}, too, since {since}; {why_not}")
            continue
        failed[verdict.row] = _failed_there(verdict, candidate, newest.day)
        already.append(
            AlreadyRegressed(
                scorer=verdict.scorer,
                slice=verdict.slice,
                branch=branch,
                since=since,
                day=newest.entry.day,
                run=newest.entry.run,
                url=newest.entry.url,
                issue=issue[0] if issue else None,
                issue_url=issue[1] if issue else None,
                daily=there[verdict.row].candidate,
                now=verdict.candidate,
                scale=verdict.scale,
            )
        )
    return Blame(tuple(already), tuple(notes), failed)


def _failed_there(verdict: Verdict, candidate: Side, day: EvalsetDay) -> frozenset[str]:
    """Return the cases of a row that the daily run has no better than here, or failing in most epochs.

    Told and not tested: single cases flicker, and the row as a whole is what was found not to be worse.
    """
    there = {one.case: one for one in day.cases}
    middle = sum(verdict.scale) / 2
    part = (verdict.slice or {}).items()
    found = set()
    for row in candidate.rows:
        other = there.get(row.case)
        if other is None or other.digest != row.digest or not part <= row.slices.items():
            continue
        now, then = (_judged(one.scores.get(verdict.scorer, ())) for one in (row, other))
        if not now or not then:
            continue
        no_better = sum(then) / len(then) <= sum(now) / len(now)
        if no_better or 2 * sum(value > middle for value in then) < len(then):
            found.add(row.case)
    return frozenset(found)


def _judged(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _named(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{v.scorer}{sentences.place(v)}" for v in verdicts)


def _since(row: RowName, days: Sequence[DailyRun], *, recovery_days: int) -> str:
    """Return the first day, back from the newest, on which a row is red and after which it never recovered.

    A good day between two bad ones is no recovery: the incident and its issue last on, and so does this.
    """
    red = {one.entry.day for one in days if row in one.red}
    since, good = days[0].entry.day, 0
    for day in dict.fromkeys(one.entry.day for one in days):
        if day in red:
            since, good = day, 0
        elif (good := good + 1) >= recovery_days:
            break
    return since


def _compared(
    shared: Sequence[Verdict], candidate: Side, day: EvalsetDay, *, defaults: Defaults
) -> Mapping[RowName, Verdict]:
    """Compare this run with the daily one, by the rules of the rows that are red in both; no minimum."""
    gates: list[Gate] = []
    for verdict in shared:
        first = next((g for g in gates if g.scorer == verdict.scorer), None)
        slices = tuple(verdict.slice or ())
        if first is None:
            gates.append(
                Gate.model_construct(
                    scorer=verdict.scorer,
                    margin=verdict.margin,
                    slices=slices,
                    min=None,
                    claim=verdict.claim,
                    alpha=verdict.alpha,
                    on_inconclusive=None,
                )
            )
        elif not set(slices) <= set(first.slices):
            gates[gates.index(first)] = first.model_copy(
                update={"slices": tuple(dict.fromkeys((*first.slices, *slices)))}
            )
    rows = tuple(
        CaseRow(case=one.case, digest=one.digest, slices=one.slices, scores=one.scores, errors=one.errors)
        for one in day.cases
    )
    dimensions = {name for row in candidate.rows for name in row.slices}
    gates = [g.model_copy(update={"slices": tuple(n for n in g.slices if n in dimensions)}) for g in gates]
    found = judge(
        candidate,
        Side(rows, day.scorers),
        evalset=day.evalset,
        gates=gates,
        defaults=defaults.model_copy(update={"min": None}),
        max_error_rate=1.0,
    )
    return {v.row: v for v in found.verdicts}


def _worse(verdict: Verdict, beside: Verdict | None) -> str:
    """Say why a row is this change's all the same; empty where it is not."""
    if beside is None or beside.reason in _CANNOT_TELL or beside.difference is None:
        return "whether this change is worse than that cannot be told"
    if beside.n_cases < _LEAST_SHARED * verdict.n_cases:
        return f"that run has only {beside.n_cases} of its {verdict.n_cases} cases"
    moved = sentences.size(-beside.difference, scale=beside.scale)
    if beside.status == "regressed":
        return f"this change is worse than that by {moved}"
    if beside.status == "too_small" and beside.difference <= -(beside.margin or 0.0):
        return f"this change is {moved} below that, and too few cases differ to test it"
    return ""
