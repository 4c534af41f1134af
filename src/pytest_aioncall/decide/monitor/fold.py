"""One evalset, look by look: what holds after each run, and the condition after the newest."""

from __future__ import annotations

from ...model.alert import Alert, EvalsetCondition, Evidence
from ...model.baseline import ScorerInfo
from ...model.frozen import canonical_json
from ...model.history import EvalsetDay, RunRef
from ...model.oncall import Monitors
from ...model.report import SubjectChange
from ...model.verdict import CaseMove
from ..instrument import changed_parts
from . import titles
from .absence import judge_alert, judge_is_out, no_data_alert, stale_alert
from .amounts import SHOWN_TEXTS, cost_alert, errors_alert, is_enough, latency_alert, latency_of, run_cost
from .budget import Budget, watched_rows
from .calm import CalmDay, CalmDays
from .changes import changes_between_runs
from .episodes import Episodes, RuleKey
from .looks import Look, days_between
from .measured import Untold, untold, untold_alert
from .novelty import ErrorKinds, ModelIds, novel_alerts
from .regression import Quality, broken, floor_alerts, quality_of
from .retrieval import Retrieval
from .shift import Shifts
from .watch import DayKind, SeriesKey, Watch, series_key
from .worst import worst_cases

WEEK = 7
SHOWN_DAYS = 30


