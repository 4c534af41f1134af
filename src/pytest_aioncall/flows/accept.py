"""`aioncall baseline accept|show|diff`: the only way a baseline comes to be, or moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ..adapters import git
from ..adapters.baseline_store import (
    Baseline,
    baseline_path,
    baseline_text,
    outputs_path,
    outputs_text,
    stored_output,
)
from ..adapters.files import remove_file, replace_text
from ..adapters.redaction import Redactor, find_personal_data, find_secrets
from ..decide.rows import output_hash
from ..decide.sides import Side
from ..decide.sight import sight_of
from ..errors import NotComparable, UsageError
from ..model.baseline import Acceptance, BaselineHeader, StoredOutput
from ..model.run import Run, RunEvalset
from ..model.sample import Sample
from ..model.verdict import Judgement, Sight
from ..settings import Settings
from .judge import find_baseline, judge_record
from .record import EvalsetRecord, rfc3339
from .runs import evalset_of, load_run, record_of, samples_by_case


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was written, and what a reviewer wants to know of it."""

    evalset: str
    path: Path
    cases: int
    epochs: int
    moved: tuple[str, ...]
    judgement: Judgement
    sights: tuple[Sight, ...]


def accept(
    names: Sequence[str],
    *,
    run: str,
    reason: str,
    by: str | None,
    ticket: str | None,
    settings: Settings,
) -> list[Accepted]:
    """Write the baselines of a run's evalsets (all of them where `names` is empty).

    Raises UsageError for a run that is partial, could not be judged, regressed without a ticket, or whose
    outputs hold secrets or personal data. Nothing is written unless everything can be.
    """
    if not reason.strip():
        raise UsageError("--reason is empty; say in one sentence why this is how it should be")
    folder, found = load_run(run, settings)
    who = by or git.user_of(settings.root)
    if who is None:
        raise UsageError("nobody to name as accepting: set git's user.name, or pass --by NAME")
    wanted = [evalset_of(found, name) for name in names] if names else list(found.evalsets)
    if not wanted:
        raise UsageError(f"run {found.id} was killed before its end; there is nothing to accept")
    ready = [_Acceptance(one, found, folder, settings).checked(ticket=ticket) for one in wanted]
    return [one.write(reason=reason.strip(), who=who, ticket=ticket) for one in ready]


