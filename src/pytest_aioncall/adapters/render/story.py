"""What one judged evalset has to say: its state, its sentence, its reasons and the next command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ...model.report import AlreadyRegressed, EvalsetReport, Report
from ...model.verdict import CaseMove, Floor, Judgement, MetricVerdict, Sight, Verdict
from . import words
from .asides import metric_sentence
from .failures import Failures
from .states import TONE, WORD, WORST_FIRST, State, Tone, row_weight

_NOTHING = "nothing was judged"
_DOUBTS = ("suspected", "min_undecided", "errors_at_floor", "one_epoch")


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True)
class Story:
    """One evalset's report, read for a person; `alone` where the run had no other evalset.

    `quote` is put around what others wrote inside a sentence of ours, where the whole is not made safe later.
    """

    report: EvalsetReport
    alone: bool = True
    quote: Callable[[str], str] = _as_it_is

    @property
    def name(self) -> str:
        return self.report.planned.evalset

    @property
    def alpha(self) -> float:
        return self.report.judgement.alpha if self.report.judgement else 0.05

    @cached_property
    def rows(self) -> tuple[Verdict, ...]:
        """Every row, worst first; among equals the overall rows first, else in the order judged."""
        judgement = self.report.judgement
        verdicts = judgement.verdicts if judgement else ()
        return tuple(sorted(verdicts, key=lambda v: (row_weight(v), v.slice is not None, not v.gating)))

    @cached_property
    def sights(self) -> tuple[Sight, ...]:
        """What each gating row would find, overall rows first; a row that regressed says nothing more."""
        judgement = self.report.judgement
        verdicts = judgement.verdicts if judgement else ()
        found = [self.sight(v) for v in verdicts if v.gating and v.status != "regressed"]
        return tuple(sorted((s for s in found if s), key=lambda s: s.slice is not None))

    def sight(self, verdict: Verdict) -> Sight | None:
        """Return what a row would find: foreseen where nothing was compared or nothing moved, else found."""
        judgement = self.report.judgement
        row = (verdict.scorer, verdict.slice)
        foreseen = (s for s in judgement.sights if (s.scorer, s.slice) == row) if judgement else ()
        return next(iter(foreseen), None) or _found_sight(verdict)

    @cached_property
    def broken(self) -> tuple[Floor, ...]:
        """The `must` and `require` that did not hold."""
        judgement = self.report.judgement
        return tuple(f for f in judgement.floors if not f.ok and not f.undecided) if judgement else ()

    @cached_property
    def broken_metrics(self) -> tuple[MetricVerdict, ...]:
        judgement = self.report.judgement
        metrics = judgement.metrics if judgement else ()
        return tuple(m for m in metrics if m.status == "regressed" and m.gating)

    @cached_property
    def failures(self) -> Failures:
        """What kept samples from being judged."""
        return Failures(self.report)

    @cached_property
    def replayed(self) -> tuple[int, str]:
        """How many answers came from recordings, and of which days; (0, "") where none did."""
        days = Counter(v.replayed for case in self.report.cases for v in case.now if v.replayed)
        if not days:
            return 0, ""
        first, last = min(days), max(days)
        return days.total(), first if first == last else f"{first} to {last}"

    @cached_property
    def state(self) -> State:
        if self.report.unaffected:
            return "unaffected"
        judgement = self.report.judgement
        if judgement is None:
            because = (self.report.not_judged_because or "").lower()
            return "interrupted" if because.startswith("interrupted") else "partial"
        if judgement.status == "regressed":
            if any(v.status == "regressed" and v.gating for v in judgement.verdicts) or self.broken_metrics:
                return "regressed"
            return "floor_broken" if self.broken else "user_error" if self.failures.own else "regressed"
        # Of many cases the report carries only some: exit 1 without a regression is the user's exception.
        if self.failures.own or judgement.exit_code == 1:
            return "user_error"
        if judgement.status == "cannot_judge":
            if self.report.without_key:
                return "not_run"
            mostly = 2 * self.report.not_recorded > judgement.coverage.errors
            return "not_recorded" if mostly else "cannot_judge"
        return self._open_state(judgement)

    def _open_state(self, judgement: Judgement) -> State:
        gating = [v for v in judgement.verdicts if v.gating] or list(judgement.verdicts)
        reasons = {v.reason for v in gating}
        if "not_comparable" in reasons:
            return "not_comparable"
        if self.report.baseline is not None and reasons == {"nothing_to_compare"}:
            return "nothing_shared"
        if judgement.status == "pass":
            if self.report.baseline is None and not reasons & {"above_min"}:
                return "no_baseline"
            if self.report.already:
                return "already"
            return "accepted" if "accepted" in reasons else "pass"
        for reason in _DOUBTS:
            if reason in reasons:
                if reason == "suspected":
                    return "suspected"
                return "already" if self.report.already else "undecided"
        if self.report.already:
            return "already"
        if self.report.baseline is None:
            return "no_baseline"
        return "no_drop_seen" if "no_drop_seen" in reasons else "undecided"

    @property
    def weight(self) -> int:
        return WORST_FIRST.index(self.state)

    @property
    def word(self) -> str:
        return WORD[self.state]

    @property
    def tone(self) -> Tone:
        """Return the colour family; never a calm one for what fails the run or what stands on few cases."""
        tone, judgement = TONE[self.state], self.report.judgement
        if tone == "good" and self.compared_part:
            tone = "none"
        fails = judgement is not None and judgement.exit_code != 0
        return "doubt" if fails and tone in ("good", "none") else tone

    @property
    def why_it_fails(self) -> str:
        """Say which rule fails a run that nothing regressed in; empty where none does."""
        judgement = self.report.judgement
        if judgement is None or self.state in ("not_recorded", "cannot_judge", "not_run"):
            return ""
        return {
            7: "A gate that cannot decide fails this run (exit 7).",
            8: "A baseline to compare with is required here (exit 8).",
        }.get(judgement.exit_code, "")

    @property
    def count(self) -> str:
        """Say how much of what was gated carries the verdict: `1 of 7 gates`."""
        judgement = self.report.judgement
        if self.state == "unaffected":
            return "no case ran, $0"
        if judgement is None:
            return self.quote(self.report.not_judged_because) if self.report.not_judged_because else _NOTHING
        # What was accepted by name gates no more, and is one of the gates that were asked.
        gates = [v for v in judgement.verdicts if v.gating or v.reason == "accepted"]
        total = len(gates) + sum(m.gating for m in judgement.metrics)
        if self.state == "floor_broken":
            kinds = " and ".join(sorted({f.kind for f in self.broken}))
            return f"{kinds} broken in {words.counted(len({f.case for f in self.broken}), 'case')}"
        if self.state == "user_error":
            failures = self.failures
            return words.own_failures(failures.raised, failures.refused, quote=self.quote)
        if self.state == "already":
            return f"{words.counted(len(self.report.already), 'row')} red before this change"
        if self.state == "not_run":
            key = self.quote(self.report.without_key or "a key")
            return f"live evals: no credentials ({key} is not set)"
        if self.state == "not_recorded":
            return f"not recorded: {self.report.not_recorded} of {judgement.coverage.planned} samples"
        if self.state == "cannot_judge":
            limit = self.report.planned.max_error_rate
            return f"{words.rate(judgement.errors_rate)} of samples errored, limit {words.rate(limit)}"
        if self.state in ("no_baseline", "nothing_shared", "not_comparable"):
            return words.counted(total, "gate")
        if self.state == "regressed":
            bad = sum(v.status == "regressed" for v in gates) + len(self.broken_metrics)
        elif self.state == "pass":
            bad = sum(v.status == "pass" for v in gates)
            bad += sum(m.gating and m.status != "regressed" for m in judgement.metrics)
        else:
            bad = sum(v.status not in ("pass", "regressed") for v in gates)
            if self.state == "accepted":
                bad = sum(v.reason == "accepted" for v in gates)
        return f"{bad} of {words.counted(total, 'gate')}"

    @property
    def count_said(self) -> str:
        """Say the count as a phrase that stands alone: `1 of 7 gates regressed`."""
        verbs: dict[State, str] = {
            "regressed": "regressed",
            "suspected": "suspected or open",
            "undecided": "undecided",
            "no_drop_seen": "without a drop seen, too weak to pass",
            "accepted": "accepted",
            "pass": "pass",
        }
        said = f"{self.count} {verbs[self.state]}" if self.state in verbs else self.count
        return ", ".join(part for part in (said, self.compared_part) if part)

    @property
    def compared_with(self) -> str:
        """Name the baseline: `baseline a1b2c3d, 3 days old`."""
        baseline = self.report.baseline
        if baseline is None:
            return "no baseline yet"
        name = words.baseline_name(baseline)
        return f"baseline {self.quote(name)}, {words.age(self.report.baseline_age_days)}"

    @property
    def compared_with_briefly(self) -> str:
        """Name the baseline where there is little room: `baseline a1b2c3d`, else by its day or its run."""
        baseline = self.report.baseline
        if baseline is None:
            return "no baseline"
        return f"baseline {words.baseline_name(baseline)}"

    @property
    def size(self) -> str:
        """Say how many cases were planned and how often each: `120 cases x 3`, `120 cases x 1 to 5`."""
        least, most = self._fewest_epochs, self.report.planned.epochs
        epochs = f"{most}" if least >= most else f"{least} to {most}"
        return f"{words.counted(self.report.planned.cases, 'case')} x {epochs}"

    @property
    def _fewest_epochs(self) -> int:
        """Return the epochs of the case that was drawn least; the plan's where not every case is at hand."""
        planned = self.report.planned
        if planned.plan is None or planned.planned_samples >= planned.cases * planned.epochs:
            return planned.epochs
        drawn = [max([len(c.now), *map(len, c.now_scores.values())]) for c in self.report.cases]
        known = len(drawn) >= planned.cases and all(drawn)
        return min(drawn) if known else planned.plan.min

    @property
    def compared_part(self) -> str:
        """Say that less than half of the cases were compared: `1 of 5 cases compared`; else empty."""
        judgement = self.report.judgement
        if judgement is None or self.report.baseline is None:
            return ""
        compared, cases = judgement.coverage.compared, judgement.coverage.cases
        if not compared or 2 * compared >= cases:
            return ""
        return f"{compared} of {words.counted(cases, 'case')} compared"

    @cached_property
    def worst(self) -> tuple[CaseMove, ...]:
        """The cases that moved down, one entry a scorer and case."""
        judgement = self.report.judgement
        return judgement.worst if judgement else ()

    def named(self, row: Verdict | AlreadyRegressed) -> str:
        """Name a row in a sentence: `route on shape=long`."""
        scorer = self.quote(row.scorer)
        return f"{scorer} on {self.quote(words.slice_name(row.slice))}" if row.slice else scorer

    @property
    def sentence(self) -> str:
        """Say in one plain sentence what the verdict rests on."""
        if self.state in ("regressed", "suspected") and self.rows:
            row = self.rows[0]
            named = self.named(row)
            if row.reason == "below_min":
                return (
                    f"{named} is {words.mean(row.candidate, row.scale)}, "
                    f"below its minimum of {words.mean(row.min, row.scale)}."
                )
            if row.status == "regressed" or row.reason == "suspected":
                level = words.level_of(row, self.alpha)
                return (
                    f"{named} went from {words.mean(row.baseline, row.scale)} to "
                    f"{words.mean(row.candidate, row.scale)} "
                    f"({words.difference(row.difference, row.scale)}, {words.interval_name(level)} "
                    f"{words.interval(row.ci, row.scale)})."
                )
            if self.broken_metrics:
                return metric_sentence(self.broken_metrics[0])
        return self._plain_sentence()

    def _plain_sentence(self) -> str:
        if self.state == "floor_broken":
            first = self.broken[0]
            case, scorer = self.quote(first.case), self.quote(words.floor_scorer(first))
            return f"{case}: {scorer} {words.floor_held(first)}."
        if self.state == "not_recorded":
            return self._why_not_recorded
        if self.state == "already":
            rows = ", ".join(self.named(row) for row in self.report.already[:3])
            branch = self.quote(self.report.already[0].branch)
            return f"{rows}: already regressed on {branch}, not by this change."
        return {
            "user_error": "Nothing came that could be scored, and waiting does not help: mend what is named."
            if self.failures.only_refused
            else "Code under test or a scorer raised an exception; mend it and run again.",
            "cannot_judge": "Too many samples have no score; this says nothing about the answers' quality.",
            "not_comparable": "The instrument changed, so these scores cannot be compared with the baseline.",
            "not_run": "What has no recording was not run, so this says nothing about it.",
            "unaffected": "Nothing that this change touches can affect it.",
            "undecided": "Some gates cannot be decided with these cases and epochs.",
            "interrupted": "The run was interrupted, so no gate was judged. What was scored stands below.",
            "partial": "The run stopped at its cost cap, so no gate was judged."
            if self.hit_the_cap
            else "A shard is not judged by itself; aioncall gate judges it together with the others."
            if self.report.shard is not None
            else "Only a part of the evalset ran, so no gate was judged.",
            "nothing_shared": "The baseline has no scores for any gate of this run.",
            "no_baseline": "There is nothing to compare with yet, and this run should be no baseline."
            if self.is_nobodys_baseline
            else "There is nothing to compare with yet. Accept this run to make it the baseline.",
            "no_drop_seen": "No drop was seen, but a small one could hide: see what this suite would see.",
            "accepted": "A drop was accepted by name; every other gate passes.",
            "pass": f"Every gate passes, but only {self.compared_part}."
            if self.compared_part
            else "Every gate passes.",
        }.get(self.state, "A gate regressed.")

    @property
    def _why_not_recorded(self) -> str:
        """Name what changed since the baseline, for a changed prompt asks what nobody recorded."""
        changes = [c for c in self.report.changes if c.kind != "instrument"] or list(self.report.changes)
        if not changes:
            return "No recording fits what is asked now; record it, then judge it."
        names = [self.quote(change.name) for change in changes[:2]]
        names += [f"{len(changes) - 2} more"] if len(changes) > 2 else []
        listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
        return f"No recording fits any more: {listed} changed since the baseline."

    @property
    def awaits_other_shards(self) -> bool:
        """Tell whether this is a shard that did all of its cases."""
        return self.report.shard is not None and "judged when all" in (self.report.not_judged_because or "")

    @property
    def is_nobodys_baseline(self) -> bool:
        """Tell whether there is no baseline yet and this run should not become it."""
        return self.state == "no_baseline" and bool(self.report.baseline_notes)

    @property
    def hit_the_cap(self) -> bool:
        """Tell whether the run stopped at its cost cap."""
        return "cost cap" in (self.report.not_judged_because or "")


def _found_sight(verdict: Verdict) -> Sight | None:
    """Return what the comparison of a row says that it would have found."""
    if verdict.mde is None:
        return None
    return Sight(
        scorer=verdict.scorer,
        slice=verdict.slice,
        claim=verdict.claim,
        mde=verdict.mde,
        scale=verdict.scale,
        n_cases=verdict.n_cases,
    )


def stories(report: Report, *, quote: Callable[[str], str] = _as_it_is) -> list[Story]:
    """Read every evalset of a report, worst first; equals stay in their order."""
    alone = len(report.evalsets) == 1
    return sorted((Story(one, alone, quote) for one in report.evalsets), key=lambda story: story.weight)
