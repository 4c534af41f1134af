"""One run as the history keeps it: `runs/YYYY/MM/DD-<run>-<attempt>.json`. Scores and counts, no answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .baseline import ScorerInfo
from .frozen import Frozen
from .verdict import Floor, RunStatus, Verdict


class RunRef(Frozen):
    """Names a run in the history, with what of it a reader asks first. `day` is YYYY-MM-DD in UTC.

    created_at  RFC 3339; tells which of two runs of one day is the newer one
    """

    run: str
    day: str
    commit: str | None = None
    url: str | None = None
    created_at: str | None = None


class CaseDay(Frozen):
    """One case of one run. Every tuple has one entry an epoch; None where that sample has none.

    labels    by scorer
    features  category by name: length, refusal, language, citations, format (see `decide/monitor/features`)
    held      names of the `must` and `require` that held in it; those that did not are the evalset's `floors`
    """

    case: str
    digest: str = ""
    slices: dict[str, str] = {}
    cluster: str | None = None
    scores: dict[str, tuple[float | None, ...]] = {}
    labels: dict[str, tuple[str | None, ...]] = {}
    features: dict[str, tuple[str | None, ...]] = {}
    held: tuple[str, ...] = ()
    errors: int = 0


class MeanRow(Frozen):
    """Mean over cases (each the mean of its judged epochs) of one scorer, overall or on one slice."""

    scorer: str
    slice: dict[str, str] | None = None
    scale: tuple[float, float] = (0.0, 1.0)
    mean: float | None = None
    n_cases: int = 0
    judged: int = 0
    planned: int = 0
    gating: bool = True


class Amounts(Frozen):
    """What a sample took: seconds, US dollars, tokens, documents, tries. None where nobody told.

    Latency is of live answers only. `latency_n` counts the samples behind it.
    """

    latency_p50_s: float | None = None
    latency_p95_s: float | None = None
    latency_n: int = 0
    cost_usd: float | None = None
    tokens_in: float | None = None
    tokens_out: float | None = None
    retrieved: float | None = None
    attempts: float | None = None


class ErrorText(Frozen):
    """One masked template of error text: `samples` that had it, in so many `cases`."""

    template: str
    samples: int
    cases: int


class EvalsetDay(Frozen):
    """One evalset of one run.

    judged          a verdict could be reached: complete, and neither target nor judge were out of reach
    because         why not, one line; empty where it was judged
    status          of the gate against the committed baseline
    baseline        identity of that baseline (commit, accepted_at, run); {} where there was none
    baseline_age_days, baseline_limit_days   its age at the run, and what the evalset allows
    verdicts        rows of the gate that did not pass
    floors          `must` and `require` that did not hold
    models          samples by response model id
    judge_errors    share of judge calls without a score; None where no judge was asked
    judges          digest by judge scorer
    subject, instrument  fingerprints, as in run.json
    cost_usd        of the whole evalset, judges included; None where a price is unknown
    errors          samples without an answer, those that were not asked among them
    asked           samples that were asked; None where an older entry does not tell
    cancelled       samples that were not, because the cost cap was reached
    judged_samples  samples with every score that they should have
    """

    evalset: str
    owner: str = ""
    file: str = ""
    judged: bool
    because: str = ""
    status: RunStatus | Literal["not_judged"] = "not_judged"
    baseline: dict[str, Any] = {}
    baseline_age_days: float | None = None
    baseline_limit_days: int | None = None
    scorers: dict[str, ScorerInfo] = {}
    verdicts: tuple[Verdict, ...] = ()
    floors: tuple[Floor, ...] = ()
    rows: tuple[MeanRow, ...] = ()
    cases: tuple[CaseDay, ...] = ()
    planned: int = 0
    judged_samples: int = 0
    errors: int = 0
    asked: int | None = None
    cancelled: int = 0
    error_texts: tuple[ErrorText, ...] = ()
    judge_errors: float | None = None
    amounts: Amounts = Amounts()
    cost_usd: float | None = None
    models: dict[str, int] = {}
    judges: dict[str, str] = {}
    subject: dict[str, Any] = {}
    instrument: dict[str, Any] = {}


class HistoryEntry(Frozen):
    """One file of the history.

    created_at  RFC 3339, UTC, of the run; `day` is its day and what series go by
    attempt     of the workflow run; a second attempt is an entry of its own
    kind        daily runs feed the monitors; others (pull requests, by hand) are kept and shown only
    replayed    answers came from recordings: says nothing about today, never monitored
    merged_from  the shards that were put together to this run
    """

    format: Literal[1] = 1
    run: str
    attempt: int = Field(default=1, ge=1)
    kind: Literal["daily", "other"] = "daily"
    created_at: str
    day: str
    commit: str | None = None
    dirty: bool = False
    replayed: bool = False
    url: str | None = None
    versions: dict[str, str] = {}
    merged_from: tuple[str, ...] = ()
    evalsets: tuple[EvalsetDay, ...] = ()

    @property
    def ref(self) -> RunRef:
        """Return the name of this run."""
        return RunRef(
            run=self.run, day=self.day, commit=self.commit, url=self.url, created_at=self.created_at
        )
