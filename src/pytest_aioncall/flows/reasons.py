"""Why a case failed, in a scorer's own words: what stands beside the worst cases of a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ..model.sample import Sample, Score
from ..model.verdict import CaseMove

LONGEST: Final = 200
_SAMPLE: Final = ""
"""Whose reason it is where no scorer had an answer to look at."""


@dataclass(slots=True)
class Reasons:
    """The reason of the lowest epoch by case and scorer; what passed for certain has none."""

    kept: dict[tuple[str, str], tuple[float, str]] = field(default_factory=dict)

    def note(self, sample: Sample) -> None:
        """Take in a sample: its error, and what its scorers say of an answer that did not pass."""
        if sample.error is not None:
            said = f"{sample.error.type}: {sample.error.message}"
            self.kept.setdefault((sample.case, _SAMPLE), (0.0, said[:LONGEST]))
        for score in sample.scores:
            if not score.reason or not _is_in_doubt(score):
                continue
            value, key = score.value or 0.0, (sample.case, score.scorer)
            before = self.kept.get(key)
            if before is None or value < before[0]:
                self.kept[key] = (value, score.reason[:LONGEST])

    def of(self, case: str, scorer: str) -> str | None:
        """Return what the scorer said of the case, else why the case had no answer."""
        found = self.kept.get((case, scorer)) or self.kept.get((case, _SAMPLE))
        return found[1] if found is not None else None

    def beside(self, moves: Iterable[CaseMove]) -> tuple[CaseMove, ...]:
        """Return the moves, each that has no reason yet with its own."""
        return tuple(
            move if move.why else move.model_copy(update={"why": self.of(move.case, move.scorer)})
            for move in moves
        )


def _is_in_doubt(score: Score) -> bool:
    """Tell whether an answer failed, or is less than the best where the scorer draws no line."""
    if score.passed is not None:
        return not score.passed
    return score.value is not None and score.value < score.scale[1]
