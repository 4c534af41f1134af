"""What to do on each alert, as data: `runbooks` makes pages and the steps of an issue of it.

A step is a sentence and, where there is one, a command. `{evalset}` and `{run}` are filled in, in an issue
also `{by}` (slices), `{span}` (commits), `{worst}` and `{one}` (cases); on a page those are blanks: CASE and
the like are what the reader fills in. In the sentences below the steps EVALSET and RUN are filled in as
words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ...model.alert import AlertKind
from ...model.oncall import Tier


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: `say` is a sentence without its full stop, `run` a command, "" where there is none."""

    say: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Runbook:
    """One kind of alert: what rings, what it means for users, what to look at, how it ends."""

    title: str
    tier: Tier
    rule: str
    means: str
    steps: tuple[Step, ...]
    ends: str
    outcomes: tuple[str, ...] = ()


ACK: Final = Step(
    "Say that you have it: write /ack as a comment of the issue, or assign yourself. Who else is called",
    "aioncall who --feature {evalset}",
)
_COUNTS: Final = Step("How many samples were judged, and how many failed", "aioncall runs show {run}")
_SLICES: Final = Step(
    "Which scorers, and with `--by NAME` which of your slices",
    "aioncall scores --since 24h{by} --evalset {evalset}",
)
_MOVED: Final = Step(
    "Which cases moved, the largest fall first", "aioncall baseline diff {evalset} --run {run}"
)
_REPORT: Final = Step(
    "Every answer beside the baseline's, on one page",
    "aioncall gate --candidate {run} --report .aioncall/regression",
)
_COMMITS: Final = Step(
    "What was changed between the last good and the first bad run",
    "git log --oneline {span}",
)
_AGAIN: Final = Step("Run the worst cases again, now", "pytest --aioncall{worst} -vv")
_ALERTS: Final = Step("What holds after the newest run", "aioncall monitor --run {run}")

_RESPONSES: Final = (
    "**Roll back** what changed (prompt, model id, index, code) and start the daily run by hand.",
    "**Narrow the rollout** where one slice alone is hurt.",
    "**Accept it on purpose**, as the owner: "
    '`aioncall baseline accept EVALSET --run RUN --reason "..." --accept-regression TICKET`.',
    "Whatever you choose, the request that went wrong becomes a case: "
    "[From an incident to a case](../how-to/incident-to-case.md).",
)
_RECOVERS: Final = (
    "Three judged runs on three days (`monitors.recovery_days`) without the alert close the issue. A run "
    "that could "
    "not be judged closes nothing."
)
_NEXT_JUDGED: Final = "The next judged run ends it."

