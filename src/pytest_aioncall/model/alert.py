"""What a monitor says of a run (`alerts.json` in the run folder): alerts, episodes, series."""

from __future__ import annotations

from typing import Final, Literal

from .frozen import Frozen
from .history import RunRef
from .oncall import Tier
from .report import SubjectChange
from .spelling import slice_name
from .verdict import CaseMove

AlertKind = Literal[
    "eval_regression", "policy_floor", "latency", "errors", "cost", "no_data", "stale_baseline",
    "judge_unavailable", "output_shift", "novel_error", "retrieval", "provider_change", "drill",
]  # fmt: skip


class Evidence(Frozen):
    """One number or fact behind an alert: `p95 latency`, `1.9 s -> 4.4 s (2.3 x, limit 2.0)`."""

    name: str
    value: str


class Alert(Frozen):
    """A condition that holds now, with its labels.

    title    the house form: `summarizer.daily.helpfulness 24h: 4.21 -> 4.05 (delta -0.16, n=200, CI ...)`
    quality  it speaks of answers; an alert that does not (no data, judge out of reach) never makes a
             regression, and the next judged run ends it
    since    first run of this episode in which it held
    day      of the run that measured it; older than the condition's where a run since could not judge
    runbook  address or file of its page, else the command that prints it
    """

    kind: AlertKind
    tier: Tier
    evalset: str
    scorer: str | None = None
    slice: dict[str, str] | None = None
    title: str
    summary: str = ""
    evidence: tuple[Evidence, ...] = ()
    quality: bool = True
    since: RunRef | None = None
    day: str = ""
    owner: str = ""
    runbook: str = ""

    def is_held(self, day: str) -> bool:
        """Tell whether its numbers are older than a day's run: that run could not judge, and it holds on."""
        return bool(self.day) and self.day != day

    @property
    def key(self) -> str:
        """Return what makes two alerts of different runs the same one: kind, evalset, scorer, slice."""
        where = ",".join(f"{k}={v}" for k, v in sorted((self.slice or {}).items()))
        return "/".join((self.kind, self.evalset, self.scorer or "", where))


class Point(Frozen):
    """One judged day of one series. `cusum` is None while the reference is being learned."""

    day: str
    run: str
    value: float | None
    n: int = 0
    z: float | None = None
    cusum: float | None = None
    alarmed: bool = False
    in_reference: bool = False


_AMOUNTS: Final = {
    "latency_p95_s": "p95 latency",
    "latency_p50_s": "median latency",
    "cost_usd": "cost",
    "error_rate": "errors",
}


class Series(Frozen):
    """A daily series: a scorer overall or on a slice, or `latency_p95_s`, `cost_usd`, `error_rate`.

    mu, sigma, k, h  of the CUSUM against the frozen reference; None while it is learned
    """

    name: str
    scorer: str | None = None
    slice: dict[str, str] | None = None
    scale: tuple[float, float] = (0.0, 1.0)
    points: tuple[Point, ...] = ()
    mu: float | None = None
    sigma: float | None = None
    k: float | None = None
    h: float | None = None
    reference_days: int = 0
    learning: bool = True

    @property
    def label(self) -> str:
        """Name it for people: `route`, `route shape=long`, `p95 latency`."""
        if self.scorer is None:
            return _AMOUNTS.get(self.name, self.name)
        return f"{self.scorer} {slice_name(dict(sorted((self.slice or {}).items())))}".rstrip()


class Episode(Frozen):
    """From the first bad run to the judged recovery; what an incident and its issue stand for.

    first_bad, last_bad  first and newest run with a quality alert
    last_good            newest judged good run before it; None where there was none
    good_days            distinct days of judged good runs since `last_bad`, oldest first
    recovered            the run that made them enough; None while it lasts
    """

    first_bad: RunRef
    last_bad: RunRef
    last_good: RunRef | None = None
    good_days: tuple[str, ...] = ()
    recovered: RunRef | None = None

    @property
    def key(self) -> str:
        """Return what names the episode for good: its first bad run."""
        return self.first_bad.run


class EvalsetCondition(Frozen):
    """How one evalset stands after a run, given the whole history.

    state     bad: a quality alert holds, or CUSUM has not recovered; good; learning: no reference and no
              baseline yet; not_judged: this run could not judge (`because`), whatever was before holds on
    alerts    that hold after this run, worst tier first
    file      of the evalset, below the project's root; "" in what an older version wrote
    uncounted why a run that has no alert of quality makes no good day of an open incident; "" where it does
    episode   the open one, or the newest closed one; None where there never was one
    earlier   closed episodes before it, newest first
    changes   what differs between the last good run and the first bad one
    history_gap  days without any run before this one beyond one; 0 where none
    """

    evalset: str
    owner: str = ""
    file: str = ""
    run: RunRef
    state: Literal["good", "bad", "learning", "not_judged"]
    because: str = ""
    uncounted: str = ""
    alerts: tuple[Alert, ...] = ()
    episode: Episode | None = None
    earlier: tuple[Episode, ...] = ()
    changes: tuple[SubjectChange, ...] = ()
    series: tuple[Series, ...] = ()
    worst: tuple[CaseMove, ...] = ()
    judged_samples: int = 0
    planned: int = 0
    history_gap: int = 0

    @property
    def found(self) -> tuple[Alert, ...]:
        """Return the alerts of quality that its newest run gave itself; one that could not judge may have."""
        return tuple(one for one in self.alerts if one.quality and one.day == self.run.day)

    @property
    def is_open(self) -> bool:
        """Tell whether an incident is open."""
        return self.episode is not None and self.episode.recovered is None


class AlertsFile(Frozen):
    """`alerts.json`: the conditions of all evalsets of a run. `review` are lines of tier 3 for the week."""

    format: Literal[1] = 1
    run: str
    attempt: int = 1
    day: str
    created_at: str
    monitored_at: str
    url: str | None = None
    commit: str | None = None
    evalsets: tuple[EvalsetCondition, ...] = ()
    review: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
