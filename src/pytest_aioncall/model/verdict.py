"""What a comparison says. Field for field the JSON of `aioncall gate --json`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .frozen import Frozen

RunStatus = Literal["pass", "regressed", "inconclusive", "cannot_judge"]
VerdictStatus = Literal["pass", "regressed", "inconclusive", "too_small"]
Reason = Literal[
    "unchanged", "within_margin", "small_drop_within_margin", "above_min", "below_min", "min_undecided",
    "no_drop_seen", "suspected", "dropped", "one_epoch", "nothing_to_compare", "too_few_cases",
    "too_small_to_test", "not_comparable", "errors_at_floor", "accepted", "already_on_base",
]  # fmt: skip

RowRule = Literal["new", "dropped", "base", "head"]
RowName = tuple[str, tuple[tuple[str, str], ...]]
"""Names a gate row so that it can stand in a set: scorer, and slice as sorted pairs."""

Stopped = Literal["decided", "red", "max", "no_use", "cost_cap", "open"]


class Rounds(Frozen):
    """How adaptive epochs went: `epochs` at the last of `looks` looks, `samples` drawn of `samples_at_max`.

    stopped  decided: every gating row is clear; red: a gating row regressed; max: no epochs were left;
             no_use: no further epoch could settle what is open; cost_cap: the next round would have passed
             it; open: more were not drawn (a broken floor, errors)
    """

    min: int
    max: int
    epochs: int
    looks: int
    samples: int
    samples_at_max: int
    stopped: Stopped

    @property
    def saved(self) -> int:
        """Return how many samples fewer were drawn than with `max` epochs throughout."""
        return max(0, self.samples_at_max - self.samples)


class Needed(Frozen):
    """What would settle an inconclusive verdict: so many cases, or so many epochs of the same cases.

    epochs          None where more epochs cannot help, only more cases
    both_sides      the baseline needs the epochs, too: its own noise is in the way
    epochs_unknown  there is one epoch a case, so nobody knows whether more would help
    """

    cases: int | None = None
    epochs: int | None = None
    both_sides: bool = False
    epochs_unknown: bool = False


class Verdict(Frozen):
    """One gate row: a scorer overall (`slice` None) or on one slice. Differences in units of the scale.

    `alpha` is the row's own level: `ci` has two one-sided bounds at 1 - `alpha` each, so it is a two-sided
    interval at 1 - 2 `alpha`, and the row rejects where `p_adjusted` <= `alpha`. None: the judgement's.

    `rule` is there where a change is judged by the stricter of its merge base and its branch: `new` (only the
    branch asks this row), `dropped` (only the base asks it), `base` or `head` (they ask differently, and this
    one decided). None: both ask alike, or there is no base to look at.
    """

    scorer: str
    slice: dict[str, str] | None = None
    status: VerdictStatus
    gating: bool = True
    claim: Literal["these-cases", "cases-like-these"]
    reason: Reason
    baseline: float | None = None
    candidate: float | None = None
    difference: float | None = None
    ci: tuple[float, float] | None = None
    p: float | None = None
    p_adjusted: float | None = None
    margin: float | None = None
    min: float | None = None
    n_cases: int = 0
    n_clusters: int = 0
    judged: int = 0
    planned: int = 0
    scale: tuple[float, float] = (0.0, 1.0)
    mde: float | None = None
    needed: Needed | None = None
    epochs: int | None = None
    ticket: str | None = None
    alpha: float | None = None
    rule: RowRule | None = None

    @property
    def row(self) -> RowName:
        """Return the name of the row."""
        return self.scorer, tuple(sorted((self.slice or {}).items()))


class Sight(Frozen):
    """What one gating row would find in a new run: the smallest drop that turns it red four times in five.

    `mde` is in units of the scale; None where no drop at all could turn the row red, and `why_not` says why.
    """

    scorer: str
    slice: dict[str, str] | None = None
    claim: Literal["these-cases", "cases-like-these"]
    mde: float | None = None
    why_not: Literal["one_epoch", "too_few_cases"] | None = None
    scale: tuple[float, float] = (0.0, 1.0)
    n_cases: int = 0
    epochs: int = 1


class Power(Frozen):
    """How a gating row behaves in a new run with the same cases and epochs: shares of such runs, 0 to 1.

    alarm         red though nothing changed
    at_margin     red when the true drop is the margin; `at_twice` when it is twice that
    inconclusive  neither pass nor red though nothing changed
    None where the row can never be red (then `Sight.why_not` says why), or where no number can be told.
    `simulated` tells whether the shares were drawn (`gate --self-check`) or reckoned from the noise.
    """

    scorer: str
    slice: dict[str, str] | None = None
    claim: Literal["these-cases", "cases-like-these"]
    margin: float
    scale: tuple[float, float] = (0.0, 1.0)
    n_cases: int = 0
    epochs: int = 1
    alarm: float | None = None
    at_margin: float | None = None
    at_twice: float | None = None
    inconclusive: float | None = None
    simulated: bool = False


class MetricVerdict(Frozen):
    """One comparison beside the scores. `ratio` is candidate/baseline.

    Seconds (p95), US dollars, tokens and documents are a sample's; `errors` is a share of the samples,
    `empty_retrievals` one of the cases. Tokens and retrieval are there only where the target tells them.
    `limit` of `retrieved` is the least ratio that is no news, of the others the largest.
    """

    metric: Literal[
        "latency_p95_s", "cost_usd", "errors", "tokens_in", "tokens_out", "retrieved", "empty_retrievals"
    ]
    status: Literal["pass", "regressed", "not_compared"]
    gating: bool = False
    baseline: float | None = None
    candidate: float | None = None
    ratio: float | None = None
    ci: tuple[float, float] | None = None
    p: float | None = None
    limit: float | None = None
    n_cases: int = 0
    note: str = ""


class Floor(Frozen):
    """One `must` or `require` of one case: held in `held` of `epochs`, `needed` asked for."""

    kind: Literal["must", "require"]
    case: str
    scorer: str
    ok: bool
    held: int
    epochs: int
    needed: int
    undecided: bool = False
    reason: str | None = None


class CaseMove(Frozen):
    """How one case's pass count moved: `was`/`now` are (passed epochs, judged epochs).

    `already`: it failed in the base's newest daily run, too, in a row that is not this change's doing.
    """

    scorer: str
    case: str
    was: tuple[int, int] | None = None
    now: tuple[int, int]
    difference: float | None = None
    newly_failing: bool = False
    already: bool = False
    why: str | None = None


class Coverage(Frozen):
    """What was planned and what was judged, and the cases only one side has, by name.

    `cases` counts the candidate's; `compared` those of them that are the same case in the baseline, None
    without a baseline.
    """

    cases: int = 0
    compared: int | None = None
    planned: int = 0
    judged: int = 0
    errors: int = 0
    new: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Judgement(Frozen):
    """The whole answer for one evalset.

    `alpha` is the level of the gates that name none of their own. `sights` tell of the gating rows that were
    not compared, or in which every output was the same, what a drop in a new run would have to be to be seen.
    `powers` tells of every gating row how often it would see a drop of its margin.
    """

    format: Literal[1] = 1
    evalset: str = ""
    status: RunStatus
    exit_code: int
    summary: str = ""
    alpha: float = 0.05
    verdicts: tuple[Verdict, ...] = ()
    metrics: tuple[MetricVerdict, ...] = ()
    floors: tuple[Floor, ...] = ()
    worst: tuple[CaseMove, ...] = ()
    sights: tuple[Sight, ...] = ()
    powers: tuple[Power, ...] = ()
    newly_failing: tuple[str, ...] = ()
    newly_failing_scores: int = 0
    newly_failing_expected: float | None = None
    coverage: Coverage = Coverage()
    rounds: Rounds | None = None
    errors_rate: float = 0.0
    notes: tuple[str, ...] = Field(default=())
