"""A small project with a target in it, for the promises of plugin and commands."""

from __future__ import annotations

from eval_project import Project, project

__all__ = ["Project", "project"]
