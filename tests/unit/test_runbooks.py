"""Every alert has a page and steps; every command in them exists; nobody's name runs as a command."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import get_args

import pytest

from pytest_aioncall import cli
from pytest_aioncall.adapters.render.runbook_texts import RUNBOOKS
from pytest_aioncall.adapters.render.runbooks import (
    Known,
    chosen_by,
    commands_of,
    fetch_of,
    page_of,
    pages,
    steps_of,
)
from pytest_aioncall.model.alert import AlertKind

ROOT = Path(__file__).parents[2]
KINDS = get_args(AlertKind)
# Verbs of later stages: whoever is called at night must not be sent to them.
NOT_YET = ("triage", "incident", "postmortem", "digest", "watch", "slo", "export")

_spec = importlib.util.spec_from_file_location("write_runbooks", ROOT / "scripts" / "write_runbooks.py")
assert _spec is not None and _spec.loader is not None
script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(script)


def test_every_kind_of_alert_has_a_runbook_and_a_page() -> None:
    assert set(RUNBOOKS) == set(KINDS)
    assert [kind for kind in KINDS if not (ROOT / page_of(kind)).is_file()] == []


def test_the_pages_are_as_the_script_writes_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--check"]) == 0, capsys.readouterr().out


def test_the_script_says_what_differs_and_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main([], root=tmp_path) == 0
    assert script.main(["--check"], root=tmp_path) == 0
    page = tmp_path / page_of("latency")
    page.write_text(page.read_text() + "\nby hand\n")
    (tmp_path / "docs/runbooks/old.md").write_text("# Old\n")
    capsys.readouterr()
    assert script.main(["--check"], root=tmp_path) == 1
    said = capsys.readouterr().out
    assert "docs/runbooks/latency.md: not as" in said and "docs/runbooks/old.md: no alert has it" in said
    assert script.main([], root=tmp_path) == 0
    assert script.main(["--check"], root=tmp_path) == 0
    assert not (tmp_path / "docs/runbooks/old.md").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_every_command_of_a_runbook_is_one_that_exists(kind: AlertKind) -> None:
    told = [*commands_of(kind), *re.findall(r"`(aioncall [^`]+)`", pages()[page_of(kind)])]
    assert told, "a page without a command sends nobody anywhere"
    for command in told:
        program, *arguments = shlex.split(command)
        if program == "aioncall":
            cli._parser().parse_args(arguments)
        else:
            assert program in {"pytest", "git"}, command


@pytest.mark.parametrize("name", pages())
def test_no_page_names_a_verb_of_a_later_stage_and_no_link_leads_nowhere(name: str) -> None:
    text = pages()[name]
    assert not re.search(rf"aioncall ({'|'.join(NOT_YET)})\b", text)
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / name).parent.joinpath(link).is_file(), link


@pytest.mark.parametrize("name", pages())
def test_code_stays_on_one_line(name: str) -> None:
    assert [line for line in pages()[name].split("\n") if line.count("`") % 2] == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a b", "x; rm -rf /", "`id`", "$(id)", "a'b", "<!-- x -->", "@all", "a|b"])
def test_a_name_in_a_step_is_one_argument_and_one_piece_of_code(kind: AlertKind, name: str) -> None:
    for command in commands_of(kind, evalset=name, run=name):
        words = [word for word in shlex.split(command) if name in word]
        assert set(words) <= {name}, command
    for step in steps_of(kind, evalset=name, run=name):
        assert "\n" not in step and "<!--" not in step
        if name in step and name != "a b":
            fence = re.search(r": (`+)", step)
            assert fence is not None
            assert step.endswith(fence[1]), "the command is code up to its end"


def test_the_steps_of_an_issue_name_its_feature_and_its_run() -> None:
    steps = steps_of("eval_regression", evalset="ticket-triage", run="20261122-1")
    assert steps[0].endswith("`aioncall who --feature ticket-triage`")
    assert "`aioncall baseline diff ticket-triage --run 20261122-1`" in "\n".join(steps)


INCIDENT = Known(
    file="evalsets/triage.eval.yaml",
    slices=("shape", "-x", "a,b"),
    cases=("q-017", "q-054"),
    span="0a1b2c3d4e5f..6a7b8c9d0e1f",
    url="https://github.com/acme/app/actions/runs/81/attempts/2",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("known", [INCIDENT, Known()], ids=["all known", "nothing known"])
def test_the_commands_in_an_issue_run_as_they_stand(kind: AlertKind, known: Known) -> None:
    steps = steps_of(kind, evalset="triage", run="20261122-1", known=known)
    assert not [s for s in steps if re.search(r"CASE|LAST_GOOD|FIRST_BAD|EVALSET|RUNID|persona", s)]
    for command in re.findall(r": `([^`]+)`$", "\n".join(steps), re.M):
        program, *arguments = shlex.split(command)
        if program == "aioncall":
            cli._parser().parse_args(arguments)


def test_slices_cases_and_commits_of_the_incident_are_in_its_commands() -> None:
    steps = "\n".join(steps_of("eval_regression", evalset="triage", run="r1", known=INCIDENT))
    assert "`aioncall scores --since 24h --by shape --evalset triage`" in steps
    assert "`git log --oneline 0a1b2c3d4e5f..6a7b8c9d0e1f`" in steps
    both = "evalsets/triage.eval.yaml::q-017 evalsets/triage.eval.yaml::q-054"
    assert f"`pytest --aioncall {both} -vv`" in steps
    nothing = "\n".join(steps_of("eval_regression", evalset="triage", run="r1", known=Known()))
    assert "`aioncall scores --since 24h --evalset triage`" in nothing
    assert "git log" not in nothing, "no commit is known"
    assert "`pytest --aioncall -k triage -vv`" in nothing


def test_cases_of_other_evalsets_are_not_run_with_those_of_an_incident() -> None:
    cases, file = ("q-017", "q-054"), "my evals/triage.eval.yaml"
    named = chosen_by(cases, evalset="triage", file=file)
    assert shlex.split(named) == [f"{file}::q-017", f"{file}::q-054"]
    assert chosen_by((), evalset="triage", file="a.eval.yaml") == " a.eval.yaml"
    assert chosen_by(cases, evalset="triage", file="") == " -k 'triage and (q-017 or q-054)'"
    assert chosen_by(cases[:1], evalset="triage", file="") == " -k 'triage and q-017'"


def test_the_run_is_fetched_before_the_first_step_that_reads_it() -> None:
    steps = list(steps_of("eval_regression", evalset="triage", run="r1", known=INCIDENT))
    fetch = next(n for n, step in enumerate(steps) if "gh run download 81 -n aioncall-runs" in step)
    assert fetch < next(n for n, step in enumerate(steps) if "--run r1" in step)
    assert fetch_of("https://evil.invalid/x") == fetch_of(None) == ""
    assert not [s for s in steps_of("eval_regression", evalset="t", run="r", known=Known()) if "gh run" in s]


@pytest.mark.parametrize("name", ["a b", "$(id)", "a'b; rm x", "`id`", "-x", "not"])
def test_a_case_or_slice_of_any_name_is_one_argument_or_none(name: str) -> None:
    known = Known(slices=(name,), cases=(name,))
    for kind in KINDS:
        for step in steps_of(kind, evalset=name, run="r", known=known):
            found = re.search(r": (`+) ?(.+?) ?\1$", step)
            words = shlex.split(found[2]) if found else []
            assert {word for word in words if name in word and name not in ("-x", "not")} <= {name}
            assert "-k" not in words, "no expression of pytest is made of such a name"
