"""Gates as extra test reports: exit code, JUnit, `-rA` and `--lf` then work by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ..flows.guarding import without_commands
from ..flows.wording import already_sentence, already_shown, row_shown, verdict_sentence, why_not_judged
from ..model.report import EvalsetReport, Report
from ..model.verdict import Verdict
from .longreprs import Lines


def gate_reports(report: Report, rootpath: Path, root: Path) -> Iterator[pytest.TestReport]:
    """Yield one report for every gating row of every judged evalset, and one where nothing can be judged."""
    for one in report.evalsets:
        if one.judgement is None and not one.unaffected:
            continue
        file = (root / one.planned.file).resolve()
        try:
            shown = file.relative_to(rootpath.resolve()).as_posix()
        except ValueError:
            shown = one.planned.file
        if one.judgement is None:
            yield _report(shown, "gate[all]", "skipped", one.not_judged_because or "unaffected")
            continue
        if one.judgement.status == "cannot_judge":
            yield _report(shown, "gate[all]", "skipped", why_not_judged(one))
            continue
        for verdict in one.judgement.verdicts:
            if verdict.gating:
                yield _gate(shown, one, verdict)
        for row in one.already:
            yield _report(shown, f"gate[{already_shown(row)}]", "skipped", already_sentence(row))
        for metric in one.judgement.metrics:
            if metric.gating and metric.status != "not_compared":
                outcome = "failed" if metric.status == "regressed" else "passed"
                yield _report(shown, f"gate[{metric.metric}]", outcome, metric.note)


def _gate(file: str, one: EvalsetReport, verdict: Verdict) -> pytest.TestReport:
    outcome = {"pass": "passed", "regressed": "failed"}.get(verdict.status, "skipped")
    assert one.judgement is not None  # noqa: S101 - the caller selected by it
    lines = [verdict_sentence(verdict, alpha=one.judgement.alpha)]
    if outcome == "failed":
        lines += [
            f"  {move.case}: {move.was[0]}/{move.was[1]} -> {move.now[0]}/{move.now[1]}"
            for move in one.judgement.worst
            if move.scorer == verdict.scorer and move.was is not None and move.case in _members(one, verdict)
        ]
    return _report(file, f"gate[{row_shown(verdict)}]", outcome, "\n".join(lines))


def _members(one: EvalsetReport, verdict: Verdict) -> set[str]:
    """Return the cases of a row, as far as the report carries them; it carries those that moved most."""
    part = (verdict.slice or {}).items()
    return {case.case for case in one.cases if part <= case.slices.items()}


def case_report(
    path: Path, case: str, lines: Sequence[str], *, line: int, rootpath: Path, said: str = ""
) -> pytest.TestReport:
    """Return one more report of a case that failed after its item was done, in a later round."""
    try:
        file = path.resolve().relative_to(rootpath.resolve()).as_posix()
    except ValueError:
        file = str(path)
    report = _report(file, case, "failed", "\n".join(lines))
    report.location = (file, max(0, line - 1), case)
    if said:
        report.sections.append(("printed by the target", said))
    return report


def _report(file: str, name: str, outcome: Any, text: str) -> pytest.TestReport:
    longrepr: Any = None
    text = without_commands(text)
    if outcome == "failed":
        longrepr = Lines(text)
    elif outcome == "skipped":
        longrepr = (file, 0, text)
    return pytest.TestReport(
        nodeid=f"{file}::{name}",
        location=(file, 0, name),
        keywords={},
        outcome=outcome,
        longrepr=longrepr,
        when="call",
        sections=[],
        duration=0.0,
        user_properties=[],
    )
