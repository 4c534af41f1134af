"""Pages arrive at least once, and once where it is known that they did; who was not reached is said."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hostile_corpus import HOSTILE
from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.adapters.history.merging import merged_record
from pytest_aioncall.errors import DeliveryError, StoreError
from pytest_aioncall.flows.delivering import Heard, NobodyReached, deliver, notifiers_for, notify
from pytest_aioncall.flows.delivering.outbox import CLAIM, LONGEST_WAIT
from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.github import GitHub
from pytest_aioncall.model.history import RunRef
from pytest_aioncall.model.ticket import Notification
from pytest_aioncall.settings import Settings
from pytest_aioncall.testing import notification

NOW = datetime(2026, 11, 22, 6, 17, tzinfo=UTC)
HOOK = "https://hooks.example/services/T0/B0/very-secret"


class Notes:
    """A history's records in memory; `dies_after` writes it dies, as a process does."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.dies_after: int | None = None
        self.syncs = 0
        self.unshareable = False

    def records(self, kind: str) -> dict[str, Any]:
        return {name: json.loads(text) for (k, name), text in self.kept.items() if k == kind}

    def write_record(self, kind: str, name: str, data: Any) -> None:
        if self.dies_after is not None:
            if self.dies_after == 0:
                raise KilledError
            self.dies_after -= 1
        self.kept[kind, name] = json.dumps(data)

    def sync(self) -> None:
        self.syncs += 1
        if self.unshareable:
            raise StoreError("the branch cannot be pushed")


class KilledError(BaseException):
    """kill -9 between two steps."""


class Pager:
    """A notifier of the project's own; what it was sent is kept by its name."""

    sent: dict[str, list[Notification]] = {}
    broken: dict[str, Exception] = {}

    def __init__(self, *, context: Any) -> None:
        self.name = context.name

    def send(self, notification: Notification) -> str:
        Pager.sent.setdefault(self.name, []).append(notification)
        if self.name in Pager.broken:
            raise Pager.broken[self.name]
        return f"ref-{len(Pager.sent[self.name])}"


@pytest.fixture(autouse=True)
def _fresh() -> Iterable[None]:
    Pager.sent, Pager.broken = {}, {}
    yield


def settings_with(tmp_path: Path, **sections: Any) -> Settings:
    kind = f"{__name__}:Pager"
    told: dict[str, Any] = {
        "notifiers": {"pager": {"kind": kind}, "chat": {"kind": kind}, "spare": {"kind": kind}},
        "routes": {"tier1": ["pager", "github"], "tier2": ["chat"]},
        "oncall": {"rotation": {"people": ["@ann"]}},
    }
    config = Config.model_validate({**told, **sections})
    return Settings(config=config, root=tmp_path, now=NOW, secrets={"SLACK_WEBHOOK_URL": HOOK})


def page(**change: Any) -> Notification:
    return notification(
        **{"channel": "pager", "id": "triage/r1|trigger|t1|pager", "key": "triage/r1", **change}
    )


def got(name: str) -> list[str]:
    return [one.action for one in Pager.sent.get(name, [])]


