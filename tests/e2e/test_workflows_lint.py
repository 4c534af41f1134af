"""Every workflow in the repository is what GitHub understands, and safe by the rules of a strict reviewer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))


def run_tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a checker from this environment or from PATH; skip by name where it is not installed."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(name, path=search)
    if found is None:
        pytest.skip(f"{name} is not installed: pip install -e '.[dev]'")
    return subprocess.run(
        [found, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_there_is_a_workflow_to_check() -> None:
    assert "ci.yml" in {path.name for path in WORKFLOWS}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_fits_the_schema(path: Path) -> None:
    ended = run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *names([path]))
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_actionlint_finds_nothing() -> None:
    ended = run_tool("actionlint", "-no-color", "-shellcheck=", "-pyflakes=", *names(WORKFLOWS))
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_zizmor_finds_nothing_at_its_strictest() -> None:
    ended = run_tool("zizmor", "--offline", "--persona=pedantic", "--no-progress", *names(WORKFLOWS))
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_with_its_tag_beside(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_top_level_grants_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE), f"{path.name}: add `permissions: {{}}`"
    assert "pull_request_target" not in text


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflow that `aioncall init --github` gives to a user's project."""
    project = tmp_path_factory.mktemp("project")
    (project / "app.py").write_text("def answer(question):\n    return question\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest_aioncall", "init", "app:answer", "--github", "--owner", "@ann"]
    subprocess.run(command, cwd=project, capture_output=True, check=True)
    return project / ".github" / "workflows" / "aioncall.yml"


@pytest.mark.parametrize(
    "checker",
    [
        ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
        ("actionlint", "-no-color", "-shellcheck=", "-pyflakes="),
        ("zizmor", "--offline", "--persona=pedantic", "--no-progress"),
    ],
    ids=lambda checker: checker[0],
)
def test_the_workflow_that_init_writes_is_clean_too(written: Path, checker: tuple[str, ...]) -> None:
    ended = run_tool(*checker, str(written))
    assert ended.returncode == 0, ended.stdout + ended.stderr
