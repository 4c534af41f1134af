"""Whether a run can tell that what was bad in an incident is back: only where it measures what that was."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ...model.alert import Alert, Evidence
from ...model.history import EvalsetDay
from ...model.verdict import Verdict
from . import titles
from .episodes import OpenEpisode, RuleKey
from .looks import Look
from .watch import SeriesKey, Watch, series_key

_NAMED = 8
_DOUBTS = frozenset({"suspected", "min_undecided"})


@dataclass(frozen=True, slots=True)
class Untold:
    """Of what a judged run cannot say that it is back, each with why.

    changed   series that are measured otherwise than when they were bad, or not at all
    missing   floors and fixed rules of which it has no measurement
    doubted   rows that the gate does not call red any more, and does not clear
    """

    changed: Mapping[str, str]
    missing: Mapping[str, str]
    doubted: Mapping[str, str]

    @property
    def all(self) -> dict[str, str]:
        """Return everything."""
        return {**self.changed, **self.missing, **self.doubted}


def untold(
    look: Look,
    *,
    episode: OpenEpisode,
    watches: Mapping[SeriesKey, Watch],
    known: Mapping[SeriesKey, Watch],
    asked: Collection[RuleKey],
) -> Untold:
    """Return what was bad in an episode and is not told by a judged run in which nothing is.

    watches  the series of this run; `known`: all that there ever were
    asked    the fixed rules that had what they need in this run
    A reference that began anew in the episode knows the bad level only, and what is not there says nothing.
    Then the gate has to have measured the row against the baseline, and passed it.
    """
    changed = {}
    for key in sorted(episode.affected):
        if key not in watches and key in known:
            changed[titles.series(key)] = f"not measured since {known[key].last_day}"
        elif key in episode.restarted and not _has_passed(look.evalset, key):
            changed[titles.series(key)] = episode.restarted[key]
    missing = {
        titles.plain(f"{kind.replace('_', ' ')} {name}", 80): "not measured in this run"
        for kind, name in sorted(episode.rules - set(asked))
    }
    missing |= _floors_untold(look.evalset, episode)
    doubted = {
        titles.series(series_key(row.scorer, row.slice)): f"the gate calls it {row.reason.replace('_', ' ')}"
        for row in _doubts(look.evalset, episode)
    }
    return Untold(changed, missing, {name: why for name, why in doubted.items() if name not in changed})


def _has_passed(day: EvalsetDay, key: SeriesKey) -> bool:
    """Tell whether the gate compared a row and passed it: the history keeps those that did not pass."""
    if not day.baseline or (day.status != "pass" and not day.verdicts):
        return False
    return all(verdict.row != key for verdict in day.verdicts)


def _doubts(day: EvalsetDay, episode: OpenEpisode) -> Iterator[Verdict]:
    """Yield the rows of the episode that are as low as a red one, though it may be chance."""
    for row in day.verdicts:
        low = row.reason != "min_undecided" or (
            row.min is not None and row.candidate is not None and row.candidate < row.min
        )
        if row.gating and row.reason in _DOUBTS and low and row.row in episode.affected:
            yield row


def _floors_untold(day: EvalsetDay, episode: OpenEpisode) -> dict[str, str]:
    """Return the floors of an episode that neither hold nor are broken in a run."""
    cases = {case.case: case for case in day.cases}
    found = {}
    for case, name in sorted(episode.floors):
        if case not in cases:
            why = "the case is not in this run"
        elif name not in cases[case].held:
            why = "its answers could not be judged" if cases[case].errors else "not asked in this run"
        else:
            continue
        found[titles.plain(f"{case}: {name}", 80)] = why
    return found


def untold_alert(look: Look, found: Untold) -> Alert:
    """Return the ticket that says why the incident stays open though nothing is red."""
    name = look.evalset.evalset
    because = {**found.changed, **found.missing}
    named = [
        Evidence(name=what, value=titles.plain(why, 300)) for what, why in list(because.items())[:_NAMED]
    ]
    why = "the instrument changed" if found.changed else "what was bad is not measured"
    return Alert(
        kind="eval_regression",
        tier=2,
        evalset=name,
        title=titles.about(name, "recovery", f"cannot tell: {why}"),
        summary="What was bad is measured otherwise now, or not at all: nobody knows whether it is back.",
        evidence=(
            *named,
            Evidence(
                name="ends",
                value="with good days on which all of it is measured again and the gate passes it, or when a "
                f'baseline is accepted: aioncall baseline accept {titles.plain(name, 80)} --reason "..."',
            ),
        ),
    )
