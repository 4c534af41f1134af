"""What kept the samples of an evalset from being judged: how often what, in which cases, and whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from ...model.report import CaseView, EpochView, EvalsetReport
from ...model.sample import NOT_RECORDED

OWN: Final = frozenset({"user", "target"})
"""Kinds that waiting does not mend: the user's code raised, or what is asked gives no output."""
_NEVER_ASKED = "there is no recording of what is asked now"
_NAMED = 5
"""Cases without a recording that are named."""

Failure = tuple[str, str]
"""Its kind and its message."""


@dataclass(frozen=True)
class Failures:
    """The errors of one evalset's report, by (kind, message)."""

    report: EvalsetReport

    @cached_property
    def counts(self) -> Counter[Failure]:
        """How often each ended a sample or kept a scorer from judging it.

        What was not asked for want of a key is none of them: that is a state of its own.
        """
        found: Counter[Failure] = Counter()
        keyless = self.report.without_key is not None
        for view in (view for case in self.report.cases for view in case.now):
            if view.error_kind == "cassette_miss" and keyless:
                continue
            if view.error_kind == "cassette_miss":
                # Each one names its own question; the cause and the way out are the same for all.
                found["not recorded", self._never_asked] += 1
            elif view.error is not None:
                found[view.error_kind or "transport", view.error] += 1
            for score in view.scores:
                name = score.scorer.partition(":")[2] or score.scorer
                if score.error and not score.error.startswith(NOT_RECORDED):
                    found[f"{name} unjudged", score.error] += 1
                elif score.error and not keyless:
                    found[f"{name} not recorded", self._never_asked] += 1
        return found

    def commonest(self, most: int) -> tuple[list[tuple[Failure, int]], int]:
        """Return the `most` frequent ones with their counts, and how many there are of all others."""
        shown = self.counts.most_common(most)
        return shown, self.counts.total() - sum(count for _, count in shown)

    def cases_with(self, kind: str, message: str) -> tuple[str, ...]:
        """Name the cases that have an error, in their order."""
        return tuple(
            case.case
            for case in self.report.cases
            if any(
                (view.error == message and (view.error_kind or "transport") == kind)
                or any(score.error == message for score in view.scores)
                for view in case.now
            )
        )

    @property
    def own(self) -> int:
        """How many samples failed by what waiting does not mend."""
        return sum(n for (kind, _), n in self.counts.items() if kind in OWN)

    @cached_property
    def refused(self) -> Counter[str]:
        """How often each answer of the target was no output, by what is wrong with it."""
        of_target = {m: n for (kind, m), n in self.counts.items() if kind == "target"}
        return Counter({message.removeprefix("TargetError: "): n for message, n in of_target.items()})

    @property
    def raised(self) -> int:
        """How many samples ended in an exception of the user's own code."""
        return self.own - self.refused.total()

    @property
    def only_refused(self) -> bool:
        """Tell whether no code of the user's raised: each failed sample's target answered with no output."""
        return bool(self.refused) and not self.raised

    @cached_property
    def _never_asked(self) -> str:
        """Say that a recording is missing, and of which cases where it is not all of them."""
        lacking = [case.case for case in self._without_recording()]
        if len(lacking) >= self.report.planned.cases:
            return _NEVER_ASKED
        more = f" and {len(lacking) - _NAMED} more cases" if len(lacking) > _NAMED else ""
        return f"{_NEVER_ASKED} in {', '.join(lacking[:_NAMED])}{more}"

    def _without_recording(self) -> Iterator[CaseView]:
        for case in self.report.cases:
            if any(map(_is_not_recorded, case.now)):
                yield case


def _is_not_recorded(view: EpochView) -> bool:
    scores = (score.error or "" for score in view.scores)
    return view.error_kind == "cassette_miss" or any(error.startswith(NOT_RECORDED) for error in scores)
