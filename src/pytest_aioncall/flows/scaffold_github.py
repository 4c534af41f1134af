"""What `aioncall init --github` writes: the workflows, and who has to look at what the gate leans on."""

from __future__ import annotations

import json
import re
import shlex
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..adapters import git
from ..adapters.files import exists, files_in
from ..adapters.workflow_files import VERSION, WorkflowName, filled
from ..errors import UsageError
from ..model.config import Config
from ..model.oncall import NotifierSpec

WORKFLOWS = ".github/workflows"
ENVIRONMENT = "aioncall"
"""The environment of GitHub that holds the keys: secrets of a repository are open to every workflow in it."""

DAILY = frozenset({"aioncall-daily.yml", "aioncall-daily-sharded.yml"})
"""The two ways to write the daily run, of which a project has one."""

MOST_SHARDS = 64
_NAMED_BY_KIND = {"slack": ("SLACK_WEBHOOK_URL",), "pagerduty": ("PAGERDUTY_ROUTING_KEY",)}
_NO_SECRET = frozenset({"github", "review", "file"})
# What stands in a line of YAML and of a shell as it is, once the shell's quotes are around it.
_PLAIN = re.compile(r"(?!-)(?:(?!: | #)[\w.,:;<>=!~@+/\[\]() #&%-])+")
_HEARTBEAT = "AIONCALL_HEARTBEAT_URL"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a project stands in its repository: `top` is the repository's root, `folder` the way down."""

    top: Path
    folder: str

    @classmethod
    def of(cls, root: Path) -> Place:
        """Return the place of a project root; a project without a repository is its own top."""
        top = git.top_of(root)
        if top is None:
            return cls(root, "")
        inside = root.resolve().relative_to(top.resolve()).as_posix()
        return cls(top, "" if inside == "." else f"{inside}/")


def workflow_texts(
    root: Path, config: Config, *, version: str, shards: int | None = None, install: str | None = None
) -> dict[str, str]:
    """Return the workflows by file name. `install` is what pip installs instead of this version.

    Raises UsageError for what no workflow can have.
    """
    refuse_impossible(shards=shards, install=install)
    place = Place.of(root)
    tool = shlex.quote(install or f"pytest-aioncall=={version}")
    keys, told = key_variables(config), notifier_variables(config)
    minute, hour = _clock_of(place)
    folders = _evalset_folders(root)
    for name in (place.folder, config.monitors.history, *folders):
        if name and not _PLAIN.fullmatch(name):
            raise UsageError(f"{name!a} cannot stand in a workflow; choose another name for it")
    words = {
        "version": str(VERSION),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "install": " ".join(["python -m pip install", tool, *_own_requirements(root)]),
        "tool": f"python -m pip install {tool}",
        "evalsets": shlex.join(folders),
        "folder": place.folder,
        "history": config.monitors.history,
        "minute": str(minute),
        "hour": str(hour),
        "count": str(shards or 1),
        "shards": ", ".join(str(n) for n in range(1, (shards or 1) + 1)),
    }
    beat = config.monitors.heartbeat_url_env
    lines = {
        "defaults": _defaults(place),
        "environment": _environment(),
        "keys": _secret_lines(keys) or [f"# {_secret_line('OPENAI_API_KEY')} # what your providers need"],
        "env_keys": ["env:", *(f"  {line}" for line in _secret_lines(keys))] if keys else [],
        "heartbeat": [
            f"{_secret_line(beat or _HEARTBEAT)} # asked after a judged run; none where it is empty"
        ],
        "notifiers": _secret_lines(told),
    }
    daily: WorkflowName = "aioncall-daily" if shards is None else "aioncall-daily-sharded"
    names: tuple[WorkflowName, ...] = ("aioncall-gate", "aioncall-comment", daily)
    command = ["aioncall", "init", "--github", *(["--install", install] if install else [])]
    sharded = ["--shards", str(shards)]
    commands = {
        name: shlex.join([*command, *(sharded if name.endswith("-sharded") else [])]) for name in names
    }
    return {
        f"{name}.yml": filled(name, words=words | {"command": commands[name]}, lines=lines) for name in names
    }


