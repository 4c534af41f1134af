"""Workflows that a repository has, whoever wrote them: their triggers, rights and steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import LoadError
from ..yaml_text import parse_yaml, read_bytes

_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One step, its own `env` over that of its job and of the workflow."""

    uses: str
    run: str
    options: Mapping[str, str]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorkflowJob:
    """One job. `permissions` are its own, else the workflow's; None where neither says any."""

    permissions: Mapping[str, str] | str | None
    environment: str
    steps: tuple[WorkflowStep, ...]


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """One file of `.github/workflows`. `problem` says why it cannot be read; nothing else is known then."""

    path: Path
    text: str = ""
    name: str = ""
    triggers: Mapping[str, Any] = field(default_factory=dict)
    jobs: tuple[WorkflowJob, ...] = ()
    problem: str = ""

    @property
    def steps(self) -> list[WorkflowStep]:
        """Return the steps of all jobs, in their order."""
        return [step for job in self.jobs for step in job.steps]

    def runs(self, *parts: str) -> bool:
        """Tell whether one of its steps runs a command that holds every part."""
        return any(all(part in step.run for part in parts) for step in self.steps)


def read_workflows(folder: Path) -> list[WorkflowFile]:
    """Return the workflows in a folder by name; what is no YAML of a workflow is told with its problem."""
    if not folder.is_dir():
        return []
    return [_read(path) for path in sorted(folder.iterdir()) if path.suffix in (".yml", ".yaml")]


def _read(path: Path) -> WorkflowFile:
    try:
        raw = read_bytes(path, file=path.name, limit=_MAX_BYTES)
        data = parse_yaml(raw, file=path.name).data
    except LoadError as error:
        return WorkflowFile(path, problem=str(error))
    if not isinstance(data, dict) or not isinstance(data.get("jobs"), dict):
        return WorkflowFile(path, problem=f"{path.name}: is no workflow: it has no jobs")
    return WorkflowFile(
        path,
        text=raw.decode("utf-8", "replace"),
        name=str(data.get("name") or path.name),
        triggers=_triggers(data.get("on")),
        jobs=tuple(_job(job, data) for job in data["jobs"].values() if isinstance(job, dict)),
    )


def _triggers(said: Any) -> dict[str, Any]:
    if isinstance(said, dict):
        return said
    return dict.fromkeys(map(str, said) if isinstance(said, list) else [str(said)])


def _job(job: dict[str, Any], workflow: dict[str, Any]) -> WorkflowJob:
    rights = job.get("permissions", workflow.get("permissions"))
    place = job.get("environment")
    around = _texts(workflow.get("env")) | _texts(job.get("env"))
    steps = job.get("steps")
    return WorkflowJob(
        permissions=_texts(rights) if isinstance(rights, dict) else rights,
        environment=str(place.get("name", "") if isinstance(place, dict) else place or ""),
        steps=tuple(
            _step(s, around) for s in (steps if isinstance(steps, list) else ()) if isinstance(s, dict)
        ),
    )


def _step(step: dict[str, Any], around: dict[str, str]) -> WorkflowStep:
    return WorkflowStep(
        uses=str(step.get("uses") or ""),
        run=str(step.get("run") or ""),
        options=_texts(step.get("with")),
        env=around | _texts(step.get("env")),
    )


def _texts(said: Any) -> dict[str, str]:
    return (
        {str(key): "" if value is None else str(value) for key, value in said.items()}
        if isinstance(said, dict)
        else {}
    )
