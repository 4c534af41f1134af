"""A week of runs told to real servers over HTTP, a fifth of whose answers fail: what they hold then."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.adapters.net import Caller
from pytest_aioncall.flows.delivering import Heard, NobodyReached, notify
from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition
from pytest_aioncall.model.config import Config
from pytest_aioncall.model.history import RunRef
from pytest_aioncall.model.report import SubjectChange
from pytest_aioncall.settings import Settings

FIRST = datetime(2026, 11, 2, 6, 17, tzinfo=UTC)
CONFIG = {
    "oncall": {"timezone": "Europe/Berlin", "rotation": {"people": ["@ann"]}},
    "notifiers": {
        "pager": {"kind": "pagerduty", "url_env": "PAGER_URL"},
        "team": {"kind": "slack", "url_env": "SLACK_URL", "options": {"mentions": {"@ann": "U024BE7LH"}}},
        "hook": {"kind": "webhook", "url_env": "HOOK_URL", "key_env": "HOOK_SECRET"},
        "log": {"kind": "file", "path": "pages.jsonl"},
    },
    "routes": {"tier1": ["pager", "team", "hook", "log"]},
}


@dataclass
class Receivers:
    """PagerDuty with its alerts by key, a channel of Slack, and a hook that takes each id once."""

    told: Any
    random: random.Random
    rate: float = 0.0
    alerts: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    ids: Counter[str] = field(default_factory=Counter)

    def __call__(self, asked: Any) -> Any:
        fails = self.random.random() < self.rate
        kind = self.random.choice(["500", "429", "lost"]) if fails else ""
        if kind == "500":
            return self.told(status=500)
        if kind == "429":
            return self.told(status=429, headers={"retry-after": "1"})
        if asked.path == "/pager/v2/enqueue":
            event = asked.json
            state = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
            self.alerts[event["dedup_key"]] = state[event["event_action"]]
            said = self.told(status=202, body={"status": "success", "dedup_key": event["dedup_key"]})
        elif asked.path == "/pager/v2/change/enqueue":
            self.changes.append(asked.json["payload"]["summary"])
            said = self.told(status=202, body={"status": "success"})
        elif asked.path == "/slack":
            self.messages.append(asked.json["text"])
            said = self.told(body="ok")
        else:
            self.ids[asked.headers["webhook-id"]] += 1
            said = self.told(status=204)
        return replace(said, body="cut off", cut=1) if kind == "lost" else said


def alerts_of(number: int, *, bad: bool, last_bad: int, over: bool) -> AlertsFile:
    def ref(n: int) -> RunRef:
        return RunRef(run=f"r{n}", day=(FIRST + timedelta(days=n)).date().isoformat())

    good = tuple(ref(n).day for n in range(last_bad + 1, number + 1))
    episode = Episode(
        first_bad=ref(1),
        last_bad=ref(last_bad),
        good_days=good[:3],
        recovered=ref(last_bad + 3) if over else None,
    )
    title = "triage.daily.route 24h: 92.2 % -> 84.0 % <!channel> (delta -8.2 pp, n=120)"
    condition = EvalsetCondition(
        evalset="triage",
        owner="@support-ml",
        run=ref(number),
        state="bad" if bad else "good",
        alerts=(Alert(kind="eval_regression", tier=1, evalset="triage", title=title),) if bad else (),
        episode=episode,
        changes=(SubjectChange(name="prompts/triage.md", kind="file", added=4, removed=9),),
    )
    day = ref(number)
    return AlertsFile(
        run=day.run, day=day.day, created_at=day.day, monitored_at=day.day, evalsets=(condition,)
    )


@pytest.mark.parametrize(("rate", "seed"), [(0.0, 0), (0.2, 1), (0.2, 2)])
def test_a_week_leaves_one_alert_that_is_resolved(
    loopback: Any, told: Any, tmp_path: Path, rate: float, seed: int
) -> None:
    receivers = Receivers(told, random.Random(seed), rate)
    loopback.tell = receivers
    secrets = {
        "PAGER_URL": f"{loopback.url}/pager",
        "PAGERDUTY_ROUTING_KEY": "k" * 32,
        "SLACK_URL": f"{loopback.url}/slack",
        "HOOK_URL": f"{loopback.url}/hook",
        "HOOK_SECRET": "whsec_" + base64.b64encode(b"s" * 32).decode(),
    }
    base = Settings(config=Config.model_validate(CONFIG), root=tmp_path, secrets=secrets)
    with Caller(sleep=lambda _: None) as calls:
        for number in range(1, 9):
            if number == 8:
                receivers.rate = 0.0
            alerts = alerts_of(number, bad=number <= 3, last_bad=min(number, 3), over=number >= 6)
            with suppress(NobodyReached):
                notify(
                    alerts,
                    settings=replace(base, now=FIRST + timedelta(days=number)),
                    history=HistoryFolder(tmp_path / "history"),
                    heard={"triage": Heard(is_issue=True, acked_by="ann" if number > 2 else None)},
                    calls=calls,
                )
    assert receivers.alerts == {"aioncall/" + tmp_path.name + "/triage/r1": "resolved"}
    assert set(receivers.changes) == {"[change] triage: file prompts/triage.md: +4 -9"}
    lines = [json.loads(line) for line in (tmp_path / "pages.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines] == [
        "trigger", "update", "acknowledge", "update", "update", "update", "resolve",
    ]  # fmt: skip
    assert {line["key"] for line in lines} == {"triage/r1"}
    assert receivers.messages[0].startswith(
        "[page] triage.daily.route 24h: 92.2 % -&gt; 84.0 % &lt;!channel&gt;"
    )
    assert receivers.messages[-1].startswith("[resolved] triage")
    if not rate:
        assert len(receivers.messages) == 7 and len(receivers.changes) == 1
        assert set(receivers.ids.values()) == {1}
