"""`aioncall scores`: how scores stand now against before, by slice: the first question of every page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ..adapters.evalset_files import load_evalset
from ..adapters.history import HistoryFolder, moment_of
from ..adapters.render import words
from ..adapters.text import did_you_mean, log_line
from ..decide.slicescores import CaseScores, Hint, Rule, SliceScore, hint_of, side_of_days, slice_scores
from ..errors import AioncallError, LoadError, UsageError
from ..model.config import Defaults
from ..model.evalset import Gate
from ..model.history import EvalsetDay, HistoryEntry
from ..settings import Settings
from .judge import find_baseline

Against = Literal["previous", "baseline"]

_SPAN = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class ScoresRequest:
    """The command line. `since` is a span (24h, 7d) or a time; `by` are names of slices."""

    since: str = "24h"
    by: tuple[str, ...] = ()
    evalset: str | None = None
    scorer: str | None = None
    against: Against = "previous"


@dataclass(frozen=True, slots=True)
class ScorerScores:
    """One scorer of one evalset: the overall row first, then its slices, the largest drop first."""

    evalset: str
    scale: tuple[float, float]
    rows: tuple[SliceScore, ...]
    hint: Hint | None


@dataclass(frozen=True, slots=True)
class Scores:
    """All scorers, the largest drop first. `now` and `before` name the two sides for people."""

    now: str
    before: str
    where: str
    scorers: tuple[ScorerScores, ...]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what a person reads."""
        head = f"scores of {self.now} against {self.before}"
        lines = [head]
        for one in self.scorers:
            lines += _scorer_lines(one)
        return [*lines, *(f"  note: {note}" for note in self.notes), f"  history: {self.where}"]

    def as_json(self) -> dict[str, Any]:
        """Return all of it in JSON types."""
        return {
            "format": 1,
            "history": self.where,
            "now": self.now,
            "before": self.before,
            "scorers": [
                {
                    "evalset": one.evalset,
                    "scale": list(one.scale),
                    "rows": [asdict(row) for row in one.rows],
                    "hint": None
                    if one.hint is None
                    else {"kind": one.hint.kind, "slice": one.hint.row.slice},
                }
                for one in self.scorers
            ],
            "notes": list(self.notes),
        }


def scores(request: ScoresRequest, history: HistoryFolder, settings: Settings) -> Scores:
    """Compare the judged daily runs of a span with those before it, or with the committed baseline.

    Raises UsageError for a span, slice, evalset or scorer that is not there.
    """
    now = (settings.now or datetime.now(UTC)).astimezone(UTC)
    start = start_of(request.since, now)
    entries = [entry for entry in history.entries() if entry.kind == "daily" and not entry.replayed]
    window = [entry for entry in entries if start < moment_of(entry) <= now]
    earlier = [entry for entry in entries if moment_of(entry) <= start]
    previous = [entry for entry in earlier if moment_of(entry) > start - (now - start)]
    notes = list(history.notes) + [f"passed over: {log_line(str(one), 300)}" for one in history.problems]
    if not window:
        notes.append(_nothing(earlier, now, elsewhere=history.elsewhere))
    if not previous and earlier and request.against == "previous":
        previous = _newest_judged(earlier)
        notes.append(f"no run in the span before; compared with the one before it, of {previous[-1].day}")
    names = _evalsets(request, window or entries)
    _refuse_unknown(request, entries, names)
    found, unjudged = [], 0
    for name in names:
        days, left_out = _days(window, name)
        unjudged += left_out
        scorers = {s: info for day in days for s, info in day.scorers.items()}
        gates = _gates(days[-1], settings) if days else {}
        for scorer, info in scorers.items():
            if request.scorer not in (None, scorer):
                continue
            before = _before(request, name, scorer, previous, days, settings, notes)
            side = side_of_days([day.cases for day in days], scorer)
            rule = _rule(gates.get(scorer), info.scale, defaults=settings.config.defaults)
            rows = slice_scores(scorer, side, before, by=request.by, rule=rule)
            found.append(ScorerScores(name, info.scale, tuple(rows), hint_of(rows)))
    if unjudged:
        notes.append(f"not in the means, since it could not be judged: {words.counted(unjudged, 'run')}")
    found.sort(key=_worst_first)
    return Scores(
        now=_side_told(_span_told(request.since), window),
        before="the committed baseline"
        if request.against == "baseline"
        else _side_told("the span before", previous),
        where=history.where,
        scorers=tuple(found),
        notes=tuple(dict.fromkeys(notes)),
    )


def _rule(gate: Gate | None, scale: tuple[float, float], *, defaults: Defaults) -> Rule:
    """Return by what an interval is made: as the gate does it, where the scorer has one."""
    claim, alpha = (gate.claim, gate.alpha) if gate is not None else (None, None)
    return Rule(scale, claim=claim or defaults.claim, alpha=alpha or defaults.alpha)


def start_of(since: str, now: datetime) -> datetime:
    """Return where a span begins: `24h`, `90m`, `7d`, `2w`, or a time with its offset."""
    span = _SPAN.fullmatch(since.strip())
    if span is not None and int(span[1]):
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        start = datetime.fromisoformat(since.strip())
    except ValueError:
        start = None
    if start is None or start.tzinfo is None or start >= now:
        raise UsageError(
            f"--since {log_line(since, 40)!r}: needs a span (24h, 7d, 2w) or a time of the past with its "
            "offset (2026-11-21T14:00:00Z)"
        )
    return start.astimezone(UTC)


def _worst_first(one: ScorerScores) -> tuple[bool, float, str]:
    span = one.scale[1] - one.scale[0]
    difference = one.rows[0].difference
    return difference is None, (difference or 0.0) / (span or 1.0), one.evalset


