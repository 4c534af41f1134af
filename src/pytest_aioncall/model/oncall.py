"""Who is on call, when, and how fast: the `oncall`, `routes` and `notifiers` sections of `aioncall.yaml`."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import Field, model_validator

from .frozen import Frozen

Tier = Literal[1, 2, 3]


class Rotation(Frozen):
    """A weekly rotation. `start` is the day of the first person's first handoff; `handoff` is `Mon 10:00`."""

    start: date = date(2025, 12, 29)  # Monday of ISO week 1 of 2026
    handoff: str = "Mon 10:00"
    people: tuple[str, ...] = Field(min_length=1)


class Override(Frozen):
    """`person` stands in from `start` until `end` (not included); local times of the rotation's timezone."""

    start: str
    end: str
    person: str


class ClockRange(Frozen):
    """`HH:MM` to `HH:MM`; `24:00` is the end of the day."""

    start_time: str
    end_time: str


class TimeInterval(Frozen):
    """When hours are business hours, as Alertmanager's `time_intervals`. What is empty does not limit.

    weekdays `monday:friday`, days_of_month `1:7` or `-1`, months `january:march` or `1:3`, years `2026:2027`.
    """

    times: tuple[ClockRange, ...] = ()
    weekdays: tuple[str, ...] = ()
    days_of_month: tuple[str, ...] = ()
    months: tuple[str, ...] = ()
    years: tuple[str, ...] = ()
    location: str | None = None


class Sla(Frozen):
    """Until when a page is to be acknowledged, as durations: `30m`, `2h`, `1h30m`."""

    business: str = "30m"
    off_hours: str = "2h"


class OnCall(Frozen):
    """The `oncall` section. People and teams are written as GitHub knows them: `@ann`, `@acme/search`.

    secondary  a second rotation that is asked after the primary
    owners     model owner by evalset; default: the evalset's own `owner`
    channel    who is told last: the name of a notifier
    runbooks   where the team keeps its runbooks: a folder of the repository, or an https:// address
    """

    timezone: str = "UTC"
    rotation: Rotation | None = None
    secondary: Rotation | None = None
    overrides: tuple[Override, ...] = ()
    owners: dict[str, str] = {}
    business_hours: tuple[TimeInterval, ...] = (
        TimeInterval(times=(ClockRange(start_time="09:00", end_time="17:00"),), weekdays=("monday:friday",)),
    )
    holidays: tuple[date, ...] = ()
    sla: Sla = Sla()
    channel: str | None = None
    runbooks: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _runbooks_can_be_linked(self) -> OnCall:
        place = self.runbooks or ""
        if place.startswith(("/", "http://")) or ".." in place.split("/"):
            raise ValueError("runbooks needs a folder of the repository or an https:// address")
        return self


class Routes(Frozen):
    """Names of notifiers by tier. `github` is the issue of the feature, `review` the weekly review."""

    tier1: tuple[str, ...] = ("github",)
    tier2: tuple[str, ...] = ("github",)
    tier3: tuple[str, ...] = ("review",)

    def of(self, tier: Tier) -> tuple[str, ...]:
        """Return where alerts of a tier go."""
        return {1: self.tier1, 2: self.tier2, 3: self.tier3}[tier]


class NotifierSpec(Frozen):
    """One entry of `notifiers`: a kind (or an import string) and its options. Secrets by variable name only.

    url_env  name of the variable with the webhook's address (slack, webhook)
    key_env  name of the variable with the signing secret (webhook) or the routing key (pagerduty)
    path     file that lines are added to (file)
    """

    kind: str
    url_env: str | None = None
    key_env: str | None = None
    path: str | None = None
    options: dict[str, Any] = {}


class Monitors(Frozen):
    """The `monitors` section: what the daily run watches. Ratios and shares, never percent.

    false_pages_per_year  alarms without a cause that the CUSUM of all series together may give
    reference_days        judged days the reference is made of, and the fewest that it may be made of
    recovery_days         judged good runs on distinct days that close an incident
    no_data_days          days without a judged run until that itself is an incident
    storm                 more features than this with new incidents in one run are one umbrella issue
    reopen_days           an issue closed for no longer is opened again instead of a new one
    history               branch that keeps the history
    heartbeat_url_env     variable with the address that is asked after every judged daily run
    """

    false_pages_per_year: float = Field(default=2.0, gt=0, le=52)
    reference_days: int = Field(default=30, ge=14, le=365)
    reference_days_min: int = Field(default=14, ge=7, le=365)
    recovery_days: int = Field(default=3, ge=1, le=30)
    latency_p95_ratio: float = Field(default=2.0, gt=1)
    error_rate: float = Field(default=0.05, gt=0, lt=1)
    cost_ratio: float = Field(default=2.0, gt=1)
    min_kl: float = Field(default=0.05, gt=0)
    no_data_days: int = Field(default=3, ge=1, le=30)
    storm: int = Field(default=3, ge=1)
    reopen_days: int = Field(default=14, ge=0)
    history: str = Field(default="aioncall-history", min_length=1)
    heartbeat_url_env: str | None = None

    @model_validator(mode="after")
    def _fewest_days_fit(self) -> Monitors:
        if self.reference_days_min > self.reference_days:
            raise ValueError("reference_days_min is above reference_days; lower it")
        return self
