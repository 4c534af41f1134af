"""The sections `oncall`, `routes`, `notifiers`, `monitors`: read as written, or refused with line and reason."""

from __future__ import annotations

# ruff: noqa: E501 - tables of what is written and what is said read best one row a line
import zoneinfo
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pytest_aioncall.adapters.config_file import load_config
from pytest_aioncall.adapters.evalset_files import json_schema
from pytest_aioncall.errors import LoadError
from pytest_aioncall.model.config import Config

WHOLE = """\
monitors:
  false_pages_per_year: 1
  latency_p95_ratio: 2.5
  history: aioncall/history
  heartbeat_url_env: HEARTBEAT
oncall:
  timezone: Europe/Berlin
  rotation: {start: 2026-11-02, handoff: Mon 10:00, people: ["@ann", "@acme/search", "bo@example.org"]}
  secondary: {start: 2026-11-05, handoff: "thu 12:30", people: ["@cy"]}
  overrides:
    - {start: 2026-12-24 10:00, end: 2027-01-02, person: "@cy"}
    - {start: "2026-11-10T08:00+01:00", end: "2026-11-10T18:00Z", person: "@ann"}
  owners: {ticket-triage: "@support-ml"}
  business_hours:
    - {times: [{start_time: 09:00, end_time: 24:00}], weekdays: ["monday:friday"], years: [2026, "2027:2030"]}
    - {days_of_month: [1, -1, "3:5"], months: [1, "march:may"], location: America/New_York}
  holidays: [2026-12-25, 2027-01-01]
  sla: {business: 30m, off_hours: 1h30m}
  channel: ml-channel
routes: {tier1: [pager, github], tier2: [github, team], tier3: [review]}
notifiers:
  pager: {kind: pagerduty, key_env: ROUTING_KEY}
  team: {kind: slack, url_env: TEAM_WEBHOOK}
  ml-channel: {kind: webhook, url_env: HOOK, key_env: HOOK_SECRET, options: {timeout_s: 5}}
  log: {kind: file, path: pages.jsonl}
  own: {kind: "myapp.paging:Notifier", options: {room: 12}}
"""


def loaded(root: Path, text: str) -> Config:
    (root / "aioncall.yaml").write_text(text, encoding="utf-8")
    return load_config(root)


def problems(root: Path, text: str) -> list[str]:
    with pytest.raises(LoadError) as caught:
        loaded(root, text)
    return [line.removeprefix("aioncall.yaml:") for line in str(caught.value).splitlines()]


def test_everything_that_can_be_written_is_read_as_written(tmp_path: Path) -> None:
    config = loaded(tmp_path, WHOLE)
    oncall = config.oncall
    assert oncall.rotation is not None and oncall.secondary is not None
    assert oncall.rotation.start == date(2026, 11, 2)
    assert oncall.rotation.people == ("@ann", "@acme/search", "bo@example.org")
    assert oncall.secondary.handoff == "thu 12:30"
    assert [one.start for one in oncall.overrides] == ["2026-12-24 10:00", "2026-11-10T08:00+01:00"]
    assert oncall.business_hours[0].years == ("2026", "2027:2030")
    assert oncall.business_hours[0].times[0].end_time == "24:00"
    assert oncall.business_hours[1].days_of_month == ("1", "-1", "3:5")
    assert oncall.holidays == (date(2026, 12, 25), date(2027, 1, 1))
    assert (oncall.sla.business, oncall.sla.off_hours, oncall.channel) == ("30m", "1h30m", "ml-channel")
    assert config.routes.of(1) == ("pager", "github")
    assert config.monitors.history == "aioncall/history"
    assert config.notifiers["own"].options == {"room": 12}


