"""The report that is published: of this job, or of several jobs that each ran some of the evalsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...adapters import git
from ...adapters.report_file import NAME, read_reports
from ...decide.exit_codes import PRECEDENCE
from ...errors import UsageError
from ...model.report import Report
from ...model.run import Totals
from ...settings import Settings

_WORST_FIRST = ("regressed", "cannot_judge", "not_judged", "inconclusive", "pass", "unaffected")


def report_place(settings: Settings) -> Path:
    """Return where pytest writes the report."""
    folder = settings.report_dir or settings.root / settings.config.store
    return folder / "report.json"


def load_report(
    where: str | None, settings: Settings, *, trusted: bool = True, event: Mapping[str, Any] | None = None
) -> Report:
    """Read the report, or all of a folder as one. Raises UsageError with a line for people.

    trusted  this very workflow run wrote it; else the one of whose end `event` tells
    One that another workflow run wrote is refused, and so is one that came with the checkout.
    """
    place = Path(where) if where is not None else report_place(settings)
    reports = read_reports(place, trusted=trusted)
    writer = settings.github.run_id if trusted else _other_run(event or {})
    for one in reports:
        if writer and one.workflow_run and one.workflow_run != writer:
            raise UsageError(
                f"{place}: the report of workflow run {one.workflow_run[:40]!r}, and asked for is that of "
                f"{writer}; did pytest --aioncall run, and get as far as a report?"
            )
    if trusted and writer:
        _refuse_committed(place)
    return together(reports)


def _other_run(event: Mapping[str, Any]) -> str:
    told = event.get("workflow_run")
    return str(told.get("id") or "") if isinstance(told, Mapping) else ""


def _refuse_committed(place: Path) -> None:
    """Refuse a report that git has: whoever wrote the change wrote it, and no run of this job did."""
    for path in sorted(place.rglob(NAME)) if place.is_dir() else [place]:
        real = path.resolve()
        if git.is_tracked(real.parent, real):
            raise UsageError(
                f"{path}: is committed, so it says nothing of this run; take it out of git "
                "(git rm --cached) and keep .aioncall/ in .gitignore"
            )


def together(reports: Sequence[Report]) -> Report:
    """Put the reports of several jobs together, as if one job had run all of their evalsets.

    Shards of one evalset are not judged by themselves; `aioncall gate` over all of them writes the report
    that is to be published.
    """
    if len(reports) == 1:
        return reports[0]
    first = reports[0]
    costs = [one.run.totals.cost_usd for one in reports]
    totals = Totals(
        planned=sum(one.run.totals.planned for one in reports),
        judged=sum(one.run.totals.judged for one in reports),
        errors=sum(one.run.totals.errors for one in reports),
        retries=sum(one.run.totals.retries for one in reports),
        replayed=sum(one.run.totals.replayed for one in reports),
        cost_usd=sum(cost or 0.0 for cost in costs) if None not in costs else None,
        # They ran beside each other.
        wall_s=max(one.run.totals.wall_s for one in reports),
    )
    run = first.run.model_copy(
        update={
            "evalsets": tuple(planned for one in reports for planned in one.run.evalsets),
            "totals": totals,
            "complete": all(one.run.complete for one in reports),
        }
    )
    codes = {one.exit_code for one in reports}
    return first.model_copy(
        update={
            "run": run,
            "status": min((one.status for one in reports), key=_WORST_FIRST.index),
            "exit_code": next((code for code in PRECEDENCE if code in codes), max(codes)),
            "evalsets": tuple(evalset for one in reports for evalset in one.evalsets),
            "review": next((one.review for one in reports if one.review is not None), None),
        }
    )
