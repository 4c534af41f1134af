"""Whoever is called at night pastes what the issue says, and it works."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest
from test_monitor_verb import WORSE, Daily

from eval_project import Project
from pytest_aioncall.adapters.history import read_alerts
from pytest_aioncall.adapters.render.markdown import issue_parts


def test_every_command_of_the_runbook_in_an_issue_works_as_it_stands(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    daily = Daily(project, monkeypatch, capsys).based()
    daily.project.app(WORSE)
    daily.commit("Say no more often")
    daily.run(3)
    daily.monitor()
    alerts = read_alerts(daily.project.run_folders()[-1])
    (condition,) = alerts.evalsets
    told = issue_parts.runbook(condition.alerts, condition, condition.run)
    commands = [shlex.split(one) for one in re.findall(r": `([^`]+)`$", told, re.M)]
    assert {"scores", "baseline", "gate"} <= {c[1] for c in commands if c[0] == "aioncall"}
    assert ["aioncall", "scores", "--since", "24h", "--by", "half", "--evalset", "triage"] in commands
    for program, *arguments in commands:
        if program == "aioncall" and arguments[0] != "who":  # needs a rotation, which this project has not
            code, _, err = daily.command(*arguments)
            assert code in (0, 1), (arguments, err)
        elif program == "git":
            said = subprocess.run([program, *arguments], cwd=daily.path, capture_output=True, text=True)
            assert "Say no more often" in said.stdout, said.stderr
