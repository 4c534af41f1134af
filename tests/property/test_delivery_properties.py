"""Whatever fails and whatever dies, in any order: no page is lost, and none is doubled once it is logged."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_aioncall.decide.notices import Deliveries, Rules, plan_notices
from pytest_aioncall.errors import DeliveryError
from pytest_aioncall.flows.delivering import Heard, NobodyReached, notify
from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.history import RunRef
from pytest_aioncall.model.oncall import OnCall, Routes
from pytest_aioncall.model.ticket import Delivery, Notification
from pytest_aioncall.settings import Settings

FIRST = datetime(2026, 11, 1, 6, 17, tzinfo=UTC)
NAMES = ("a", "b")
CHANNELS = ("pager", "chat")


class DiedError(BaseException):
    """kill -9."""


class World:
    """Receivers that take, refuse, or take and lose the reply; records that die after so many writes."""

    now: World

    def __init__(self) -> None:
        World.now = self
        self.kept: dict[tuple[str, str], str] = {}
        self.accepted: list[Notification] = []
        self.mood = "well"
        self.writes_left: int | None = None

    def records(self, kind: str) -> dict[str, Any]:
        return {name: json.loads(text) for (k, name), text in self.kept.items() if k == kind}

    def write_record(self, kind: str, name: str, data: Any) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise DiedError
            self.writes_left -= 1
        self.kept[kind, name] = json.dumps(data)

    def sync(self) -> None:
        pass


class Receiver:
    def __init__(self, *, context: Any) -> None:
        self.name = context.name

    def send(self, notification: Notification) -> str:
        world = World.now
        if world.mood == "down" or world.mood == f"{self.name} down":
            raise DeliveryError("503")
        world.accepted.append(notification)
        if world.mood == "lost":
            raise DeliveryError("the reply was lost", unknown=True)
        return ""


KIND = f"{__name__}:Receiver"
SETTINGS = Settings(
    config=Config.model_validate(
        {
            "notifiers": {name: {"kind": KIND} for name in CHANNELS},
            "routes": {"tier1": [*CHANNELS, "github"]},
            "oncall": {"rotation": {"people": ["@ann"]}},
        }
    ),
    root=Path(),
)
Day = st.fixed_dictionaries(
    {
        "bad": st.sets(st.sampled_from(NAMES)),
        "mood": st.sampled_from(["well", "well", "down", "pager down", "lost"]),
        "dies_after": st.none() | st.integers(0, 12),
    }
)


class Calendar:
    """Episodes: bad days begin one, three good ones end it."""

    def __init__(self) -> None:
        self.open: dict[str, Episode] = {}
        self.closed: dict[str, list[Episode]] = {name: [] for name in NAMES}

    def after(self, number: int, bad: set[str]) -> AlertsFile:
        day = (FIRST + timedelta(days=number)).date().isoformat()
        run = RunRef(run=f"r{number}", day=day)
        conditions = []
        for name in NAMES:
            episode = self.open.get(name)
            if name in bad:
                told = {"last_bad": run, "good_days": ()}
                episode = episode.model_copy(update=told) if episode else Episode(first_bad=run, last_bad=run)
            elif episode is not None:
                good = (*episode.good_days, day)
                end = run if len(good) == 3 else None
                episode = episode.model_copy(update={"good_days": good, "recovered": end})
            alert = Alert(kind="eval_regression", tier=1, evalset=name, title=f"{name} fell")
            conditions.append(
                EvalsetCondition(
                    evalset=name,
                    run=run,
                    state="bad" if name in bad else "good",
                    alerts=(alert,) if name in bad else (),
                    episode=episode or (self.closed[name][0] if self.closed[name] else None),
                    earlier=tuple(self.closed[name]),
                )
            )
            if episode is not None and episode.recovered is not None:
                self.closed[name].insert(0, episode)
                self.open.pop(name, None)
            elif episode is not None:
                self.open[name] = episode
        return AlertsFile(run=run.run, day=day, created_at=day, monitored_at=day, evalsets=tuple(conditions))


def tell(alerts: AlertsFile, number: int, world: World) -> None:
    from dataclasses import replace

    moment = replace(SETTINGS, now=FIRST + timedelta(days=number))
    heard = {name: Heard(is_issue=True) for name in NAMES}
    with suppress(NobodyReached):
        notify(alerts, settings=moment, history=world, heard=heard)


@settings(max_examples=150, deadline=None)
@given(days=st.lists(Day, min_size=1, max_size=10))
def test_every_beginning_is_told_before_its_end_and_nothing_twice_that_was_logged(
    days: list[dict[str, Any]],
) -> None:
    world, calendar = World(), Calendar()
    number = 0
    for number, day in enumerate(days):
        alerts = calendar.after(number, day["bad"])
        world.mood, world.writes_left = day["mood"], day["dies_after"]
        with suppress(DiedError):
            tell(alerts, number, world)
        if world.writes_left is not None:  # started again, as a person does
            world.writes_left = None
            tell(alerts, number, world)
    world.mood = "well"
    last = calendar.after(number + 1, set())
    tell(last, number + 1, world)
    logged = len(world.accepted)
    tell(last, number + 1, world)
    assert len(world.accepted) == logged, "told again what the log has"

    order: dict[tuple[str, str], list[str]] = {}
    for one in world.accepted:
        order.setdefault((one.key, one.channel), []).append(one.action)
    for actions in order.values():
        assert actions[0] == "trigger", "told of what was never told to begin"
        if "resolve" in actions:
            after = actions[actions.index("resolve") :]
            assert set(after) == {"resolve"}, "told of what is over"
    lost_replies = any(day["mood"] == "lost" or day["dies_after"] is not None for day in days)
    if not lost_replies:
        assert set(Counter(one.id for one in world.accepted).values()) <= {1}
    told = {one.key for one in world.accepted if one.action == "trigger"}
    for name, episode in calendar.open.items():
        if episode.last_bad.run == f"r{number}":
            assert f"{name}/{episode.key}" in told, "an incident that is open and bad was told to nobody"


def folded(runs: dict[int, set[str]]) -> AlertsFile:
    """Return how everything stands after the newest of some runs, whichever of them arrived last."""
    calendar, alerts = Calendar(), None
    for number in sorted(runs):
        alerts = calendar.after(number, runs[number])
    assert alerts is not None
    return alerts


def known(alerts: AlertsFile, sent: Deliveries) -> set[str]:
    """Return the evalsets with an open incident that somebody was told of, and not of its end."""
    return {
        one.evalset
        for one in alerts.evalsets
        for key in sent.open_keys()
        if one.is_open and sent.matters[key].episode_of(one) == one.episode
    }


@settings(max_examples=100, deadline=None)
@given(
    runs=st.lists(st.sets(st.sampled_from(NAMES)), min_size=1, max_size=9),
    order=st.randoms(use_true_random=False),
    most=st.sampled_from([1, 3]),
)
def test_in_whatever_order_runs_arrive_what_is_open_is_known_once_and_everything_ends(
    runs: list[set[str]], order: Any, most: int
) -> None:
    """Late runs move, join and divide episodes, and undo recoveries."""
    log: dict[str, Delivery] = {}
    arrived: dict[int, set[str]] = {}
    rules = Rules(Routes(tier1=("pager",)), OnCall(), FIRST, storm=most)

    def publish(number: int, bad: set[str]) -> None:
        arrived[number] = bad
        alerts = folded(arrived)
        before = known(alerts, Deliveries(log))
        planned = plan_notices(alerts, heard={}, sent=Deliveries(log), rules=rules)
        paged = {name for one in planned if one.action == "trigger" for name in one.evalsets}
        assert not paged & before, "paged again for what is known"
        for one in planned:
            log[one.id] = Delivery.model_validate(one.model_dump(include=set(Delivery.model_fields)))
        assert plan_notices(alerts, heard={}, sent=Deliveries(log), rules=rules) == []
        # On the day on which the end was told, a late run is left to the next one.
        if not any(one.action == "resolve" and one.day == alerts.day for one in log.values()):
            is_bad = {one.evalset for one in alerts.evalsets if one.is_open and one.alerts}
            assert is_bad <= known(alerts, Deliveries(log)), "an incident that is open was told to nobody"

    late = [number for number in range(len(runs)) if number % 3]
    order.shuffle(late)
    for number in [*(n for n in range(len(runs)) if not n % 3), *late]:
        publish(number, runs[number])
    for number in range(len(runs), len(runs) + 4):
        publish(number, set())
    assert Deliveries(log).open_keys() == []
