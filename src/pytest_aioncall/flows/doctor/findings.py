"""What a look at a project comes to: what is missing, why it matters, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ...settings import Settings
from ..prepare import Prepared
from ..scaffold_github import Place

Level = Literal["must", "should"]
"""must    the gate or the daily run does not work, or works on nothing, until it is mended
should  it works, and somebody will miss something
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend. `fix` is a command, a line to write or a setting; `file` is where."""

    check: str
    level: Level
    what: str
    why: str
    fix: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Fine:
    """A check that found nothing."""

    check: str
    what: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A check that could not be made, and why."""

    check: str
    why: str


Said = Finding | Fine | Unknown


@dataclass(frozen=True, slots=True)
class Looked:
    """Everything that a look found, in the order in which it was looked at.

    `unreadable`: the configuration or an evalset does not load (exit 4, as for every command).
    """

    findings: tuple[Finding, ...] = ()
    fine: tuple[Fine, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    unreadable: bool = False

    @property
    def has_to_be_mended(self) -> bool:
        """Tell whether anything does not work as it stands."""
        return any(one.level == "must" for one in self.findings)


@dataclass(frozen=True, slots=True)
class Patient:
    """The project that is looked at. `prepared` are its evalsets that load."""

    settings: Settings
    place: Place
    prepared: tuple[Prepared, ...] = field(default=())

    @property
    def root(self) -> Path:
        return self.settings.root


def secret_command(name: str, environment: str) -> str:
    """Return the command that sets a secret where a job of that environment sees it ("": any job)."""
    return f"gh secret set {name}" + (f" --env {environment}" if environment else "")


def sorted_out(said: Iterator[Said], *, unreadable: bool) -> Looked:
    """Put what the checks said into its lists, what must be mended first."""
    every = list(said)
    findings = [one for one in every if isinstance(one, Finding)]
    return Looked(
        findings=tuple(sorted(findings, key=lambda one: one.level != "must")),
        fine=tuple(one for one in every if isinstance(one, Fine)),
        unknown=tuple(one for one in every if isinstance(one, Unknown)),
        unreadable=unreadable,
    )
