"""What two versions of an evalset ask of a run: the rows that gate, and each row's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..model.config import Defaults
from ..model.evalset import Evalset, Gate, ScorerSpec
from ..model.weakening import Weakening, WeakeningKind
from .gatelimits import default_margin, default_min

Side = Literal["was", "now"]
RowKey = tuple[str, str | None]
Scale = tuple[float, float]

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an evalset with what decides beside it.

    texts   what stands in the files and the code that its scorers name, by the name they use
    scales  of its scorers, by name; 0-1 where a scorer is not in it
    """

    evalset: Evalset
    defaults: Defaults
    texts: Mapping[str, str]
    scales: Mapping[str, Scale]

    @property
    def scorers(self) -> dict[str, ScorerSpec]:
        """The evalset's scorers and those that only cases bring, by name, the first of a name."""
        found: dict[str, ScorerSpec] = {spec.name: spec for spec in self.evalset.scorers}
        for case in self.evalset.cases:
            for spec in case.scorers:
                found.setdefault(spec.name, spec)
        return found


@dataclass(frozen=True, slots=True)
class Rule:
    """What a gate asks of one row, with the defaults filled in; `said` are the keys that the gate has."""

    gate: Gate
    place: str
    said: frozenset[str]
    span: float
    margin: float
    min: float | None
    claim: str
    alpha: float
    on_inconclusive: str


def rules_of(version: Version) -> dict[RowKey, Rule]:
    """Return the rule of each row, by scorer and slice name (None: overall); the first gate holds."""
    gates = version.evalset.gates or tuple(Gate(scorer=name) for name in version.scorers)
    found: dict[RowKey, Rule] = {}
    for index, gate in enumerate(gates):
        place = f"gates[{index}]" if version.evalset.gates else "scorers"
        rule = _rule(gate, place, version)
        for name in (None, *gate.slices):
            found.setdefault((gate.scorer, name), rule)
    return found


def _rule(gate: Gate, place: str, version: Version) -> Rule:
    defaults = version.defaults
    scale = version.scales.get(gate.scorer, (0.0, 1.0))
    return Rule(
        gate=gate,
        place=place,
        said=frozenset(
            key
            for key in ("margin", "min", "claim", "alpha", "on_inconclusive")
            if getattr(gate, key) is not None
        ),
        span=scale[1] - scale[0],
        margin=default_margin(scale, defaults) if gate.margin is None else gate.margin,
        min=default_min(scale, defaults) if gate.min is None else gate.min,
        claim=gate.claim or defaults.claim,
        alpha=gate.alpha or defaults.alpha,
        on_inconclusive=gate.on_inconclusive or defaults.on_inconclusive,
    )


@dataclass(frozen=True, slots=True)
class _Loosened:
    kind: WeakeningKind
    key: str
    was: str
    now: str


def weaker_gates(was: Version, now: Version) -> Iterator[Weakening]:
    """Yield the rows that are judged no more, and those that are judged less strictly.

    A scorer that is gone altogether is not told here: with it goes its gate.
    """
    before, after = rules_of(was), rules_of(now)
    there = set(now.scorers)
    told: dict[str, list[_Loosened]] = {}
    for (scorer, dimension), rule in before.items():
        if scorer not in there:
            continue
        new = after.get((scorer, dimension))
        if new is None:
            if dimension is None:
                yield _gate_removed(rule, was)
            elif (scorer, None) in after:
                yield _slice_removed(rule, dimension, after[scorer, None], now, was)
            continue
        for one in _loosened(rule, new):
            # What a gate says holds for its slices, too: told once, and again only where it differs.
            if dimension is not None and one in told.get(scorer, ()):
                continue
            if dimension is None:
                told.setdefault(scorer, []).append(one)
            yield Weakening(
                kind=one.kind,
                what=f"{one.key} of {scorer}{f' by {dimension}' if dimension else ''}",
                was=one.was,
                now=one.now,
                file=now.evalset.file,
                where=f"{new.place}.{one.key}",
            )


def _gate_removed(rule: Rule, was: Version) -> Weakening:
    slices = f", by {', '.join(rule.gate.slices)}" if rule.gate.slices else ""
    return Weakening(
        kind="gate_removed",
        what=f"gate of {rule.gate.scorer} removed",
        was=f"margin {rule.margin:g}{slices}",
        now="no gate",
        file=was.evalset.file,
        at_base=True,
        where=rule.place,
    )


def _slice_removed(rule: Rule, dimension: str, left: Rule, now: Version, was: Version) -> Weakening:
    listed = bool(now.evalset.gates)
    return Weakening(
        kind="slice_removed",
        what=f"slice {dimension} of gate {rule.gate.scorer} removed",
        was=f"judged by {dimension}",
        now="not judged by it",
        file=now.evalset.file if listed else was.evalset.file,
        at_base=not listed,
        where=f"{left.place if listed else rule.place}.slices",
    )


def _loosened(was: Rule, now: Rule) -> Iterator[_Loosened]:
    """Yield what one rule asks less strictly; what neither gate says the configuration tells of."""
    said = was.said | now.said
    # Shares of the span, so that a judge on another scale is not told a second time.
    if "margin" in said and now.margin / now.span > was.margin / was.span + ROUNDING:
        yield _Loosened("margin_up", "margin", f"{was.margin:g}", f"{now.margin:g}")
    if "min" in said and was.min is not None and (now.min is None or now.min < was.min - ROUNDING):
        yield _Loosened("min_down", "min", f"{was.min:g}", _number(now.min))
    if "alpha" in said and now.alpha < was.alpha - ROUNDING:
        yield _Loosened("alpha_down", "alpha", f"{was.alpha:g}", f"{now.alpha:g}")
    if "claim" in said and was.claim != now.claim:
        yield _Loosened("claim_changed", "claim", was.claim, now.claim)
    if "on_inconclusive" in said and (was.on_inconclusive, now.on_inconclusive) == ("fail", "warn"):
        yield _Loosened("inconclusive_passes", "on_inconclusive", "fail", "warn")


def _number(value: Any) -> str:
    return "none" if value is None else f"{value:g}"
