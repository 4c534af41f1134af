"""`aioncall gate --self-check`: what can a suite see? Simulated from its own baseline, run or flat scores."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..adapters.evalset_files import load_evalset
from ..adapters.render import sight_line
from ..decide.rehearsal import Progress
from ..decide.selfcheck import SelfCheckRequest, self_check
from ..errors import NotComparable, UsageError
from ..model.baseline import ScorerInfo
from ..model.evalset import EpochRange, Evalset, Gate
from ..model.run import Run, RunEvalset
from ..model.selfcheck import FloorChances, SelfCheck
from ..model.verdict import Floor
from ..settings import Settings
from .acceptable import whole_run
from .checking import find_evalsets
from .gating import GateRequest, gates_asked
from .givens import Given, given_side
from .judge import find_baseline, side_of
from .runs import load_run

__all__ = ["CheckRequest", "Checked", "check_suites", "floor_line"]

Announce = Callable[[str], Progress]
"""Called with the name of a suite before it is simulated; returns what counts its comparisons."""


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The command line of `aioncall gate --self-check`.

    evalset  name; None: every evalset that has a baseline
    given    a run, baseline file or flat scores to look at instead of a committed baseline
    """

    evalset: str | None = None
    given: tuple[str, ...] = ()
    scorer: str | None = None
    margin: float | None = None
    alpha: float | None = None
    slices: tuple[str, ...] = ()
    runs: int | None = None
    plans: bool = True


@dataclass(frozen=True, slots=True)
class Checked:
    """One suite that was looked at, what to type next, and the exit code under `--strict`."""

    check: SelfCheck
    next: str
    fails_strict: bool

    def lines(self) -> list[str]:
        """Return what a person reads."""
        closing = ["", f"next:  {self.next}"] if self.next else []
        return [*sight_line.self_check_lines(self.check), *closing]


@dataclass(frozen=True, slots=True)
class _Suite:
    """What a self-check needs of one suite."""

    given: Given
    baseline: str
    epochs: int | None = None
    epochs_are_most: bool = False
    plan: EpochRange | None = None
    floors: tuple[Floor, ...] = ()
    notes: tuple[str, ...] = ()
    cost_usd: float | None = None


def check_suites(request: CheckRequest, settings: Settings, *, announce: Announce) -> list[Checked]:
    """Simulate one suite, or every evalset that has a baseline.

    Raises UsageError for an unknown evalset, scorer or slice, and NotComparable where there is no baseline.
    """
    suites = (
        [_of_file(name, request, settings) for name in request.given]
        if request.given
        else _of_project(request, settings)
    )
    return [_checked(suite, request, settings, announce) for suite in suites]


def floor_line(found: FloorChances) -> str:
    """Say how often floors would ring by chance."""
    return sight_line.floor_chance_line(found)


def _of_file(name: str, request: CheckRequest, settings: Settings) -> _Suite:
    given = given_side(name, request.evalset, settings)
    if given.missing:
        raise UsageError(
            f"{name}: {given.missing} cases are missing; a partial run says little: run it whole"
        )
    if not given.side.rows:
        raise UsageError(f"{name}: no case; there is nothing to simulate from")
    plan = _plan_of(given, settings)
    return _Suite(given, f"{Path(name).name or name}", floors=given.floors, plan=plan)


def _plan_of(given: Given, settings: Settings) -> EpochRange | None:
    """Return how often the evalset of a run draws its cases today; the run's own plan where it is gone."""
    if given.file:
        with suppress(UsageError):
            plan = settings.epochs_of(load_evalset(settings.root / given.file, root=settings.root))
            return plan if plan.min < plan.max else None
    return given.plan


def _of_project(request: CheckRequest, settings: Settings) -> list[_Suite]:
    found: list[_Suite] = []
    names: list[str] = []
    why_not: list[str] = []
    for path in find_evalsets(settings.root, []):
        evalset = load_evalset(path, root=settings.root)
        names.append(evalset.evalset)
        if request.evalset not in (None, evalset.evalset):
            continue
        there = find_baseline(path, evalset.evalset, settings)
        if there.baseline is None:
            why_not.append(f"{evalset.evalset}: {there.why_not}")
            continue
        header = there.baseline.header
        side = side_of(there.baseline)
        gates, notes = _gates_with_scores(evalset, side.scorers)
        run = _run_of(header.run, evalset.evalset, settings)
        cost, cost_notes = _cost(run, evalset)
        epochs = settings.epochs_of(evalset)
        found.append(
            _Suite(
                Given(side, evalset.evalset, gates=gates, file=str(path), settled=header.accepts),
                f"baseline {(header.commit or '')[:7] or header.run or header.accepted_at[:10]}",
                epochs=epochs.max,
                plan=epochs if epochs.min < epochs.max else None,
                epochs_are_most=epochs.min < epochs.max,
                floors=run[1].floors if run else (),
                notes=(*notes, *cost_notes, *_floor_notes(evalset, run)),
                cost_usd=cost,
            )
        )
    if request.evalset is not None and request.evalset not in names:
        known = ", ".join(sorted(names)) or "none"
        raise UsageError(f"no evalset {request.evalset!r}; there is: {known}")
    if not names:
        raise UsageError(
            f"{settings.root}: no evalset; write one with: aioncall init PACKAGE.MODULE:FUNCTION"
        )
    if not found:
        raise NotComparable(
            "\n".join(why_not)
            + "\nnothing to simulate from; run pytest --aioncall and accept it, or look at a run: "
            "aioncall gate --self-check --candidate latest"
        )
    return found


