"""Whether a run can tell that the series of an incident are back: only where it measures what they were."""

from __future__ import annotations

from collections.abc import Mapping

from ...model.alert import Alert, Evidence
from ...model.history import EvalsetDay
from . import titles
from .episodes import OpenEpisode
from .looks import Look
from .watch import SeriesKey, Watch

_NAMED = 8


def untold(
    look: Look,
    *,
    episode: OpenEpisode,
    watches: Mapping[SeriesKey, Watch],
    known: Mapping[SeriesKey, Watch],
) -> dict[SeriesKey, str]:
    """Return the series of an episode of which a judged run cannot say that they are back, each with why.

    watches  the series of this run; `known`: all that there ever were
    A reference that began anew in the episode knows the bad level only, and a row that is not there says
    nothing. Then the gate has to have measured the row against the baseline, and passed it.
    """
    found = {}
    for key in sorted(episode.affected):
        if key in watches:
            if key in episode.restarted and not _has_passed(look.evalset, key):
                found[key] = episode.restarted[key]
        elif key in known and not _is_given_up(look.evalset, key, episode=episode, watches=watches):
            found[key] = f"not measured since {known[key].last_day}"
    return found


def _has_passed(day: EvalsetDay, key: SeriesKey) -> bool:
    """Tell whether the gate compared a row and passed it: the history keeps those that did not pass."""
    if not day.baseline or (day.status != "pass" and not day.verdicts):
        return False
    return all(verdict.row != key for verdict in day.verdicts)


def _is_given_up(
    day: EvalsetDay, key: SeriesKey, *, episode: OpenEpisode, watches: Mapping[SeriesKey, Watch]
) -> bool:
    """Tell whether a scorer was taken out and nothing put in its place: what is left speaks for itself.

    A series that began in the episode may be the same scorer under another name, and knows nothing of before.
    """
    first = episode.first_bad
    is_gone = key[0] not in day.scorers and all(row.scorer != key[0] for row in day.rows)
    is_old = all(watch.first_day < first.day or watch.first_run == first.run for watch in watches.values())
    return is_gone and bool(watches) and is_old and bool(day.baseline) and day.status == "pass"


def untold_alert(look: Look, because: Mapping[SeriesKey, str]) -> Alert:
    """Return the ticket that says why the incident stays open though nothing is red."""
    name = look.evalset.evalset
    named = [
        Evidence(name=titles.plain(scorer + titles.where(dict(part)), 80), value=titles.plain(why, 300))
        for (scorer, part), why in list(because.items())[:_NAMED]
    ]
    return Alert(
        kind="eval_regression",
        tier=2,
        evalset=name,
        title=titles.about(name, "recovery", "cannot tell: the instrument changed"),
        summary="What was bad is measured otherwise now, or not at all: nobody knows whether it is back.",
        evidence=(
            *named,
            Evidence(
                name="ends",
                value="when the gate passes it against the baseline on good days, or a baseline is accepted: "
                f'aioncall baseline accept {titles.plain(name, 80)} --reason "..."',
            ),
        ),
    )
