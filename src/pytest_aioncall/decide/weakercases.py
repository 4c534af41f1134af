"""What two versions of an evalset ask of its cases: which there are, and what each expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..model.evalset import Case, Require, ScorerSpec
from ..model.frozen import canonical_json
from ..model.weakening import Weakening, WeakeningKind
from .strictness import Change, differences, expected_change, together
from .weakergates import Version, rules_of

SHOWN = 160
"""Characters of a value that are shown."""

# Scorers that never look at a case's `expected`.
_BLIND = frozenset({"json_valid", "json_schema", "length", "latency_max", "cost_max", "pii_absent",
                    "citations_present", "citations_resolve"})  # fmt: skip


def weaker_cases(was: Version, now: Version) -> Iterator[Weakening]:
    """Yield the cases that are gone, and those that expect less or count elsewhere."""
    after = {case.id: case for case in now.evalset.cases}
    before = {case.id for case in was.evalset.cases}
    added = {case.digest: case for case in now.evalset.cases if case.id not in before}
    comparing = _Comparing(was, now)
    for case in was.evalset.cases:
        new = after.get(case.id)
        if new is None:
            yield _removed(case, added.get(case.digest))
        else:
            yield from comparing.loosened(case, new)


def _removed(case: Case, renamed: Case | None) -> Weakening:
    incident = case.source is not None
    return Weakening(
        kind="incident_removed" if incident else "case_removed",
        what=f"{'incident case' if incident else 'case'} {case.id} removed",
        was=f"of incident {case.source.incident}" if case.source else f"input {shown(case.input)}",
        now=f"renamed to {renamed.id}, which starts without a baseline" if renamed else "no case",
        cases=(case.id,),
        file=case.file,
        line=case.line,
        at_base=True,
        where=case.where,
    )


class _Comparing:
    """Compares cases one by one; knows what is the same for all of them."""

    def __init__(self, was: Version, now: Version) -> None:
        self.was, self.now = was, now
        names = {*was.texts, *now.texts}
        self.texts_differ = any(was.texts.get(name) != now.texts.get(name) for name in names)
        # Slices that both versions gate on; one that only the old one did is told as a slice removed.
        gated = [{name for _, name in rules_of(side) if name is not None} for side in (was, now)]
        self.gated = gated[0] & gated[1]
        self.common_was = {spec.name: spec for spec in was.evalset.scorers}
        self.common_now = {spec.name: spec for spec in now.evalset.scorers}

    def loosened(self, old: Case, new: Case) -> Iterator[Weakening]:
        """Yield what is weaker in one case."""
        if old.digest != new.digest or (self.texts_differ and (old.must or old.scorers or new.scorers)):
            yield from self._content(old, new)
        if old.source is not None and new.source is None:
            yield _told("incident_unmarked", "incident", new, old.source.incident, "no incident's case")
        left = {name: old.slices[name] for name in sorted(self.gated) if name in old.slices}
        moved = [name for name, value in left.items() if new.slices.get(name) != value]
        if moved:
            was = ", ".join(f"{name}={left[name]}" for name in moved)
            now = ", ".join(f"{name}={new.slices.get(name, '(none)')}" for name in moved)
            yield _told("slices_left", "slices", new, was, now)
        if old.cluster != new.cluster:
            yield _told("cluster_changed", "cluster", new, old.cluster or "(none)", new.cluster or "(none)")

    def _content(self, old: Case, new: Case) -> Iterator[Weakening]:
        if canonical_json(old.input) != canonical_json(new.input):
            yield _told("input_changed", "input", new, shown(old.input), shown(new.input))
        if expected_change(old, new, kinds=self._looking(new)) in ("looser", "unclear"):
            yield _told("expected_loosened", "expected", new, shown(old.expected), shown(new.expected))
        if not self._covered(old.must, new.must):
            yield _told("must_loosened", "must", new, _specs(old.must), _specs(new.must))
        if not _requires_hold(old.require, new.require):
            yield _told("require_loosened", "require", new, _requires(old.require), _requires(new.require))
        yield from self._own_scorers(old, new)

    def _looking(self, case: Case) -> list[str]:
        """Return the kinds of the scorers that look at the `expected` of a case."""
        scorers = {**self.common_now, **{spec.name: spec for spec in case.scorers}}
        return [spec.kind for spec in (*scorers.values(), *case.must) if spec.kind not in _BLIND]

    def _covered(self, old: Sequence[ScorerSpec], new: Sequence[ScorerSpec]) -> bool:
        """Tell whether each old must has a new one of its own that is as strict."""
        left = list(new)
        # The same must first, so that a stricter sibling is not used up by it.
        ordered = sorted(old, key=lambda one: all(self._change(one, other) != "same" for other in new))
        for one in ordered:
            fitting = sorted(
                (index for index, other in enumerate(left) if self._change(one, other) in _HOLDS),
                key=lambda index: self._change(one, left[index]) != "same",
            )
            if not fitting:
                return False
            del left[fitting[0]]
        return True

    def _change(self, was: ScorerSpec, now: ScorerSpec) -> Change:
        if was.kind != now.kind:
            return "unclear"
        found = differences(was, now, was_texts=self.was.texts, now_texts=self.now.texts)
        return together(one.change for one in found)

    def _own_scorers(self, old: Case, new: Case) -> Iterator[Weakening]:
        """Compare what scores this case where it brings scorers of its own, before or now."""
        own = dict.fromkeys(spec.name for spec in (*old.scorers, *new.scorers))
        before = {**self.common_was, **{spec.name: spec for spec in old.scorers}}
        after = {**self.common_now, **{spec.name: spec for spec in new.scorers}}
        weaker = [
            name
            for name in own
            if name in before and (name not in after or self._change(before[name], after[name]) not in _HOLDS)
        ]
        if weaker:
            was = _specs([before[name] for name in weaker])
            now = _specs([after[name] for name in weaker if name in after])
            yield _told("case_scorer_loosened", "scorers", new, was, now)


_HOLDS = ("same", "stricter")


def _told(kind: WeakeningKind, key: str, case: Case, was: str, now: str) -> Weakening:
    return Weakening(
        kind=kind,
        what=f"{key} of case {case.id}",
        was=was,
        now=now,
        cases=(case.id,),
        file=case.file,
        line=case.line,
        where=f"{case.where}.{key}",
    )


def _requires_hold(old: Sequence[Require], new: Sequence[Require]) -> bool:
    """Tell whether each old `require` is kept or has a stricter one of the same scorer."""
    return all(any(as_strict(one, other) for other in new) for one in old)


def as_strict(old: Require, new: Require) -> bool:
    """Tell whether a `require` asks at least as much as another: same scorer, share and limit no lower."""
    if old.scorer != new.scorer or _share(new) < _share(old):
        return False
    if old.at_least is None or new.at_least is None:
        return old.at_least == new.at_least
    return new.at_least >= old.at_least


def _share(require: Require) -> float:
    held, _, of = require.share.partition("/")
    return int(held) / int(of)


def _requires(requires: Sequence[Require]) -> str:
    told = []
    for one in requires:
        limit = "passes" if one.at_least is None else f"at least {one.at_least:g}"
        told.append(f"{one.scorer} {limit} in {one.share}")
    return cut("; ".join(told) or "none")


def _specs(specs: Sequence[ScorerSpec]) -> str:
    return cut("; ".join(map(spec_shown, specs)) or "none")


def spec_shown(spec: ScorerSpec) -> str:
    """Return a scorer as YAML would have it, on one line."""
    content: Any = spec.arg if spec.has_arg else spec.options
    named = "" if spec.name == spec.kind else f" as {spec.name}"
    return f"{spec.kind}{named}{f' {shown(content)}' if spec.has_arg or spec.options else ''}"


def shown(value: Any) -> str:
    """Return a value on one line, cut."""
    if isinstance(value, str):
        return cut(value)
    return "(none)" if value is None else cut(canonical_json(value))


def cut(text: str) -> str:
    """Cut a text that is too long to be shown."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
