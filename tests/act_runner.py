"""GitHub Actions on this machine: `act` in host mode, real git with a bare remote, and a fake GitHub API.

What it cannot show: permissions, concurrency, when a schedule starts, and the limits of GitHub's own files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pytest

STUBS: Final = Path(__file__).parent / "stubs"
PINS: Final = {
    "actions/setup-python": "5fda3b95a4ea91299a34e894583c3862153e4b97",
    "actions/upload-artifact": "bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    "actions/download-artifact": "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
}
Event = Literal["pull_request", "workflow_run", "schedule", "workflow_dispatch"]


def act() -> str:
    """Return the path of act; the test is skipped, and says so, where it is not installed."""
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("act", path=search)
    if found is None:
        pytest.skip("act is not installed: pip install -e '.[dev]'")
    return found


@dataclass
class JobEnded:
    """One run of a workflow: act's exit code, each step's outcome by its name, and everything printed."""

    code: int
    steps: dict[str, str] = field(default_factory=dict)
    log: str = ""

    @property
    def green(self) -> bool:
        return self.code == 0


class Repository:
    """A repository as its owner sees it: `work` is a clone, `bare` what lies at GitHub."""

    def __init__(self, folder: Path, name: str = "acme/app") -> None:
        self.name = name
        self.folder = folder
        self.home = folder / "home"
        self.bare = folder / "bare.git"
        self.work = folder / "work"
        self.artifacts = folder / "artifacts"
        self.home.mkdir(parents=True)
        (self.home / ".actrc").touch()  # act asks a question without it
        self._run = 1000
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.bare)], check=True)
        config = {
            f"url.{self.bare}.insteadOf": f"https://github.com/{name}",
            "user.name": "Ann",
            "user.email": "ann@example.org",
            "init.defaultBranch": "main",
            "safe.directory": "*",
        }
        for key, value in config.items():
            self.git("config", "--global", "--add", key, value, at=folder)
        self.git("clone", "-q", f"https://github.com/{name}", str(self.work), at=folder)

    @property
    def environ(self) -> dict[str, str]:
        """What every process is given: nothing of the surroundings but where programs are."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return {
            "PATH": path,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "GIT_TERMINAL_PROMPT": "0",
            "LANG": "C.UTF-8",
        }

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git in the clone and return what it prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=at or self.work,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def commit(self, message: str, *, push: bool = True) -> str:
        """Commit everything, push the branch, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "-q", "--message", message)
        if push:
            self.git("push", "-q", "--set-upstream", "origin", "HEAD")
        return self.git("rev-parse", "HEAD")

    def command(self, *arguments: str, code: int = 0, **environ: str) -> str:
        """Run a command of this environment in the clone (`aioncall`, `pytest` as `python -m`)."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.work,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def run_workflow(
        self,
        name: str,
        event: Event,
        payload: dict[str, Any] | None = None,
        *,
        secrets: dict[str, str] | None = None,
        **environ: str,
    ) -> JobEnded:
        """Run `.github/workflows/NAME.yml` of the clone as it lies there; every run has an id of its own."""
        self._run += 1
        event_file = self.folder / "event.json"
        event_file.write_text(json.dumps(payload or {}), encoding="utf-8")
        given = {
            "GITHUB_RUN_ID": str(self._run),
            "TEST_PYTHON": sys.executable,
            "TEST_ARTIFACTS": str(self.artifacts),
            # What pip may not find in the environment of the tests must not be fetched: no network.
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **environ,
        }
        token = given.pop("GITHUB_TOKEN", "ghs_tokenOfTheTestsThatIsLongEnough01234")
        command = [
            act(), event, "-W", str(self._known_to_act(name)), "-e", str(event_file),
            "-P", "ubuntu-latest=-self-hosted", "--no-cache-server", "--json",
            "--cache-server-addr", "127.0.0.1", "-s", f"GITHUB_TOKEN={token}",
        ]  # fmt: skip
        for action, pin in PINS.items():
            command += ["--local-repository", f"{action}@{pin}={STUBS / action.partition('/')[2]}"]
        for key, value in (secrets or {}).items():
            command += ["-s", f"{key}={value}"]
        for key, value in given.items():
            command += ["--env", f"{key}={value}"]
        done = subprocess.run(
            command, cwd=self.work, env=self.environ, capture_output=True, text=True, timeout=300, check=False
        )
        return _ended(done)

    def _known_to_act(self, name: str) -> Path:
        """Return the workflow without what act's own schema does not know yet; nothing else is changed."""
        text = (self.work / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
        path = self.folder / "workflows" / f"{name}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(re.sub(r"^ +deployment: false\n", "", text, flags=re.MULTILINE), encoding="utf-8")
        return path

    @property
    def last_run(self) -> str:
        """The id of the newest workflow run."""
        return str(self._run)


def _ended(done: subprocess.CompletedProcess[str]) -> JobEnded:
    ended = JobEnded(done.returncode)
    lines = []
    for line in [*done.stdout.splitlines(), *done.stderr.splitlines()]:
        try:
            said = json.loads(line)
        except ValueError:
            lines.append(line)
            continue
        lines.append(str(said.get("msg", "")).rstrip("\n"))
        if said.get("stepResult") and said.get("stage") == "Main":
            ended.steps[str(said.get("step", ""))] = said["stepResult"]
    ended.log = "\n".join(lines)
    return ended
