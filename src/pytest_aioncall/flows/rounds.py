"""Adaptive epochs: when a further round is due, of which cases, and what it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..adapters.baseline_store import Baseline
from ..budget import Budget
from ..decide.gatelimits import gates_or_default
from ..decide.sides import judged_of
from ..engine import Job
from ..model.evalset import EpochRange
from ..model.run import Fingerprint
from ..model.sample import Sample
from ..model.verdict import Verdict
from ..settings import Settings
from .cost import cap_in_force, estimate
from .judge import BaselineFound, side_of, side_of_record
from .prepare import Prepared
from .record import EvalsetRecord, RunRecord
from .strictly import rounds_asked


@dataclass(frozen=True, slots=True)
class Round:
    """One more round of one evalset: `jobs` draw the cases of its `open` rows up to `epochs` each."""

    evalset: str
    jobs: tuple[Job, ...]
    epochs: int
    most: int
    cases: int
    open: tuple[Verdict, ...]

    @property
    def line(self) -> str:
        """Return what the header says before the round."""
        rows = "gate" if len(self.open) == 1 else "gates"
        return (
            f"{self.evalset}: {len(self.open)} {rows} not clear yet; drawing {len(self.jobs)} of "
            f"{self.cases} cases again, epoch {self.epochs} of {self.most} at most"
        )


class ExtraRounds:
    """The rounds of one session, after the first: asked for, paid for, and put beside what there is."""

    def __init__(
        self,
        *,
        prepared: Mapping[str, Prepared],
        baselines: Mapping[str, BaselineFound],
        record: RunRecord,
        budget: Budget,
        settings: Settings,
    ) -> None:
        self._prepared = prepared
        self._baselines = baselines
        self._record = record
        self._budget = budget
        self._settings = settings
        self._over: set[str] = set()
        self._begun: dict[str, int] = {}
        self._asked: dict[str, int] = {}
        self._under_way: set[str] = set()

    def due(self, complete: Mapping[str, bool]) -> list[Round]:
        """Return the next round of every evalset that needs one.

        `complete[evalset]` tells whether all of its cases ran: of a part nothing is judged, so nothing is
        drawn. A round that would not stay under the cost cap is not begun: half a round tells nothing.
        """
        found = []
        promised = 0.0
        for name, is_complete in complete.items():
            one = self._prepared[name]
            record = self._record.evalsets.get(name)
            if one.plan is None or record is None or not is_complete or name in self._over:
                continue
            due = next_round(one, record, self._baselines[name], self._settings)
            if due is not None and self._affords(due, one, promised=promised):
                promised += self._expected_usd(due)
                found.append(due)
                self._begin(due)
                continue
            record.stopped_by_cap = due is not None
            self._over.add(name)
        return found

    def _begin(self, due: Round) -> None:
        name = due.evalset
        self._begun[name] = self._begun.get(name, 1) + 1
        self._asked[name] = self.asked_again(name) + sum(job.epochs for job in due.jobs)
        self._under_way.add(name)

    def asked_again(self, name: str) -> int:
        """Return how many samples of an evalset later rounds asked for, the one under way included."""
        return self._asked.get(name, 0)

    def under_way(self, name: str) -> int | None:
        """Return the number of the later round that has begun and is not done (2 or more), else None."""
        return self._begun[name] if name in self._under_way else None

    def _expected_usd(self, due: Round) -> float:
        """Return what a round will cost, by what the samples of this run have cost so far."""
        counts = self._record.counts
        return sum(job.epochs for job in due.jobs) * counts.cost_usd / max(1, counts.samples)

    def _affords(self, due: Round, one: Prepared, *, promised: float) -> bool:
        """Tell whether a round stays under the cap, beside what other evalsets were `promised`."""
        budget = self._budget
        budget.spent_usd = max(budget.spent_usd, self._record.paid_usd)
        if budget.limit_usd is None:
            # Under xdist each worker had its share of the cap; from here on it holds for all together.
            jobs = replace(one, jobs=due.jobs)
            budget.limit_usd = cap_in_force(estimate([jobs], self._settings), self._settings)
            budget.expected_usd = self._expected_usd(due) / max(1, sum(job.epochs for job in due.jobs))
        if budget.limit_usd is None:
            return True
        return budget.spent_usd + promised + self._expected_usd(due) <= budget.limit_usd

    def take(self, due: Round, drawn: Mapping[str, Sequence[Sample]]) -> list[tuple[Job, list[Sample]]]:
        """Put the samples of a round, by case, beside those there are; return all of each case's.

        They are read back from the run folder, as `aioncall gate` will read them.
        """
        one = self._prepared[due.evalset]
        assert one.plan is not None  # noqa: S101 - only those have rounds
        every = self._record.samples_of(due.evalset, list(drawn), plan=one.plan)
        taken = []
        for job in due.jobs:
            new = [s for s in drawn[job.case.id] if s.error is None or s.error.kind != "cancelled"]
            samples = every.get(job.case.id, [])
            self._record.draw_again(due.evalset, job.case, samples, new=new, scorers=one.infos)
            taken.append((job, samples))
        self._under_way.discard(due.evalset)
        return taken


def may_stop_early(plan: EpochRange, one: Prepared, baseline: Baseline, settings: Settings) -> bool:
    """Tell whether this run looks at its verdicts between rounds.

    Without a baseline to compare with there is no verdict to stop at, and the run may become the baseline
    itself; a recording is to hold every epoch that a replay may ask for. These draw `max`.
    """
    if plan.min == plan.max or settings.mode in ("record", "extend"):
        return False
    known = baseline.header.scorers
    return any(name in known and known[name].hash == info.hash for name, info in one.infos.items())


def next_round(
    one: Prepared, record: EvalsetRecord, found: BaselineFound, settings: Settings
) -> Round | None:
    """Return the round that is due; None where the verdicts are clear, or nothing would make them so.

    A broken floor or an exception in the user's own code has failed the run already; beyond the error limit
    nothing can be judged, and drawing through an outage would only cost.
    """
    if one.plan is None or found.baseline is None or len(record.rows) < len(one.jobs):
        return None
    if record.user_errors or record.cancelled or any(not floor.ok for floor in record.all_floors):
        return None
    planned = one.planned(Fingerprint(), complete=True, root=settings.root)
    side = side_of_record(planned, record)
    asked = sum(side.planned(row) for row in side.rows)
    # The quotient, as the gate takes it: 0.29 x 100 is less than 29 in floating point.
    if asked and (asked - sum(judged_of(row) for row in side.rows)) / asked > planned.max_error_rate:
        return None
    # Loads numpy, which nothing needs before the first answers are in.
    from ..decide.rounds import decide_in_rounds

    rules = gates_or_default(planned.gates, scorers=planned.scorers)
    answers = [
        decide_in_rounds(
            gates,
            candidate=candidate,
            baseline=side_of(found.baseline),
            plan=one.plan,
            defaults=defaults,
            accepts=found.accepts,
            settled=found.baseline.header.accepts,
        )
        for candidate, gates, defaults in [
            (side, rules, settings.config.defaults),
            *rounds_asked(side, one.rules),
        ]
    ]
    # Red by either side's gates is red; else the round is for whoever is behind.
    asking = [each for each in answers if each.wanted]
    if not asking or any(each.rounds.stopped == "red" for each in answers):
        return None
    epochs = min(each.next_epochs for each in asking)
    asking = [each for each in asking if each.next_epochs == epochs]
    wanted = {case for each in asking for case in each.wanted}
    jobs = []
    for job in one.jobs:
        have = side.planned(record.rows[job.case.id])
        if job.case.id in wanted and have < epochs:
            jobs.append(replace(job, first=have, epochs=epochs - have))
    still = {
        v.row: v
        for each in asking
        for v in each.verdicts
        if v.gating and v.status not in ("pass", "regressed")
    }
    return Round(
        evalset=one.name,
        jobs=tuple(jobs),
        epochs=epochs,
        most=one.plan.max,
        cases=len(one.jobs),
        open=tuple(still.values()),
    )
