"""Are scores that a branch brings for the base's answers those that its scorers give? Asked, not believed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..adapters.baseline_store import Baseline
from ..adapters.registry import BoundScorer
from ..adapters.text import log_line
from ..decide.instrument import differs
from ..decide.rows import output_hash
from ..decide.sides import epochs_of
from ..engine import Job
from ..model.baseline import CaseRow
from ..model.sample import Output
from .prepare import Prepared
from .stored import baseline_outputs, parts_needed

_SAME: float = 1e-9
"""By how much of its scale a score may differ between two machines."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One score that can be given anew: by whom, of which answer, and what the branch says it is."""

    scorer: BoundScorer
    job: Job
    epoch: int
    output: Output
    told: float | None


def edited_scores(base: Baseline, anew: Baseline, prepared: Prepared) -> str:
    """Say which scores of `anew` its scorers do not give for the answers of `base`; "" where none is.

    anew      `base` with scores that a branch brings, of scorers that it changed
    prepared  the evalset with the scorers of today

    A judge, and whatever else may score differently next time, is not asked again; nor is anything of an
    answer that the baseline keeps only a part of.
    """
    asked = list(_asked(base, anew, prepared))
    given = asyncio.run(_given(asked)) if asked else []
    wrong = [one for one, value in zip(asked, given, strict=True) if not _same(one, value)]
    if not wrong:
        return ""
    first = wrong[0]
    return (
        f"{len(wrong)} of {len(asked)} scores that were judged again are not what their scorers give for the "
        f"stored answers, first {log_line(first.scorer.name, 60)} on {log_line(first.job.case.id, 80)} epoch "
        f"{first.epoch}; none of them counts. Restore the baseline of the base and run aioncall rejudge"
    )


def _asked(base: Baseline, anew: Baseline, prepared: Prepared) -> Iterator[_Asked]:
    """Yield what can be scored anew: by a deterministic scorer, of an answer that was kept whole."""
    was = base.header.scorers
    names = {
        name
        for name, info in anew.header.scorers.items()
        if (name not in was or differs(info, was[name]))
        and name in prepared.infos
        and not differs(prepared.infos[name], info)
    }
    if not names:
        return
    before = {row.case: row for row in base.rows}
    rows = {row.case: row for row in anew.rows}
    stored = baseline_outputs(base, rows=before)
    whole = {(one.case, one.epoch): one.sha256 for one in base.outputs()}
    for job in prepared.jobs:
        row = rows.get(job.case.id)
        if row is None or row.digest not in (job.case.digest, prepared.compared_as.get(job.case.id)):
            continue
        for scorer in job.scorers:
            if not (isinstance(scorer, BoundScorer) and scorer.name in names and _is_repeatable(scorer)):
                continue
            if scorer.name not in row.scores and row.digest != job.case.digest:
                continue  # its floors were changed, so it was not judged again
            for epoch in range(epochs_of(before[row.case])):
                output, lacking = stored.get((row.case, epoch), (None, frozenset[str]()))
                if output is None or lacking & parts_needed(scorer):
                    continue
                if output_hash(output) == whole.get((row.case, epoch)):
                    yield _Asked(scorer, job, epoch, output, _told(row, scorer.name, epoch))


def _is_repeatable(scorer: BoundScorer) -> bool:
    return scorer.traits.deterministic and not scorer.traits.models


def _told(row: CaseRow, scorer: str, epoch: int) -> float | None:
    values = row.scores.get(scorer, ())
    return values[epoch] if epoch < len(values) else None


async def _given(asked: list[_Asked]) -> list[float | None]:
    return [await _scored(one) for one in asked]


async def _scored(one: _Asked) -> float | None:
    """Return a score; None where the scorer gives none, as a baseline has it."""
    try:
        async with asyncio.timeout(one.job.timeout_s):
            score = await one.scorer.scorer.score(one.job.case, one.output, epoch=one.epoch)
    except (Exception, SystemExit):  # noqa: BLE001 - a scorer that crashes is no score, as in a run
        return None
    return score.value if score.error is None else None


def _same(one: _Asked, value: float | None) -> bool:
    if value is None or one.told is None:
        return value is one.told
    low, high = one.scorer.traits.scale
    return math.isclose(value, one.told, rel_tol=0.0, abs_tol=_SAME * (high - low))
