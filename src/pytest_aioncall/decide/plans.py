"""What would it take? The cheapest number of cases and epochs that sees a drop of the margin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..model.selfcheck import Plan
from ..model.verdict import Power
from ..stats.arrays import Floats, Ints
from ..stats.draws import Words
from ..stats.foresight import POWER
from ..stats.urn import fall_of, fallen_epochs
from .gaterows import GateRow
from .powers import Ahead, copied
from .rehearsal import Progress, Suite, judged_members, rescored, verdict_alone
from .rowtests import Level, claim_of, compare_row
from .table import ScorerTable
from .verdicts import RowNumbers

MOST_EPOCHS = 10
TIMES = (1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 12.0)
_RUNS, _BATCHES, _TRIES = 200, 8, 3


@dataclass(frozen=True, slots=True)
class Costs:
    """Calls that a sample takes, and what a sample costs in US dollars (None: not known)."""

    calls: int = 1
    cost_usd: float | None = None

    def of(self, samples: int) -> float | None:
        return None if self.cost_usd is None else round(self.cost_usd * samples, 4)


def plans_of(
    suite: Suite, powers: Sequence[Power], *, costs: Costs, cases: int, seed: int, progress: Progress
) -> list[Plan]:
    """Find a plan for every row: formulas make a short list, simulation confirms the cheapest that holds.

    A plan grows the whole suite alike, with cases (or clusters) like those that are there, and accepts a new
    baseline with as many epochs. Its row is held against its own share of alpha, as if no other row rejected.
    """
    found = []
    for at, power in zip(suite.gating, powers, strict=True):
        row = suite.rows.rows[at]
        plan = Plan(scorer=row.scorer, slice=row.slice, status="enough", power=power.at_margin)
        if (power.at_margin or 0.0) < POWER:
            plan = _plan(
                suite, row, plan, costs=costs, cases=cases, words=Words(seed=seed + 1 + at), progress=progress
            )
        found.append(plan)
    return found


def _plan(
    suite: Suite, row: GateRow, plan: Plan, *, costs: Costs, cases: int, words: Words, progress: Progress
) -> Plan:
    table, urn = suite.tables[row.scorer], suite.urns[row.scorer]
    members = judged_members(row, table)
    if (
        row.margin <= 0
        or fall_of(urn.part(members), delta=row.margin, kind=table.kind, low=table.low) is None
    ):
        return plan.model_copy(update={"status": "out_of_reach", "power": None})
    for tries, (times, epochs) in enumerate(_cheapest_first(suite, row, members), start=1):
        power = _simulated(suite, row, members, times=times, epochs=epochs, words=words, progress=progress)
        if power >= POWER - math.sqrt(POWER * (1 - POWER) / _RUNS) or tries >= _TRIES:
            if power < POWER - 3 * math.sqrt(POWER * (1 - POWER) / _RUNS):
                break
            samples = round(cases * times) * epochs
            alone = _epochs_alone(suite, row, members)
            return plan.model_copy(
                update={
                    "status": "plan" if times == 1.0 or alone else "cases_only",
                    "epochs_alone": alone,
                    "cases": round(cases * times),
                    "epochs": epochs,
                    "times_cases": times,
                    "power": round(power, 4),
                    "runs": _RUNS,
                    "calls": samples * costs.calls,
                    "cost_usd": costs.of(samples),
                }
            )
    return plan.model_copy(update={"status": "out_of_reach", "power": None})


def _foreseen(suite: Suite, row: GateRow, members: Ints, *, times: float, epochs: int) -> float:
    table = suite.tables[row.scorer]
    chosen, clusters = copied(members, table.clusters[members], times=times)
    ahead = Ahead(
        row,
        table,
        suite.urns[row.scorer].part(chosen),
        clusters,
        level=suite.level_of(row),
        epochs=epochs,
        anew=True,
    )
    found = ahead.chances(row.margin)
    return found.red if found else 0.0


def _epochs_alone(suite: Suite, row: GateRow, members: Ints) -> int | None:
    """Return how many epochs would do with the cases that are there; None where no number to 10 does."""
    for epochs in range(1, MOST_EPOCHS + 1):
        if _foreseen(suite, row, members, times=1.0, epochs=epochs) >= POWER:
            return epochs
    return None


def _is_large(suite: Suite, at: int) -> bool:
    row = suite.rows.rows[at]
    table = suite.tables[row.scorer]
    members = judged_members(row, table)
    clusters = int(np.unique(table.clusters[members]).size)
    return claim_of(row, cases=int(members.size), clusters=clusters) == "cases-like-these"


def _cheapest_first(suite: Suite, row: GateRow, members: Ints) -> Iterator[tuple[float, int]]:
    """Yield (times the cases, epochs) that the formulas hold for enough, the fewest samples first.

    One epoch is no plan for a suite that rows of *these cases* are judged in: they would see nothing.
    """
    least = 1 if all(_is_large(suite, at) for at in suite.gating) else 2
    options = [(times * epochs, times, epochs) for times in TIMES for epochs in range(least, MOST_EPOCHS + 1)]
    for _, times, epochs in sorted(options):
        if _foreseen(suite, row, members, times=times, epochs=epochs) >= POWER:
            yield times, epochs


def _simulated(
    suite: Suite,
    row: GateRow,
    members: Ints,
    *,
    times: float,
    epochs: int,
    words: Words,
    progress: Progress,
) -> float:
    """Return the share of fresh pairs that are red after a drop of the margin."""
    table, urn, level = suite.tables[row.scorer], suite.urns[row.scorer], suite.level_of(row)
    red = 0
    for _ in range(_BATCHES):
        chosen, clusters = _resampled(members, table.clusters[members], times, words)
        part = urn.part(chosen)
        everyone = np.arange(chosen.size, dtype=np.int64)
        # The true drop is one of the cases that there are; another sample of cases has one a little off it.
        fall = fall_of(urn.part(members), delta=row.margin, kind=table.kind, low=table.low)
        assert fall is not None  # noqa: S101 - looked at before
        drawn = part.draw(words, runs=_RUNS // _BATCHES, epochs=2 * epochs)
        before, after = drawn[:, :, :epochs], drawn[:, :, epochs:]
        hit = fallen_epochs(
            words,
            runs=after.shape[0],
            cases=chosen.size,
            epochs=epochs,
            share=fall.share,
            strength=urn.strength,
        )
        after = after - hit * fall.of(after, low=table.low)
        whole = replace(row, members=everyone, min=None)
        for was, now in zip(before, after, strict=True):
            numbers = _numbers(whole, _table(table, was, now, clusters), level)
            red += verdict_alone(numbers, level=level).status == "regressed"
            progress(1)
    return red / (_RUNS // _BATCHES * _BATCHES)


def _table(table: ScorerTable, before: Floats, after: Floats, clusters: Ints) -> ScorerTable:
    cases = after.shape[0]
    return replace(
        rescored(table, after=after, before=before),
        paired=np.ones(cases, dtype=np.bool_),
        identical=np.zeros(cases, dtype=np.bool_),
        clusters=clusters,
        place=np.arange(cases, dtype=np.int64),
    )


def _numbers(row: GateRow, table: ScorerTable, level: Level) -> RowNumbers:
    samples = int(table.planned.sum())
    return RowNumbers(
        row=row,
        scale=(table.low, table.high),
        comparability="yes",
        comparison=compare_row(row, table, level=level, foresee=False),
        absolute=None,
        size=int(row.members.size),
        planned=samples,
        judged=samples,
    )


def _resampled(members: Ints, clusters: Ints, times: float, words: Words) -> tuple[Ints, Ints]:
    """Draw whole clusters with replacement until there are `times` the cases; for 1 all as they are."""
    if times == 1.0:
        return members, clusters
    wanted = round(members.size * times)
    _, codes = np.unique(clusters, return_inverse=True)
    groups = [members[codes == code] for code in range(int(codes.max()) + 1)]
    chosen: list[Ints] = []
    names: list[Ints] = []
    count = 0
    while count < wanted:
        group = groups[int(words.below(np.array([len(groups)], dtype=np.int64), rows=1)[0, 0])]
        group = group[: wanted - count]
        names.append(np.full(group.size, len(chosen), dtype=np.int64))
        chosen.append(group)
        count += group.size
    return np.concatenate(chosen), np.concatenate(names)
