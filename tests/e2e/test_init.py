"""`aioncall init` writes files that a person would have written, that load at once, and never over others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pytest_aioncall.cli import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one function and its own git user, and nothing of ours."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "triage.py").write_text(
        "def route(ticket: str, *, language: str = 'en') -> str:\n    return 'billing'\n\nLIMIT = 3\n"
    )
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "config", "user.name", "Ann"], cwd=tmp_path, check=True)
    subprocess.run(["git", "config", "user.email", "ann@example.org"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def test_the_evalset_is_short_commented_and_loads(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "shop.triage:route"]) == 0
    text = (project / "evalsets" / "route.eval.yaml").read_text()
    assert len(text.splitlines()) <= 15
    assert text.startswith("# yaml-language-server: $schema=")
    assert (project / "evalsets" / text.split("$schema=")[1].split()[0]).is_file()
    content = yaml.safe_load(text)
    assert len(content["cases"]) == 2
    assert list(content["cases"][0]["input"]) == ["ticket"], "required parameters only"
    assert content["owner"] == "Ann <ann@example.org>"
    assert "pytest --aioncall" in capsys.readouterr().out
    assert main(["check"]) == 0
    assert (project / ".gitignore").read_text() == ".aioncall/\n"


def test_what_it_wrote_runs_under_pytest(project: Path) -> None:
    main(["init", "shop.triage:route"])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--aioncall", "-p", "no:cacheprovider", "-p", "no:anyio"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 missed" in done.stdout


def test_nothing_is_written_over(project: Path) -> None:
    (project / "aioncall.yaml").write_text("format: 1\n# mine\n")
    (project / ".gitignore").write_text("build/")
    main(["init", "shop.triage:route"])
    evalset = project / "evalsets" / "route.eval.yaml"
    evalset.write_text(evalset.read_text() + "# mine\n")
    assert main(["init", "shop.triage:route"]) == 0
    assert evalset.read_text().endswith("# mine\n")
    assert (project / "aioncall.yaml").read_text() == "format: 1\n# mine\n"
    assert (project / ".gitignore").read_text() == "build/\n.aioncall/\n"


@pytest.mark.parametrize(
    ("codeowners", "owner"),
    [
        ("* @everybody\n/evalsets/ @evals\n", "@evals"),
        ("/evalsets/ @evals\n* @everybody\n", "@everybody"),
        ("# nobody yet\n", "Ann <ann@example.org>"),
    ],
)
def test_the_owner_comes_from_codeowners_then_from_git(project: Path, codeowners: str, owner: str) -> None:
    (project / ".github").mkdir()
    (project / ".github" / "CODEOWNERS").write_text(codeowners)
    main(["init", "shop.triage:route"])
    assert yaml.safe_load((project / "evalsets" / "route.eval.yaml").read_text())["owner"] == owner


def test_github_writes_a_gate_workflow_and_owners_of_baselines(project: Path) -> None:
    assert main(["init", "shop.triage:route", "--github", "--owner", "@support-ml"]) == 0
    workflow = yaml.safe_load((project / ".github" / "workflows" / "aioncall.yml").read_text())
    assert workflow["permissions"] == {}
    steps = workflow["jobs"]["gate"]["steps"]
    pins = [step["uses"].split("@")[1].split()[0] for step in steps if "uses" in step]
    assert pins
    assert all(len(pin) == 40 for pin in pins), "pinned by commit"
    assert any("pytest --aioncall" in s.get("run", "") for s in steps)
    assert (project / ".github" / "CODEOWNERS").read_text() == "/evalsets/baselines/ @support-ml\n"


def test_the_gate_workflow_is_clean_for_the_linters(project: Path) -> None:
    pytest.importorskip("zizmor", reason="zizmor is not installed (extra dev)")
    main(["init", "shop.triage:route", "--github", "--owner", "@support-ml"])
    done = subprocess.run(
        [str(Path(sys.executable).with_name("zizmor")), "--offline", "--persona=pedantic", ".github"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("shop.triage:rout", "did you mean 'route'"),
        ("shop.triag:route", "shop.triag"),
        ("shop.triage", "shop.triage"),
        ("shop.triage:LIMIT", "name a function"),
    ],
)
def test_a_target_that_is_not_there_is_one_clear_line(
    project: Path, target: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", target]) == 4
    text = capsys.readouterr().err
    assert told in text
    assert "Traceback" not in text
    assert not (project / "evalsets").exists()


def test_the_gate_workflow_asks_for_a_reason_before_it_spends_anything(project: Path) -> None:
    main(["init", "shop.triage:route", "--github", "--owner", "@support-ml"])
    workflow = yaml.safe_load((project / ".github" / "workflows" / "aioncall.yml").read_text())
    steps = workflow["jobs"]["gate"]["steps"]
    runs = [step.get("run", "").split(" #")[0] for step in steps]
    (at,) = [i for i, run in enumerate(runs) if run == 'aioncall check --against "origin/${BASE_REF}"']
    assert steps[at]["env"] == {"BASE_REF": "${{ github.base_ref }}"}
    assert any("pytest --aioncall" in run for run in runs[at + 1 :])


def test_check_says_that_the_cases_of_init_are_placeholders(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["init", "shop.triage:route"])
    capsys.readouterr()
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    advice = "is a placeholder: write a real question and answer"
    assert [line for line in lines if "placeholder" in line] == [
        f"warning: evalsets/route.eval.yaml:8: case first-case {advice}",
        f"warning: evalsets/route.eval.yaml:11: case second-case {advice}",
    ]
