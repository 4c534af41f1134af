"""What has to hold between the parts of an evalset: unique ids, and names that something has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any

from ...model.evalset import Case, Evalset
from ..text import did_you_mean, one_line
from ..yaml_text import Source, quoted, step
from ..yaml_text.problems import MOST_TOLD

_DIMENSION_FORBIDS = "=,;"
_MOST_COMPARED = 1_000


def check_ids(cases: Sequence[Case], sources: Mapping[str, Source]) -> None:
    """Note every case whose id another case before it has."""
    first: dict[str, Case] = {}
    for case in cases:
        other = first.setdefault(case.id, case)
        if other is not case:
            place = (sources[other.file], f"{other.where}.id")
            sources[case.file].add(
                f"{case.where}.id", f"{quoted(case.id)} is taken by {{other}}", other=place
            )


@dataclass(frozen=True, slots=True)
class Stranger:
    """A name at `where` of a file that nothing in the evalset has; `known` are those that something has."""

    source: Source
    where: str
    name: str
    known: Collection[str]


def unknown_scorers(evalset: Evalset, gates: Any, sources: Mapping[str, Source]) -> list[Stranger]:
    """Return every `require` and every gate over a scorer that neither the evalset nor its case has.

    gates  as the evalset's file has them, which may be anything
    """
    names = {scorer.name for scorer in evalset.scorers}
    found, every = [], set(names)
    for case in evalset.cases:
        own = {scorer.name for scorer in case.scorers}
        every |= own
        for index, require in enumerate(case.require):
            if require.scorer not in own and require.scorer not in names:
                where = f"{case.where}.require[{index}].scorer"
                found.append(Stranger(sources[case.file], where, require.scorer, {*names, *own}))
    for where, gate in _each(gates):
        name = gate.get("scorer")
        if isinstance(name, str) and name not in every:
            found.append(Stranger(sources[evalset.file], f"{where}.scorer", name, every))
    return found


def note_unknown(strangers: Sequence[Stranger]) -> None:
    """Note scorers that nothing has."""
    for one in strangers:
        _note_unknown(one.source, one.where, "scorer", one.name, one.known)


def check_gates(gates: Any, cases: Sequence[Case], source: Source) -> None:
    """Note gates over slices that no case has, and gates that stand twice; what is no gate is left out."""
    dimensions: set[str] = set()
    for case in cases:
        dimensions.update(case.slices)
    seen: dict[tuple[str, frozenset[str]], str] = {}
    for where, gate in _each(gates):
        slices = gate.get("slices", [])
        if not isinstance(slices, list) or not all(isinstance(one, str) for one in slices):
            continue
        above: set[str] = set()
        for at, dimension in enumerate(slices):
            if dimension not in dimensions:
                _note_unknown(source, f"{where}.slices[{at}]", "slice", dimension, dimensions)
            elif dimension in above:
                source.add(f"{where}.slices[{at}]", f"{quoted(dimension)} stands twice")
            above.add(dimension)
        if not isinstance(gate.get("scorer"), str):
            continue
        rule = (gate["scorer"], frozenset(slices))
        if rule in seen:
            message = (
                f"the gate of {quoted(gate['scorer'])} over the same slices stands in {{other}}; keep one"
            )
            source.add(where, message, other=(source, seen[rule]))
        seen.setdefault(rule, where)


def _each(gates: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the gates that are mappings, each with its place."""
    listed = gates if isinstance(gates, list) else []
    return [(f"gates[{at}]", gate) for at, gate in enumerate(listed) if isinstance(gate, dict)]


def check_dimensions(cases: Sequence[Case], sources: Mapping[str, Source]) -> None:
    """Note names of slices that could not be written as `persona=free` on a command line."""
    wrong: set[str] = set()
    for case in cases:
        for dimension in case.slices:
            if dimension in wrong or _is_dimension(dimension):
                continue
            wrong.add(dimension)
            where = step(f"{case.where}.slices", dimension)
            sources[case.file].add(where, f"a slice's name has to be text without {_DIMENSION_FORBIDS}")


def _is_dimension(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and not any(char in _DIMENSION_FORBIDS for char in name)


def _note_unknown(source: Source, where: str, noun: str, name: str, known: Collection[str]) -> None:
    """Note a name that nothing has: with a near one, or with what there is; briefly once nobody reads on."""
    hint = "there is none here"
    if len(source.findings) >= MOST_TOLD:
        hint = "as above"
    elif near := did_you_mean(name, known) if len(known) <= _MOST_COMPARED else None:
        hint = f"did you mean {quoted(near)}?"
    elif known:
        hint = f"known here: {', '.join(one_line(one, 60) for one in nsmallest(10, known))}"
    source.add(where, f"unknown {noun} {quoted(name)}; {hint}")