def _evalsets(request: ScoresRequest, entries: Sequence[HistoryEntry]) -> list[str]:
    names = dict.fromkeys(one.evalset for entry in entries for one in entry.evalsets)
    return [name for name in names if request.evalset in (None, name)]


def _refuse_unknown(request: ScoresRequest, entries: Sequence[HistoryEntry], names: Sequence[str]) -> None:
    if not entries:
        return
    days = [day for entry in entries for day in entry.evalsets]
    if request.evalset is not None and not names:
        _refuse("evalset", request.evalset, {day.evalset for day in days})
    mine = [day for day in days if day.evalset in names]
    if request.scorer is not None:
        known = {scorer for day in mine for scorer in day.scorers}
        if request.scorer not in known:
            _refuse("scorer", request.scorer, known)
    slices = {name for day in mine for case in day.cases for name in case.slices}
    for name in request.by:
        if name not in slices:
            _refuse("slice", name, slices)


def _refuse(what: str, name: str, known: set[str]) -> None:
    near = did_you_mean(name, known)
    hint = f"; did you mean {log_line(near, 60)}?" if near else ""
    shown = ", ".join(log_line(one, 60) for one in sorted(known)) or "none"
    raise UsageError(f"no {what} {log_line(name, 60)!r} in the history{hint}; there are: {shown}")


def _nothing(earlier: Sequence[HistoryEntry], now: datetime, *, elsewhere: str) -> str:
    if not earlier:
        return elsewhere or "the history has no daily run yet; run: pytest --aioncall, then aioncall monitor"
    hours = (now - moment_of(earlier[-1])).total_seconds() / 3600
    span = "24h" if hours < 24 else f"{int(hours // 24) + 1}d"
    return f"no daily run in this span; the newest one is of {earlier[-1].day}: --since {span}"


def _newest_judged(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    judged = [entry for entry in entries if any(day.judged for day in entry.evalsets)]
    return list((judged or entries)[-1:])


def _days(entries: Sequence[HistoryEntry], evalset: str) -> tuple[list[EvalsetDay], int]:
    """Return the judged days of an evalset, and how many were not."""
    days = [day for entry in entries for day in entry.evalsets if day.evalset == evalset]
    judged = [day for day in days if day.judged]
    return judged, len(days) - len(judged)


def _gates(day: EvalsetDay, settings: Settings) -> dict[str, Gate]:
    """Return the first gate of each scorer, as the evalset has them now; none where it cannot be read."""
    try:
        evalset = load_evalset(settings.root / day.file, root=settings.root) if day.file else None
    except LoadError:
        evalset = None
    return {gate.scorer: gate for gate in reversed(evalset.gates)} if evalset is not None else {}


def _before(
    request: ScoresRequest,
    evalset: str,
    scorer: str,
    previous: Sequence[HistoryEntry],
    days: Sequence[EvalsetDay],
    settings: Settings,
    notes: list[str],
) -> dict[str, CaseScores]:
    if request.against == "previous":
        return side_of_days([day.cases for day in _days(previous, evalset)[0]], scorer)
    try:
        found = find_baseline(settings.root / days[-1].file, evalset, settings)
    except AioncallError as error:
        notes.append(f"the baseline of {log_line(evalset, 60)} cannot be read: {log_line(str(error), 200)}")
        return {}
    if found.baseline is None:
        notes.append(f"{log_line(evalset, 60)} has no baseline: {found.why_not}")
        return {}
    return {
        row.case: CaseScores(row.digest, row.slices, list(row.scores[scorer]), cluster=row.cluster)
        for row in found.baseline.rows
        if scorer in row.scores
    }


def _span_told(since: str) -> str:
    return f"the last {since}" if _SPAN.fullmatch(since) else f"the time since {log_line(since, 40)}"


def _side_told(name: str, entries: Sequence[HistoryEntry]) -> str:
    days = list(dict.fromkeys(entry.day for entry in entries))
    when = f" of {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "") if days else ""
    return f"{name} ({words.counted(len(entries), 'run')}{when})"


def _scorer_lines(one: ScorerScores) -> list[str]:
    names = [
        f"{log_line(one.evalset, 60)}.{log_line(row.scorer, 60)}"
        if row.slice is None
        else f"  {log_line(words.slice_name(row.slice), 60)}"
        for row in one.rows
    ]
    width = max(map(len, names))
    lines = [
        f"  {name.ljust(width)}  {_row_told(row, one.scale)}"
        for name, row in zip(names, one.rows, strict=True)
    ]
    if one.hint is not None:
        lines.append(f"    {_hint_told(one.hint, one.scale)}")
    return lines


def _row_told(row: SliceScore, scale: tuple[float, float]) -> str:
    moved = f"{words.mean(row.before, scale)} -> {words.mean(row.now, scale)}"
    ends = f", {words.interval_name(row.alpha)} {words.interval(row.ci, scale)}"
    change = f" ({words.difference(row.difference, scale)}{ends})" if row.difference is not None else ""
    counts = f"{row.judged}/{row.planned} judged, before {row.judged_before}/{row.planned_before}"
    fell = "  FELL" if row.fell else ""
    return f"{moved}{change}, {words.counted(row.paired, 'case')} in both; {counts}{fell}"


def _hint_told(hint: Hint, scale: tuple[float, float]) -> str:
    row = hint.row
    name = log_line(words.slice_name(row.slice), 60)
    if hint.kind == "carries":
        return (
            f"{name} carries {words.rate(min(1.0, row.share or 0.0))} of the drop, with "
            f"{words.rate(row.weight or 0.0)} of the cases"
        )
    if hint.kind == "alone":
        return f"overall no drop is seen; {name} fell alone: {words.difference(row.difference, scale)}"
    return "the drop is spread over the slices; none carries it alone"
