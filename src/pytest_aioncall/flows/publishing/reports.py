"""The report that is published: of this job, or of several jobs that each ran some of the evalsets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...adapters.report_file import read_reports
from ...decide.exit_codes import PRECEDENCE
from ...model.report import Report
from ...model.run import Totals
from ...settings import Settings

_WORST_FIRST = ("regressed", "cannot_judge", "not_judged", "inconclusive", "pass", "unaffected")


def report_place(settings: Settings) -> Path:
    """Return where pytest writes the report."""
    folder = settings.report_dir or settings.root / settings.config.store
    return folder / "report.json"


def load_report(where: str | None, settings: Settings, *, trusted: bool = True) -> Report:
    """Read the report, or all of a folder as one. Raises UsageError with a line for people."""
    place = Path(where) if where is not None else report_place(settings)
    return together(read_reports(place, trusted=trusted))


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
