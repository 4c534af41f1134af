"""Choose which cases a report carries, and how much of each: the worst in full, of the others a line."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..adapters.baseline_store import Baseline
from ..adapters.run_store import read_samples
from ..model.baseline import CaseRow
from ..model.evalset import Case
from ..model.report import CaseStatus, CaseView, EpochView
from ..model.sample import Sample
from ..model.verdict import Judgement
from .record import EvalsetRecord

SHOWN_TEXT = 20_000
"""Characters of one output that the report carries; the run folder has all of it."""
SHOWN_CASES, SHOWN_HOLDING = 500, 100
"""Cases that the report of a large suite carries in full, worst first, and how many of them may be holding;
the run folder has all of them."""
LISTED_CASES = 20_000
"""Cases of one evalset that the report names at all."""
SHOWN_EXCERPT = 200
"""Characters of the input that a case carries which is not shown in full."""

_ORDER: dict[CaseStatus, int] = {
    "newly_failing": 0, "worse": 1, "error": 2, "failing": 3, "changed": 4, "new": 5, "better": 6,
    "holding": 7,
}  # fmt: skip

Ranked = tuple[Case, CaseStatus]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The cases of one evalset as a report carries them, each group worst first."""

    full: Sequence[Ranked]
    brief: Sequence[Ranked]


def chosen_cases(
    cases: Sequence[Case], record: EvalsetRecord, *, baseline: Baseline | None, judgement: Judgement | None
) -> Chosen:
    """Return all cases of a small suite in full; of a large one the bad ones and a few that hold."""
    ranked = _worst_first(cases, record, baseline=baseline, judgement=judgement)
    if len(ranked) <= SHOWN_CASES:
        return Chosen(ranked, ())
    bad = [pair for pair in ranked if pair[1] != "holding"]
    full = bad[:SHOWN_CASES]
    held = ranked[len(bad) :]
    few = min(SHOWN_HOLDING, SHOWN_CASES - len(full))
    rest = [*bad[SHOWN_CASES:], *held[few:]]
    return Chosen([*full, *held[:few]], rest[: max(0, LISTED_CASES - SHOWN_CASES)])


def samples_of(
    folder: Path | None, wanted: Mapping[str, Collection[str]]
) -> dict[str, dict[str, list[Sample]]]:
    """Read the samples of the wanted cases back from the run folder, by evalset and case."""
    found: dict[str, dict[str, list[Sample]]] = {}
    if folder is None:
        return found
    for sample in read_samples(folder, cases={case for cases in wanted.values() for case in cases}):
        if sample.case in wanted.get(sample.evalset, ()):
            found.setdefault(sample.evalset, {}).setdefault(sample.case, []).append(sample)
    return found


def case_views(
    chosen: Chosen,
    record: EvalsetRecord,
    *,
    samples: Mapping[str, Sequence[Sample]],
    baseline: Baseline | None,
    file: str,
) -> tuple[CaseView, ...]:
    """Return what a reader is shown of each chosen case, worst first."""
    before = {row.case: row for row in baseline.rows} if baseline else {}
    texts = baseline.texts_of({case.id for case, _ in chosen.full}) if baseline else {}
    views = [
        _full_view(
            case,
            status,
            samples.get(case.id, ()),
            row=record.rows[case.id],
            file=file,
            was=before.get(case.id),
            was_text=texts.get(case.id, ()),
        )
        for case, status in chosen.full
    ]
    views += [
        _brief_view(case, status, record.rows[case.id], file=file, was=before.get(case.id))
        for case, status in chosen.brief
    ]
    return tuple(sorted(views, key=lambda view: _ORDER[view.status])) if chosen.brief else tuple(views)


def _worst_first(
    cases: Sequence[Case], record: EvalsetRecord, *, baseline: Baseline | None, judgement: Judgement | None
) -> list[Ranked]:
    before = {row.case: row for row in baseline.rows} if baseline else {}
    newly = {m.case for m in judgement.worst if m.newly_failing} if judgement else set()
    newly |= set(judgement.newly_failing) if judgement else set()
    broken = {case for case, floors in record.floors.items() if any(not f.ok for f in floors)}
    scales = {name: info.scale for name, info in baseline.header.scorers.items()} if baseline else {}
    found: list[Ranked] = []
    falls: dict[str, float] = {}
    for case in cases:
        row = record.rows.get(case.id)
        if row is None:
            continue
        found.append((case, _status(case.id, row, before, newly, broken)))
        falls[case.id] = _fall(row, before.get(case.id), scales)

    def place(pair: Ranked) -> tuple[int, float, str]:
        # Equal falls by name, as the judgement lists them; what did not fall stays in the file's order.
        case, fall = pair[0].id, falls[pair[0].id]
        return (_ORDER[pair[1]], fall, case if fall < 0 else "")

    return sorted(found, key=place)