def refuse_impossible(*, shards: int | None, install: str | None) -> None:
    """Raise UsageError for a number of shards that no matrix has, and for what cannot stand in a line."""
    if shards is not None and not 2 <= shards <= MOST_SHARDS:
        raise UsageError(f"--shards needs a whole number from 2 to {MOST_SHARDS}, got {shards}")
    if install is not None and not _PLAIN.fullmatch(install):
        raise UsageError("--install needs what pip takes for one package, for example 'pytest-aioncall>=0.1'")


def codeowner_lines(root: Path, owner: str) -> list[str]:
    """Return lines of CODEOWNERS for what a gate leans on; none where GitHub cannot know the owner."""
    who = _known_to_github(owner)
    if who is None:
        return []
    folder = Place.of(root).folder
    paths = ["evalsets/baselines/", "evalsets/*.eval.yaml", "aioncall.yaml"]
    return [*(f"/{folder}{path} {who}" for path in paths), f"/{WORKFLOWS}/aioncall-*.yml {who}"]


def key_variables(config: Config) -> list[str]:
    """Return the environment variables that hold the keys of the providers."""
    named = [provider.api_key_env for provider in config.providers.values()]
    named += [env for provider in config.providers.values() for env in provider.headers_env.values()]
    return sorted({name for name in named if name})


def notifier_variables(config: Config) -> list[str]:
    """Return the environment variables of the notifiers that some tier is routed to."""
    routes = config.routes
    named = {
        *routes.tier1,
        *routes.tier2,
        *routes.tier3,
        *([config.oncall.channel] if config.oncall.channel else []),
    }
    return sorted({env for name in named for env in variables_of(name, config.notifiers.get(name))})


def variables_of(name: str, spec: NotifierSpec | None) -> tuple[str, ...]:
    """Return what a notifier reads of the environment; a name without an entry is a kind."""
    kind = spec.kind if spec is not None else name
    said = (spec.url_env, spec.key_env) if spec is not None else ()
    return tuple(env for env in said if env) or _NAMED_BY_KIND.get(kind, ())


def _environment() -> list[str]:
    # Also where nothing is secret yet: a secret of an environment reaches no job that does not name it.
    # Without `deployment: false` every run would be told as a deployment, in the pull request too.
    return ["environment:", f"  name: {ENVIRONMENT} # holds the secrets", "  deployment: false"]


def _secret_line(name: str) -> str:
    return f"{name}: ${{{{ secrets.{name} }}}}"


def _secret_lines(names: Iterable[str]) -> list[str]:
    return [_secret_line(name) for name in names]


def _defaults(place: Place) -> list[str]:
    if not place.folder:
        return []
    return ["defaults:", "  run:", f"    working-directory: {json.dumps(place.folder.rstrip('/'))}"]


def _own_requirements(root: Path) -> list[str]:
    """Return what the project itself needs, as far as its files say."""
    if exists(root / "pyproject.toml") or exists(root / "setup.py"):
        return ["-e ."]
    return ["-r requirements.txt"] if exists(root / "requirements.txt") else []


def _evalset_folders(root: Path) -> Sequence[str]:
    found = {path.relative_to(root).parts[0] for path in files_in(root, "*.eval.yaml")}
    inside = sorted(name for name in found if not name.endswith(".eval.yaml"))
    return ["."] if len(inside) < len(found) else inside or ["evalsets"]


def _clock_of(place: Place) -> tuple[int, int]:
    """Return an odd minute and an hour of the night that differ from project to project."""
    seed = zlib.crc32(f"{place.top.name}/{place.folder}".encode())
    return 7 + 2 * (seed % 23), 2 + (seed // 23) % 4


def _known_to_github(owner: str) -> str | None:
    if re.fullmatch(r"@[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?", owner):
        return owner
    found = re.search(r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+", owner)
    return found[0] if found else None