def test_what_arrived_is_logged_and_never_sent_again(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    told = deliver([page()], settings=settings, history=notes)
    assert [one.id for one in told.sent] == ["triage/r1|trigger|t1|pager"]
    (delivery,) = notes.records("deliveries").values()
    assert (delivery["reference"], delivery["channel"], delivery["at"]) == ("ref-1", "pager", NOW.isoformat())
    assert deliver([page()], settings=settings, history=notes).sent == []
    assert got("pager") == ["trigger"]
    assert notes.syncs == 1


def test_what_failed_waits_and_is_sent_by_the_next_run(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["pager"] = DeliveryError("pager: 503")
    told = deliver([page(action="update", id="u")], settings=settings, history=notes)
    assert [str(error) for _, error in told.failed] == ["pager: 503"]
    (waiting,) = notes.records("outbox").values()
    assert (waiting["tries"], waiting["error"]) == (1, "pager: 503")
    Pager.broken.clear()
    assert [one.id for one in deliver([], settings=settings, history=notes).sent] == ["u"]
    assert deliver([], settings=settings, history=notes).sent == []


def test_a_second_channel_takes_over_and_says_for_whom(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path, oncall={"channel": "spare"}), Notes()
    Pager.broken["pager"] = DeliveryError("pager: 503")
    told = deliver([page()], settings=settings, history=notes)
    assert told.unreached == []
    (instead,) = Pager.sent["spare"]
    assert instead.text.startswith("pager could not be told; spare takes over.\n")
    assert instead.key == page().key and got("chat") == []
    # The first one is still to be told, and nobody takes over a second time.
    deliver([], settings=settings, history=notes)
    assert got("pager") == ["trigger"] * 2 and got("spare") == ["trigger"]


def test_a_page_that_reached_nobody_is_an_error_at_the_end(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    for name in ("pager", "chat", "spare"):
        Pager.broken[name] = DeliveryError(f"{name}: 503")
    with pytest.raises(NobodyReached, match="a page reached nobody: triage") as caught:
        deliver([page(), page(id="u", action="update", channel="chat")], settings=settings, history=notes)
    assert got("pager") == ["trigger"] and got("spare") == ["trigger"] and "update" in got("chat")
    assert notes.syncs == 1 and len(caught.value.delivered.failed) >= 3
    Pager.broken.clear()
    told = deliver([page()], settings=settings, history=notes)
    assert "triage/r1|trigger|t1|pager" in {one.id for one in told.sent}
    assert got("spare") == ["trigger"], "who was to take over is not told of what arrived"


def test_an_issue_that_somebody_has_is_somebody_reached(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    for name in ("pager", "chat", "spare"):
        Pager.broken[name] = DeliveryError("503")
    assert deliver([page()], settings=settings, history=notes, reached={"triage/r1"}).unreached == []


@pytest.mark.parametrize("taken_by", ["an issue", "another channel", "who takes over"])
def test_a_channel_that_misses_a_page_is_said_whoever_else_took_it(tmp_path: Path, taken_by: str) -> None:
    """A route that names it means it: at every run until it got through."""
    settings, notes = settings_with(tmp_path), Notes()
    names = ("pager",) if taken_by == "who takes over" else ("pager", "spare")
    Pager.broken = {name: DeliveryError(f"{name}: 503") for name in names}
    begun = [page(), *([page(channel="chat", id="c")] if taken_by == "another channel" else [])]
    if taken_by == "an issue":
        Pager.broken["chat"] = DeliveryError("503")
    for again in range(2):
        told = deliver(begun if not again else [], settings=settings, history=notes, reached={"triage/r1"})
        (missed,) = told.missed
        assert missed.startswith(
            f"pager could not be told of {page().title}: pager: 503; it waits in the outbox"
        )
    Pager.broken.clear()
    assert deliver([], settings=settings, history=notes).missed == []
    assert got("pager") == ["trigger"] * 3


def test_only_a_page_is_missed(tmp_path: Path) -> None:
    """Not a ticket, not a daily line, and not where one that reached nobody is an error already."""
    settings = settings_with(tmp_path)
    Pager.broken = {name: DeliveryError("503") for name in ("pager", "chat", "spare")}
    less = [page(tier=2), page(action="update", id="u"), page(action="resolve", id="over")]
    assert deliver(less, settings=settings, history=Notes()).missed == []
    with pytest.raises(NobodyReached) as caught:
        deliver([page()], settings=settings, history=Notes())
    assert caught.value.delivered.missed == []


def test_only_pages_of_the_first_tier_have_to_reach_somebody(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["chat"] = DeliveryError("503")
    deliver([page(tier=2, channel="chat", id="t2")], settings=settings, history=notes)
    assert got("pager") == []


def test_a_file_beside_a_pager_reaches_nobody(tmp_path: Path) -> None:
    """What it took is no reason not to call the next one; alone on the route it is what was asked for."""
    notifiers = {
        "log": {"kind": "file", "path": "log.jsonl"},
        **{name: {"kind": f"{__name__}:Pager"} for name in ("pager", "spare")},
    }
    logged = page(channel="log", id="triage/r1|trigger|t1|log")
    settings = settings_with(tmp_path, notifiers=notifiers, routes={"tier1": ["pager", "log"]})
    Pager.broken["pager"] = DeliveryError("503")
    deliver([page(), logged], settings=settings, history=Notes())
    assert got("spare") == ["trigger"]
    Pager.broken["spare"] = DeliveryError("503")
    with pytest.raises(NobodyReached):
        deliver([page(), logged], settings=settings, history=Notes())
    alone = settings_with(tmp_path, notifiers=notifiers, routes={"tier1": ["log"]})
    assert deliver([logged], settings=alone, history=Notes()).unreached == []


def test_a_file_takes_over_from_nobody(tmp_path: Path) -> None:
    """It calls nobody."""
    kind = f"{__name__}:Pager"
    settings = settings_with(
        tmp_path, notifiers={"pager": {"kind": kind}, "log": {"kind": "file", "path": "log.jsonl"}}
    )
    Pager.broken["pager"] = DeliveryError("503")
    with pytest.raises(NobodyReached):
        deliver([page()], settings=settings, history=Notes())
    assert not (tmp_path / "log.jsonl").exists()


@pytest.mark.parametrize("error", [RuntimeError("boom"), OSError("no"), DeliveryError("x", refused=True)])
def test_a_notifier_of_ones_own_that_raises_stops_nothing(tmp_path: Path, error: Exception) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["pager"] = error
    other = page(channel="chat", id="other", key="b/r1")
    told = deliver([page(), other], settings=settings, history=notes)
    assert got("chat")[:1] == ["trigger"] and told.failed


def test_a_dead_receiver_is_asked_once_a_run_and_one_that_refuses_each_time(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    many = [page(id=f"u{n}", action="update") for n in range(5)]
    Pager.broken["pager"] = DeliveryError("no answer", unknown=True)
    assert len(deliver(many, settings=settings, history=Notes()).failed) == 5
    assert len(got("pager")) == 1
    Pager.broken["pager"] = DeliveryError("400", refused=True)
    deliver(many, settings=settings, history=Notes())
    assert len(got("pager")) == 6


@pytest.mark.parametrize("name", ["nobody", "github"])
def test_a_route_to_no_notifier_is_said(tmp_path: Path, name: str) -> None:
    told = deliver([page(channel=name, tier=2, id="x")], settings=settings_with(tmp_path), history=Notes())
    assert "add it to notifiers" in str(told.failed[0][1])


def test_a_missing_secret_is_a_channel_that_fails_and_not_the_end(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, notifiers={"chat": {"kind": f"{__name__}:Pager"}})
    told = deliver([page(channel="pagerduty", id="pd")], settings=settings, history=Notes())
    assert "PAGERDUTY_ROUTING_KEY is not set" in str(told.failed[0][1])
    assert got("chat") == ["trigger"]


def test_what_waited_too_long_is_let_go(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["pager"] = DeliveryError("503")
    deliver([page(action="update", id="u")], settings=settings, history=notes)
    later = replace(settings, now=NOW + LONGEST_WAIT + timedelta(minutes=1))
    Pager.broken.clear()
    told = deliver([], settings=later, history=notes)
    assert [one.id for one in told.dropped] == ["u"] and got("pager") == ["update"]
    assert deliver([], settings=later, history=notes).dropped == []


def test_a_daily_line_that_waits_gives_way_to_the_next_one_and_a_page_does_not(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["pager"] = DeliveryError("503")
    deliver([page(tier=2), page(action="update", id="day 1")], settings=settings, history=notes)
    Pager.broken.clear()
    Pager.sent.clear()
    told = deliver([page(action="update", id="day 2")], settings=settings, history=notes)
    assert [one.id for one in told.sent] == ["triage/r1|trigger|t1|pager", "day 2"]
    assert [one.id for one in told.dropped] == ["day 1"]


def test_a_page_that_waits_gives_way_to_a_more_urgent_one(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["pager"] = DeliveryError("503")
    deliver([page(tier=2, id="t2")], settings=settings, history=notes)
    Pager.broken.clear()
    told = deliver([page(tier=1, id="t1")], settings=settings, history=notes)
    assert [one.id for one in told.sent] == ["t1"] and [one.id for one in told.dropped] == ["t2"]


def test_a_page_for_what_is_over_is_not_sent(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    Pager.broken["pager"] = DeliveryError("503")
    deliver([page()], settings=settings, history=notes, reached={"triage/r1"})
    Pager.broken.clear()
    Pager.sent.clear()
    told = deliver([], settings=settings, history=notes, over={"triage/r1"})
    assert [one.action for one in told.dropped] == ["trigger"] and got("pager") == []


def test_secrets_are_in_no_message_and_in_no_record(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    token = "ghp_" + "a1B2" * 9
    told = page(title=f"t {HOOK}", line=f"l {token}", text=f"x {HOOK} {token}", details={"o": HOOK})
    Pager.broken["chat"] = DeliveryError(f"failed with {HOOK}")
    deliver([told, page(channel="chat", id="c", tier=2)], settings=settings, history=notes)
    everything = json.dumps(list(notes.kept.values())) + Pager.sent["pager"][0].model_dump_json()
    assert "very-secret" not in everything
    assert token not in everything and "REDACTED" in everything


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_arrives_plain_and_short(tmp_path: Path, name: str) -> None:
    text = HOSTILE[name]
    told = deliver(
        [page(title=text, line=text, text=text, details={"output": text})],
        settings=settings_with(tmp_path),
        history=Notes(),
    )
    (sent,) = Pager.sent["pager"]
    for shown in (sent.title, sent.line, *told.lines):
        assert shown.isprintable() or shown == ""
    for shown in (sent.text, *sent.details.values()):
        assert len(shown) <= 4000 and all(char.isprintable() or char in "\n\t" for char in shown)


def test_a_log_that_cannot_be_shared_is_said_after_everything_was_sent(tmp_path: Path) -> None:
    notes = Notes()
    notes.unshareable = True
    with pytest.raises(StoreError, match="cannot be pushed"):
        deliver([page()], settings=settings_with(tmp_path), history=notes)
    assert got("pager") == ["trigger"]


@pytest.mark.parametrize(
    "record", [None, [], "x", 7, {"id": 1}, {"notification": {}}, {"notification": None, "since": "x"}]
)
def test_records_that_are_none_of_ours_are_passed_over(tmp_path: Path, record: Any) -> None:
    """The branch can be written by others."""
    notes = Notes()
    notes.write_record("deliveries", "odd", record)
    notes.write_record("outbox", "odd", record)
    deliver([page()], settings=settings_with(tmp_path), history=notes)
    assert got("pager") == ["trigger"]


def run_of(day: int) -> RunRef:
    return RunRef(run=f"r{day}", day=f"2026-11-{day:02d}")


def alerts_of(day: int, *names: str, over: bool = False) -> AlertsFile:
    episode = Episode(first_bad=run_of(22), last_bad=run_of(22), recovered=run_of(day) if over else None)
    conditions = [
        EvalsetCondition(
            evalset=name,
            run=run_of(day),
            state="good" if over else "bad",
            alerts=()
            if over
            else (Alert(kind="eval_regression", tier=1, evalset=name, title=f"{name} fell"),),
            episode=episode,
        )
        for name in names
    ]
    stamp = f"2026-11-{day:02d}T06:00:00Z"
    return AlertsFile(
        run=f"r{day}",
        day=stamp[:10],
        created_at=stamp,
        monitored_at=stamp,
        evalsets=tuple(conditions),
    )


def test_a_week_of_runs_pages_once_updates_daily_and_ends(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    for day in (22, 22, 23, 24):
        notify(alerts_of(day, "a"), settings=settings, history=notes)
    notify(alerts_of(27, "a", over=True), settings=settings, history=notes)
    notify(alerts_of(28, "a", over=True), settings=settings, history=notes)
    assert got("pager") == ["trigger", "update", "update", "resolve"]


def test_what_could_not_be_sent_is_not_sent_after_its_end(tmp_path: Path) -> None:
    settings, notes = settings_with(tmp_path), Notes()
    for name in ("pager", "chat", "spare"):
        Pager.broken[name] = DeliveryError("503")
    notify(alerts_of(22, "a"), settings=settings, history=notes, heard={"a": Heard(is_issue=True)})
    Pager.broken.clear()
    Pager.sent.clear()
    notify(alerts_of(27, "a", over=True), settings=settings, history=notes)
    assert Pager.sent == {}


@pytest.mark.parametrize("names", ["a", "abcd"])
def test_a_page_that_waits_keeps_its_key_while_late_runs_arrive_and_features_recover(
    tmp_path: Path, names: str
) -> None:
    """It is one page under one key when it gets through, though nothing was in the log until then."""
    settings, notes = settings_with(tmp_path), Notes()
    for name in ("pager", "chat", "spare"):
        Pager.broken[name] = DeliveryError("503")
    with suppress(NobodyReached):
        notify(alerts_of(22, *names), settings=settings, history=notes)
    Pager.broken.clear()
    Pager.sent.clear()
    today = alerts_of(23, *names)
    moved = [
        one.model_copy(update={"episode": Episode(first_bad=run_of(21), last_bad=run_of(23))})
        for one in today.evalsets[:2]
    ]
    notify(
        today.model_copy(update={"evalsets": tuple(moved)}),
        settings=replace(settings, now=NOW + timedelta(days=1)),
        history=notes,
    )
    key = "a/r22" if names == "a" else "storm/r22"
    assert [(one.action, one.key) for one in Pager.sent["pager"]] == [("trigger", key)]


@pytest.mark.parametrize("kills", range(9))
def test_a_kill_between_any_two_steps_loses_nothing(tmp_path: Path, kills: int) -> None:
    """Rerun, the end state is the same, and a page may have come twice, with one key and one id."""
    settings, notes = settings_with(tmp_path), Notes()
    notes.dies_after = kills
    with suppress(KilledError):
        notify(alerts_of(22, "a", "b"), settings=settings, history=notes)
    notes.dies_after = None
    notify(alerts_of(22, "a", "b"), settings=settings, history=notes)
    ids = [one.id for one in Pager.sent["pager"]]
    whole = Notes()
    notify(alerts_of(22, "a", "b"), settings=settings, history=whole)
    assert notes.records("deliveries").keys() == whole.records("deliveries").keys()
    assert set(ids) == {"a/r22|trigger|t1|pager", "b/r22|trigger|t1|pager"}
    assert len(ids) <= 3, "only what was under way when the process died may come twice"


def test_routes_name_notifiers_beside_the_issue_and_the_review(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, routes={"tier1": ["pager", "github"], "tier3": ["review"]})
    assert notifiers_for(1, settings) == ("pager",)
    assert notifiers_for(2, settings) == () == notifiers_for(3, settings)


def test_an_entry_of_githubs_kind_is_the_issue_under_another_name(tmp_path: Path) -> None:
    kind = f"{__name__}:Pager"
    notifiers = {"issues": {"kind": "github"}, "pager": {"kind": kind}}
    settings = settings_with(tmp_path, notifiers=notifiers, routes={"tier1": ["issues", "pager"]})
    assert notify(alerts_of(22, "a"), settings=settings, history=Notes()).failed == []
    assert got("pager") == ["trigger"]


class Shared:
    """A branch that several runs share: each has its own view, and whoever pushes first is there first."""

    def __init__(self) -> None:
        self.there: dict[tuple[str, str], Any] = {}

    def view(self) -> SharedNotes:
        return SharedNotes(self)


class SharedNotes(Notes):
    def __init__(self, branch: Shared) -> None:
        super().__init__()
        self.branch = branch
        self.was: dict[tuple[str, str], Any] = {}

    def sync(self) -> None:
        super().sync()
        for key, text in self.kept.items():
            ours, theirs = json.loads(text), self.branch.there.get(key)
            merged = merged_record(self.was.get(key), ours, theirs) if theirs is not None else ours
            self.branch.there[key] = merged
        self.was = dict(self.branch.there)
        self.kept = {key: json.dumps(data) for key, data in self.was.items()}


def in_job(settings: Settings, run: str) -> Settings:
    return replace(settings, github=GitHub(repository="acme/app", run_id=run))


def test_five_runs_of_a_workflow_at_once_page_once(tmp_path: Path) -> None:
    """All have planned the page before any of them has sent it."""
    settings, branch = settings_with(tmp_path), Shared()
    views = [branch.view() for _ in range(5)]
    pages_of = [page() for _ in views]
    for number, view in enumerate(views):
        told = deliver([pages_of[number]], settings=in_job(settings, f"run-{number}"), history=view)
        # None of the others has heard of the log yet: only of the claim.
        branch.there = {key: data for key, data in branch.there.items() if key[0] == "outbox"}
        assert bool(told.sent) == (number == 0)
        assert number == 0 or "another run is sending it" in told.lines[0]
    assert got("pager") == ["trigger"]


def test_a_run_that_died_with_its_claim_is_not_waited_for_for_long(tmp_path: Path) -> None:
    settings, branch = settings_with(tmp_path), Shared()
    dead = branch.view()
    Pager.broken["pager"] = KilledError()  # type: ignore[assignment]
    with suppress(KilledError):
        deliver([page()], settings=in_job(settings, "dead"), history=dead)
    Pager.broken.clear()
    Pager.sent.clear()
    other, again, later = (in_job(settings, run) for run in ("other", "dead", "later"))
    assert deliver([page()], settings=other, history=branch.view()).sent == []
    before = dict(branch.there)
    # The same job, started again, goes on at once: whoever stood back took its claim away.
    assert len(deliver([page()], settings=again, history=branch.view()).sent) == 1
    branch.there = before
    later = replace(later, now=NOW + CLAIM + timedelta(seconds=1))
    assert len(deliver([page()], settings=later, history=branch.view()).sent) == 1


def test_where_nobody_can_be_asked_a_page_twice_is_better_than_none(tmp_path: Path) -> None:
    notes = Notes()
    notes.unshareable = True
    with pytest.raises(StoreError):
        deliver([page()], settings=in_job(settings_with(tmp_path), "r"), history=notes)
    assert got("pager") == ["trigger"]


def test_processes_of_one_machine_deliver_one_after_the_other(tmp_path: Path) -> None:
    """The second one finds the log of the first: a lock that ends with its process."""
    settings = settings_with(tmp_path)
    with ThreadPoolExecutor(5) as pool:
        done = [
            pool.submit(notify, alerts_of(22, "a"), settings=settings, history=HistoryFolder(tmp_path / "h"))
            for _ in range(5)
        ]
    assert sum(len(one.result().sent) for one in done) == 1
    assert got("pager") == ["trigger"]
