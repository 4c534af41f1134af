"""Tell people and machines what a run said: `report.json`, `report.html` and the terminal block."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..adapters.files import replace_text
from ..adapters.render.html import render_html
from ..adapters.run_store import read_samples
from ..decide.exit_codes import run_exit_code
from ..model.baseline import CaseRow
from ..model.evalset import Case
from ..model.report import CaseStatus, CaseView, EpochView, EvalsetReport, Report, SubjectChange
from ..model.run import Run, RunEvalset
from ..model.sample import Sample
from ..model.verdict import Judgement
from .judge import BaselineFound
from .record import EvalsetRecord, age_days, rfc3339

SHOWN_TEXT = 20_000
"""Characters of one output that the report carries; the run folder has all of it."""
SHOWN_CASES, SHOWN_HOLDING = 500, 100
"""Cases that the report of a large suite carries in full, worst first, and how many of them may be holding;
the run folder has all of them."""


@dataclass(frozen=True, slots=True)
class EvalsetInput:
    """All that is known of one evalset when its run is over."""

    planned: RunEvalset
    cases: Sequence[Case]
    record: EvalsetRecord
    found: BaselineFound
    judgement: Judgement | None
    not_judged_because: str | None = None
    description: str = ""


def build_report(
    run: Run,
    inputs: Sequence[EvalsetInput],
    *,
    folder: Path | None,
    now: datetime,
    exit_code: int | None = None,
) -> Report:
    """Gather what a reader is shown. `folder` is the run folder; outputs are read back from it."""
    shown = {one.planned.evalset: _shown(_worst_first(one)) for one in inputs}
    samples = _samples_of(folder, {name: {case.id for case, _ in cases} for name, cases in shown.items()})
    evalsets = []
    for one in inputs:
        name = one.planned.evalset
        baseline = one.found.baseline
        ids = {case.id for case, _ in shown[name]}
        before = {row.case: row for row in baseline.rows if row.case in ids} if baseline else {}
        texts = baseline.texts_of(ids) if baseline else {}
        header = baseline.header if baseline else None
        evalsets.append(
            EvalsetReport(
                planned=one.planned,
                description=one.description,
                judgement=one.judgement,
                not_judged_because=one.not_judged_because,
                not_recorded=one.record.not_recorded,
                baseline=header,
                baseline_age_days=age_days(header.accepted_at, now) if header else None,
                changes=_changes(one),
                cases=tuple(
                    _case_view(
                        case,
                        status,
                        samples.get((name, case.id), []),
                        file=one.planned.file,
                        was=before.get(case.id),
                        was_text=texts.get(case.id, ()),
                    )
                    for case, status in shown[name]
                ),
            )
        )
    judgements = [one.judgement for one in inputs if one.judgement is not None]
    judged = len(judgements) == len(inputs) and bool(inputs)
    return Report(
        run=run,
        status=_worst_status(judgements) if judged else "not_judged",
        exit_code=run_exit_code(judgements) if exit_code is None else exit_code,
        generated_at=rfc3339(now),
        evalsets=tuple(evalsets),
    )


def write_report(report: Report, folder: Path) -> Path:
    """Write `report.json` and `report.html`; return the page's path."""
    replace_text(folder / "report.json", report.model_dump_json(indent=1) + "\n")
    page = folder / "report.html"
    replace_text(page, render_html(report))
    return page


def _worst_status(judgements: Sequence[Judgement]) -> Any:
    order = ("regressed", "cannot_judge", "inconclusive", "pass")
    return min((j.status for j in judgements), key=order.index, default="pass")


def _shown(cases: list[tuple[Case, CaseStatus]]) -> list[tuple[Case, CaseStatus]]:
    """Return the cases to show: all of a small suite; of a large one the bad ones and a few that hold."""
    if len(cases) <= SHOWN_CASES:
        return cases
    bad = [pair for pair in cases if pair[1] != "holding"][:SHOWN_CASES]
    held = [pair for pair in cases if pair[1] == "holding"]
    return bad + held[: min(SHOWN_HOLDING, SHOWN_CASES - len(bad))]


