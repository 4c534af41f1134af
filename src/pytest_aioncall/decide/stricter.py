"""A change is judged twice, by its merge base's gates and by its own; of each row the stricter answer holds.

Two answers and not one merged rule: a lower alpha is stricter for a pass and laxer for a drop, two claims ask
different questions, and rows that a branch adds would share alpha with those of the base. So each side's rows
are judged in the family of that side, and a row cannot gain by what the other side says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..model.baseline import ScorerInfo
from ..model.config import Defaults
from ..model.evalset import Case, Gate
from ..model.verdict import Judgement, RowName, RowRule, Verdict
from . import sentences
from .exit_codes import NO_BASELINE, OK, PRECEDENCE, WORST_FIRST
from .gatelimits import default_margin, default_min, limits_wrong
from .sides import Side

RuleKey = tuple[str, str | None]
"""Scorer and name of a slice; None: overall."""
_OPEN = {"not_comparable": 1, "errors_at_floor": 1, "suspected": 2, "min_undecided": 2, "one_epoch": 2}


@dataclass(frozen=True, slots=True)
class AskedRule:
    """What a side asks of one row, defaults filled in."""

    margin: float
    min: float | None
    claim: str
    alpha: float
    on_inconclusive: str


def asked_rules(
    gates: Sequence[Gate], defaults: Defaults, *, scorers: Mapping[str, ScorerInfo]
) -> dict[RuleKey, AskedRule]:
    """Return the rule of each row that gates name; the first gate of a row holds."""
    found: dict[RuleKey, AskedRule] = {}
    for gate in gates:
        scale = scorers[gate.scorer].scale if gate.scorer in scorers else (0.0, 1.0)
        rule = AskedRule(
            margin=default_margin(scale, defaults) if gate.margin is None else gate.margin,
            min=default_min(scale, defaults) if gate.min is None else gate.min,
            claim=gate.claim or defaults.claim,
            alpha=gate.alpha or defaults.alpha,
            on_inconclusive=gate.on_inconclusive or defaults.on_inconclusive,
        )
        for name in (None, *gate.slices):
            found.setdefault((gate.scorer, name), rule)
    return found


def base_side(candidate: Side, cases: Mapping[str, Case]) -> Side:
    """Return the candidate with its cases in the slices and clusters that the base has them in."""
    rows = tuple(
        row.model_copy(update={"slices": dict(cases[row.case].slices), "cluster": cases[row.case].cluster})
        if row.case in cases
        and (row.slices, row.cluster) != (cases[row.case].slices, cases[row.case].cluster)
        else row
        for row in candidate.rows
    )
    same = all(new is old for new, old in zip(rows, candidate.rows, strict=True))
    if same:
        return candidate
    return Side(rows, candidate.scorers, candidate.output_hashes, candidate.planned_epochs)


@dataclass(frozen=True, slots=True)
class BaseGates:
    """The base's gates as far as the candidate can be judged by them.

    lost   scorers that the base gates and of which the candidate has no score at all
    notes  what else cannot be judged any more
    """

    gates: tuple[Gate, ...]
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judgeable(gates: Sequence[Gate], side: Side) -> BaseGates:
    """Narrow the base's gates to scorers and slices that the candidate has; say what is left out.

    A number that does not fit the candidate's scale is left to the defaults: such a scorer is not comparable
    with the base's baseline anyhow, and says so.
    """
    dimensions = {name for row in side.rows for name in row.slices}
    kept: list[Gate] = []
    lost: dict[str, None] = {}
    notes: list[str] = []
    for gate in gates:
        if gate.scorer not in side.scorers:
            lost.setdefault(gate.scorer)
            continue
        gone = [name for name in gate.slices if name not in dimensions]
        notes += [f"{gate.scorer} by {name} is not judged: no case has that slice any more" for name in gone]
        change: dict[str, Any] = dict.fromkeys(limits_wrong(gate, scale=side.scorers[gate.scorer].scale))
        if gone:
            change["slices"] = tuple(name for name in gate.slices if name in dimensions)
        kept.append(gate.model_copy(update=change) if change else gate)
    return BaseGates(tuple(kept), tuple(lost), tuple(notes))


def with_lost(judgement: Judgement, lost: Sequence[str], *, baseline_required: bool) -> Judgement:
    """Add a row for each scorer that the base gates and that gave no score: it cannot be judged, so not
    passed."""
    if not lost:
        return judgement
    rows = tuple(
        Verdict(
            scorer=name, status="inconclusive", claim="these-cases", reason="not_comparable", rule="dropped"
        )
        for name in lost
    )
    status = min(judgement.status, "inconclusive", key=WORST_FIRST.index)
    code = min(judgement.exit_code, NO_BASELINE if baseline_required else OK, key=_rank)
    summary = judgement.summary
    if status != judgement.status:
        summary = f"{lost[0]} is gated at the merge base, and this branch gives no score of it"
    return judgement.model_copy(
        update={
            "verdicts": (*judgement.verdicts, *rows),
            "status": status,
            "exit_code": code,
            "summary": summary,
        }
    )


def _rank(code: int) -> int:
    return next((nth for nth, one in enumerate(PRECEDENCE) if one == code), len(PRECEDENCE))


def stricter_of(
    head: Judgement,
    base: Judgement,
    *,
    head_rules: Mapping[RuleKey, AskedRule],
    base_rules: Mapping[RuleKey, AskedRule],
) -> Judgement:
    """Return one judgement: of each row the worse answer, marked by whose it is where both ask otherwise.

    Rows that only the branch asks are `new`, rows that only the base asks are `dropped`; both gate.
    """
    of_head = {_key(v): v for v in head.verdicts}
    of_base = {_key(v): v for v in base.verdicts}
    chosen: list[Verdict] = []
    from_base: set[Any] = set()
    for key in dict.fromkeys((*of_head, *of_base)):
        mine, theirs = of_head.get(key), of_base.get(key)
        differ = head_rules.get(_rule_key(key)) != base_rules.get(_rule_key(key))
        takes_base = mine is None or (theirs is not None and _decides(theirs, mine, on_tie=differ))
        verdict = theirs if takes_base else mine
        assert verdict is not None  # noqa: S101 - the key is of one of them
        if takes_base:
            from_base.add(key)
        rule = verdict.rule or _rule_of(verdict, head_rules, base_rules, takes_base=takes_base)
        chosen.append(verdict.model_copy(update={"rule": rule}))
    status = min(head.status, base.status, key=WORST_FIRST.index)
    worse = base if WORST_FIRST.index(base.status) < WORST_FIRST.index(head.status) else head
    return worse.model_copy(
        update={
            "status": status,
            "exit_code": min(head.exit_code, base.exit_code, key=_rank),
            "summary": _summary(worse, chosen),
            "alpha": head.alpha,
            "verdicts": tuple(chosen),
            "metrics": _worse_metrics(head, base),
            "worst": _both(head.worst, base.worst, key=lambda m: (m.scorer, m.case)),
            "sights": _beside(head.sights, base.sights, from_base),
            "powers": _beside(head.powers, base.powers, from_base),
            "newly_failing": tuple(sorted({*head.newly_failing, *base.newly_failing})),
            "newly_failing_scores": max(head.newly_failing_scores, base.newly_failing_scores),
            "rounds": _longer(head, base),
            "notes": tuple(dict.fromkeys((*head.notes, *base.notes))),
        }
    )


def _key(row: Any) -> RowName:
    return row.scorer, tuple(sorted((row.slice or {}).items()))


def _rule_of(
    verdict: Verdict,
    head_rules: Mapping[RuleKey, AskedRule],
    base_rules: Mapping[RuleKey, AskedRule],
    *,
    takes_base: bool,
) -> RowRule | None:
    """Return how a row came to be asked; None where both sides ask it alike."""
    key = _rule_key(verdict.row)
    if key not in base_rules:
        return "new"
    if key not in head_rules:
        return "dropped"
    if head_rules[key] == base_rules[key]:
        return None
    return "base" if takes_base else "head"


def _rule_key(row: RowName) -> RuleKey:
    scorer, part = row
    return scorer, part[0][0] if part else None


def _decides(base: Verdict, head: Verdict, *, on_tie: bool) -> bool:
    """Tell whether the base's verdict holds: the worse answer; between equals the narrower rule's."""
    mine, yours = ((_severity(one), *_narrowness(one)) for one in (base, head))
    return on_tie if mine == yours else mine < yours


def _severity(verdict: Verdict) -> int:
    """Return how bad an answer is: what gates before what is excused, an excused drop before a pass."""
    if verdict.status == "regressed":
        return 0 if verdict.gating else 4
    if not verdict.gating:
        return 6
    return 5 if verdict.status == "pass" else _OPEN.get(verdict.reason, 3)


def _narrowness(verdict: Verdict) -> tuple[float, float]:
    least = verdict.min if verdict.min is not None else float("-inf")
    return (verdict.margin if verdict.margin is not None else float("inf"), -least)


def _summary(worse: Judgement, chosen: Sequence[Verdict]) -> str:
    """Say the verdict of all rows; what is no matter of rows is said as the worse side says it."""
    if any(not floor.ok and not floor.undecided for floor in worse.floors):
        return worse.summary
    red = [v for v in chosen if v.gating and v.status == "regressed"]
    if worse.status == "regressed" and red:
        return sentences.regressed(red)
    compared = [v for v in chosen if v.gating and v.reason != "nothing_to_compare"]
    if worse.status == "pass" and compared and not worse.summary.startswith("nothing to compare"):
        return sentences.passed(chosen, floors=worse.floors)
    return worse.summary


def _worse_metrics(head: Judgement, base: Judgement) -> tuple[Any, ...]:
    found = {metric.metric: metric for metric in head.metrics}
    for metric in base.metrics:
        if metric.status == "regressed" and found[metric.metric].status != "regressed":
            found[metric.metric] = metric
    return tuple(found.values())


def _both(mine: Sequence[Any], theirs: Sequence[Any], *, key: Any) -> tuple[Any, ...]:
    """Return what both sides list, each once: newly failing cases first, then the largest falls, and what
    failed before last."""
    found = {key(one): one for one in (*theirs, *mine)}
    if len(found) == len(mine):
        return tuple(mine)
    return tuple(
        sorted(found.values(), key=lambda one: (one.already, not one.newly_failing, one.difference or 0.0))
    )


def _beside(mine: Sequence[Any], theirs: Sequence[Any], from_base: set[Any]) -> tuple[Any, ...]:
    """Return what is told of each row by the side whose verdict holds."""
    return (
        *(one for one in mine if _key(one) not in from_base),
        *(one for one in theirs if _key(one) in from_base),
    )


def _longer(head: Judgement, base: Judgement) -> Any:
    if head.rounds is None or base.rounds is None:
        return head.rounds or base.rounds
    return base.rounds if base.rounds.looks > head.rounds.looks else head.rounds