def _gates_with_scores(
    evalset: Evalset, known: Mapping[str, ScorerInfo]
) -> tuple[tuple[Gate, ...], tuple[str, ...]]:
    """Return the gates whose scorer the baseline has scores of, and a note on every other one."""
    gates = tuple(gate for gate in evalset.gates if gate.scorer in known)
    missing = [gate.scorer for gate in evalset.gates if gate.scorer not in known]
    notes = tuple(f"{name}: gated, but the baseline has no scores of it" for name in missing)
    if evalset.gates and not gates:
        raise UsageError(f"{evalset.evalset}: no gate of it has scores in the baseline; accept a new one")
    return gates, notes


def _run_of(name: str | None, evalset: str, settings: Settings) -> tuple[Run, RunEvalset] | None:
    """Return the run that a baseline was accepted from, where it is still kept."""
    if not name:
        return None
    try:
        _, run = load_run(name, settings)
    except UsageError:
        return None
    return next(((run, one) for one in run.evalsets if one.evalset == evalset), None)


def _cost(run: tuple[Run, RunEvalset] | None, evalset: Evalset) -> tuple[float | None, tuple[str, ...]]:
    """Return the cost of a sample: the run's where it is kept, judges included, else the target's alone."""
    if run is not None and len(run[0].evalsets) == 1 and run[0].totals.cost_usd is not None:
        totals = run[0].totals
        asked = max(1, totals.planned - totals.replayed)
        return (totals.cost_usd / asked if totals.cost_usd else None), ()
    if any(spec.kind == "judge" for spec in evalset.scorers):
        return None, ("costs are the target's alone; what the judges cost stands in the run, which is gone",)
    return None, ()


def _floor_notes(evalset: Evalset, run: tuple[Run, RunEvalset] | None) -> tuple[str, ...]:
    has = any(case.must or case.require for case in evalset.cases)
    if has and run is None:
        return (
            "how often a must would ring by chance is not known: the baseline's run is gone; "
            "look at a run of today: aioncall gate --self-check --candidate latest",
        )
    return ()


def _checked(suite: _Suite, request: CheckRequest, settings: Settings, announce: Announce) -> Checked:
    given = suite.given
    defaults = settings.config.defaults
    if request.alpha is not None:
        defaults = defaults.model_copy(update={"alpha": request.alpha})
    narrowed = GateRequest(
        candidates=(),
        scorer=request.scorer,
        margin=request.margin,
        alpha=request.alpha,
        slices=request.slices,
    )
    check = self_check(
        given.side,
        SelfCheckRequest(
            evalset=given.evalset,
            gates=gates_asked(narrowed, given),
            defaults=defaults,
            baseline=suite.baseline,
            epochs=suite.epochs,
            epochs_are_most=suite.epochs_are_most,
            runs=request.runs,
            calls=_calls(given.side.scorers.values()),
            cost_usd=suite.cost_usd,
            floors=suite.floors,
            settled=given.settled,
            plans=request.plans,
        ),
        progress=announce(given.evalset),
    )
    check = check.model_copy(update={"notes": (*check.notes, *suite.notes)})
    return Checked(check, _next(check, suite, settings), _fails_strict(check))


def _calls(scorers: Iterable[ScorerInfo]) -> int:
    """Return how many calls a sample takes: the target's, and one for every judge."""
    return 1 + sum(info.kind == "judge" for info in scorers)


def _fails_strict(check: SelfCheck) -> bool:
    """Tell whether `--strict` fails: too many false alarms, or an overall row that sees less than half."""
    limit = check.alpha + 3 * sight_line.error_of(check.alarm_any, check.runs)
    blind = any(power.slice is None and (power.at_margin or 0.0) < 0.5 for power in check.powers)
    return check.alarm_any > limit or blind or not check.powers


def _next(check: SelfCheck, suite: _Suite, settings: Settings) -> str:
    """Return what to do next; empty where the suite sees all that it is asked for."""
    plans = [plan for plan in check.plans if plan.status in ("plan", "cases_only")]
    if not plans:
        return ""
    first = min(plans, key=lambda plan: (plan.slice is not None, plan.calls or 0))
    place = _shown(suite.given.file, settings) if suite.given.file else ""
    more = (first.cases or 0) - check.cases
    plan = suite.plan or EpochRange(min=check.epochs, max=check.epochs)
    if first.epochs and first.epochs > check.epochs:
        plan = EpochRange(min=plan.min, max=max(plan.max, first.epochs))
    command = whole_run(place, plan)
    accept = f'aioncall baseline accept {shlex.quote(check.evalset)} --reason "a suite that sees more"'
    if more <= 0:
        return f"{command}, then {accept}"
    where = f" in {place}" if place else ""
    return f"write {more:,} more cases{where}, then {command}, then {accept}"


def _shown(file: str, settings: Settings) -> str:
    path = settings.root / file
    try:
        return path.resolve().relative_to(settings.root.resolve()).as_posix()
    except ValueError:
        return file
