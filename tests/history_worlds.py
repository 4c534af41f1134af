"""Entries made up, and real git around them: a bare remote, a user's clone, a history on a branch."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from pytest_aioncall.adapters.history import HistoryBranch
from pytest_aioncall.model.history import CaseDay, EvalsetDay, HistoryEntry

BRANCH = "aioncall-history"
WHO = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")


def made_entry(
    number: int = 0, *, attempt: int = 1, value: float = 1.0, run: str | None = None
) -> HistoryEntry:
    """Return the entry of a daily run; `number` is its day."""
    day = f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}"
    case = CaseDay(case="a", digest="d1", slices={"persona": "free"}, scores={"route": (value, None)})
    return HistoryEntry(
        run=run or f"{day.replace('-', '')}-031700-{number:05x}",
        attempt=attempt,
        created_at=f"{day}T03:17:00.000Z",
        day=day,
        evalsets=(EvalsetDay(evalset="triage", judged=True, status="pass", cases=(case,)),),
    )


def git(folder: Path, *arguments: str) -> str:
    """Run git and return what it prints."""
    done = subprocess.run(["git", *WHO, *arguments], cwd=folder, capture_output=True, check=True, text=True)
    return done.stdout.strip()


@cache
def _template() -> Path:
    """Make a remote and a clone once; each world is a copy, so the remote's address is relative."""
    folder = Path(tempfile.mkdtemp(prefix="aioncall-world-"))
    atexit.register(_remove, folder, os.getpid())
    git(folder, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(folder, "init", "-q", "-b", "main", "user")
    user = folder / "user"
    (user / "app.py").write_text("one\n")
    git(user, "add", ".")
    git(user, "commit", "-q", "-m", "one")
    git(user, "remote", "add", "origin", "../remote.git")
    git(user, "push", "-q", "origin", "main")
    for samples in folder.rglob("hooks"):
        shutil.rmtree(samples)
        samples.mkdir()
    return folder


def _remove(folder: Path, process: int) -> None:
    # A child that was forked is not the one to tidy up.
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


class World:
    """A bare remote and a user's clone with one commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remote = folder / "remote.git"
        self.user = folder / "user"
        shutil.copytree(_template(), folder, dirs_exist_ok=True, symlinks=True)

    def branch(
        self,
        machine: str = "one",
        *,
        step: Callable[[str], None] | None = None,
        environ: Mapping[str, str] | None = None,
        repository: Path | None = None,
        token: str = "",
        server_url: str = "https://github.com",
    ) -> HistoryBranch:
        """Return the history as one machine sees it; waits between tries are short here."""
        return HistoryBranch(
            self.folder / machine / "history",
            branch=BRANCH,
            repository=repository or self.user,
            environ=dict(os.environ if environ is None else environ),
            token=token,
            server_url=server_url,
            step=step or (lambda _name: None),
            pause=lambda _seconds: None,
        )

    def files(self) -> list[str]:
        """Return the files of the branch on the remote."""
        return git(self.remote, "ls-tree", "-r", "--name-only", BRANCH).splitlines()

    def content(self) -> str:
        """Return the tree of the branch on the remote: equal trees hold the same files."""
        return git(self.remote, "rev-parse", f"{BRANCH}^{{tree}}")


def killed_at(number: int, work: Callable[[Callable[[str], None]], None]) -> str | None:
    """Do some work in a process of its own that ends itself with SIGKILL before step `number`.

    Return the name of that step; None where the work has fewer.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        left = [number]

        def step(name: str) -> None:
            if left[0] == 0:
                os.write(writing, name.encode())
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        try:
            work(step)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        name = told.read().decode()
    os.waitpid(child, 0)
    return name or None
