"""What a run is compared with, and the table both sides of a comparison come down to."""

from __future__ import annotations

from typing import Any, Literal

from .frozen import Frozen


class ScorerInfo(Frozen):
    """What has to be equal on both sides for scores to be comparable."""

    kind: str
    scale: tuple[float, float] = (0.0, 1.0)
    hash: str = ""


class Acceptance(Frozen):
    """A regression that its owner accepted by name."""

    scorer: str
    slice: dict[str, str] | None = None
    ticket: str


class BaselineHeader(Frozen):
    """First line of a baseline file: who accepted what, when and why."""

    format: Literal[1] = 1
    evalset: str
    accepted_by: str
    accepted_at: str
    reason: str
    commit: str | None = None
    run: str | None = None
    instrument: dict[str, Any] = {}
    subject: dict[str, Any] = {}
    scorers: dict[str, ScorerInfo]
    accepts: tuple[Acceptance, ...] = ()


class CaseRow(Frozen):
    """One case on one side of a comparison.

    `scores[scorer]` has one entry an epoch, `None` where that sample has no score (planned, not judged);
    a scorer that does not apply to the case is absent. `errors` counts the samples without an output.
    """

    case: str
    digest: str = ""
    slices: dict[str, str] = {}
    cluster: str | None = None
    scores: dict[str, tuple[float | None, ...]] = {}
    labels: dict[str, tuple[str | None, ...]] = {}
    latency_s: tuple[float | None, ...] = ()
    cost_usd: tuple[float | None, ...] = ()
    errors: int = 0


class StoredOutput(Frozen):
    """One line of `<evalset>.outputs.jsonl`: `sha256` is of the stored text before any cut."""

    case: str
    epoch: int
    sha256: str
    text: str | None = None