RUNBOOKS: Final[dict[AlertKind, Runbook]] = {
    "eval_regression": Runbook(
        title="Eval regression",
        tier=1,
        rule="The gate calls a scorer or a slice regressed against the accepted baseline, or the CUSUM of "
        "its daily "
        "means passes its limit.",
        means="Users get worse answers while every request still succeeds. A slice can fall while the mean "
        "stands.",
        steps=(ACK, _SLICES, _MOVED, _COMMITS, _AGAIN, _REPORT),
        outcomes=_RESPONSES,
        ends=_RECOVERS,
    ),
    "policy_floor": Runbook(
        title="Policy floor broken",
        tier=1,
        rule="A `must` failed in one epoch, or a `require` did not hold in its share of epochs.",
        means="The feature said or did what it never may. One time is enough: a floor has no error rate.",
        steps=(
            ACK,
            _COUNTS,
            Step("The answer that broke it", "pytest --aioncall{one} -vv"),
            _COMMITS,
            _REPORT,
        ),
        outcomes=(
            "**Take it back at once**: roll back, or switch the feature off for those who can meet it.",
            "Where the scorer is wrong and the answer is right, mend the `must` in a reviewed change; "
            "a weaker one needs a written reason (`aioncall check --against origin/main`).",
        ),
        ends=_RECOVERS,
    ),
    "latency": Runbook(
        title="Latency",
        tier=1,
        rule="The p95 of live answers is above `monitors.latency_p95_ratio` times the baseline's, and more "
        "than "
        "chance explains.",
        means="Users wait, and some give up. Longer answers, retries and a slower model look alike from "
        "outside.",
        steps=(
            ACK,
            Step(
                "Tokens out, documents retrieved and tries a sample, in the evidence of the alert",
                "aioncall monitor --run {run}",
            ),
            _COUNTS,
            _COMMITS,
            Step("Is it the provider: ask a few cases now", "pytest --aioncall{one} -vv"),
        ),
        outcomes=(
            "Tokens out rose: the prompt makes answers longer; roll it back.",
            "Tries rose: the provider is overloaded; ask less at once ([Stay within a provider's "
            "limits](../how-to/mind-the-limits.md)), or fall back to another model.",
            "Neither: the provider is slower. Tell them, and decide what users see meanwhile.",
        ),
        ends=_RECOVERS,
    ),
    "errors": Runbook(
        title="Error rate",
        tier=1,
        rule="More than `monitors.error_rate` of the samples brought no answer.",
        means="An outage, not a wrong answer: nothing is said about quality, and no regression is filed "
        "for it.",
        steps=(
            ACK,
            _COUNTS,
            Step(
                "Which errors, by how many cases; a status of 401 or 403 is a key, 429 a limit, 5xx the "
                "provider",
                "aioncall monitor --run {run}",
            ),
            Step("Is it over: ask one case now", "pytest --aioncall{one} -vv"),
        ),
        outcomes=(
            "A key or a quota: mend it, and start the daily run by hand.",
            "The provider: see its status page; fall back where the feature can.",
            "Your own code: the error names file and line; roll back.",
        ),
        ends=_NEXT_JUDGED,
    ),
    "cost": Runbook(
        title="Cost",
        tier=1,
        rule="The day costs more than `monitors.cost_ratio` times the mean of the seven days before, days of "
        "incidents left out.",
        means="Money leaves faster than planned. In production it is more than in this run, by the traffic.",
        steps=(
            ACK,
            Step("Tokens in and out, documents and tries a sample", "aioncall monitor --run {run}"),
            _COUNTS,
            _COMMITS,
            Step("Is there a price for every model", "aioncall check"),
        ),
        outcomes=(
            "Tokens in rose: the prompt or what is retrieved grew; look at the diff of the prompt.",
            "Tries rose: something is asked again and again; see the errors.",
            "Neither: the price or the model changed; look at the response model ids.",
            "A cap holds in every run: `defaults: {max_cost_usd: 5}`. Where it stopped the run the alert "
            "says so, and how many samples were not asked; the cost is of the whole run, had it gone on.",
            "The cap stopped the run and a sample costs what it did: another evalset spent the money, or the "
            "suite has outgrown its cap.",
        ),
        ends=_RECOVERS,
    ),
    "no_data": Runbook(
        title="No run, no data",
        tier=1,
        rule="A run is missing, or none could be judged for `monitors.no_data_days` days. The daily job "
        "itself rings where it begins and nothing runs: a file has a mistake, a key is not set.",
        means="Nobody watches. Whatever breaks now is seen by users first.",
        steps=(
            ACK,
            Step(
                "Is the schedule alive: the workflow's page on GitHub says when it ran last and why it "
                "stopped"
            ),
            Step(
                "What is missing here: keys, permissions, the schedule, the history's branch",
                "aioncall doctor",
            ),
            Step("The newest entries of the history", "aioncall history show --evalset {evalset}"),
            Step("Run it now, and see why it does not start", "pytest --aioncall"),
        ),
        outcomes=(
            "A history that is lost rings nobody: a branch that was deleted is made again with the next run, "
            "and what was there cannot be seen. `aioncall monitor` notes a history that is younger than the "
            "daily workflow; `aioncall history push` and `rebuild` bring back what is left. Protect the "
            "branch.",
            "A job that does not begin at all cannot ring: that is what the heartbeat of `monitors` is for.",
            "GitHub stops a schedule after 60 days without activity in the repository, and may drop single "
            "runs: "
            "enable the workflow again and start it by hand.",
            "Runs are there and none could be judged: their lines say why; see [Error rate](errors.md) and "
            "[Judge unavailable](judge_unavailable.md).",
        ),
        ends=_NEXT_JUDGED,
    ),
    "stale_baseline": Runbook(
        title="Stale baseline",
        tier=1,
        rule="The baseline is older than its limit (`baseline_max_age_days`).",
        means="Runs are compared with what was agreed on long ago: slow drift is inside of it.",
        steps=(
            ACK,
            Step("Who accepted it, when and why", "aioncall baseline show {evalset}"),
            Step("What moved since", "aioncall baseline diff {evalset} --run {run}"),
            Step(
                "Accept a complete run that nobody minds, in a pull request",
                'aioncall baseline accept {evalset} --run {run} --reason "..."',
            ),
        ),
        outcomes=(
            "Never accept a run while an incident of the evalset is open: it would hide in the baseline.",
        ),
        ends="The first run against a younger baseline ends it.",
    ),
    "judge_unavailable": Runbook(
        title="Judge unavailable",
        tier=1,
        rule="The judge gave no usable score for more samples than `errors.max_rate` allows.",
        means="Quality is not known: neither green nor red. Whatever was before holds on.",
        steps=(
            ACK,
            _COUNTS,
            Step("What the judge answered instead", "aioncall monitor --run {run}"),
            Step("Key, address and model of the judge", "aioncall check"),
            Step(
                "Once it answers again, judge the stored answers; the target is not asked",
                "aioncall rejudge {run}",
            ),
        ),
        outcomes=(
            "A key, a quota, a model that was switched off: mend it in the scorer, and judge again.",
            "Answers that cannot be parsed: the judge model changed; pin its id.",
        ),
        ends=_NEXT_JUDGED,
    ),
    "output_shift": Runbook(
        title="Output shift",
        tier=2,
        rule="What comes out is distributed otherwise than in the reference: labels, or length, refusals, "
        "language, "
        "citations and format of free text, by a permutation test and an excess divergence above "
        "`monitors.min_kl`.",
        means="Answers changed in kind, while their scores may stand. A refusal rate that doubles is one.",
        steps=(
            ACK,
            Step("The top movers, with their shares then and now", "aioncall monitor --run {run}"),
            _SLICES,
            _MOVED,
            _COMMITS,
        ),
        outcomes=(
            "It was meant (a new category, a shorter prompt): say so in the issue and accept a new baseline.",
            "Nothing was changed: compare the response model ids; see [Provider change](provider_change.md).",
            "Scores fell, too: it is the regression's second face; go on there.",
        ),
        ends=_RECOVERS,
    ),
    "novel_error": Runbook(
        title="Novel error",
        tier=2,
        rule="An error text whose template no run before had, in at least three cases.",
        means="Something fails in a way that nobody has seen; the rate may still be small.",
        steps=(
            ACK,
            Step("The template, and how many samples and cases had it", "aioncall monitor --run {run}"),
            _COUNTS,
            _COMMITS,
            Step("Provoke it", "pytest --aioncall{one} -vv"),
        ),
        outcomes=("Mend it, or make it a transport error that is counted: `errors: {transport: [...]}`.",),
        ends=_RECOVERS,
    ),
    "retrieval": Runbook(
        title="Retrieval hit rate",
        tier=2,
        rule="The right document is found less often than in the baseline, by a test of proportions.",
        means="Answers are made of the wrong source. They may sound as good as before.",
        steps=(
            ACK,
            _SLICES,
            _MOVED,
            Step(
                "The label of the index, then and now, stands under what changed in the report",
                "aioncall runs show {run}",
            ),
            _REPORT,
        ),
        outcomes=(
            "The index is older or smaller than the questions: build it anew.",
            "The embedding model or the splitting changed: index and questions have to be made by the same "
            "one.",
        ),
        ends=_RECOVERS,
    ),
    "provider_change": Runbook(
        title="Provider change",
        tier=3,
        rule="Responses name another model than the runs before.",
        means="The provider replaced what answers, with or without your asking. Quality alerts of the same "
        "days most "
        "likely have this cause.",
        steps=(
            Step("Which ids were seen since when", "aioncall review --since 30d"),
            Step("Which ids of yours can change without a commit", "aioncall check"),
            _SLICES,
            _MOVED,
        ),
        outcomes=(
            "Pin the dated id, and migrate on purpose: run the evalset with the new id, then accept a "
            "baseline.",
            "The old id is gone: accept a baseline of the new one, after its verdicts.",
        ),
        ends="It is a line of the weekly review; nothing stays open.",
    ),
    "drill": Runbook(
        title="Drill",
        tier=1,
        rule="Somebody ran `aioncall drill`.",
        means="Nothing is broken. Everything that a page does is done once, labelled as a drill.",
        steps=(
            ACK,
            Step("Did it reach whoever is on call, and in time", "aioncall who"),
            Step("What is sent where, and what is missing", "aioncall drill --dry-run"),
        ),
        outcomes=("What did not arrive is mended now, not at three in the morning.",),
        ends="The drill ends itself; one that was kept open (`--keep`) is closed by whoever started it.",
    ),
}