def _worst_first(one: EvalsetInput) -> list[tuple[Case, CaseStatus]]:
    order: dict[CaseStatus, int] = {
        "newly_failing": 0, "worse": 1, "error": 2, "failing": 3, "changed": 4, "new": 5, "better": 6,
        "holding": 7,
    }  # fmt: skip
    before = {row.case: row for row in one.found.baseline.rows} if one.found.baseline else {}
    newly = {m.case for m in one.judgement.worst if m.newly_failing} if one.judgement else set()
    broken = {case for case, floors in one.record.floors.items() if any(not f.ok for f in floors)}
    found: list[tuple[Case, CaseStatus]] = []
    for case in one.cases:
        row = one.record.rows.get(case.id)
        if row is None:
            continue
        found.append((case, _status(case.id, row, before, newly, broken)))
    return sorted(found, key=lambda pair: order[pair[1]])


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
    judged = [v for v in values if v is not None]
    return sum(judged) / len(judged) if judged else 0.0


def _samples_of(
    folder: Path | None, wanted: Mapping[str, Collection[str]]
) -> dict[tuple[str, str], list[Sample]]:
    found: dict[tuple[str, str], list[Sample]] = {}
    if folder is None:
        return found
    for sample in read_samples(folder, cases={case for cases in wanted.values() for case in cases}):
        if sample.case in wanted.get(sample.evalset, ()):
            found.setdefault((sample.evalset, sample.case), []).append(sample)
    return found


def _case_view(
    case: Case,
    status: CaseStatus,
    samples: Sequence[Sample],
    *,
    file: str,
    was: CaseRow | None,
    was_text: tuple[str | None, ...],
) -> CaseView:
    return CaseView(
        case=case.id,
        status=status,
        node_id=f"{file}::{case.id}",
        line=case.line,
        slices=case.slices,
        cluster=case.cluster,
        input=case.input,
        expected=case.expected,
        incident=case.source.incident if case.source else None,
        now=tuple(_epoch_view(s) for s in sorted(samples, key=lambda s: s.epoch)),
        was_text=was_text,
        was_scores=was.scores if was else {},
    )


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


def _changes(one: EvalsetInput) -> tuple[SubjectChange, ...]:
    """Return what of the subject and the instrument differs from the baseline's record of it."""
    if one.found.baseline is None:
        return ()
    was, now = one.found.baseline.header.subject, one.planned.fingerprint.subject
    changes = _file_changes(was.get("files") or {}, now.get("files") or {})
    # A prompt in a file is told by its text; one that stands in the evalset is known by its digest only.
    told_by_file = bool(changes)
    changes += _plain_changes("label", was.get("labels") or {}, now.get("labels") or {})
    was_target, now_target = was.get("target") or {}, now.get("target") or {}
    for name in sorted({*was_target, *now_target}):
        if was_target.get(name) != now_target.get(name) and not (name == "prompt" and told_by_file):
            kind = "model" if name == "model" else "target"
            changes += _plain_changes(kind, {name: was_target.get(name)}, {name: now_target.get(name)})
    was_how = {name: info.hash for name, info in one.found.baseline.header.scorers.items()}
    now_how = {name: info.hash for name, info in one.planned.scorers.items()}
    changes += _plain_changes("instrument", was_how, now_how)
    return tuple(changes)


def _plain_changes(kind: Any, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[SubjectChange]:
    return [
        SubjectChange(name=name, kind=kind, was=_short(was.get(name)), now=_short(now.get(name)))
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]


def _short(value: Any) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True))[:200]


def _file_changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[SubjectChange]:
    changes = []
    for name in sorted({*was, *now}):
        before, after = was.get(name) or {}, now.get(name) or {}
        if before.get("sha256") == after.get("sha256"):
            continue
        old, new = before.get("text"), after.get("text")
        diff, added, removed = None, 0, 0
        if (old is not None or not before) and (new is not None or not after):
            lines = list(
                difflib.unified_diff(
                    (old or "").splitlines(),
                    (new or "").splitlines(),
                    f"a/{name}",
                    f"b/{name}",
                    lineterm="",
                    n=1,
                )
            )
            added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
            removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
            diff = "\n".join(lines)[:20_000]
        changes.append(
            SubjectChange(
                name=name,
                kind="file",
                was=(before.get("sha256") or "")[:12] or None,
                now=(after.get("sha256") or "")[:12] or None,
                added=added,
                removed=removed,
                diff=diff,
            )
        )
    return changes
