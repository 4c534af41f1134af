"""Ctrl-C while adaptive epochs draw again: counts add up, and each command says what may follow."""

from __future__ import annotations

import pytest

from eval_project import Project

CASES = {f"c{i:03}": (f"q{i}", "yes") for i in range(80)}
# The candidate's answers differ enough from the baseline's that one round does not tell.
APP = """
import hashlib, os, threading
asked, lock = {}, threading.Lock()
def answer(text):
    with lock:
        asked[text] = asked.get(text, 0) + 1
        turn = asked[text]
        total = sum(asked.values())
    if total == END:
        raise KeyboardInterrupt
    seed = hashlib.sha256(f"{text}|{turn}|SALT".encode()).digest()[0]
    return "yes" if seed < LEVEL else "no"
"""


def app(level: int, salt: str, end: int = 0) -> str:
    return APP.replace("SALT", salt).replace("LEVEL", str(level)).replace("END", str(end))


@pytest.fixture
def stopped(project: Project) -> tuple[Project, str]:
    """A run that was interrupted at the 30th answer of its second round, and its screen."""
    project.app(app(210, "a"))
    project.evalset(cases=CASES, epochs={"min": 1, "max": 5})
    project.run()
    project.accept()
    project.app(app(195, "b", end=110))
    result = project.run_apart()
    assert result.ret == 2
    return project, result.stdout.str()


def test_an_interrupted_round_counts_what_was_asked_for(
    stopped: tuple[Project, str], capsys: pytest.CaptureFixture[str]
) -> None:
    project, screen = stopped
    totals = project.last_run()["totals"]
    assert totals["planned"] == 160, "both rounds of 80 cases"
    assert 80 <= totals["judged"] < 160
    assert "interrupted in round 2" in screen
    capsys.readouterr()
    assert (
        project.command("baseline", "accept", "--root", str(project.path), "--by", "ann", "--reason", "x")
        == 4
    )
    said = capsys.readouterr().err
    assert "was interrupted (" in said and "of 160 samples)" in said
    assert "--aioncall-epochs 5" in said, "a command that leads to an accept"
