"""What a change takes away from a gate, and the written reason that it carries for it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator

from .frozen import Frozen

WeakeningKind = Literal[
    "evalset_removed", "evalset_renamed", "old_version_unreadable", "baseline_removed",
    "baseline_moved", "target_replays",
    "gate_removed", "slice_removed", "margin_up", "min_down", "alpha_down", "claim_changed",
    "inconclusive_passes", "baseline_age_up", "error_rate_up", "error_types_added", "fewer_epochs",
    "scorer_removed", "scorer_swapped", "scorer_loosened", "judge_swapped",
    "case_removed", "incident_removed", "incident_unmarked", "input_changed", "expected_loosened",
    "must_loosened", "require_loosened", "case_scorer_loosened", "slices_left", "cluster_changed",
    "default_loosened", "redact_removed", "provider_changed",
]  # fmt: skip


class WeakeningEntry(Frozen):
    """The reason for one weakening, as YAML writes it under `weakening:`.

    `what` is the line that `aioncall check --against` printed. It excuses in the change that adds it, and is
    history afterwards. `until` is the day on which the weakening is to be taken back.
    """

    what: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    until: date | None = None

    @field_validator("until", mode="before")
    @classmethod
    def _until_is_a_day(cls, value: Any) -> Any:
        # A bare number would be taken for seconds since 1970.
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is None:
            raise ValueError(f"{value[:40]!r} is not a day; write it as 2026-12-31")
        return value


class Weakening(Frozen):
    """One thing that the gate asked for and asks for no more, or less strictly.

    evalset      None for the configuration
    what         how an entry names it; unique in its evalset
    cases        the cases it speaks of, where several are told in one line
    at_base      `file` and `line` are those of the old version, where what is gone stood
    where        YAML path in `file` (no part of the JSON); `line` is looked up from it where it is 0
    entry_file   where an entry that excuses it has to stand
    excused_by   the reason of the entry that excuses it
    not_excused  why an entry that names it does not count
    """

    kind: WeakeningKind
    evalset: str | None = None
    what: str
    was: str = ""
    now: str = ""
    cases: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    at_base: bool = False
    where: str = Field(default="", exclude=True, repr=False)
    entry_file: str = ""
    excused_by: str | None = None
    not_excused: str | None = None


class ChangeReview(Frozen):
    """All that a change weakens, against the commit where it left `ref`.

    `strengthened` counts what became stricter, new gates and cases included. `notes` are warnings.
    """

    ref: str
    commit: str
    weakenings: tuple[Weakening, ...] = ()
    strengthened: int = 0
    notes: tuple[str, ...] = ()

    @property
    def without_reason(self) -> tuple[Weakening, ...]:
        """The weakenings that no entry excuses."""
        return tuple(one for one in self.weakenings if one.excused_by is None)