class Fold:
    """The state of one evalset. `look` takes the runs in, by time; `condition` says how it stands."""

    def __init__(self, monitors: Monitors) -> None:
        self._monitors = monitors
        self._watches: dict[SeriesKey, Watch] = {}
        self._episodes = Episodes(recovery_days=monitors.recovery_days)
        self._calm = CalmDays(most=monitors.reference_days)
        self._shifts, self._retrieval = Shifts(monitors), Retrieval()
        self._error_kinds, self._model_ids = ErrorKinds(), ModelIds()
        self._look: Look | None = None
        self._judged: Look | None = None
        self._good: Look | None = None
        self._agreed: EvalsetDay | None = None
        self._infos: dict[str, ScorerInfo] = {}
        self._sides: tuple[Look | None, Look] | None = None
        self._quality: list[Alert] = []
        self._other: list[Alert] = []
        self._since: dict[str, RunRef] = {}
        self._today: list[Look] = []
        self._day_bad = False
        self._held: list[CalmDay] = []
        self._days: list[str] = []
        self._gap = 0
        self._lines: list[tuple[str, str]] = []

    def look(self, look: Look, *, budget: Budget) -> None:
        """Take one run in."""
        before = self._look
        if before is not None and look.day != before.day:
            self._close_day()
            self._gap = max(0, days_between(before.day, look.day) - 1)
        self._days.append(look.day)
        changed = self._model_ids.changed(look)
        if changed is not None:
            self._lines.append((look.day, changed.title))
        monitors, out = self._monitors, judge_is_out(look)
        errors = errors_alert(look, self._calm, before=before, monitors=monitors, judge_out=out)
        other = [changed, judge_alert(look), stale_alert(look), errors]
        if look.evalset.judged:
            self._restart_where_changed(look)
            self._infos.update(look.evalset.scorers)
            self._judge(look, budget)
            self._judged = look
        else:
            other += self._take_what_there_is(look, outage=errors is not None)
        shows = out or errors is not None
        news = look.evalset.error_texts[:SHOWN_TEXTS] if shows else self._error_kinds.novel(look)
        self._error_kinds.learn(look, told=news, in_episode=self._episodes.open is not None)
        self._other = self._dated([alert for alert in other if alert is not None], look)
        self._look = look

    @property
    def alerts(self) -> list[Alert]:
        """Return what holds after the newest look, but for what depends on today's date.

        Alerts of quality hold on while a run cannot be judged; what such a run says itself goes before them.
        """
        said = {alert.key for alert in self._other}
        return [*(alert for alert in self._quality if alert.key not in said), *self._other]

    @property
    def file(self) -> str:
        """Return the file of the evalset, as its newest run tells it."""
        return self._look.evalset.file if self._look is not None else ""

    @property
    def episodes(self) -> Episodes:
        """Return the episodes so far."""
        return self._episodes

    def _close_day(self) -> None:
        kind = self._kind_of_day()
        for watch in self._watches.values():
            watch.close_day(kind)
        if self._today and kind != "bad":
            day = CalmDay(self._today[0].day, tuple(self._today))
            if kind == "calm":
                self._calm.add(day)
            else:
                self._held.append(day)
        self._today, self._day_bad = [], False

    def _kind_of_day(self) -> DayKind:
        """Tell what the references may make of the day that ends.

        Of an episode that has not paged nobody knows yet whether it is one. Were its days left out though it
        ends as chance, the lowest days of good times would be missing: the level would be too high, its
        deviation too small, and the CUSUM would page for what is normal.
        """
        episode = self._episodes.open
        if episode is None:
            return "bad" if self._day_bad else "calm"
        return "bad" if episode.paged else "doubtful"

    def _restart_where_changed(self, look: Look) -> None:
        """Let references be learned anew where something else was agreed on, or is measured otherwise.

        A new baseline for the same subject, accepted while all was well, only renews its age: the level is
        what it was, and the reference stays. Every other acceptance says that the level is another one.
        """
        day = look.evalset
        if self._agreed is None:
            self._agreed = day
            return
        # A run that found no baseline says nothing of the one that was agreed on.
        if day.baseline and canonical_json(day.baseline) != canonical_json(self._agreed.baseline):
            same = bool(day.subject) and canonical_json(day.subject) == canonical_json(self._agreed.subject)
            self._agreed = day
            if not same or self._episodes.open is not None:
                self._restart()
                return
        for watch in self._watches.values():
            was, now = self._infos.get(watch.scorer), day.scorers.get(watch.scorer)
            parts = changed_parts(now, was) if was is not None and now is not None else ()
            if parts:
                watch.restart()
                told = titles.plain("; ".join(parts), 200)
                self._note_restart(watch.key, f"its scorer changed on {look.day}: {told}")

    def _restart(self) -> None:
        """Let everything be learned anew: another level was agreed on."""
        if self._episodes.open is not None:
            self._episodes.open.agree()
        self._calm.restart()
        self._held = []
        for watch in self._watches.values():
            watch.restart()

    def _note_restart(self, key: SeriesKey, why: str) -> None:
        if self._episodes.open is not None:
            self._episodes.open.restarted.setdefault(key, why)

    def _judge(self, look: Look, budget: Budget) -> None:
        """Take a judged run in: its series, its alerts of quality, its episode."""
        self._today.append(look)
        watches = self._watched(look, budget)
        episode = self._episodes.open
        red_days = episode.red_days if episode is not None else {}
        found = quality_of(
            look,
            watches=watches,
            gate_share=budget.gate_share,
            red_before=frozenset(key for key, day in red_days.items() if day != look.day),
        )
        self._add_rules(found, look)
        left = Untold({}, {}, {})
        if episode is not None and not found.alerts:
            left = untold(look, episode=episode, watches=watches, known=self._watches, asked=found.asked)
        if found.alerts:
            self._worsen(look, found)
        elif self._episodes.good(look.ref, watches=watches, untold=left.all):
            self._recover(acquitted=episode is not None and not episode.paged)
        if self._episodes.open is None:
            self._good = look
        self._quality = self._dated(
            [*found.alerts, *([untold_alert(look, left)] if left.changed or left.missing else [])], look
        )

    def _take_what_there_is(self, look: Look, *, outage: bool) -> list[Alert]:
        """Take a run in that could not be judged: what it measured is told, and what was before holds on.

        What it found bad is bad; it never is good, for nobody knows what it would have found else. In an
        outage the answers that come are late, and the errors are its own: those are told as one thing.
        Returns the alerts that speak of no answer.
        """
        alerts = [*floor_alerts(look), cost_alert(look, self._calm, monitors=self._monitors)]
        if not outage and is_enough(look):
            alerts.append(latency_alert(look, self._calm, monitors=self._monitors))
        if not outage and not judge_is_out(look):
            alerts += novel_alerts(look, self._error_kinds.novel(look))
        told = [alert for alert in alerts if alert is not None]
        found = Quality([alert for alert in told if alert.quality])
        if found.alerts:
            self._worsen(look, found)
            said = {alert.key for alert in found.alerts}
            held = [alert for alert in self._quality if alert.key not in said]
            self._quality = [*self._dated(found.alerts, look), *held]
        return [alert for alert in told if not alert.quality]

    def _worsen(self, look: Look, found: Quality) -> None:
        """Take a run with alerts of quality into the episode, which it opens where none is."""
        self._day_bad = True
        opens = self._episodes.open is None
        episode = self._episodes.bad(look.ref, affected=found.affected)
        episode.note(found.alerts, floors=broken(look.evalset.floors))
        for key in found.affected:
            episode.red_days.setdefault(key, look.day)
        episode.paged |= any(a.tier == 1 or a.kind != "eval_regression" for a in found.alerts)
        if episode.paged:
            self._held = []
        if opens:
            self._sides = self._good, look
            self._since = {}

    def _recover(self, *, acquitted: bool) -> None:
        """End an episode; `acquitted`: it never paged, and turned out to be chance."""
        for watch in self._watches.values():
            watch.recover(acquitted=acquitted)
        for day in self._held if acquitted else ():
            self._calm.add(day)
        self._held = []
        self._error_kinds.settle()
        self._day_bad = not acquitted  # else it is a day of the episode still, which no reference takes

    def _watched(self, look: Look, budget: Budget) -> dict[SeriesKey, Watch]:
        fewest, most = self._monitors.reference_days_min, self._monitors.reference_days
        found: dict[SeriesKey, Watch] = {}
        for row in watched_rows(look.evalset):
            key = series_key(row.scorer, row.slice)
            watch = self._watches.get(key)
            if watch is None:
                watch = self._watches[key] = Watch(row, fewest=fewest, most=most)
            watch.look(look, row, h=budget.h(row))
            if watch.is_foreign:
                self._note_restart(key, f"most of its cases are other ones since {look.day}")
            found[key] = watch
        return found

    def _add_rules(self, found: Quality, look: Look) -> None:
        """Add the alerts of the fixed rules, which need no gate and no CUSUM."""
        rules = [
            latency_alert(look, self._calm, monitors=self._monitors),
            cost_alert(look, self._calm, monitors=self._monitors),
        ]
        found.alerts += [alert for alert in rules if alert is not None]
        found.alerts += self._shifts.alerts(look, self._calm)
        found.alerts += self._retrieval.alerts(look, self._calm)
        found.alerts += novel_alerts(look, self._error_kinds.novel(look))
        measured: dict[RuleKey, float | None] = {
            ("latency", ""): latency_of(look),
            ("cost", ""): run_cost(look),
        }
        found.asked |= {rule for rule, value in measured.items() if value is not None}
        found.asked |= {("output_shift", name) for name in self._shifts.asked}
        found.asked |= {("retrieval", name) for name in self._retrieval.asked}

    def _dated(self, alerts: list[Alert], look: Look) -> list[Alert]:
        """Say since when each alert holds: in this episode, or without a break."""
        held = {alert.key for alert in (*self._quality, *self._other)}
        found = []
        for alert in alerts:
            lasts = alert.key in held or (alert.quality and self._episodes.open is not None)
            if not lasts or alert.key not in self._since:
                self._since[alert.key] = look.ref
            found.append(alert.model_copy(update={"since": self._since[alert.key], "day": look.day}))
        return found

    def condition(self, *, owner: str | None, today: str, left_out: bool = False) -> EvalsetCondition:
        """Return how the evalset stands after the newest run, on the day `today`.

        left_out  later runs have the others and not it
        """
        if self._look is None:
            raise ValueError("no run was looked at")
        newest, day = self._look, self._look.evalset
        absent = no_data_alert(
            newest,
            judged=self._judged,
            first_day=self._days[0],
            days=self._days,
            today=today,
            monitors=self._monitors,
            left_out=left_out,
        )
        alerts = self.alerts
        if absent is not None:
            alerts.append(absent.model_copy(update={"since": newest.ref}))
        owner = owner or day.owner
        return EvalsetCondition(
            evalset=day.evalset,
            owner=owner,
            file=day.file,
            run=newest.ref,
            state=self._state(day),  # type: ignore[arg-type]
            because=day.because,
            uncounted=self._episodes.uncounted if day.judged else "",
            alerts=tuple(self._told(alert, owner) for alert in sorted(alerts, key=_weight)),
            episode=self._episodes.newest,
            earlier=self._episodes.earlier,
            changes=self._changes(),
            series=tuple(watch.series(_name(watch)) for watch in self._current()),
            worst=self._worst(),
            judged_samples=day.judged_samples,
            planned=day.planned,
            history_gap=self._gap,
        )

    def review(self, today: str) -> list[str]:
        """Return the lines for the weekly review: models that changed, what is learned, what grows old."""
        if self._look is None:
            return []
        day = self._look.evalset
        lines = [line for on, line in self._lines if days_between(on, today) < WEEK]
        learning = [watch for watch in self._current() if watch.is_learning]
        if learning:
            most = max(watch.reference.size for watch in learning)
            fewest = self._monitors.reference_days_min
            lines.append(f"{day.evalset}: learning its reference, {most} of {fewest} days")
        age, limit = day.baseline_age_days, day.baseline_limit_days
        if age is not None and limit is not None and limit - WEEK < age <= limit:
            old = f"the baseline is {int(age)} days old, limit {limit}"
            lines.append(f"{day.evalset}: {old}: accept a fresh one")
        if not day.baseline:
            lines.append(f"{day.evalset}: has no baseline, so the gate compares with nothing")
        return lines

    def _current(self) -> list[Watch]:
        """Return the series that still are; one whose scorer or slice is gone is shown for a month more."""
        newest = self._judged.day if self._judged is not None else ""
        return [one for one in self._watches.values() if days_between(one.last_day, newest) <= SHOWN_DAYS]

    def _state(self, day: EvalsetDay) -> str:
        if not day.judged:
            return "not_judged"
        if self._quality or any(watch.latched for watch in self._current()):
            return "bad"
        if not day.baseline and all(watch.is_learning for watch in self._current()):
            return "learning"
        return "good"

    def _told(self, alert: Alert, owner: str) -> Alert:
        """Add what every alert has: owner, runbook, and the models where they changed before it."""
        evidence = list(alert.evidence)
        if alert.quality and self._sides is not None and self._sides[0] is not None:
            evidence += [
                Evidence(name="provider change", value=f"{change.was} -> {change.now}")
                for change in changes_between_runs(self._sides[0].evalset, self._sides[1].evalset)
                if change.name == "response model"
            ]
        told = {"owner": owner, "runbook": f"docs/runbooks/{alert.kind}.md", "evidence": tuple(evidence)}
        return alert.model_copy(update=told)

    def _changes(self) -> tuple[SubjectChange, ...]:
        if self._sides is None or self._sides[0] is None:
            return ()
        return changes_between_runs(self._sides[0].evalset, self._sides[1].evalset)

    def _worst(self) -> tuple[CaseMove, ...]:
        if self._episodes.open is None or self._judged is None or not self._quality or self._sides is None:
            return ()
        good = self._sides[0]
        if self._judged is good:
            return ()
        scorers = {a.scorer for a in self._quality if a.scorer and a.kind in {"eval_regression", "retrieval"}}
        return worst_cases(
            self._judged.evalset, was=good.evalset if good is not None else None, scorers=scorers
        )


def _weight(alert: Alert) -> tuple[int, bool]:
    return alert.tier, not alert.quality


def _name(watch: Watch) -> str:
    return f"{watch.scorer}{titles.where(watch.slice)}"
