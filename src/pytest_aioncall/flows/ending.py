"""The end of a run: what is complete is judged, the record is closed, and all of it becomes a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..decide.exit_codes import CANNOT_JUDGE
from ..decide.sides import epochs_of
from ..errors import AioncallError
from ..model.report import AlreadyRegressed, Report
from ..model.run import Run, RunEvalset
from ..model.verdict import Judgement
from .evalrun import EvalRun
from .judge import BaselineFound, judge_record, rows_compared
from .keyless import judged_without_key
from .leftout import WHY, WHY_PART, left_out
from .prepare import Prepared
from .record import EvalsetRecord
from .report import EvalsetInput, build_report
from .reviewed import Reviews, base_reviews


def finish(
    run: EvalRun,
    complete: Mapping[str, bool],
    *,
    why_partial: str,
    selected: Mapping[str, int],
    unaffected: Sequence[str] = (),
    below: Sequence[Path] | None = None,
) -> Report | None:
    """Judge what is complete and close the record; None where nothing ran and nothing was left out.

    complete     of each evalset, whether all of its cases were selected and finished
    why_partial  what ended the session early, or empty
    selected     how many cases of each evalset were to run
    unaffected   evalsets that were selected and that the change cannot affect
    below        files and folders whose evalsets all have to be judged, also those that only the merge base
                 shows; what is not makes the run no green one. None: a part that somebody chose is fine
    """
    now = run.now()
    ends = [
        _End(run, name, is_complete=is_complete, why_partial=why_partial)
        for name, is_complete in complete.items()
    ]
    inputs = [end.judged(selected=selected.get(end.one.name, 0)) for end in ends]
    reviews = _reviews(run, inputs, unaffected)
    inputs = [replace(one, review=reviews.by_evalset.get(one.planned.evalset)) for one in inputs]
    run.record.change = run.beside.limit(
        (run.prepared[name] for name in complete), (run.prepared[name] for name in unaffected)
    )
    hidden = _hidden(run, [*complete, *unaffected], below) if below is not None else []
    narrowed = below is not None and not why_partial and not all(end.finished for end in ends)
    if narrowed:
        inputs = [_narrowed(one) if not end.finished else one for end, one in zip(ends, inputs, strict=True)]
    if (unaffected or hidden) and not inputs:
        run.record.keep([])  # a run without a case is a run still: it says that nothing had to be judged
    finished = bool(ends or unaffected) and all(end.finished for end in ends) and not hidden
    closed = _close(run, inputs, complete=finished)
    if closed is None:
        return None
    inputs += [*(_left_out(run, name) for name in unaffected), *hidden]
    report = build_report(closed, inputs, folder=run.record.folder, now=now, review=reviews.rest)
    stopped = any(one.record.cancelled or (run.part is None and _is_outage(one)) for one in inputs)
    if not report.exit_code and (stopped or narrowed or hidden):
        # The cap, an outage or the change itself stopped it, nobody chose a part: what was not asked is not
        # green. How many errors are too many is said of a whole run, so of a shard it is said by the gate.
        return report.model_copy(update={"exit_code": CANNOT_JUDGE})
    return report


def _reviews(run: EvalRun, inputs: Sequence[EvalsetInput], unaffected: Sequence[str]) -> Reviews:
    """Say what the branch proposes; a shard is not judged, so it is not told there."""
    if run.part is not None:
        return Reviews()
    names = [*(one.planned.evalset for one in inputs), *unaffected]
    return base_reviews(
        [run.prepared[name] for name in names],
        run.settings,
        baselines={one.planned.evalset: one.found.proposal for one in inputs},
    )


def _hidden(run: EvalRun, met: Sequence[str], below: Sequence[Path]) -> list[EvalsetInput]:
    """Return what there is to say of evalsets of the merge base that this run did not meet."""
    try:
        found = left_out([run.prepared[name] for name in met], run.settings, below=below)
    except (AioncallError, OSError):
        return []  # told with what the branch proposes, which asks the same of git
    return [
        EvalsetInput(
            planned=planned,
            cases=(),
            record=EvalsetRecord(),
            found=BaselineFound(),
            judgement=None,
            not_judged_because=WHY,
        )
        for planned in found
    ]


def _narrowed(one: EvalsetInput) -> EvalsetInput:
    """Say of an evalset of which only a part ran that nobody chose the part."""
    if one.record.cancelled:
        return one
    return replace(one, not_judged_because=f"{one.not_judged_because or 'a part ran'}, {WHY_PART}")


def _left_out(run: EvalRun, name: str) -> EvalsetInput:
    """Return what there is to say of an evalset that the change cannot affect."""
    one = run.prepared[name]
    limit = run.record.change
    since = f" (since {limit.ref}@{limit.commit[:7]})" if limit is not None else ""
    return EvalsetInput(
        planned=one.planned(run.fingerprint(one), complete=False, root=run.settings.root),
        cases=(),
        record=EvalsetRecord(),
        found=BaselineFound(),
        judgement=None,
        not_judged_because=f"unaffected by this change{since}, $0",
        unaffected=True,
        description=one.evalset.description,
    )


class _End:
    """One evalset when its run is over."""

    def __init__(self, run: EvalRun, name: str, *, is_complete: bool, why_partial: str) -> None:
        self.run = run
        self.one: Prepared = run.prepared[name]
        self.record = run.record.evalsets.get(name, EvalsetRecord())
        self.why_partial = why_partial
        drawn = len(self.record.rows)
        self.finished = is_complete and not self.record.cancelled and drawn == run.asked_of(self.one)
        self.whole = self.finished and run.part is None

    def judged(self, *, selected: int) -> EvalsetInput:
        """Judge the evalset where all of it is there; say why not where it is not."""
        planned, because = self._planned(), self._why_not_judged()
        found = self.run.baselines[self.one.name]
        settings = self.run.settings
        judgement, already, key = None, tuple[AlreadyRegressed, ...](), None
        if not because:
            daily, lacking = self.run.beside.daily, self.run.keyless.get(self.one.name)
            judged = judge_record(planned, self.record, found, settings, rules=self.one.rules, daily=daily)
            if lacking is not None:
                judged, key = judged_without_key(
                    self.one, planned, self.record, judged, settings=settings, key=lacking, daily=daily
                )
            judgement, already = judged.judgement, judged.already
        if judgement is not None:
            worst = self.record.reasons.beside(judgement.worst)
            judgement = judgement.model_copy(update={"worst": worst})
        return EvalsetInput(
            planned=planned,
            cases=self.one.evalset.cases,
            record=replace(self.record, rows=dict(rows_compared(planned, self.record))),
            found=found,
            judgement=judgement,
            not_judged_because=because,
            unfinished=self._unfinished(judgement, selected=selected),
            affected_by=self.run.beside.causes(self.one),
            already=already,
            without_key=key,
            description=self.one.evalset.description,
            max_age_days=self.one.evalset.baseline_max_age_days
            or settings.config.defaults.baseline_max_age_days,
        )

    def _planned(self) -> RunEvalset:
        run, one = self.run, self.one
        planned = one.planned(
            run.fingerprint(one),
            complete=self.whole,
            root=run.settings.root,
            floors=self.record.all_floors,
            drawn=[epochs_of(row) for row in self.record.rows.values()],
        ).model_copy(update={"capped": self.record.stopped_by_cap})
        if run.part is not None:
            return planned.model_copy(update={"samples": run.part.samples_of(one)})
        if not self.whole and one.plan is not None:
            # What the rounds that have begun ask for; what may follow is not known.
            asked = sum(job.epochs for job in one.jobs) + run.rounds.asked_again(one.name)
            return planned.model_copy(update={"samples": asked})
        return planned

    def _why_not_judged(self) -> str | None:
        run, cases, capped = self.run, len(self.record.rows), None
        if self.record.cancelled:
            capped = f"the cost cap was reached, {self.record.cancelled} samples were not asked"
        if run.part is not None:
            return run.part.why_not_judged(self.one, done=cases, ended=capped or self.why_partial)
        if capped or self.whole:
            return capped
        if not self.why_partial:
            return f"{cases} of {len(self.one.jobs)} cases ran"
        number = run.rounds.under_way(self.one.name)
        return self.why_partial if number is None else f"{self.why_partial} in round {number}"

    def _unfinished(self, judgement: Judgement | None, *, selected: int) -> int:
        """Return how many samples were to be made and have no answer; resuming asks them.

        Errors that the evalset bears are part of its verdict.
        """
        if judgement is not None and judgement.status != "cannot_judge":
            return 0
        name = self.one.name
        first = selected * (self.one.jobs[0].epochs if self.one.jobs else 0)
        return max(0, first + self.run.rounds.asked_again(name) - self.run.record.answered[name])


def _close(run: EvalRun, inputs: Sequence[EvalsetInput], *, complete: bool) -> Run | None:
    """Write `run.json` for good; None where nothing ran. A shard without a case leaves one, too."""
    names = [one.planned.evalset for one in inputs]
    if run.part is not None:
        run.part.told_of = names
        if names and not any(run.asked_of(run.prepared[name]) for name in names):
            run.record.keep([])
    run.told()
    return run.record.close(
        planned=[one.planned for one in inputs],
        complete=complete,
        wall_s=run.wall_s,
        ended=run.now(),
        unfinished=sum(one.unfinished for one in inputs),
    )


def _is_outage(one: EvalsetInput) -> bool:
    """Tell whether more samples of a partial run failed than the evalset allows."""
    rows = one.record.rows.values()
    samples = sum(len(row.latency_s) for row in rows)
    errors = sum(row.errors for row in rows)
    return one.judgement is None and samples > 0 and errors / samples > one.planned.max_error_rate
