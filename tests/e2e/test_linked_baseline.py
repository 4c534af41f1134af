"""A branch that turns a baseline, or its folder, into a link does not choose what the merge base had."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from eval_project import Project

CASES = {f"c{n:02}": (f"q{n:02}", f"Q{n:02}") for n in range(12)}
WORSE = (
    "def answer(text):\n    return 'no' if text in ('q01', 'q04', 'q05', 'q07', 'q10') else text.upper()\n"
)


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], capture_output=True, check=True)


@pytest.mark.parametrize("linked", ["demo.jsonl", "."], ids=["file", "folder"])
def test_a_link_to_an_older_baseline_excuses_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, linked: str
) -> None:
    """The archive of main has worse scores; a link to it is a change of the branch, and not main's word."""
    monkeypatch.chdir(project.path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(project.path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    project.write("gitconfig", "[user]\nname = Ann\nemail = a@example.com\n[init]\ndefaultBranch = main\n")
    project.write(".gitignore", ".aioncall/\n__pycache__/\ngitconfig\n")
    git("init", "--quiet")
    project.app("def answer(text):\n    return text.upper()\n")
    project.evalset(cases=CASES)
    project.run()
    project.accept("as it should be")
    kept = project.path / "evalsets/baselines"
    header, *rows = (kept / "demo.jsonl").read_text().splitlines()
    poor = [json.loads(row) for row in rows]
    for row in poor:
        row["scores"] = {name: [0.0] * len(values) for name, values in row["scores"].items()}
    project.write("archive/demo.jsonl", "\n".join([header, *map(json.dumps, poor)]) + "\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    git("checkout", "--quiet", "-b", "work")

    project.app(WORSE)
    for path in kept.iterdir():
        path.unlink()
    if linked == ".":
        kept.rmdir()
        kept.symlink_to("../archive")
    else:
        (kept / linked).symlink_to(Path("../../archive") / linked)
    result = project.run("--aioncall-baseline-ref", "main")
    (found,) = project.report()["evalsets"]
    assert int(result.ret) == 1
    (verdict,) = found["judgement"]["verdicts"]
    assert verdict["status"] == "regressed" and verdict["baseline"] == 1.0
    assert found["review"]["baseline"]["file"] == "evalsets/baselines/demo.jsonl"
