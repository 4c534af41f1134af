"""One evalset, look by look: what holds after each run, and the condition after the newest."""

from __future__ import annotations

from ...model.alert import Alert, EvalsetCondition
from ...model.frozen import canonical_json
from ...model.history import EvalsetDay
from ...model.oncall import Monitors
from ..instrument import differs
from .budget import Budget, watched_rows
from .episodes import Episodes, OpenEpisode
from .looks import Look, days_between
from .regression import quality_of
from .watch import SeriesKey, Watch, series_key


class Fold:
    """The state of one evalset. `look` takes the runs in, by time; `condition` says how it stands."""

    def __init__(self, monitors: Monitors) -> None:
        self._monitors = monitors
        self._watches: dict[SeriesKey, Watch] = {}
        self._episodes = Episodes(recovery_days=monitors.recovery_days)
        self._look: Look | None = None
        self._judged: Look | None = None
        self._alerts: list[Alert] = []
        self._day_bad = False
        self._day_judged = False
        self._gap = 0

    def look(self, look: Look, *, budget: Budget) -> None:
        """Take one run in."""
        if self._look is not None and look.day != self._look.day:
            self._close_day()
            self._gap = max(0, days_between(self._look.day, look.day) - 1)
        if look.evalset.judged:
            self._restart_where_changed(look.evalset)
            self._judge(look, budget)
            self._judged = look
        self._look = look

    def _close_day(self) -> None:
        in_control = self._day_judged and not self._day_bad and self._episodes.open is None
        for watch in self._watches.values():
            watch.close_day(in_control=in_control)
        self._day_bad = self._day_judged = False

    def _restart_where_changed(self, day: EvalsetDay) -> None:
        """Let references be learned anew where something else was agreed on, or is measured otherwise.

        A new baseline for the same subject, accepted while all was well, only renews its age: the level is
        what it was, and the reference stays. Every other acceptance says that the level is another one.
        """
        before = self._judged.evalset if self._judged is not None else None
        if before is None:
            return
        if day.baseline and canonical_json(day.baseline) != canonical_json(before.baseline):
            same = bool(day.subject) and canonical_json(day.subject) == canonical_json(before.subject)
            if not same or self._episodes.open is not None:
                for watch in self._watches.values():
                    watch.restart()
                return
        for watch in self._watches.values():
            was, now = before.scorers.get(watch.scorer), day.scorers.get(watch.scorer)
            if was is not None and now is not None and differs(now, was):
                watch.restart()

    def _judge(self, look: Look, budget: Budget) -> None:
        self._day_judged = True
        fewest, most = self._monitors.reference_days_min, self._monitors.reference_days
        watches: dict[SeriesKey, Watch] = {}
        for row in watched_rows(look.evalset):
            key = series_key(row.scorer, row.slice)
            watch = self._watches.get(key) or Watch(row, fewest=fewest, most=most)
            self._watches[key] = watch
            watch.look(look, row, h=budget.h(row))
            watches[key] = watch
        episode = self._episodes.open
        red_before = frozenset(
            key for key, day in (episode.red_days if episode else {}).items() if day != look.day
        )
        found = quality_of(look, watches=watches, gate_share=budget.gate_share, red_before=red_before)
        if found.alerts:
            self._day_bad = True
            episode = self._episodes.bad(look.ref, affected=found.affected)
            for key in found.affected:
                episode.red_days.setdefault(key, look.day)
        elif self._episodes.open is not None and self._episodes.good(look.ref, watches=watches):
            for watch in self._watches.values():
                watch.recover()
            self._day_bad = True  # a day of the episode, which no reference takes
        elif self._episodes.open is None:
            self._episodes.good(look.ref, watches=watches)
        self._alerts = [self._dated(alert, look, self._episodes.open) for alert in found.alerts]

    def _dated(self, alert: Alert, look: Look, episode: OpenEpisode | None) -> Alert:
        since = episode.since.setdefault(alert.key, look.ref) if episode is not None else look.ref
        return alert.model_copy(update={"since": since})

    def condition(self, *, owner: str | None) -> EvalsetCondition:
        """Return how the evalset stands after the newest run."""
        if self._look is None:
            raise ValueError("no run was looked at")
        newest = self._look
        day = newest.evalset
        owner = owner or day.owner
        latched = any(watch.latched for watch in self._watches.values())
        state = "good"
        if not day.judged:
            state = "not_judged"
        elif latched or any(alert.quality for alert in self._alerts):
            state = "bad"
        elif not day.baseline and all(watch.is_learning for watch in self._watches.values()):
            state = "learning"
        return EvalsetCondition(
            evalset=day.evalset,
            owner=owner,
            run=newest.ref,
            state=state,  # type: ignore[arg-type]
            because=day.because,
            alerts=tuple(
                alert.model_copy(update={"owner": owner})
                for alert in sorted(self._alerts, key=lambda one: (one.tier, not one.quality))
            ),
            episode=self._episodes.newest,
            earlier=self._episodes.earlier,
            series=tuple(watch.series(_name(watch)) for watch in self._watches.values()),
            judged_samples=day.judged_samples,
            planned=day.planned,
            history_gap=self._gap,
        )


def _name(watch: Watch) -> str:
    named = ", ".join(f"{key}={value}" for key, value in sorted((watch.slice or {}).items()))
    return f"{watch.scorer} {named}".rstrip()