def test_the_schema_for_editors_takes_the_same(tmp_path: Path) -> None:
    class Text(yaml.SafeLoader):
        """Reads days as text, as an editor does that knows YAML 1.2."""

    Text.yaml_implicit_resolvers = {
        first: [(tag, rule) for tag, rule in rules if not tag.endswith((":timestamp", ":int"))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    validator = jsonschema.Draft202012Validator(json_schema("config"))
    raw = yaml.load(WHOLE, Text)
    raw["monitors"]["false_pages_per_year"] = 1
    raw["notifiers"]["ml-channel"]["options"]["timeout_s"] = 5
    assert [error.message for error in validator.iter_errors(raw)] == []
    bad: list[dict[str, Any]] = [
        {"oncall": {"sla": {"business": "30"}}},
        {"oncall": {"sla": {"business": ""}}},
        {"oncall": {"rotation": {"people": ["@a"], "handoff": "10:00"}}},
        {"oncall": {"rotation": {}}},
        {"oncall": {"rota": {}}},
        {"oncall": {"business_hours": [{"times": [{"start_time": "9", "end_time": "17:00"}]}]}},
        {"routes": {"tier4": []}},
        {"notifiers": {"x": {}}},
        {"monitors": {"error_rate": 5}},
    ]
    for section in bad:
        assert list(validator.iter_errors(section)), section


PEOPLE = 'is nobody: write a GitHub login or team ("@ann", "@acme/search") or a mail address'
NAMED = "has to be the name of an environment variable; no key or token stands in this file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("oncall:\n  rotatoin: {}\n", "2: oncall.rotatoin: unknown key; did you mean 'rotation'?"),
        ("oncall:\n  rotation:\n    peple: []\n", "3: oncall.rotation.peple: unknown key; did you mean 'people'?"),
        ("oncall:\n  business_hours:\n    - times:\n        - {start: 09:00}\n", "4: oncall.business_hours[0].times[0].start: unknown key; did you mean 'start_time'?"),
        ("oncall: {sla: {busines: 30m}}\n", "1: oncall.sla.busines: unknown key; did you mean 'business'?"),
        ("routes: {teir1: [github]}\n", "1: routes.teir1: unknown key; did you mean 'tier1'?"),
        ("notifiers: {team: {kind: slack, url: x}}\n", "1: notifiers.team.url: unknown key; did you mean 'url_env'?"),
        ("monitors: {storms: 2}\n", "1: monitors.storms: unknown key; did you mean 'storm'?"),
        # people
        ("oncall: {rotation: {people: [ann]}}\n", f"1: oncall.rotation.people[0]: 'ann' {PEOPLE}"),
        ('oncall: {rotation: {people: ["@"]}}\n', f"1: oncall.rotation.people[0]: '@' {PEOPLE}"),
        ('oncall: {rotation: {people: ["@ann @bo"]}}\n', f"1: oncall.rotation.people[0]: '@ann @bo' {PEOPLE}"),
        ("oncall: {rotation: {people: []}}\n", "1: oncall.rotation.people: is empty"),
        ("oncall: {rotation: {start: 2026-11-02}}\n", "1: oncall.rotation.people: is required"),
        ("oncall: {owners: {triage: support}}\n", f"1: oncall.owners.triage: 'support' {PEOPLE}"),
        ('oncall:\n  rotation: {people: ["@a"]}\n  overrides:\n    - {start: 2026-11-02, end: 2026-11-03, person: bo}\n', f"4: oncall.overrides[0].person: 'bo' {PEOPLE}"),
        # zones
        ("oncall: {timezone: Europe/Berln}\n", "1: oncall.timezone: 'Europe/Berln' is no IANA time zone; did you mean 'Europe/Berlin'?"),
        ("oncall: {timezone: ../etc/passwd}\n", "1: oncall.timezone: '../etc/passwd' is no IANA time zone; write it as Europe/Berlin or UTC"),
        ("oncall: {timezone: 2}\n", "1: oncall.timezone: '2' is no IANA time zone; write it as Europe/Berlin or UTC"),
        ("oncall: {business_hours: [{location: Mars/Base}]}\n", "1: oncall.business_hours[0].location: 'Mars/Base' is no IANA time zone; write it as Europe/Berlin or UTC"),
        # days and times
        ('oncall: {rotation: {people: ["@a"], start: 20261102}}\n', "1: oncall.rotation.start: needs a date, for example 2026-11-02, got '20261102'"),
        ('oncall: {rotation: {people: ["@a"], start: 2026-11-31}}\n', "1: oncall.rotation.start: needs a date, for example 2026-11-02, got '2026-11-31'"),
        ('oncall: {rotation: {people: ["@a"], start: 2026-11-03}}\n', "1: oncall.rotation.start: is a Tuesday, and the first handoff is on a Monday; write the day of the first handoff"),
        ('oncall: {rotation: {people: ["@a"], handoff: "10:00"}}\n', "1: oncall.rotation.handoff: needs a weekday and a time, for example 'Mon 10:00', got '10:00'"),
        ('oncall: {rotation: {people: ["@a"], handoff: Moo 10:00}}\n', "1: oncall.rotation.handoff: needs a weekday and a time, for example 'Mon 10:00', got 'Moo 10:00'"),
        ('oncall: {rotation: {people: ["@a"], handoff: Mon 24:00}}\n', "1: oncall.rotation.handoff: needs a weekday and a time, for example 'Mon 10:00', got 'Mon 24:00'"),
        ("oncall: {holidays: [2026-12-25, christmas]}\n", "1: oncall.holidays[1]: needs a date, for example 2026-12-25, got 'christmas'"),
        ("oncall: {holidays: [20261225]}\n", "1: oncall.holidays[0]: needs a date, for example 2026-12-25, got '20261225'"),
        ("oncall: {holidays: [2026-12-25T00:00]}\n", "1: oncall.holidays[0]: needs a date, for example 2026-12-25, got '2026-12-25T00:00'"),
        ("oncall: {holidays: 2026-12-25}\n", "1: oncall.holidays: needs a list, got '2026-12-25'"),
        ("oncall: {holidays: [0001-01-01]}\n", "1: oncall.holidays[0]: needs a date, for example 2026-12-25, got '0001-01-01'"),
        # durations
        ("oncall: {sla: {business: 30}}\n", "1: oncall.sla.business: needs a duration with its unit, for example 30m, 2h or 1h30m, got '30'"),
        ("oncall: {sla: {off_hours: 2 h}}\n", "1: oncall.sla.off_hours: needs a duration with its unit, for example 30m, 2h or 1h30m, got '2 h'"),
        ("oncall: {sla: {off_hours: 0m}}\n", "1: oncall.sla.off_hours: needs a duration from 1m to 14d, got '0m'"),
        ("oncall: {sla: {off_hours: 15d}}\n", "1: oncall.sla.off_hours: needs a duration from 1m to 14d, got '15d'"),
        ("oncall: {sla: {off_hours: ''}}\n", "1: oncall.sla.off_hours: needs a duration with its unit, for example 30m, 2h or 1h30m, got ''"),
        # ranges
        ("oncall: {business_hours: [{weekdays: ['mondy:friday']}]}\n", "1: oncall.business_hours[0].weekdays[0]: needs weekdays, for example monday:friday or saturday, got 'mondy:friday'; did you mean 'monday'?"),
        ("oncall: {business_hours: [{weekdays: ['friday:monday']}]}\n", "1: oncall.business_hours[0].weekdays[0]: needs a range that runs forwards (a week begins on Sunday: list the days one by one), got 'friday:monday'"),
        ("oncall: {business_hours: [{weekdays: [1]}]}\n", "1: oncall.business_hours[0].weekdays[0]: needs weekdays, for example monday:friday or saturday, got '1'"),
        ("oncall: {business_hours: [{weekdays: monday}]}\n", "1: oncall.business_hours[0].weekdays: needs a list, got 'monday'"),
        ("oncall: {business_hours: [{days_of_month: ['0']}]}\n", "1: oncall.business_hours[0].days_of_month[0]: needs days of the month, for example 1:7, 15 or -1 for the last, got '0'"),
        ("oncall: {business_hours: [{days_of_month: ['-3:5']}]}\n", "1: oncall.business_hours[0].days_of_month[0]: needs a last day that is counted from the end, too, for example -3:-1, got '-3:5'"),
        ("oncall: {business_hours: [{days_of_month: ['31:-1', '-1:-3']}]}\n", "1: oncall.business_hours[0].days_of_month[1]: needs a range that runs forwards, got '-1:-3'"),
        ("oncall: {business_hours: [{months: [febuary]}]}\n", "1: oncall.business_hours[0].months[0]: needs months, for example january:march, 1:3 or december, got 'febuary'; did you mean 'february'?"),
        ("oncall: {business_hours: [{months: ['12:1']}]}\n", "1: oncall.business_hours[0].months[0]: needs a range that runs forwards, got '12:1'"),
        ("oncall: {business_hours: [{years: [26]}]}\n", "1: oncall.business_hours[0].years[0]: needs years, for example 2026 or 2026:2028, got '26'"),
        ("oncall: {business_hours: [{times: [{start_time: 9:00, end_time: 17:00}]}]}\n", "1: oncall.business_hours[0].times[0].start_time: needs a time of day as HH:MM, for example 09:00 (24:00 is the end of the day), got '9:00'"),
        ("oncall: {business_hours: [{times: [{start_time: 22:00, end_time: 06:00}]}]}\n", "1: oncall.business_hours[0].times[0].end_time: has to be after start_time (22:00); hours over midnight are two ranges, the first until 24:00"),
        ("oncall: {business_hours: [{times: [{start_time: 09:00}]}]}\n", "1: oncall.business_hours[0].times[0].end_time: is required"),
        # overrides
        ('oncall:\n  rotation: {people: ["@a"]}\n  overrides:\n    - start: 2026-11-05\n      end: 2026-11-04\n      person: "@b"\n', "5: oncall.overrides[0].end: has to be after start ('2026-11-05'), got '2026-11-04'"),
        ('oncall:\n  rotation: {people: ["@a"]}\n  overrides: [{start: 2026-11-05 10, end: 2026-11-06, person: "@b"}]\n', "3: oncall.overrides[0].start: needs a day and time, for example 2026-12-24 10:00, got '2026-11-05 10'"),
        ('oncall:\n  rotation: {people: ["@a"]}\n  overrides: [{start: 2026-11-05, end: 2026-02-30, person: "@b"}]\n', "3: oncall.overrides[0].end: needs a day and time, for example 2026-12-24 10:00, got '2026-02-30'"),
        ('oncall:\n  overrides: [{start: 2026-11-05, end: 2026-11-06, person: "@b"}]\n', "2: oncall.overrides: needs a rotation: whom would it follow? Add oncall.rotation"),
        ('oncall: {secondary: {people: ["@a"]}}\n', "1: oncall.secondary: needs a rotation: whom would it follow? Add oncall.rotation"),
        # where it goes
        ("routes: {tier1: [pagerdty]}\n", "1: routes.tier1[0]: 'pagerdty' is no notifier (known: github, review, pagerduty, slack); did you mean 'pagerduty'?"),
        ("routes: {tier2: [room]}\n", "1: routes.tier2[0]: 'room' is no notifier (known: github, review, pagerduty, slack); add it to notifiers"),
        ("routes: {tier1: []}\n", "1: routes.tier1: a page would reach nobody; name github, or a notifier that calls somebody"),
        ("routes: {tier1: [review]}\n", "1: routes.tier1: only the weekly review would show a page; name github, or a notifier that calls somebody"),
        ("routes: {tier2: [github, github]}\n", "1: routes.tier2[1]: 'github' is named twice"),
        ("routes: {tier2: github}\n", "1: routes.tier2: needs a list, got 'github'"),
        ("oncall: {channel: review}\n", "1: oncall.channel: 'review' is no notifier (known: github, pagerduty, slack); add it to notifiers"),
        ("notifiers: {a b: {kind: slack}}\n", "1: notifiers.a b: a notifier's name is made of A-Z a-z 0-9 _ . -"),
        ("notifiers: {x: {kind: slak}}\n", "1: notifiers.x.kind: unknown kind 'slak'; did you mean 'slack'?"),
        ("notifiers: {x: {kind: my kind}}\n", "1: notifiers.x.kind: needs one of github, slack, webhook, pagerduty, file or an import string, got 'my kind'"),
        ("notifiers: {x: {}}\n", "1: notifiers.x.kind: is required"),
        ("notifiers: {x: {kind: file}}\n", "1: notifiers.x: a notifier of kind file needs path"),
        ("notifiers: {x: {kind: webhook}}\n", "1: notifiers.x: a notifier of kind webhook needs url_env"),
        ("notifiers: {review: {kind: slack}}\n", "1: notifiers.review: 'review' is built in and means something else; choose another name"),
        ("notifiers: {x: slack}\n", "1: notifiers.x: needs a mapping (key: value), got 'slack'"),
        ("monitors: {error_rate: 5}\n", "1: monitors.error_rate: has to be below 1, got 5"),
        ("monitors: {recovery_days: true}\n", "1: monitors.recovery_days: needs a number, got true"),
        ("monitors: {reference_days: 14, reference_days_min: 20}\n", "1: monitors: reference_days_min is above reference_days; lower it"),
        ("monitors: {history: -x}\n", "1: monitors.history: needs the name of a branch, for example aioncall-history, got '-x'"),
        ("monitors: {history: a..b}\n", "1: monitors.history: needs the name of a branch, for example aioncall-history, got 'a..b'"),
        ("monitors: {heartbeat_url_env: 'https://hc.example.org/x'}\n", f"1: monitors.heartbeat_url_env: {NAMED}"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_in_plain_words_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in problems(tmp_path, text)


def test_one_mistake_is_said_once(tmp_path: Path) -> None:
    for text in (
        'oncall: {rotation: {people: ["@a"], start: 20261102}}\n',
        "oncall: {holidays: [2026-13-01]}\n",
        "oncall: {sla: {business: soon}}\n",
        "oncall: {timezone: Nowhere/Land}\n",
        "routes: {tier1: [nobody-here]}\n",
        "oncall: [x]\n",
        "notifiers: [x]\n",
        "oncall: {rotation: [x]}\n",
        "oncall: {overrides: {}}\n",
    ):
        assert len(problems(tmp_path, text)) == 1, text


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
oncall:
  timezone: Europe/Berln
  rotation:
    start: 2026-11-03
    people: [ann]
  sla: {business: 30}
routes:
  tier1: [pagerdty]
monitors: {storms: 1}
"""
    assert [line.split(":")[0] for line in problems(tmp_path, text)] == ["2", "4", "5", "6", "8", "9"]


@pytest.mark.parametrize(
    "text",
    [
        "notifiers: {x: {kind: slack, url_env: 'https://hooks.slack.com/services/T0/B0/SECRET'}}\n",
        "notifiers: {x: {kind: pagerduty, key_env: 'R0-SECRET'}}\n",
        "notifiers: {x: {kind: webhook, url_env: HOOK, options: {secret: SECRET}}}\n",
        "notifiers: {x: {kind: slack, options: {webhook_url: 'https://hooks.slack.com/SECRET'}}}\n",
        "notifiers: {x: {kind: pagerduty, options: {routing_key: SECRET}}}\n",
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(tmp_path: Path, text: str) -> None:
    [problem] = problems(tmp_path, text)
    assert "stands in this file" in problem
    assert "SECRET" not in problem


def test_a_kind_that_somebody_installed_is_left_to_whoever_makes_it(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, "notifiers: {x: {kind: carrier-pigeon}, y: {kind: 'a.b:C'}}\nroutes: {tier1: [x, y]}\n"
    )
    assert config.routes.tier1 == ("x", "y")


def test_a_start_that_nobody_wrote_may_fall_on_any_day(tmp_path: Path) -> None:
    config = loaded(tmp_path, 'oncall: {rotation: {handoff: Fri 10:00, people: ["@a"]}}\n')
    assert config.oncall.rotation is not None


def test_a_machine_without_files_of_zones_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_aioncall.adapters.config_file import oncall

    def unknown(name: str) -> None:
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(oncall, "ZoneInfo", unknown)
    monkeypatch.setattr(oncall, "available_timezones", set)
    [problem] = problems(tmp_path, "oncall: {timezone: Europe/Berlin}\n")
    assert problem == (
        "1: oncall.timezone: this machine has no files of time zones, so it does not know 'Europe/Berlin'; "
        "run: pip install tzdata"
    )
    assert loaded(tmp_path, "oncall: {timezone: UTC}\n").oncall.timezone == "UTC"