class _Acceptance:
    """Accepts one evalset of one run."""

    def __init__(self, planned: RunEvalset, run: Run, folder: Path, settings: Settings) -> None:
        self.planned = planned
        self.run = run
        self.settings = settings
        self.path = baseline_path(settings.root / planned.file, planned.evalset)
        self.samples: dict[str, list[Sample]] = samples_by_case(folder, planned.evalset)
        self.record: EvalsetRecord = record_of(planned, self.samples)
        self.before: Baseline | None = None
        self.judgement: Judgement | None = None

    def checked(self, *, ticket: str | None) -> _Acceptance:
        name, planned = self.planned.evalset, self.planned
        if not planned.complete or len(self.samples) < planned.cases:
            raise UsageError(
                f"{name}: run {self.run.id} is partial ({len(self.samples)} of {planned.cases} cases); "
                "accept a whole run: pytest --aioncall"
            )
        if self.record.not_recorded:
            raise UsageError(
                f"{name}: {self.record.not_recorded} samples were not recorded in the cassettes; "
                "record them first: pytest --aioncall --aioncall-record"
            )
        settings = replace(self.settings, require_baseline=False, baseline_ref=None)
        found = find_baseline(self.settings.root / planned.file, name, settings)
        if found.unreadable and found.why_not:
            raise NotComparable(found.why_not)
        self.before = found.baseline
        judgement = self.judgement = judge_record(planned, self.record, found, settings).judgement
        if judgement.status == "cannot_judge":
            raise UsageError(f"{name}: run {self.run.id} could not be judged: {judgement.summary}")
        if self.record.user_errors:
            raise UsageError(
                f"{name}: {self.record.user_errors} samples ended in an exception; mend them first"
            )
        broken = [f for f in judgement.floors if not f.ok]
        if broken:
            raise UsageError(
                f"{name}: {broken[0].kind} {broken[0].scorer} is broken in {broken[0].case}; "
                "a broken floor cannot be accepted: mend it, or take it out of the evalset"
            )
        if judgement.status == "regressed" and not ticket:
            raise UsageError(
                f"{name}: run {self.run.id} regressed: {judgement.summary}. To accept it on purpose: "
                "--accept-regression TICKET"
            )
        self._refuse_private_text()
        return self

    def _refuse_private_text(self) -> None:
        """Baselines are committed: nothing secret and nobody's personal data may get in."""
        if self._outputs == "none":
            return
        for case, samples in self.samples.items():
            for sample in samples:
                text = sample.output.text if sample.output else ""
                kinds = [*find_secrets(text), *find_personal_data(self._redactor.text(text))]
                if kinds:
                    raise UsageError(
                        f"{self.planned.evalset}: output of {case} epoch {sample.epoch} looks like it holds "
                        f"{kinds[0]}; add a pattern to redact in aioncall.yaml, or set outputs: none"
                    )

    @property
    def _redactor(self) -> Redactor:
        return Redactor(self.settings.secrets.values(), self.settings.config.redact)

    @property
    def _outputs(self) -> str:
        return self.planned.outputs

    def write(self, *, reason: str, who: str, ticket: str | None) -> Accepted:
        planned = self.planned
        assert self.judgement is not None  # noqa: S101 - checked() came first
        accepts: tuple[Acceptance, ...] = ()
        if ticket and self.judgement.status == "regressed":
            accepts = tuple(
                Acceptance(scorer=v.scorer, slice=v.slice, ticket=ticket)
                for v in self.judgement.verdicts
                if v.status == "regressed"
            )
        header = BaselineHeader(
            evalset=planned.evalset,
            accepted_by=who,
            accepted_at=rfc3339(self.settings.now or datetime.now(UTC)),
            reason=reason,
            commit=self.run.commit,
            run=self.run.id,
            instrument=planned.fingerprint.instrument,
            subject=planned.fingerprint.subject,
            scorers=planned.scorers,
            accepts=accepts,
        )
        rows = tuple(self.record.rows.values())
        replace_text(self.path, baseline_text(header, rows))
        beside = outputs_path(self.path)
        if self._outputs == "none":
            remove_file(beside)
        else:
            replace_text(beside, outputs_text(self._kept_outputs()))
        before = {row.case: row for row in self.before.rows} if self.before else {}
        moved = tuple(
            row.case for row in rows if row.case in before and before[row.case].scores != row.scores
        )
        side = Side(rows=rows, scorers=planned.scorers, planned_epochs=planned.epochs)
        sights = tuple(sight_of(side, planned.gates, self.settings.config.defaults))
        return Accepted(
            planned.evalset, self.path, len(rows), planned.epochs, moved, self.judgement, sights=sights
        )

    def _kept_outputs(self) -> list[StoredOutput]:
        redactor = self._redactor
        return [
            stored_output(
                case,
                sample.epoch,
                text=sample.output.text if self._outputs == "full" else redactor.text(sample.output.text),
                sha256=output_hash(sample.output),
                keep_all=self._outputs == "full",
            )
            for case, samples in self.samples.items()
            for sample in samples
            if sample.output is not None
        ]


@dataclass(frozen=True, slots=True)
class Move:
    """One case's scores then and now (means over judged epochs)."""

    case: str
    scorer: str
    was: float
    now: float


def diff(name: str | None, *, run: str, settings: Settings) -> tuple[Baseline, list[Move], Judgement]:
    """Compare a run with the committed baseline: every case whose mean moved, largest fall first."""
    folder, found = load_run(run, settings)
    planned = evalset_of(found, name)
    record = record_of(planned, samples_by_case(folder, planned.evalset))
    if not planned.complete:
        raise UsageError(
            f"{planned.evalset}: run {found.id} is partial ({len(record.rows)} of {planned.cases} cases); "
            "compare a whole run: pytest --aioncall"
        )
    there = find_baseline(settings.root / planned.file, planned.evalset, settings)
    if there.baseline is None:
        raise NotComparable(f"{planned.evalset}: {there.why_not}")
    before = {row.case: row for row in there.baseline.rows}
    moves = []
    for case, row in record.rows.items():
        was = before.get(case)
        for scorer in row.scores:
            if was is None or scorer not in was.scores:
                continue
            old, new = _mean(was.scores[scorer]), _mean(row.scores[scorer])
            if old is not None and new is not None and old != new:
                moves.append(Move(case, scorer, old, new))
    moves.sort(key=lambda m: (m.now - m.was, m.case))
    return there.baseline, moves, judge_record(planned, record, there, settings).judgement


def _mean(values: Sequence[float | None]) -> float | None:
    judged = [v for v in values if v is not None]
    return sum(judged) / len(judged) if judged else None
