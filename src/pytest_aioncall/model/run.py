"""One execution: its identity, its fingerprint and its totals (`run.json`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from .baseline import ScorerInfo
from .evalset import EpochRange, Gate
from .frozen import Frozen
from .verdict import Floor


class Fingerprint(Frozen):
    """Digests by name. A changed instrument makes runs incomparable; a changed subject is what we seek."""

    instrument: dict[str, Any] = {}
    subject: dict[str, Any] = {}


class Totals(Frozen):
    """Counts and sums over a run. `wall_s` in seconds; `cost_usd` is None where a price is unknown."""

    planned: int = 0
    judged: int = 0
    errors: int = 0
    retries: int = 0
    replayed: int = 0
    cost_usd: float | None = None
    wall_s: float = 0.0


class RunEvalset(Frozen):
    """One evalset in a run: what the gate CLI needs to judge the folder without the YAML.

    With adaptive epochs `plan` says how many could be drawn, `epochs` how many the most drawn case has, and
    `samples` how many were drawn of all cases; else every case has `epochs`. `capped`: the cost cap ended the
    rounds.
    `restored` are scorers that only the merge base has, put back for this run. `compared_as` has the base's
    digest of each case that differs from it in its floors alone: it is compared as the same case.
    """

    evalset: str
    file: str = ""
    owner: str = ""
    epochs: int = 1
    plan: EpochRange | None = None
    samples: int | None = None
    capped: bool = False
    cases: int = 0
    complete: bool = False
    max_error_rate: float = 0.02
    outputs: Literal["redacted", "full", "none"] = "redacted"
    baseline_max_age_days: int | None = None
    scorers: dict[str, ScorerInfo] = {}
    gates: tuple[Gate, ...] = ()
    floors: tuple[Floor, ...] = ()
    fingerprint: Fingerprint = Fingerprint()
    restored: tuple[str, ...] = ()
    compared_as: dict[str, str] = {}

    @property
    def planned_samples(self) -> int:
        """Return how many samples were asked for."""
        return self.cases * self.epochs if self.samples is None else self.samples


class Shard(Frozen):
    """Which part of a run this is: shard `index` (from 1) of `count`. Both maps go by evalset.

    plan      digest of what was divided and how; shards of one run have the same
    cases     how many of the evalset's cases are this shard's
    complete  all of them ran to their end
    """

    index: int = Field(ge=1)
    count: int = Field(ge=1, le=1000)
    plan: dict[str, str] = {}
    cases: dict[str, int] = {}
    complete: bool = False

    @model_validator(mode="after")
    def _index_is_not_above_count(self) -> Shard:
        if self.index > self.count:
            raise ValueError(f"shard {self.index} of {self.count}")
        return self


class UnaffectedEvalset(Frozen):
    """An evalset that a change cannot affect: none of its cases ran, and nothing was spent."""

    evalset: str
    file: str = ""
    owner: str = ""
    cases: int = 0


class ChangeLimit(Frozen):
    """A run was limited to what a change can affect (`--aioncall-changed REF`).

    commit      where the working tree left `ref`
    files       how many files differ from it
    unaffected  evalsets that were selected and did not run
    because     why each of the others ran, by evalset, one line a cause
    """

    ref: str
    commit: str
    files: int = 0
    unaffected: tuple[UnaffectedEvalset, ...] = ()
    because: dict[str, tuple[str, ...]] = {}


class Run(Frozen):
    """`run.json`. `created_at` is RFC 3339 in UTC; `dirty` tells of uncommitted changes.

    `rejudged_from` is the run whose outputs were scored again; `commit` and `dirty` are that run's.
    A run with a `shard` holds a part of the cases and is never `complete`; `merged_from` names the runs that
    were put together to this one.
    `change` is there where the run was limited to what a change can affect.
    """

    format: Literal[1] = 1
    id: str
    evalsets: tuple[RunEvalset, ...] = ()
    created_at: str
    commit: str | None = None
    dirty: bool = False
    fingerprint: Fingerprint = Fingerprint()
    versions: dict[str, str] = {}
    complete: bool = False
    totals: Totals = Totals()
    rejudged_from: str | None = None
    ended_at: str | None = None
    unfinished: int = 0
    resumed_at: tuple[str, ...] = ()
    shard: Shard | None = None
    merged_from: tuple[str, ...] = ()
    change: ChangeLimit | None = None

    @property
    def was_killed(self) -> bool:
        """Tell whether nobody closed it: it is under way, or its process died."""
        return self.ended_at is None and not self.totals.planned

    @property
    def is_finished(self) -> bool:
        """Tell whether nothing is left to draw: of the whole run, or of the part that a shard is."""
        return self.complete if self.shard is None else self.shard.complete
