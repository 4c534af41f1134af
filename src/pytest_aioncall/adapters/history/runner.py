"""Git as a program: told everything it needs, asked nothing at a terminal, no hook and no cleaning up."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...errors import StoreError
from ..text import log_line

Step = Callable[[str], None]
"""Called with the name of each step before it is taken: for tests that end the process there."""

TIMEOUT_S: Final = 180
# What would point git at another repository: set for whoever runs us out of a hook or an alias.
_ELSEWHERE: Final = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE",
    "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS",
)  # fmt: skip
_QUIET: Final = (
    ("core.hooksPath", os.devnull), ("core.fsmonitor", "false"), ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("push.followTags", "false"), ("push.gpgSign", "false"), ("push.recurseSubmodules", "no"),
    ("fetch.recurseSubmodules", "no"), ("submodule.recurse", "false"), ("fetch.prune", "false"),
)  # fmt: skip
_WITH_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")


class GitFailed(StoreError):
    """Tell that a command failed which asks nobody else: our own repository may be broken."""


def no_step(_name: str) -> None:
    """Take the next step."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a git command ended: status, what it printed, what it complained of."""

    code: int
    out: bytes
    complaint: str

    @property
    def text(self) -> str:
        """What it printed, as one line."""
        return self.out.decode("utf-8", "replace").strip()


class Git:
    """Run git in one repository.

    place    arguments that say which: `-C FOLDER`, or `--git-dir FOLDER`
    config   settings beside the user's own. They are given through the environment: a token in them is in no
             list of processes and in no file
    hidden   texts that no message may show
    """

    def __init__(
        self,
        place: Sequence[str],
        *,
        environ: Mapping[str, str],
        config: Iterable[tuple[str, str]] = (),
        hidden: Iterable[str] = (),
        step: Step = no_step,
    ) -> None:
        self._place = tuple(place)
        self._environ = _with_config(environ, config)
        self._hidden = tuple(text for text in hidden if text)
        self._step = step

    def ask(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> Answer:
        """Run a command and return how it ended. Raises StoreError where git is missing or never ends."""
        self._step(arguments[0])
        environ = self._environ if index is None else {**self._environ, "GIT_INDEX_FILE": str(index)}
        try:
            done = subprocess.run(  # noqa: S603 - a fixed program, arguments never through a shell
                self.command(*arguments),
                input=stdin,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
                env=environ,
            )
        except FileNotFoundError:
            raise StoreError("git is not installed; a history on a branch needs it") from None
        except subprocess.TimeoutExpired:
            raise StoreError(f"git {arguments[0]} did not end within {TIMEOUT_S} s; run this again") from None
        except OSError as error:
            raise StoreError(f"git cannot be run: {error.strerror or error}") from None
        return Answer(done.returncode, done.stdout, self.scrubbed(done.stderr.decode("utf-8", "replace")))

    def must(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> Answer:
        """Run a command that has to work; GitFailed with git's own words where it does not."""
        answer = self.ask(*arguments, stdin=stdin, index=index)
        if answer.code:
            raise GitFailed(f"git {arguments[0]} failed: {last_words(answer.complaint)}")
        return answer

    def command(self, *arguments: str) -> list[str]:
        """Return the command line: nothing on it is secret."""
        quiet = [word for key, value in _QUIET for word in ("-c", f"{key}={value}")]
        return ["git", *self._place, *quiet, *arguments]

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that git is given."""
        return self._environ

    def scrubbed(self, text: str) -> str:
        """Return what git said without passwords of addresses and without what is hidden."""
        for one in self._hidden:
            text = text.replace(one, "***")
        return _WITH_PASSWORD.sub("***@", text)


def last_words(complaint: str) -> str:
    """Return the line of git's complaint that says why, for one line of ours."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    why = [line for line in lines if line.startswith(("fatal:", "error:", "remote: error", "! [", "!\t"))]
    return log_line((why or lines or ["it gave no reason"])[0], 300)


def _with_config(environ: Mapping[str, str], config: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the environment with settings added to those that it may hold already (GIT_CONFIG_COUNT)."""
    found = {name: value for name, value in environ.items() if name not in _ELSEWHERE}
    told = found.get("GIT_CONFIG_COUNT", "")
    count = int(told) if told.isascii() and told.isdigit() and len(told) < 5 else 0
    for key, value in config:
        found[f"GIT_CONFIG_KEY_{count}"], found[f"GIT_CONFIG_VALUE_{count}"] = key, value
        count += 1
    # Its complaints are read: they come in English then.
    return found | {
        "GIT_CONFIG_COUNT": str(count),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
        "LANGUAGE": "",
    }
