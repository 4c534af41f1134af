"""What a branch proposes in place of the baseline that it left: acceptances, scores of a new instrument."""

from __future__ import annotations

from pathlib import Path

from ..adapters.baseline_store import Baseline, read_baseline
from ..decide.instrument import differs
from ..decide.movement import movements
from ..model.baseline import Acceptance, BaselineHeader, CaseRow
from ..model.report import ProposedBaseline, ProposedMean


def proposed(base: Baseline, path: Path) -> tuple[Baseline, tuple[Acceptance, ...]]:
    """Return what this branch is compared with, and which regressions it accepts.

    That is the baseline where the branch left (`base`). Where the branch has had the very same outputs judged
    again, the scorers that changed are taken from there: `base` has no scores of them that could be compared.
    """
    if not path.is_file():
        return base, ()
    head = read_baseline(path)
    if _identity(head.header) != _identity(base.header):
        # An acceptance speaks of the step to its own baseline. Compared with that baseline itself it would
        # excuse whatever comes after it.
        return base, head.header.accepts
    return _with_new_scores(base, head), ()


def proposal_of(base: Baseline | None, path: Path, *, file: str, owner: str) -> ProposedBaseline | None:
    """Say what a branch would put in place of the base's baseline; None where it leaves that alone."""
    if not path.is_file():
        return None
    head = read_baseline(path)
    was = base.header if base is not None else None
    if base is not None and head.header == was and head.rows == base.rows:
        return None
    now = head.header
    again = was is not None and _identity(now) == _identity(was)
    before = dict(was.scorers) if was is not None else {}
    if again:
        # On the same answers the step of a changed instrument says what that changed.
        before |= {
            n: info for n, info in now.scorers.items() if n in before and info.scale == before[n].scale
        }
    moved = movements(
        head.rows,
        base.rows if base is not None else (),
        scorers=now.scorers,
        scorers_before=before,
    )
    return ProposedBaseline(
        file=file,
        owner=owner,
        accepted_by=now.accepted_by,
        accepted_at=now.accepted_at,
        reason=now.reason,
        run=now.run,
        commit=now.commit,
        was_accepted_by=was.accepted_by if was is not None else None,
        was_accepted_at=was.accepted_at if was is not None else None,
        was_reason=was.reason if was is not None else None,
        accepts=now.accepts,
        means=tuple(
            ProposedMean(scorer=m.scorer, scale=m.scale, cases=m.cases, was=m.was, now=m.now) for m in moved
        ),
        cases=len(head.rows),
        was_cases=len(base.rows) if base is not None else None,
        rejudged=again,
    )


def _identity(header: BaselineHeader) -> tuple[object, ...]:
    """Return what makes an acceptance: judging its outputs again makes it no new one."""
    return header.accepted_by, header.accepted_at, header.reason, header.run, header.accepts


def _with_new_scores(base: Baseline, head: Baseline) -> Baseline:
    """Return `base` with the scores of the scorers that only `head` measures by today's instrument."""
    was, now = base.header, head.header
    before = len(was.rejudged)
    judged_again = len(now.rejudged) > before and now.rejudged[:before] == was.rejudged
    if not judged_again or head.mismatch or now.outputs is None or now.outputs != was.outputs:
        return base
    changed = {
        name
        for name, info in now.scorers.items()
        if name not in was.scorers or differs(info, was.scorers[name])
    }
    anew = {row.case: row for row in head.rows}
    header = was.model_copy(
        update={
            "scorers": {**was.scorers, **{name: now.scorers[name] for name in changed}},
            "instrument": {**was.instrument, **{n: now.instrument.get(n) for n in changed}},
            "rejudged": now.rejudged,
        }
    )
    rows = tuple(_row(row, anew.get(row.case), changed) for row in base.rows)
    return Baseline(header, rows, base.output_hashes, base.path, base.outputs_text, base.mismatch)


def _row(row: CaseRow, anew: CaseRow | None, changed: set[str]) -> CaseRow:
    scores = {name: values for name, values in row.scores.items() if name not in changed}
    labels = {name: values for name, values in row.labels.items() if name not in changed}
    if anew is not None and anew.digest == row.digest:
        scores |= {name: anew.scores[name] for name in changed if name in anew.scores}
        labels |= {name: anew.labels[name] for name in changed if name in anew.labels}
    return row.model_copy(update={"scores": scores, "labels": labels})
