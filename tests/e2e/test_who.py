"""`aioncall who` and `aioncall oncall`: the first line is the answer, at any hour, whatever is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_aioncall.cli import main

PLAN = """\
oncall:
  timezone: Europe/Berlin
  rotation: {start: 2026-11-02, people: ["@ann", "@bo", "@cy"]}
  overrides: [{start: 2026-12-24, end: 2026-12-27, person: "@cy"}]
  owners: {triage: "@support-ml"}
  channel: slack
"""
NIGHT = "2026-11-24T02:00:00Z"

Aioncall = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aioncall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Aioncall:
    for name in ("faq", "triage"):
        path = tmp_path / "evalsets" / f"{name}.eval.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f'evalset: {name}\nowner: "@team-{name}"\ntarget: {{python: "app:answer"}}\nscorers: [exact]\n'
            "cases: [{id: a, input: a, expected: b}]\n"
        )
    (tmp_path / "aioncall.yaml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIONCALL_NOW", NIGHT)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_who_says_who_is_called_now_and_what_a_page_would_ask_for(aioncall: Aioncall) -> None:
    code, said, _ = aioncall("who")
    assert code == 0
    assert said.splitlines() == [
        "@ann is on call until Mon 2026-11-30 10:00 +01:00",
        "next       @bo until Mon 2026-12-07 10:00 +01:00",
        "a page now: acknowledge within 2 h (outside business hours), by Tue 2026-11-24 05:00 +01:00",
        "owner      @team-faq of faq",
        "owner      @support-ml of triage",
    ]


def test_who_of_a_feature_names_everybody_who_would_be_asked(aioncall: Aioncall) -> None:
    _, said, _ = aioncall("who", "--feature", "triage", "--at", "2026-12-24 03:00")
    assert said.splitlines() == [
        "@cy is on call for triage at Thu 2026-12-24 03:00 +01:00, until Sun 2026-12-27 00:00 +01:00, "
        "instead of @bo",
        "next       @bo until Mon 2026-12-28 10:00 +01:00",
        "a page then: acknowledge within 2 h (outside business hours), by Thu 2026-12-24 05:00 +01:00",
        "  else     @support-ml (owner) is asked at Thu 2026-12-24 05:00 +01:00",
        "  else     the channel slack is asked at Thu 2026-12-24 07:00 +01:00",
        "owner      @support-ml",
    ]


@pytest.mark.parametrize("at", ["2026-11-30 10:00", "2026-11-30T10:00+01:00", "2026-11-30T09:00Z"])
def test_a_time_without_an_offset_is_local_to_the_rotation(aioncall: Aioncall, at: str) -> None:
    _, said, _ = aioncall("who", "--at", at)
    assert said.startswith("@bo is on call at Mon 2026-11-30 10:00 +01:00, until Mon 2026-12-07")


def test_the_flag_now_wins_over_the_variable(aioncall: Aioncall) -> None:
    _, said, _ = aioncall("who", "--now", "2026-12-01T00:00:00Z")
    assert said.startswith("@bo is on call until")


def test_as_data_it_has_the_same_facts(aioncall: Aioncall) -> None:
    _, said, _ = aioncall("who", "--feature", "faq", "--json")
    found: dict[str, Any] = json.loads(said)
    assert found == {
        "format": 1,
        "at": "2026-11-24T03:00:00+01:00",
        "timezone": "Europe/Berlin",
        "primary": "@ann",
        "secondary": None,
        "instead_of": None,
        "start": "2026-11-23T10:00:00+01:00",
        "end": "2026-11-30T10:00:00+01:00",
        "next": {
            "primary": "@bo",
            "secondary": None,
            "instead_of": None,
            "start": "2026-11-30T10:00:00+01:00",
            "end": "2026-12-07T10:00:00+01:00",
        },
        "acknowledge_by": "2026-11-24T05:00:00+01:00",
        "business_hours": False,
        "feature": "faq",
        "escalation": [
            {"at": "2026-11-24T03:00:00+01:00", "to": "@ann", "role": "primary"},
            {"at": "2026-11-24T05:00:00+01:00", "to": "@team-faq", "role": "owner"},
            {"at": "2026-11-24T07:00:00+01:00", "to": "slack", "role": "channel"},
        ],
        "owners": {"faq": "@team-faq", "triage": "@support-ml"},
        "channel": "slack",
    }


@pytest.mark.parametrize("config", ["", "format: 1\n", "oncall: {timezone: UTC}\n"])
def test_without_a_rotation_it_says_so_and_who_owns_what(aioncall: Aioncall, config: str) -> None:
    Path("aioncall.yaml").write_text(config)
    code, said, _ = aioncall("who")
    first, *rest = said.splitlines()
    assert code == 0
    assert first == (
        "nobody is on call: aioncall.yaml has no oncall.rotation; a page goes to the owner of its evalset"
    )
    assert rest[1:] == [
        "owner      @team-faq of faq",
        "owner      @team-triage of triage",
        'next:  put oncall: {rotation: {people: ["@ann", "@bo"]}} into aioncall.yaml',
    ]
    _, said, _ = aioncall("who", "--feature", "faq")
    assert said.startswith("@team-faq is called for faq, as its owner; nobody is on call")
    code, said, _ = aioncall("oncall")
    assert code == 0 and said.startswith("nobody is on call")


def test_what_it_tells_to_write_is_a_rotation(aioncall: Aioncall) -> None:
    Path("aioncall.yaml").write_text("")
    _, said, _ = aioncall("who")
    written = said.splitlines()[-1].removeprefix("next:  put ").removesuffix(" into aioncall.yaml")
    Path("aioncall.yaml").write_text(f"{written}\n")
    _, said, _ = aioncall("who")
    assert said.startswith(("@ann is on call until", "@bo is on call until"))


def test_an_evalset_that_does_not_load_keeps_nobody_from_an_answer(aioncall: Aioncall) -> None:
    Path("evalsets/broken.eval.yaml").write_text("evalset: [\n")
    code, said, _ = aioncall("who")
    assert code == 0
    assert said.startswith("@ann is on call")
    assert "not read   broken.eval.yaml (see aioncall check)" in said


def test_an_owner_of_an_evalset_that_is_not_there_is_marked(aioncall: Aioncall) -> None:
    Path("evalsets/triage.eval.yaml").unlink()
    _, said, _ = aioncall("who")
    assert "owner      @support-ml of triage (no such evalset)" in said
    assert "owner      @team-faq of faq\n" in said


def test_a_project_without_evalsets_is_answered_too(aioncall: Aioncall) -> None:
    for path in Path("evalsets").iterdir():
        path.unlink()
    code, said, _ = aioncall("who")
    assert code == 0 and said.startswith("@ann is on call")
    _, said, _ = aioncall("who", "--feature", "triage")
    assert said.startswith("@ann is on call for triage"), "oncall.owners names it"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("who", "--feature", "triag"), "--feature: no evalset 'triag'; did you mean 'triage'?"),
        (("who", "--feature", "zzz"), "--feature: no evalset 'zzz'; there are: faq, triage"),
        (
            ("who", "--at", "tomorrow"),
            "--at: needs a time, for example '2026-12-24 10:00' (in Europe/Berlin) or",
        ),
        (("who", "--at", "2026-02-30"), "--at: needs a time"),
        (("who", "--at", "0001-01-01"), "--at: needs a time"),
        (("who", "--at", "9999-12-31"), "is too far away to be planned"),
        (("who", "--now", "soon"), "--now: needs a time with its offset (RFC 3339)"),
        (("oncall", "--weeks", "0"), "--weeks: needs a number from 1 to 104, got 0"),
        (("oncall", "--weeks", "many"), "is no count"),
        (("oncall", "--now", "9999-12-31T00:00:00Z"), "9999-12-31 is too far away to be planned"),
    ],
)
def test_a_mistake_is_a_line_and_exit_4(aioncall: Aioncall, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = aioncall(*arguments)
    assert (code, out) == (4, "")
    assert said in err and "Traceback" not in err


def test_the_coming_shifts_are_listed_with_stand_ins_and_changes_of_the_clocks(aioncall: Aioncall) -> None:
    _, said, _ = aioncall("oncall", "--now", "2026-12-14T09:00:00Z", "--weeks", "3")
    assert said.splitlines() == [
        "@ann is on call until Mon 2026-12-21 10:00 +01:00",
        "  from Mon 2026-12-21 10:00 +01:00  @bo",
        "  from Thu 2026-12-24 00:00 +01:00  @cy (instead of @bo)",
        "  from Sun 2026-12-27 00:00 +01:00  @bo",
        "  from Mon 2026-12-28 10:00 +01:00  @cy",
        "  until Mon 2027-01-04 10:00 +01:00",
    ]
    _, said, _ = aioncall("oncall", "--now", "2027-03-22T09:00:00Z", "--weeks", "1")
    assert said.splitlines()[:2] == [
        "@cy is on call until Mon 2027-03-29 10:00 +02:00 (the clocks change: 6 days 23 h)",
        "  from Mon 2027-03-29 10:00 +02:00  @ann",
    ]


def test_the_coming_shifts_as_data_tile_the_weeks(aioncall: Aioncall) -> None:
    _, said, _ = aioncall("oncall", "--weeks", "8", "--json")
    found = json.loads(said)["shifts"]
    assert len(found) >= 8
    assert all(before["end"] == after["start"] for before, after in pairwise(found))


def test_a_mistake_in_the_section_is_told_with_its_line(aioncall: Aioncall) -> None:
    Path("aioncall.yaml").write_text("oncall:\n  timezone: Europe/Berln\n")
    code, _, err = aioncall("who")
    assert code == 4
    assert err.startswith("aioncall.yaml:2: oncall.timezone: 'Europe/Berln' is no IANA time zone")


def test_names_that_give_orders_to_a_runner_do_not_reach_its_log(aioncall: Aioncall) -> None:
    Path("evalsets/faq.eval.yaml").write_text(
        'evalset: faq\nowner: "::error::you\\u202e"\ntarget: {python: "app:answer"}\nscorers: [exact]\n'
        "cases: [{id: a, input: a, expected: b}]\n"
    )
    Path("aioncall.yaml").write_text("")
    for arguments in (("who",), ("who", "--feature", "faq")):
        _, said, _ = aioncall(*arguments)
        assert "error" in said and "\u202e" not in said
        assert not any(line.lstrip().startswith("::") for line in said.splitlines()), said
