"""What is printed says everything in words: without colour, in other encodings, on narrow terminals."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ANSWER = """\
import os

def answer(text):
    return text.upper() if os.environ.get("GOOD") or text in "abc" else "wrong \\u00fc \\u4e2d"
"""
HEADER = """\
evalset: demo
owner: "@ann"
target: {python: "app:answer"}
scorers: [exact]
gates: [{scorer: exact, slices: [persona]}]
cases:
"""
PLAIN = {"NO_COLOR": None, "FORCE_COLOR": None, "PY_COLORS": None, "CI": None, "AIONCALL_NOW": None}
SCREENS: dict[str, dict[str, str]] = {
    "narrow and plain": {"NO_COLOR": "1", "COLUMNS": "60", "TERM": "dumb"},
    "forced colour": {"FORCE_COLOR": "1"},
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
}
# Each verb, its exit code, and the words that carry what it found.
VERBS: list[tuple[tuple[str, ...], int, tuple[str, ...]]] = [
    (("gate", "--candidate", "latest"), 1, ("gate REGRESSED", "exact: REGRESSED", "100.0 % ->")),
    (("check",), 0, ("1 evalset, 24 cases: no problem found",)),
    (("check", "--against", "HEAD"), 1, ("1 weakening without a reason", "margin of exact: 0.05 -> 0.4")),
    (("baseline", "show"), 0, ("demo: 24 cases", "accepted by ann")),
    (("baseline", "diff"), 0, ("scores moved", "REGRESSED")),
]


def run(folder: Path, *command: str, env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    around = {k: v for k, v in os.environ.items() if k not in PLAIN}
    around |= {"PYTHONIOENCODING": "utf-8", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env={**around, **env}, capture_output=True, check=False
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a baseline, a regressed run after it, and a weakening since the commit."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "app.py").write_text(ANSWER, encoding="utf-8")
    (folder / "aioncall.yaml").write_text("format: 1\n", encoding="utf-8")
    (folder / ".gitignore").write_text(".aioncall/\n__pycache__/\n", encoding="utf-8")
    cases = [
        {
            "id": f"case-{c}",
            "input": c,
            "expected": c.upper(),
            "slices": {"persona": "ü中" if i % 2 else "free"},
        }
        for i, c in enumerate("abcdefghijklmnopqrstuvwx")
    ]
    evalset = folder / "evalsets" / "demo.eval.yaml"
    evalset.parent.mkdir()
    listed = "".join(f"  - {json.dumps(case, ensure_ascii=False)}\n" for case in cases)
    evalset.write_text(HEADER + listed, encoding="utf-8")
    pytest_run = ("pytest", "--aioncall", "-p", "no:cacheprovider")
    assert run(folder, *pytest_run, env={"GOOD": "1"}).returncode == 0
    accept = ("pytest_aioncall", "baseline", "accept", "--by", "ann", "--reason", "first")
    assert run(folder, *accept, env={}).returncode == 0
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *command], cwd=folder, check=True, capture_output=True)
    assert run(folder, *pytest_run, env={}).returncode == 1
    weaker = evalset.read_text(encoding="utf-8").replace("{scorer: exact,", "{scorer: exact, margin: 0.4,")
    evalset.write_text(weaker, encoding="utf-8")
    return folder


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(
    ("verb", "code", "words"), VERBS, ids=lambda v: " ".join(v) if isinstance(v, tuple) else ""
)
def test_a_verb_says_the_same_on_every_screen(
    project: Path, verb: tuple[str, ...], code: int, words: tuple[str, ...], screen: str
) -> None:
    done = run(project, "pytest_aioncall", *verb, env=SCREENS[screen])
    encoding = SCREENS[screen].get("PYTHONIOENCODING", "utf-8")
    said = done.stdout.decode(encoding)
    assert done.returncode == code, done.stderr.decode()
    assert done.stderr == b""
    assert "\x1b" not in said
    for word in words:
        assert word in said
    assert "..." not in said, (
        "nothing is cut, whatever the width: a terminal wraps, and what is copied is whole"
    )


@pytest.mark.parametrize("screen", ["narrow and plain", "ascii"])
def test_the_run_itself_says_its_verdict_in_words_on_every_screen(project: Path, screen: str) -> None:
    done = run(project, "pytest", "--aioncall", "-p", "no:cacheprovider", env=SCREENS[screen])
    said = done.stdout.decode(SCREENS[screen].get("PYTHONIOENCODING", "utf-8"))
    assert done.returncode == 1
    assert "\x1b" not in said
    assert re.search(r"^gate REGRESSED +\d of 3 gates", said, re.MULTILINE)
    assert re.search(r"^next: +\S", said, re.MULTILINE)
    assert "case-d: 3/3 -> 0/3" in said
    assert "\\n" not in said, "lines stay lines where a letter cannot be shown"
