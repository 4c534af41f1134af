"""What a suite can see, and whether the gate keeps its error rate on it. Field for field the JSON of
`aioncall gate --self-check` and `aioncall gate --aa`. Shares are from 0 to 1."""

from __future__ import annotations

from typing import Literal

from .frozen import Frozen
from .verdict import Judgement, Power


class Plan(Frozen):
    """The cheapest change of the suite that sees a drop of the margin in one row with power .8.

    status    enough: the suite does already; plan: `cases` x `epochs` does; cases_only: no number of epochs
              to 10 helps, `cases` does; out_of_reach: not even twelve times the cases with 10 epochs
    epochs_alone  epochs that would do with the cases that are there, reckoned and not simulated
    power     simulated for the plan, None where there is none; `runs` tells how many runs were drawn
    calls     calls of one run: cases x epochs x calls a sample; `cost_usd` None where no price is known
    Baseline and run both have these cases and epochs.
    """

    scorer: str
    slice: dict[str, str] | None = None
    status: Literal["enough", "plan", "cases_only", "out_of_reach"]
    cases: int | None = None
    epochs: int | None = None
    times_cases: float | None = None
    epochs_alone: int | None = None
    power: float | None = None
    runs: int = 0
    calls: int | None = None
    cost_usd: float | None = None


class FloorChance(Frozen):
    """How likely one `must` or `require` is to break in a new run though nothing changed."""

    kind: Literal["must", "require"]
    case: str
    scorer: str
    held: int
    epochs: int
    chance: float


class FloorChances(Frozen):
    """All floors of a suite: the chance that any breaks by chance, and the weakest first (at most 10)."""

    floors: int
    musts: int
    any: float
    any_must: float
    weakest: tuple[FloorChance, ...] = ()


class SelfCheck(Frozen):
    """What simulated runs of one suite came to.

    epochs           of a simulated run; `epochs_are_most` where the evalset says `{min, max}`
    alarm_any        share of unchanged runs red in any row, compared with this very baseline
    alarm_any_fresh  the same with the baseline drawn anew each time: what alpha promises on average
    alarms_fresh     the latter row by row, in the order of `powers`
    inconclusive_any share of unchanged runs that are neither red nor a pass
    small_slices     slices under 10 cases, which do not gate
    """

    format: Literal[1] = 1
    evalset: str
    baseline: str
    cases: int
    epochs: int
    epochs_are_most: bool = False
    runs: int
    seed: int
    alpha: float
    calls_per_sample: int
    cost_usd: float | None = None
    alarm_any: float
    alarm_any_fresh: float
    alarms_fresh: tuple[float, ...] = ()
    inconclusive_any: float
    powers: tuple[Power, ...] = ()
    small_slices: tuple[str, ...] = ()
    plans: tuple[Plan, ...] = ()
    floors: FloorChances | None = None
    notes: tuple[str, ...] = ()


class AaRow(Frozen):
    """One row over the splits of a run: how often the halves differed, and what is left of the p values.

    red, inconclusive  shares of the splits, each half once as the candidate
    p_small            share of the comparisons whose p, not corrected for many rows, is at most alpha
    drift_p            exact two-sided p of "the epochs' order does not matter", None under 4 epochs
    drift              mean of the later epochs minus mean of the earlier ones, units of the scale
    """

    scorer: str
    slice: dict[str, str] | None = None
    red: float
    inconclusive: float
    p_small: float | None = None
    drift_p: float | None = None
    drift: float | None = None
    scale: tuple[float, float] = (0.0, 1.0)


class AaReport(Frozen):
    """Whether the instrument holds its error rate in practice.

    mode     split: one run's epochs in two; pair: two runs of one subject
    verdict  holds, moved, or unknown where there are too few epochs to tell
    splits   comparisons made (each split in both directions); `independent` how many distinct ways to split
             there are, so that nobody takes dependent splits for as many runs
    red_any  share of the comparisons red in any row; `interval` its 95 % Clopper-Pearson bounds were the
             comparisons independent runs, None for a pair
    """

    format: Literal[1] = 1
    evalset: str
    mode: Literal["split", "pair"]
    runs: tuple[str, ...]
    verdict: Literal["holds", "moved", "unknown"]
    exit_code: int
    alpha: float
    splits: int = 0
    independent: int = 0
    epochs: int = 0
    red_any: float | None = None
    inconclusive_any: float | None = None
    interval: tuple[float, float] | None = None
    rows: tuple[AaRow, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    why: str = ""
    next: str = ""
