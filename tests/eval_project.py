"""A small project with a target in it, for the promises that plugin and commands make."""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio._backends._asyncio  # noqa: F401
import httpcore  # noqa: F401
import httpx  # noqa: F401
import jinja2  # noqa: F401
import numpy  # noqa: F401
import pytest
import scipy.special  # noqa: F401
import yaml

import pytest_aioncall
from pytest_aioncall.adapters.run_store import list_runs
from pytest_aioncall.cli import main

with suppress(ImportError):  # the extra `speed`, which the oldest libraries are tested without
    import httpx_aiohttp  # noqa: F401

# pytester forgets every module that an inner run imports. numpy cannot be imported twice in a process, and
# our own need not be: with them goes what they keep, the compiled templates of a report for one.
for _module in pkgutil.walk_packages(pytest_aioncall.__path__, "pytest_aioncall."):
    if not _module.name.endswith("__main__"):
        importlib.import_module(_module.name)

QUIET = ("-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:llmock")
UNSET = ("CI", "NO_COLOR", "AIONCALL_NOW", "FORCE_COLOR", "PY_COLORS")


RunMode = Callable[..., pytest.RunResult]
"""Runs pytest --aioncall in one of the ways that a promise has to hold in."""


class Project:
    """A project folder made by pytester: `app.py` with targets, evalsets, and the commands to run."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.write("aioncall.yaml", "format: 1\n")

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        if path.suffix == ".py":
            # Byte code is told apart by second and size: a change within one second would not be seen.
            shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
        return path

    def app(self, code: str) -> None:
        """Write app.py; a later change of it is seen by the next run."""
        self.write("app.py", code)

    def config(self, **sections: Any) -> Path:
        """Write aioncall.yaml with these sections."""
        return self.write("aioncall.yaml", yaml.safe_dump({"format": 1, **sections}, sort_keys=False))

    def evalset(self, name: str = "demo", **keys: Any) -> Path:
        """Write an evalset; `cases` may be given as {id: (input, expected)}."""
        cases = keys.pop("cases", {"a": ("a", "A"), "b": ("b", "B")})
        if isinstance(cases, dict):
            cases = [{"id": k, "input": i, "expected": e} for k, (i, e) in cases.items()]
        content = {
            "evalset": name,
            "owner": "@ann",
            "target": {"python": "app:answer"},
            "scorers": ["exact"],
            "cases": cases,
            **keys,
        }
        return self.write(f"evalsets/{name}.eval.yaml", yaml.safe_dump(content, sort_keys=False))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest --aioncall in this process: quick, and the same code."""
        return self.pytester.runpytest_inprocess("--aioncall", *QUIET, *arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest --aioncall in a process of its own, as a user does."""
        return self.pytester.runpytest_subprocess("--aioncall", *QUIET, *arguments)

    def command(self, *arguments: str) -> int:
        """Run `aioncall` in this process and return its exit code; modules of the project are forgotten,
        as each command of a user starts anew."""
        before = set(sys.modules)
        try:
            return main(list(arguments))
        finally:
            for name in set(sys.modules) - before:
                file = getattr(sys.modules[name], "__file__", None)
                if file and Path(file).is_relative_to(self.path):
                    del sys.modules[name]

    def accept(self, reason: str = "first", *arguments: str) -> None:
        """Accept the latest run as the baseline."""
        code = self.command(
            "baseline", "accept", "--root", str(self.path), "--by", "ann", "--reason", reason, *arguments
        )
        assert code == 0, code

    def run_folders(self) -> list[Path]:
        """Return the run folders, oldest first."""
        return list_runs(self.path / ".aioncall" / "runs")

    def last_run(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.run_folders()[-1] / "run.json").read_text())
        return found

    def last_samples(self) -> list[dict[str, Any]]:
        lines = (self.run_folders()[-1] / "samples.jsonl").read_text().split("\n")
        return [json.loads(line) for line in lines if line]

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / ".aioncall" / "report.json").read_text())
        return found


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    forget_projects(pytester.path.parent)
    return Project(pytester)


def forget_projects(root: Path) -> None:
    """Forget modules of other tests' projects: a command that ran in this process may have left an `app`."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(root):
            del sys.modules[name]
