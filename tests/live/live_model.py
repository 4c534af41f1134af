"""How a project asks the real model."""

from __future__ import annotations

from eval_project import Project

MODEL = "local/SmolLM2-135M-Instruct-Q4_1"


def configure(project: Project, base_url: str, **provider: object) -> None:
    """Point the provider `local` of a project at a model server."""
    project.config(
        providers={"local": {"kind": "openai", "base_url": base_url, "concurrency": 1, **provider}}
    )
