"""Being installed costs other people's test suites nothing: libraries are imported only where used."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

HOOKS = "pytest_aioncall.plugin.hooks"
HEAVY = ["pydantic", "numpy", "scipy", "yaml", "jinja2", "httpx", "jsonschema", "asyncio", "sqlite3"]

SAY_WHAT_WAS_IMPORTED = f"""
import json, pathlib, sys

def pytest_unconfigure(config):
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    found = {{"heavy": heavy, "hooks": {HOOKS!r} in sys.modules}}
    pathlib.Path("imported.json").write_text(json.dumps(found))
"""

EVALSET = """\
evalset: somebody-elses
owner: "@somebody"
target: {python: "not_there:at_all"}
scorers: [exact]
cases:
  - {id: only, input: hello, expected: hello}
"""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A project that has nothing to do with evals."""
    (tmp_path / "conftest.py").write_text(SAY_WHAT_WAS_IMPORTED, encoding="utf-8")
    (tmp_path / "test_theirs.py").write_text("def test_theirs():\n    assert 1 + 1 == 2\n", encoding="utf-8")
    return tmp_path


def heavy_imports(project: Path, *options: str) -> list[str]:
    """Run pytest with our plugin and no other third-party one; return the heavy modules it imported."""
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", HOOKS, *options],
        cwd=project, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HOME": str(project)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads((project / "imported.json").read_text(encoding="utf-8"))
    assert found["hooks"], "the plugin was not loaded, so this run shows nothing"
    heavy: list[str] = found["heavy"]
    return heavy


def test_a_bare_pytest_imports_none_of_the_libraries(foreign: Path) -> None:
    assert heavy_imports(foreign) == []


def test_an_evalset_in_the_folder_changes_nothing_without_the_option(foreign: Path) -> None:
    (foreign / "theirs.eval.yaml").write_text(EVALSET, encoding="utf-8")
    assert heavy_imports(foreign) == []


@pytest.mark.parametrize("option", ["--help", "--markers", "--collect-only"])
def test_looking_around_imports_none_of_the_libraries(foreign: Path, option: str) -> None:
    (foreign / "theirs.eval.yaml").write_text(EVALSET, encoding="utf-8")
    assert heavy_imports(foreign, option) == []


def test_a_project_that_imports_a_library_itself_is_seen(foreign: Path) -> None:
    """The watch works: the tests above would fail if the plugin imported something."""
    (foreign / "test_uses.py").write_text("import yaml\n\ndef test_it():\n    pass\n", encoding="utf-8")
    assert heavy_imports(foreign) == ["yaml"]


def test_the_plugin_is_found_by_its_entry_point() -> None:
    (entry,) = [point for point in entry_points(group="pytest11") if point.name == "aioncall"]
    assert entry.value == HOOKS
