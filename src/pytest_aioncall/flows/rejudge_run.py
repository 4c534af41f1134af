"""Score the outputs of a run again, into a run of its own; the old one stays as it is."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..adapters.run_store import RunStore
from ..decide.instrument import changed_parts
from ..model.run import Fingerprint, Run, RunEvalset
from ..model.sample import Sample
from ..settings import Settings
from .acceptable import current_evalset
from .evalrun import EvalRun
from .prepare import Prepared
from .record import Counts, EvalsetRecord, rfc3339
from .rejudged import Rejudged, RejudgeRequest, means_of_samples, moves_of
from .rescoring import Rescored, Say, Wanted, case_of, jobs_for, refuse_failures, rescore, scorers_wanted
from .runs import evalset_of, load_run, refuse_killed, runs_folder, samples_by_case


class RunAgain:
    """Judges the outputs of a run again, into a new run."""

    def __init__(self, request: RejudgeRequest, settings: Settings) -> None:
        self.request, self.settings = request, settings
        self.folder, self.run = load_run(request.name, settings)
        refuse_killed(self.run)
        chosen = [evalset_of(self.run, request.evalset)] if request.evalset else list(self.run.evalsets)
        self.chosen = chosen

    def rejudge(self, say: Say | None) -> list[Rejudged]:
        started = time.monotonic()
        done = [self._evalset(planned, say) for planned in self.chosen]
        if all(one.result.written is None for one in done):
            return [one.result for one in done]
        run_id = self._store(done, wall_s=time.monotonic() - started)
        return [replace(one.result, written=run_id) for one in done]

    def _evalset(self, planned: RunEvalset, say: Say | None) -> _EvalsetAgain:
        samples = samples_by_case(self.folder, planned)
        current_evalset(planned, self.settings)
        run = EvalRun(self.settings)
        prepared = run.load(self.settings.root / planned.file)
        wanted = scorers_wanted(
            prepared.infos, planned.scorers, every=self.request.every, changed=changed_parts
        )
        cases = case_of(prepared)
        same = {
            case
            for case, epochs in samples.items()
            if case in cases and epochs[0].digest == cases[case].digest
        }
        if not wanted.names and not wanted.gone:
            result = Rejudged(planned.evalset, "run", None, {})
            return _EvalsetAgain(planned, prepared, samples, result)
        outputs = {
            (case, s.epoch): s.output for case in sorted(same) for s in samples[case] if s.output is not None
        }
        jobs = jobs_for(
            prepared,
            outputs,
            wanted=wanted.names,
            cases=same,
            with_must={case for case in same if cases[case].must},
        )
        found = rescore(run, jobs, outputs, say=say)
        refuse_failures(found, name=planned.evalset, max_rate=planned.max_error_rate)
        again = {
            case: [_sample(s, wanted, found, prepared, same=case in same) for s in epochs]
            for case, epochs in samples.items()
        }
        moves, fresh = moves_of(
            wanted, prepared, means_of_samples(samples, same), means_of_samples(again, same)
        )
        result = Rejudged(
            planned.evalset,
            "run",
            "",
            wanted.why,
            gone=wanted.gone,
            outputs=len(found.scores),
            moves=moves,
            fresh=fresh,
            errors=len(found.errors()),
            left=tuple(sorted(set(samples) - same)),
            cost_usd=found.cost_usd,
        )
        return _EvalsetAgain(planned, prepared, again, result)

    def _store(self, done: Sequence[_EvalsetAgain], *, wall_s: float) -> str:
        """Write the new run, samples first: what a crash leaves behind is no run for any verb."""
        store = RunStore.create(runs_folder(self.settings), now=self.settings.now or datetime.now(UTC))
        counts = Counts()
        try:
            for one in done:
                for epochs in one.samples.values():
                    store.append(epochs)
                    for sample in epochs:
                        counts.add(sample)
            store.write_run(self._run(store.run_id, done, counts, wall_s))
        finally:
            store.close()
        return store.run_id

    def _run(self, run_id: str, done: Sequence[_EvalsetAgain], counts: Counts, wall_s: float) -> Run:
        planned = tuple(one.planned_again() for one in done)
        costs = [one.result.cost_usd for one in done]
        return self.run.model_copy(
            update={
                "id": run_id,
                "evalsets": planned,
                "created_at": rfc3339(self.settings.now or datetime.now(UTC)),
                "fingerprint": Fingerprint(
                    instrument={one.evalset: one.fingerprint.instrument for one in planned},
                    subject={one.evalset: one.fingerprint.subject for one in planned},
                ),
                "complete": self.run.complete and all(one.complete for one in planned),
                "totals": self.run.totals.model_copy(
                    update={
                        "judged": counts.samples - counts.errors,
                        "errors": counts.errors,
                        "planned": max(counts.samples, self.run.totals.planned)
                        if len(done) == len(self.run.evalsets)
                        else counts.samples,
                        "cost_usd": None if None in costs else sum(cost or 0.0 for cost in costs),
                        "wall_s": round(wall_s, 3),
                    }
                ),
                "rejudged_from": self.run.id,
            }
        )


@dataclass(frozen=True, slots=True)
class _EvalsetAgain:
    """One evalset of a run, judged again."""

    planned: RunEvalset
    prepared: Prepared
    samples: Mapping[str, list[Sample]]
    result: Rejudged

    def planned_again(self) -> RunEvalset:
        """Describe the evalset for the new `run.json`: scorers, gates and floors are those of today."""
        prepared = self.prepared
        infos = dict(prepared.infos)
        cases = case_of(prepared)
        record = EvalsetRecord()
        for name, epochs in self.samples.items():
            case = cases.get(name)
            if case is not None and case.digest == epochs[0].digest:
                record.add(case, epochs, infos)
        left = [floor for floor in self.planned.floors if floor.case not in record.rows]
        return self.planned.model_copy(
            update={
                "scorers": infos,
                "gates": prepared.gates,
                "floors": (*record.all_floors, *left),
                "fingerprint": self.planned.fingerprint.model_copy(
                    update={"instrument": {name: info.hash for name, info in infos.items()}}
                ),
            }
        )


def _sample(sample: Sample, wanted: Wanted, found: Rescored, prepared: Prepared, *, same: bool) -> Sample:
    """Return a sample with its new scores beside those that nothing changed of."""
    new = found.scores.get((sample.case, sample.epoch), ()) if same else ()
    replaced = {score.scorer for score in new}
    kept = [
        s
        for s in sample.scores
        if s.scorer not in replaced
        and (s.scorer.startswith("must[") or (s.scorer in prepared.infos and s.scorer not in wanted.names))
    ]
    order = {name: i for i, name in enumerate(prepared.infos)}
    scores = sorted([*kept, *new], key=lambda s: order.get(s.scorer, len(order)))
    return sample.model_copy(update={"scores": tuple(scores)})
