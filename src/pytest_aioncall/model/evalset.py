"""What a user writes: evalsets, cases, scorers by name, gates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from .frozen import Frozen, digest_of
from .weakening import WeakeningEntry

Claim = Literal["auto", "these-cases", "cases-like-these"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@/ -]{1,120}$")]


class ScorerSpec(Frozen):
    """One scorer as YAML names it, in normal form.

    `name: {k: v}` has `options`; `name: arg` has `has_arg` and `arg`; plain `name` has neither.
    `name` is `as` where given, else the kind. `where` is the YAML path, for messages only.
    """

    kind: str
    name: Name
    has_arg: bool = False
    arg: Any = None
    options: dict[str, Any] = {}
    where: str = Field(default="", exclude=True, repr=False)

    def content(self) -> dict[str, Any]:
        """Return what decides how this scorer scores (its digest is made of it)."""
        content: dict[str, Any] = {"kind": self.kind, "options": self.options}
        if self.has_arg:
            content["arg"] = self.arg
        return content


class TargetSpec(Frozen):
    """One target as YAML names it: `{kind: arg}` or `{kind: {k: v}}`."""

    kind: str
    has_arg: bool = False
    arg: Any = None
    options: dict[str, Any] = {}
    where: str = Field(default="target", exclude=True, repr=False)


class Require(Frozen):
    """A case decided by itself: `scorer` passes (or reaches `at_least`) in a share `in` of the epochs.

    ok iff the number of epochs that hold >= ceil(share x epochs); an errored epoch does not hold.
    """

    scorer: Name
    at_least: float | None = None
    share: str = Field(default="1/1", alias="in")

    model_config = Frozen.model_config | {"populate_by_name": True}

    @field_validator("share")
    @classmethod
    def _share_is_a_fraction(cls, value: str) -> str:
        k, _, n = value.partition("/")
        if not (k.isdigit() and n.isdigit() and 0 < int(k) <= int(n)):
            raise ValueError(f"{value!r} is not a share; write k/n, for example 2/3")
        return value

    def needed(self, epochs: int) -> int:
        """Return how many of `epochs` epochs have to hold."""
        k, _, n = self.share.partition("/")
        return math.ceil(int(k) * epochs / int(n))


class IncidentSource(Frozen):
    """Where an incident case comes from."""

    incident: str
    opened: str | None = None
    url: str | None = None


class Case(Frozen):
    """One row: what goes in, what should come out, and where it belongs."""

    id: Name
    input: Any
    expected: Any = None
    slices: dict[str, str] = {}
    cluster: str | None = None
    scorers: tuple[ScorerSpec, ...] = ()
    must: tuple[ScorerSpec, ...] = ()
    require: tuple[Require, ...] = ()
    note: str | None = None
    source: IncidentSource | None = None
    file: str = Field(default="", exclude=True, repr=False)
    line: int = Field(default=0, exclude=True, repr=False)
    where: str = Field(default="", exclude=True, repr=False)

    @cached_property
    def digest(self) -> str:
        """Digest of all that the target and the scorers see of this case."""
        return digest_of(
            {
                "input": self.input,
                "expected": self.expected,
                "scorers": [[s.name, s.content()] for s in self.scorers],
                "must": [s.content() for s in self.must],
                "require": [r.model_dump(by_alias=True) for r in self.require],
            }
        )


class EpochRange(Frozen):
    """Repeat every case at least `min` and at most `max` times."""

    min: int = Field(ge=1, le=1000)
    max: int = Field(ge=1, le=1000)

    @model_validator(mode="after")
    def _min_is_not_above_max(self) -> EpochRange:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class ErrorLimits(Frozen):
    """How much infrastructure failure a run can bear and still be judged."""

    max_rate: float = Field(default=0.02, ge=0, le=1)
    transport: tuple[str, ...] = ()


class Subject(Frozen):
    """What a change of behaviour may come from: files (globs) and labels such as an index version."""

    files: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class Gate(Frozen):
    """A rule over a scorer and the slices named: drop no more than `margin`, stay above `min`.

    `margin` and `min` are in units of the scorer's scale. What is None the configuration's defaults say.
    """

    scorer: Name
    margin: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    slices: tuple[str, ...] = ()
    min: float | None = Field(default=None, allow_inf_nan=False)
    claim: Claim | None = None
    alpha: float | None = Field(default=None, gt=0, lt=0.5)
    on_inconclusive: Literal["warn", "fail"] | None = None


class Evalset(Frozen):
    """One evalset file with its includes: the cases, how to run them, how to judge them."""

    format: Literal[1] = 1
    evalset: Name
    owner: str = Field(min_length=1)
    description: str = ""
    target: TargetSpec
    subject: Subject = Subject()
    epochs: int | EpochRange = 3
    errors: ErrorLimits = ErrorLimits()
    concurrency: int | None = Field(default=None, ge=1, le=4096)
    timeout_s: float = Field(default=120.0, gt=0)
    outputs: Literal["redacted", "full", "none"] = "redacted"
    baseline_max_age_days: int | None = Field(default=None, ge=1)
    scorers: tuple[ScorerSpec, ...]
    gates: tuple[Gate, ...] = ()
    weakening: tuple[WeakeningEntry, ...] = ()
    cases: tuple[Case, ...]
    file: str = Field(default="", exclude=True, repr=False)


def merged_slices(defaults: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return a case's slices: its own over the evalset's defaults."""
    return {**defaults, **own}
