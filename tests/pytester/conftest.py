"""A small project with a target in it, for the promises of plugin and commands, and the ways to run it."""

from __future__ import annotations

import pytest

from eval_project import Project, RunMode, project

__all__ = ["Project", "RunMode", "project", "run_mode"]


@pytest.fixture(params=["in-process", "apart", "xdist"])
def run_mode(request: pytest.FixtureRequest, project: Project) -> RunMode:
    """Run pytest --aioncall in this process, in one of its own, and with two workers of xdist."""
    ways: dict[str, RunMode] = {
        "in-process": project.run,
        "apart": project.run_apart,
        "xdist": lambda *arguments: project.run_apart("-n", "2", *arguments),
    }
    return ways[request.param]
