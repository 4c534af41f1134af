"""Score the outputs that a baseline keeps again, and write the baseline anew."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ..adapters import git
from ..adapters.baseline_store import Baseline, baseline_text, read_baseline
from ..adapters.evalset_files import load_evalset
from ..adapters.files import replace_all
from ..adapters.run_store import read_samples
from ..decide.instrument import changed_parts
from ..decide.sides import epochs_of
from ..errors import AioncallError, UsageError
from ..model.baseline import BaselineHeader, CaseRow, Rejudgement
from ..model.sample import Output, Sample, Score
from ..settings import Settings
from .acceptable import listed
from .evalrun import EvalRun
from .prepare import Prepared, shown_path
from .record import rfc3339
from .rejudged import Rejudged, RejudgeRequest, means_of_rows, moves_of
from .rescoring import (
    Rescored,
    Say,
    Wanted,
    applying,
    case_of,
    jobs_for,
    refuse_failures,
    rescore,
    scorers_wanted,
)
from .runs import runs_folder
from .stored import Missing, Place, baseline_outputs, missing_parts


class BaselineAgain:
    """Judges the outputs of one baseline again."""

    def __init__(self, path: Path, request: RejudgeRequest, settings: Settings) -> None:
        self.path, self.request, self.settings = path, request, settings
        self.baseline: Baseline = read_baseline(path)
        self.name = self.baseline.header.evalset
        if request.evalset not in (None, self.name):
            raise UsageError(f"{request.name} is the baseline of {self.name!r}, not of {request.evalset!r}")
        self.file = _evalset_file(path, self.name, settings)

    def rejudge(self, say: Say | None) -> Rejudged:
        header = self.baseline.header
        run = EvalRun(self.settings)
        prepared = run.load(self.file)
        wanted = scorers_wanted(
            prepared.infos, header.scorers, every=self.request.every, changed=changed_parts
        )
        if not wanted.names and not wanted.gone:
            return Rejudged(self.name, "baseline", None, {})
        who = self._who()
        cases = case_of(prepared)
        same = {r.case: r for r in self.baseline.rows if r.case in cases and r.digest == cases[r.case].digest}
        stored = baseline_outputs(self.baseline, rows=same, samples=self._samples(same))
        self._refuse_incomplete(prepared, wanted, same, stored)
        outputs = {place: output for place, (output, _) in stored.items()}
        jobs = jobs_for(
            prepared,
            outputs,
            wanted=wanted.names,
            cases=same,
            with_must=(),
        )
        found = rescore(run, jobs, outputs, say=say)
        refuse_failures(found, name=self.name, max_rate=prepared.evalset.errors.max_rate)
        rows = [self._row(row, wanted, same, found, prepared) for row in self.baseline.rows]
        self._write(rows, prepared, wanted, who)
        moves, fresh = moves_of(
            wanted, prepared, means_of_rows(self.baseline.rows, same), means_of_rows(rows, same)
        )
        return Rejudged(
            self.name,
            "baseline",
            shown_path(self.path, self.settings.root),
            wanted.why,
            gone=wanted.gone,
            outputs=len(found.scores),
            moves=moves,
            fresh=fresh,
            errors=len(found.errors()),
            left=tuple(r.case for r in self.baseline.rows if r.case not in same),
            cost_usd=found.cost_usd,
        )

    def _who(self) -> str:
        if not self.request.reason.strip():
            raise UsageError(
                f"{self.name}: --reason is missing; a baseline is reviewed, so say in one sentence why it is "
                "judged again"
            )
        who = self.request.by or git.user_of(self.settings.root)
        if who is None:
            raise UsageError("nobody to name: set git's user.name, or pass --by NAME")
        return who

    def _samples(self, same: Collection[str]) -> list[Sample]:
        """Return the samples of the run behind this baseline, where its folder is still there."""
        run = self.baseline.header.run
        folder = runs_folder(self.settings) / run if run else None
        if folder is None or not folder.is_dir():
            return []
        try:
            return [s for s in read_samples(folder, cases=set(same)) if s.evalset == self.name]
        except AioncallError:
            return []

    def _refuse_incomplete(
        self,
        prepared: Prepared,
        wanted: Wanted,
        same: Mapping[str, CaseRow],
        stored: Mapping[Place, tuple[Output, frozenset[str]]],
    ) -> None:
        file = shown_path(self.file, self.settings.root)
        again = f"run the target again: pytest --aioncall {shlex.quote(file)}, then aioncall baseline accept"
        if self.baseline.mismatch:
            raise UsageError(
                f"{self.name}: {self.baseline.mismatch}; restore both files from one commit, or {again}"
            )
        scorers = applying(prepared, wanted.names, same)
        expected = [
            (case, epoch)
            for case, row in same.items()
            for epoch in range(epochs_of(row))
            if scorers.get(case) and not (row.errors and (case, epoch) not in stored)
        ]
        missing = missing_parts(stored, scorers=scorers, expected=expected)
        if missing:
            kept = bool(self.baseline.outputs_text)
            raise UsageError(f"{self.name}: {_missing_told(missing, kept=kept)}; {again}. {_advice(file)}")

    def _row(
        self,
        row: CaseRow,
        wanted: Wanted,
        same: Collection[str],
        found: Rescored,
        prepared: Prepared,
    ) -> CaseRow:
        """Return a row with its new scores; one of another question keeps what is not measured anew."""
        kept = {n: v for n, v in row.scores.items() if n in prepared.infos and n not in wanted.names}
        labels = {n: v for n, v in row.labels.items() if n in kept}
        if row.case in same:
            epochs = range(epochs_of(row))
            by_epoch = [{s.scorer: s for s in found.scores.get((row.case, e), ())} for e in epochs]
            for name in wanted.names:
                if any(name in scores for scores in by_epoch) or row.errors >= len(epochs):
                    # Where every sample errored, each scorer was planned and none could judge.
                    given = [_good(scores.get(name)) for scores in by_epoch]
                    kept[name] = tuple(s.value if s else None for s in given)
                    if any(s and s.label is not None for s in given):
                        labels[name] = tuple(s.label if s else None for s in given)
        return row.model_copy(
            update={"scores": _ordered(kept, prepared), "labels": _ordered(labels, prepared)}
        )

    def _write(self, rows: Sequence[CaseRow], prepared: Prepared, wanted: Wanted, who: str) -> None:
        was = self.baseline.header
        now = rfc3339(self.settings.now or datetime.now(UTC))
        told = Rejudgement(
            at=now,
            by=who,
            reason=self.request.reason.strip(),
            scorers=tuple(sorted({*wanted.names, *wanted.gone})),
        )
        header: BaselineHeader = was.model_copy(
            update={
                "scorers": dict(prepared.infos),
                "instrument": {name: info.hash for name, info in prepared.infos.items()},
                "rejudged": (*was.rejudged, told),
            }
        )
        replace_all({self.path: baseline_text(header, rows)})


def _evalset_file(baseline: Path, evalset: str, settings: Settings) -> Path:
    """Return the evalset file that a baseline belongs to; UsageError where there is none."""
    folder = baseline.parent.parent
    files = sorted(folder.glob("*.eval.yaml"), key=lambda p: p.name != f"{evalset}.eval.yaml")
    for path in files:
        try:
            if load_evalset(path, root=settings.root).evalset == evalset:
                return path
        except UsageError:
            if path.name == f"{evalset}.eval.yaml":
                raise
    raise UsageError(
        f"{shown_path(baseline, settings.root)}: no evalset {evalset!r} in "
        f"{shown_path(folder, settings.root)}; was it renamed? aioncall check names such baselines"
    )


def _good(score: Score | None) -> Score | None:
    return None if score is None or score.error is not None else score


def _ordered(values: Mapping[str, tuple[object, ...]], prepared: Prepared) -> dict[str, tuple[object, ...]]:
    return {name: values[name] for name in prepared.infos if name in values}


def _missing_told(missing: Sequence[Missing], *, kept: bool) -> str:
    """Say which outputs are not kept whole, of which cases, and who would need them."""
    places = {(m.case, m.epoch) for m in missing}
    cases = sorted({m.case for m in missing})
    scorers = sorted({m.scorer for m in missing})
    parts = sorted({m.part for m in missing})
    what = {
        "text": "longer than 2 KB" if kept else "this baseline keeps no outputs",
        "data": "data",
        "retrieved": "retrieved documents",
        "tool_calls": "tool calls",
    }
    lacking = ", ".join(what[part] for part in parts)
    return (
        f"{len(places)} outputs of {len(cases)} cases ({listed(cases)}) are not kept whole ({lacking}), and "
        f"{', '.join(scorers)} may read what is missing"
    )


def _advice(file: str) -> str:
    return f"With outputs: full in {file} the next baseline keeps them"
