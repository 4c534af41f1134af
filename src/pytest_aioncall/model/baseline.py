"""What a run is compared with, and the table both sides of a comparison come down to."""

from __future__ import annotations

from typing import Any, Literal

from .frozen import Frozen
from .sample import Document


class ScorerInfo(Frozen):
    """What has to be equal on both sides for scores to be comparable.

    `parts` names what `hash` is made of (model, rubric, code, ...), each by its value where that is short,
    else by a digest, so that a reader is told which of them changed. It decides nothing.
    """

    kind: str
    scale: tuple[float, float] = (0.0, 1.0)
    hash: str = ""
    parts: dict[str, str] = {}


class Acceptance(Frozen):
    """A regression that its owner accepted by name."""

    scorer: str
    slice: dict[str, str] | None = None
    ticket: str


class OutputsMark(Frozen):
    """Which outputs file belongs to a header: its number of lines and the SHA-256 of its text (ends of lines
    as LF)."""

    count: int
    sha256: str


class Rejudgement(Frozen):
    """Stored outputs of a baseline were scored again, without asking the target."""

    at: str
    by: str
    reason: str
    scorers: tuple[str, ...]


class BaselineHeader(Frozen):
    """First line of a baseline file: who accepted what, when and why.

    dirty     the run was made with changes that `commit` does not have
    outputs   the outputs file that was written with it; None where none was (or by an earlier version)
    rejudged  every time its outputs were scored again since it was accepted, oldest first
    """

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
    dirty: bool = False
    outputs: OutputsMark | None = None
    rejudged: tuple[Rejudgement, ...] = ()


class CaseRow(Frozen):
    """One case on one side of a comparison.

    `scores[scorer]` has one entry an epoch, `None` where that sample has no score (planned, not judged);
    a scorer that does not apply to the case is absent. `errors` counts the samples without an output.
    `tokens_in`, `tokens_out` and `retrieved` (how many documents) have one entry an epoch as well; they are
    empty where the target tells no such number of any sample.
    """

    case: str
    digest: str = ""
    slices: dict[str, str] = {}
    cluster: str | None = None
    scores: dict[str, tuple[float | None, ...]] = {}
    labels: dict[str, tuple[str | None, ...]] = {}
    latency_s: tuple[float | None, ...] = ()
    cost_usd: tuple[float | None, ...] = ()
    tokens_in: tuple[int | None, ...] = ()
    tokens_out: tuple[int | None, ...] = ()
    retrieved: tuple[int | None, ...] = ()
    errors: int = 0


class StoredOutput(Frozen):
    """One line of `<evalset>.outputs.jsonl`: `sha256` is of the stored output before any cut.

    `data`, `retrieved` and `tool_calls` stand there where the output had them and they are small enough;
    `cut` names those that it had and that could not be kept.
    """

    case: str
    epoch: int
    sha256: str
    text: str | None = None
    data: Any = None
    retrieved: tuple[Document, ...] | None = None
    tool_calls: tuple[dict[str, Any], ...] | None = None
    cut: tuple[str, ...] = ()
