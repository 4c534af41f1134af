"""`--aioncall-shard K/N`: cases of other shards are deselected, as by -k; ordinary tests are not divided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .items import CaseItem

if TYPE_CHECKING:
    from ..flows.evalrun import EvalRun
    from ..model.report import Report
    from .selected import Selected


def deselect_other_shards(
    items: list[pytest.Item], *, run: EvalRun, selected: Selected, config: pytest.Config
) -> None:
    """Take the cases of other shards out of `items` and tell pytest of them.

    Every evalset that has a case among the items is met, also where none of them is of this shard: a shard
    without a case is there when all are put together.
    """
    part = run.part
    if part is None:
        return
    kept: list[pytest.Item] = []
    gone: list[pytest.Item] = []
    for item in items:
        if not isinstance(item, CaseItem):
            kept.append(item)
            continue
        selected.meet(str(item.path))
        mine = part.cases_of(run.prepared[item.job.evalset])
        (kept if item.job.case.id in mine else gone).append(item)
    if gone:
        items[:] = kept
        config.hook.pytest_deselected(items=gone)


def status_without_cases(report: Report, status: int | pytest.ExitCode) -> int | pytest.ExitCode:
    """Return the exit status: a shard without a case, and a change without effect, had nothing to do.

    Where the report itself has an exit status, that is it: it says why no case ran.
    """
    nothing_to_do = report.run.shard is not None or report.run.change is not None
    if (nothing_to_do or report.exit_code) and status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return pytest.ExitCode.OK
    return status
