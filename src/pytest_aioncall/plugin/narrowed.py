"""In CI, judged beside a base, a run may be narrowed by whoever starts it, never by what the change holds."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .flags import will_run

if TYPE_CHECKING:
    from ..settings import Settings

_NARROWING = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise")
"""Options of pytest, by their names in its namespace, that leave cases out."""
_DECIDING = ("shard", "changed", "daily", "without_keys")
"""Options of ours that leave cases out, or say what is not blamed."""


class Narrowing:
    """What was named on the command line of this session.

    `below` are the files and folders whose evalsets all have to be judged: None where no base is given,
    outside of CI, and where somebody chose a part on the command line.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.below: tuple[Path, ...] | None = None

    def begin(self, settings: Settings) -> list[str]:
        """Find out what was named; return what is wrong: options that only a command line may give."""
        if not settings.ci or settings.baseline_ref is None:
            return []
        from ..settings import environment

        variables = environment()
        typed = self._typed(variables.get("PYTEST_ADDOPTS", ""))
        option = self.config.option
        problems = [
            f"--aioncall-{name.replace('_', '-')}: is set by addopts or conftest.py, which a change can "
            "write; where a base is given, name it on the command line"
            for name in _DECIDING
            if getattr(option, f"aioncall_{name}") and not getattr(typed, f"aioncall_{name}", None)
        ]
        told = variables.get("AIONCALL_BASELINE_REF", "").strip()
        given = getattr(typed, "aioncall_baseline_ref", None) or told
        if given and given != settings.baseline_ref:
            problems.append(
                f"--aioncall-baseline-ref: addopts or conftest.py say {settings.baseline_ref}, and this job "
                f"says {given}; take the option out of them"
            )
        if not will_run(self.config):
            problems.append(
                "--collect-only, --setup-only and --setup-plan ask no case, so they are no gate; take them "
                "out of the command line, addopts and conftest.py, or leave --aioncall-baseline-ref away"
            )
        if not _is_narrow(typed):
            self.below = self._named(typed)
        return problems

    def _typed(self, before: str) -> argparse.Namespace:
        """Parse what the command line itself says: in pytest's own result there is `addopts`, too."""
        arguments = [*shlex.split(before), *map(str, self.config.invocation_params.args)]
        return self.config._parser.parse_known_args(arguments, argparse.Namespace())

    def _named(self, typed: argparse.Namespace) -> tuple[Path, ...]:
        start = self.config.invocation_params.dir
        named = tuple(start / argument for argument in getattr(typed, "file_or_dir", ()))
        if named:
            return named
        if self.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            return (*(start / argument for argument in self.config.args), self.config.rootpath / "evalsets")
        return (start,)


def _is_narrow(typed: argparse.Namespace) -> bool:
    """Tell whether somebody chose cases by hand: by an option, or by the id of a case."""
    named = getattr(typed, "file_or_dir", None) or ()
    return any(getattr(typed, name, None) for name in _NARROWING) or any("::" in one for one in named)