def _fall(row: CaseRow, was: CaseRow | None, scales: Mapping[str, tuple[float, float]]) -> float:
    """Return how far the mean of a case fell at most, as a share of the scorer's scale; 0 where none fell."""
    moves = [0.0]
    for name, values in row.scores.items():
        before = was.scores.get(name, ()) if was else ()
        low, high = scales.get(name, (0.0, 1.0))
        if name.startswith("must[") or not _judged(values) or not _judged(before) or high <= low:
            continue
        moves.append((_mean(values) - _mean(before)) / (high - low))
    return round(min(moves), 9)


def _status(
    case: str, row: CaseRow, before: Mapping[str, CaseRow], newly: Collection[str], broken: Collection[str]
) -> CaseStatus:
    if case in newly:
        return "newly_failing"
    if row.errors or any(value is None for values in row.scores.values() for value in values):
        return "error"
    was = before.get(case)
    if before and was is None:
        return "new"
    if was is not None and was.digest and was.digest != row.digest:
        return "changed"
    if was is not None:
        moves = [_mean(row.scores[s]) - _mean(was.scores[s]) for s in row.scores if s in was.scores]
        if moves and min(moves) < 0:
            return "worse"
        if moves and max(moves) > 0 and case not in broken:
            return "better"
    low = any(min((v for v in values if v is not None), default=1.0) <= 0 for values in row.scores.values())
    return "failing" if case in broken or low else "holding"


def _mean(values: Sequence[float | None]) -> float:
    judged = _judged(values)
    return sum(judged) / len(judged) if judged else 0.0


def _judged(values: Sequence[float | None]) -> list[float]:
    return [v for v in values if v is not None]


def _full_view(
    case: Case,
    status: CaseStatus,
    samples: Sequence[Sample],
    *,
    row: CaseRow,
    file: str,
    was: CaseRow | None,
    was_text: tuple[str | None, ...],
) -> CaseView:
    return CaseView(
        case=case.id,
        status=status,
        node_id=f"{file}::{case.id}" if file else "",
        line=case.line,
        file=case.file if case.file != file else "",
        slices=case.slices,
        cluster=case.cluster,
        input=case.input,
        expected=case.expected,
        incident=case.source.incident if case.source else None,
        now=tuple(_epoch_view(s) for s in sorted(samples, key=lambda s: s.epoch)),
        was_text=was_text,
        was_scores=was.scores if was else {},
        # A file of scores has no samples: then its scores are all there is to show.
        now_scores={} if samples else row.scores,
    )


def _brief_view(case: Case, status: CaseStatus, row: CaseRow, *, file: str, was: CaseRow | None) -> CaseView:
    # Built from what was validated already: thousands of them share their parts with the cases and the rows.
    return CaseView.model_construct(
        _VIEW_FIELDS,
        case=case.id,
        status=status,
        node_id=f"{file}::{case.id}" if file else "",
        line=case.line,
        file=case.file if case.file != file else "",
        slices=case.slices,
        cluster=case.cluster,
        input=_excerpt(case.input),
        expected=None,
        incident=case.source.incident if case.source else None,
        now=(),
        was_text=(),
        was_scores=was.scores if was else _NO_SCORES,
        now_scores=row.scores,
        brief=True,
    )


_VIEW_FIELDS = set(CaseView.model_fields)
_NO_SCORES: dict[str, tuple[float | None, ...]] = {}


def _excerpt(value: Any) -> Any:
    """Return a value that is short as it is, else the beginning of its text."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= SHOWN_EXCERPT else f"{text[:SHOWN_EXCERPT]}..."


def _epoch_view(sample: Sample) -> EpochView:
    output, error = sample.output, sample.error
    text = output.text if output else None
    return EpochView(
        epoch=sample.epoch,
        text=text[:SHOWN_TEXT] if text is not None else None,
        cut=max(0, len(text) - SHOWN_TEXT) if text else 0,
        data=_bounded(output.data) if output else None,
        retrieved=tuple(d.id for d in (output.retrieved or ())[:20]) if output else (),
        scores=sample.scores,
        error=f"{error.type}: {error.message}" if error else None,
        error_kind=error.kind if error else None,
        latency_s=output.latency_s if output else None,
        cost_usd=output.cost_usd if output else None,
        replayed=output.replayed if output else None,
    )


def _bounded(data: Any) -> Any:
    if data is None:
        return None
    text = json.dumps(data, ensure_ascii=False, default=str)
    return data if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}..."
