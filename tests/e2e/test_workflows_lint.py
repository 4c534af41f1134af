"""Every workflow in the repository is what GitHub understands, and safe by the rules of a strict reviewer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def test_workflows_fit_the_schema() -> None:
    ended = run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *names(WORKFLOWS))
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


KINDS = {
    "plain": ("", []),
    "with keys": (
        "providers: {main: {kind: openai, api_key_env: MAIN_KEY, headers_env: {x-team: TEAM_KEY}}}\n"
        "notifiers: {team: {kind: webhook, url_env: TEAM_HOOK, key_env: TEAM_SIGNS}}\n"
        "routes: {tier1: [team, pagerduty, github], tier2: [slack]}\n"
        "monitors: {heartbeat_url_env: BEAT}\n",
        [],
    ),
    "sharded": ("providers: {main: {kind: openai, api_key_env: MAIN_KEY}}\n", ["--shards", "4"]),
    "installed from elsewhere": ("", ["--install", "pytest-aioncall @ git+https://git.example.org/x@1f2e"]),
}
"""What `aioncall init --github` writes, for projects of several kinds: (aioncall.yaml, options)."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The workflows that users' projects get, which lie in a folder of their repository."""
    found: list[Path] = []
    for config, options in KINDS.values():
        top = tmp_path_factory.mktemp("project")
        project = top / "services"
        project.mkdir()
        (project / "aioncall.yaml").write_text(f"format: 1\n{config}", encoding="utf-8")
        subprocess.run(["git", "init", "-q", str(top)], check=True)
        command = [sys.executable, "-m", "pytest_aioncall", "init", "--github", "--owner", "@ann", *options]
        subprocess.run(command, cwd=project, capture_output=True, check=True)
        found += sorted((top / ".github" / "workflows").glob("*.yml"))
    assert len(found) == 3 * len(KINDS)
    return found


CHECKERS = [
    ("check-jsonschema", "--builtin-schema", "vendor.github-workflows"),
    ("actionlint", "-no-color", "-shellcheck=", "-pyflakes="),
    ("zizmor", "--offline", "--persona=pedantic", "--no-progress"),
]


@pytest.mark.parametrize("checker", CHECKERS, ids=lambda checker: checker[0])
def test_the_workflows_that_init_writes_are_clean_too(written: list[Path], checker: tuple[str, ...]) -> None:
    ended = run_tool(*checker, *map(str, written))
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_what_init_writes_is_pinned_and_grants_nothing_at_the_top(written: list[Path]) -> None:
    for path in written:
        test_every_action_is_pinned_to_a_commit_with_its_tag_beside(path)
        test_the_top_level_grants_nothing(path)


def test_one_workflow_carries_the_one_reasoned_exception(written: list[Path]) -> None:
    ignored = {
        p.name: re.findall(r"zizmor: ignore\[([\w,-]+)\] \w", p.read_text(encoding="utf-8")) for p in written
    }
    assert {name: found for name, found in ignored.items() if found} == {
        "aioncall-comment.yml": ["dangerous-triggers"]
    }


def test_what_others_write_reaches_a_shell_only_through_the_environment(written: list[Path]) -> None:
    """A branch may be called `$(curl ...)`: no expression stands in a script."""
    for path in [*written, *WORKFLOWS]:
        for script in re.findall(
            r"^ *(?:- )?run: (?:\|-?\n((?: {8,}.*\n)+)|(.*))", path.read_text(encoding="utf-8"), re.M
        ):
            assert "${{" not in "".join(script), f"{path.name}: {script}"


def test_all_workflows_pin_the_same_commits(written: list[Path]) -> None:
    pins: dict[str, set[str]] = {}
    for path in [*written, *WORKFLOWS, ROOT / "action.yml"]:
        for name, pin in re.findall(r"uses: ([\w./-]+)@(\w{40})", path.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def test_the_action_is_clean() -> None:
    for checker in (("check-jsonschema", "--builtin-schema", "vendor.github-actions"), CHECKERS[2]):
        ended = run_tool(*checker, "action.yml")
        assert ended.returncode == 0, ended.stdout + ended.stderr


REFERENCE = (ROOT / "docs" / "reference" / "workflows.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_the_reference_names_what_the_action_takes_and_gives(kind: str) -> None:
    table = REFERENCE.split(f"<!-- action {kind} -->", 1)[1].split("\n\n", 1)[0]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == list(action[kind])


def test_the_reference_names_the_pins(written: list[Path]) -> None:
    found = set()
    for path in written:
        found |= set(re.findall(r"uses: ([\w/-]+)@(\w{40}) # (v[\d.]+)", path.read_text(encoding="utf-8")))
    table = re.findall(r"^\| `(actions/[\w-]+)` \| (v[\d.]+) \| `(\w{40})` \|", REFERENCE, re.MULTILINE)
    assert {(name, commit, version) for name, version, commit in table} == found


def test_the_reference_names_every_file_that_init_writes(written: list[Path]) -> None:
    assert [path.name for path in written if f"`.github/workflows/{path.name}`" not in REFERENCE] == []
