"""What a reader is shown of a run (`report.json`); every renderer starts from it."""

from __future__ import annotations

from typing import Any, Literal

from .baseline import Acceptance, BaselineHeader
from .frozen import Frozen
from .run import Run, RunEvalset
from .sample import ErrorKind, Score
from .verdict import Judgement, RowName, RunStatus
from .weakening import Weakening

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
    scored whose samples are not at hand. `file` is where a case stands that an evalset includes, else empty.
    """

    case: str
    status: CaseStatus
    node_id: str = ""
    line: int = 0
    file: str = ""
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


class ProposedMean(Frozen):
    """One scorer's mean over the cases that the base's baseline and the proposed one share, in its units."""

    scorer: str
    scale: tuple[float, float] = (0.0, 1.0)
    cases: int
    was: float
    now: float


class ProposedBaseline(Frozen):
    """A baseline that a change would put in place of that of its merge base, which it is judged by.

    file         from the project root
    owner        of the file by CODEOWNERS, else of the evalset: whose review it is
    accepted_by, accepted_at, reason, run, commit   what its header says
    was_accepted_by, was_accepted_at, was_reason    what the base's header says; None where there is none
    accepts      the regressions that it accepts by name: these rows, and no others, stop gating
    means        old against new
    rejudged     it has the same answers, judged again: no acceptance
    """

    file: str
    owner: str = ""
    accepted_by: str = ""
    accepted_at: str = ""
    reason: str = ""
    run: str | None = None
    commit: str | None = None
    was_accepted_by: str | None = None
    was_accepted_at: str | None = None
    was_reason: str | None = None
    accepts: tuple[Acceptance, ...] = ()
    means: tuple[ProposedMean, ...] = ()
    cases: int = 0
    was_cases: int | None = None
    rejudged: bool = False


class BaseReview(Frozen):
    """What a change asks of the gate beside what its merge base asks; the stricter of the two decided.

    ref, commit  the base, and the commit where the branch left it
    proposals    what the branch asks less strictly, old (`was`) against new (`now`), with the reason that it
                 gives (`excused_by`, None: none): a proposal for the owner, of no effect on this run unless
                 it stands in `listed`
    listed       those of `proposals` (by their `what`) that no rule of the base can make good: a case that is
                 gone or asks something else
    strengthened how much the branch asks more strictly
    baseline     the baseline that the branch would put in place; None where it leaves it alone
    """

    ref: str
    commit: str
    owner: str = ""
    proposals: tuple[Weakening, ...] = ()
    listed: tuple[str, ...] = ()
    strengthened: int = 0
    baseline: ProposedBaseline | None = None
    notes: tuple[str, ...] = ()


class AlreadyRegressed(Frozen):
    """A row that was regressed on the base before this change, by the base's newest daily run.

    Its verdict keeps the status `regressed`, with `gating` false and the reason `already_on_base`.
    branch      the base's name, `main`
    since       UTC day (YYYY-MM-DD) of the first daily run in which it is regressed and after which it never
                recovered (`monitors.recovery_days`)
    day, run, url   the newest daily run, and its page
    daily, now  mean of the row there and in this run, in units of `scale`
    issue, issue_url  the open issue; None where none is known
    """

    scorer: str
    slice: dict[str, str] | None = None
    branch: str = "main"
    since: str
    day: str
    run: str
    url: str | None = None
    issue: int | None = None
    issue_url: str | None = None
    daily: float | None = None
    now: float | None = None
    scale: tuple[float, float] = (0.0, 1.0)

    @property
    def row(self) -> RowName:
        """Return the name of the row."""
        return self.scorer, tuple(sorted((self.slice or {}).items()))


class EvalsetReport(Frozen):
    """One evalset of a run, judged. `judgement` is None for a partial or interrupted evalset.

    `shard` is (K, N) where the run is shard K of N, which is never judged by itself.
    `unfinished` counts the samples that were to be made and have no answer: the run can be resumed.
    `not_recorded` counts the samples that replay had no recording for, of the target or of a judge.
    `baseline_notes` says what is to be known of the baseline itself (old, re-judged, outputs that are not
    its own), each with the command that mends it; where there is none yet, why this run should not become it.
    `without_key` is the environment variable that live answers need and that is not set here: what no
    recording has was not run, and is neutral (`--aioncall-without-keys`).
    `unaffected`: no case ran, since the change cannot affect it (`run.change` has the base): neutral, $0.
    `affected_by` says why it ran where `--aioncall-changed` asked.
    `review` is there where a base was given (`--aioncall-baseline-ref`).
    `already` are the rows that were regressed before this change; they do not gate.
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
    without_key: str | None = None
    unaffected: bool = False
    affected_by: tuple[str, ...] = ()
    review: BaseReview | None = None
    already: tuple[AlreadyRegressed, ...] = ()
    changes: tuple[SubjectChange, ...] = ()
    cases: tuple[CaseView, ...] = ()


class Report(Frozen):
    """A whole run as shown.

    status  `unaffected`: the change can affect none of the evalsets, so nothing ran; neutral, exit 0
    review  what concerns no evalset of this run: the configuration, evalsets that are gone
    workflow_run  id of the run of GitHub Actions that wrote it; empty elsewhere
    """

    format: Literal[1] = 1
    run: Run
    status: RunStatus | Literal["not_judged", "unaffected"]
    exit_code: int
    generated_at: str
    evalsets: tuple[EvalsetReport, ...] = ()
    review: BaseReview | None = None
    workflow_run: str = ""
