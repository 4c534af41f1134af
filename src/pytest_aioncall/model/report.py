"""What a reader is shown of a run (`report.json`); every renderer starts from it."""

from __future__ import annotations

from typing import Any, Literal

from .baseline import BaselineHeader
from .frozen import Frozen
from .run import Run, RunEvalset
from .sample import ErrorKind, Score
from .verdict import Judgement, RunStatus

CaseStatus = Literal["newly_failing", "worse", "failing", "error", "better", "holding", "new", "changed"]


class EpochView(Frozen):
    """One sample as shown: text cut to what a page can hold, `cut` tells how many characters went."""

    epoch: int
    text: str | None = None
    cut: int = 0
    data: Any = None
    retrieved: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    error: str | None = None
    error_kind: ErrorKind | None = None
    latency_s: float | None = None
    cost_usd: float | None = None
    replayed: str | None = None


class CaseView(Frozen):
    """One case: what went in, what came out then and now.

    A `brief` one stands for a case of a large suite whose samples are left in the run folder: it has no
    `now`, no `was_text` and no `expected`, and its `input` may be an excerpt. `now_scores` says what a case
    scored whose samples are not at hand.
    """

    case: str
    status: CaseStatus
    node_id: str = ""
    line: int = 0
    slices: dict[str, str] = {}
    cluster: str | None = None
    input: Any = None
    expected: Any = None
    incident: str | None = None
    now: tuple[EpochView, ...] = ()
    was_text: tuple[str | None, ...] = ()
    was_scores: dict[str, tuple[float | None, ...]] = {}
    now_scores: dict[str, tuple[float | None, ...]] = {}
    brief: bool = False


class SubjectChange(Frozen):
    """One thing of the subject that differs from the baseline; `diff` is unified, where text is known."""

    name: str
    kind: Literal["file", "label", "model", "target", "instrument"]
    was: str | None = None
    now: str | None = None
    added: int = 0
    removed: int = 0
    diff: str | None = None


class EvalsetReport(Frozen):
    """One evalset of a run, judged. `judgement` is None for a partial or interrupted evalset.

    `shard` is (K, N) where the run is shard K of N, which is never judged by itself.
    `unfinished` counts the samples that were to be made and have no answer: the run can be resumed.
    `not_recorded` counts the samples that replay had no recording for, of the target or of a judge.
    `baseline_notes` says what is to be known of the baseline itself (old, re-judged, outputs that are not
    its own), each with the command that mends it.
    """

    planned: RunEvalset
    description: str = ""
    judgement: Judgement | None = None
    not_judged_because: str | None = None
    shard: tuple[int, int] | None = None
    not_recorded: int = 0
    unfinished: int = 0
    baseline: BaselineHeader | None = None
    baseline_age_days: float | None = None
    baseline_notes: tuple[str, ...] = ()
    changes: tuple[SubjectChange, ...] = ()
    cases: tuple[CaseView, ...] = ()


class Report(Frozen):
    """A whole run as shown."""

    format: Literal[1] = 1
    run: Run
    status: RunStatus | Literal["not_judged"]
    exit_code: int
    generated_at: str
    evalsets: tuple[EvalsetReport, ...] = ()
