"""A small project with a target in it, for the promises of plugin and commands."""

from __future__ import annotations

from recorded_project import recorded

from eval_project import Project, project

__all__ = ["Project", "project", "recorded"]
