"""What judging stored answers again came to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..adapters.render import words
from ..adapters.text import log_line
from ..decide.movement import Movement, mean_of
from ..model.baseline import CaseRow
from ..model.sample import Sample
from .prepare import Prepared
from .rescoring import Wanted


@dataclass(frozen=True, slots=True)
class RejudgeRequest:
    """The command line of `aioncall rejudge`. `every` scores with all scorers, not only the changed ones."""

    name: str
    evalset: str | None = None
    reason: str = ""
    by: str | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What was judged again in one evalset, and where it stands; `written` is None where nothing was to do.

    why      each scorer that judged again, and why
    moves    its mean over all stored outputs, then and now; of a new one the mean is in `fresh`
    left     cases that were not judged again: their answers are to another question
    """

    evalset: str
    kind: str
    written: str | None
    why: Mapping[str, str]
    gone: tuple[str, ...] = ()
    outputs: int = 0
    moves: tuple[Movement, ...] = ()
    fresh: tuple[Movement, ...] = ()
    errors: int = 0
    left: tuple[str, ...] = ()
    cost_usd: float | None = 0.0

    def lines(self) -> list[str]:
        """Return what a person reads."""
        name = log_line(self.evalset, 120)
        if self.written is None:
            return [
                f"{name}: nothing to judge again, every scorer is as it was (--all scores with all of them)"
            ]
        outputs = words.counted(self.outputs, "stored output")
        where = self.written if self.kind == "baseline" else f"run {self.written}"
        cost = f", {words.money(self.cost_usd)}" if self.cost_usd or self.cost_usd is None else ""
        lines = [f"{name}: {outputs} judged again{cost}; the target was not asked -> {where}"]
        lines += [f"  {log_line(scorer, 60)} ({log_line(why, 200)})" for scorer, why in self.why.items()]
        lines += [f"  {log_line(scorer, 60)} (removed: its scores are gone)" for scorer in self.gone]
        for one in self.moves:
            was, now = words.mean(one.was, one.scale), words.mean(one.now, one.scale)
            step = words.difference(one.now - one.was, one.scale)
            cases = words.counted(one.cases, "case")
            lines.append(
                f"  {log_line(one.scorer, 60)}: {was} -> {now} ({step}) on the same answers, {cases}"
            )
        for one in self.fresh:
            lines.append(f"  {log_line(one.scorer, 60)}: {words.mean(one.now, one.scale)}")
        if self.errors:
            lines.append(f"  {words.counted(self.errors, 'score')} could not be given; they are null, not 0")
        if self.left:
            lines.append(
                f"  not judged again, changed or removed since: {log_line(', '.join(self.left), 2000)}"
            )
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return it in JSON types."""
        means = [*self.moves, *self.fresh]
        return {
            "evalset": self.evalset,
            "kind": self.kind,
            "written": self.written,
            "scorers": dict(self.why),
            "removed": list(self.gone),
            "outputs": self.outputs,
            "means": {
                m.scorer: {"was": None if m in self.fresh else m.was, "now": m.now, "cases": m.cases}
                for m in means
            },
            "errors": self.errors,
            "not_judged_again": list(self.left),
            "cost_usd": self.cost_usd,
        }


Means = Mapping[str, Sequence[float]]
"""Per scorer the mean of each case."""


def means_of_rows(rows: Sequence[CaseRow], cases: Collection[str]) -> Means:
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.case in cases:
            for name, values in row.scores.items():
                if (mean := mean_of(values)) is not None:
                    found.setdefault(name, []).append(mean)
    return found


def means_of_samples(samples: Mapping[str, Sequence[Sample]], cases: Collection[str]) -> Means:
    found: dict[str, list[float]] = {}
    for case, epochs in samples.items():
        scores: dict[str, list[float | None]] = {}
        for sample in epochs:
            for score in sample.scores:
                scores.setdefault(score.scorer, []).append(score.value if score.error is None else None)
        for name, values in scores.items():
            if case in cases and (mean := mean_of(values)) is not None:
                found.setdefault(name, []).append(mean)
    return found


def moves_of(
    wanted: Wanted, prepared: Prepared, was: Means, now: Means
) -> tuple[tuple[Movement, ...], tuple[Movement, ...]]:
    """Return how the mean of each scorer moved on the same answers; of a new one only where it stands."""
    moved: list[Movement] = []
    fresh: list[Movement] = []
    for name in wanted.names:
        after, before = now.get(name, ()), was.get(name, ())
        if not after:
            continue
        mean = sum(after) / len(after)
        info = prepared.infos[name]
        one = Movement(name, info.scale, len(after), sum(before) / len(before) if before else mean, mean)
        (moved if before else fresh).append(one)
    return tuple(moved), tuple(fresh)
