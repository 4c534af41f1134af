"""The line on what a suite sees, and the screens of `gate --self-check` and `gate --aa`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...model.selfcheck import FloorChances, Plan, SelfCheck
from ...model.verdict import Power
from ..text import log_line
from . import words

ENOUGH = 0.8
_MOST_PLANS = 8


def percent(share: float | None) -> str:
    """Write a share in whole percent: `93 %`, `<1 %`, `>99 %`; `-` where there is none."""
    if share is None:
        return words.NOTHING
    whole = round(share * 100)
    if share > 0 and whole == 0:
        return "<1 %"
    return ">99 %" if share < 1 and whole == 100 else f"{whole} %"


def power_name(power: Power | Plan, *, alone: bool) -> str:
    """Name a row; a slice without its scorer where the suite has one scorer only."""
    part = words.slice_name(power.slice)
    return part if part and alone else f"{power.scorer} {part}".rstrip()


def power_line(powers: Sequence[Power]) -> str:
    """Say in one line what a suite sees, and how often.

    `this suite sees a 5 pp drop in route with 93 %, in shape=long with 41 %`: the worst overall row, and the
    worst slice where one is worse. Empty where no row has a number.
    """
    told = [power for power in powers if power.at_margin is not None]
    if not told:
        return ""
    alone = len({power.scorer for power in powers}) <= 1
    overall = [power for power in told if power.slice is None]
    sliced = [power for power in told if power.slice is not None]
    first = min(overall or sliced, key=_seen)
    text = (
        f"this suite sees {_drop(first)} in {_safe_name(first, alone=alone)} with {percent(first.at_margin)}"
    )
    worst = min(sliced, key=_seen, default=None)
    if worst is None or worst is first or _seen(worst) >= _seen(first):
        return text
    again = "" if (worst.margin, worst.scale) == (first.margin, first.scale) else f"{_drop(worst)} "
    name = _safe_name(worst, alone=alone or worst.scorer == first.scorer)
    return f"{text}, {again}in {name} with {percent(worst.at_margin)}"


def _seen(power: Power) -> float:
    return power.at_margin or 0.0


def _drop(power: Power, *, times: int = 1) -> str:
    return f"a {words.distance(times * power.margin, power.scale)} drop"


def _safe_name(power: Power, *, alone: bool) -> str:
    return log_line(power_name(power, alone=alone), 60)


def floor_chance_line(found: FloorChances) -> str:
    """Say how often the floors would ring by chance."""
    musts = found.musts > 0
    count, chance = (found.musts, found.any_must) if musts else (found.floors, found.any)
    noun = "must" if musts else "require"
    subject = f"the {count} {noun}s" if count > 1 else f"the {noun}"
    text = f"{subject} would ring by chance in about {percent(chance)} of unchanged runs"
    weakest = next((one for one in found.weakest if one.kind == noun), None)
    if weakest is not None:
        scorer = weakest.scorer.partition(":")[2] or weakest.scorer
        text += f"; weakest: {log_line(weakest.case, 60)} {log_line(scorer, 40)}"
        if weakest.held < weakest.epochs:
            text += f" (held in {weakest.held} of {weakest.epochs})"
    rest = found.floors - found.musts
    if musts and rest:
        text += f"; with the {words.counted(rest, 'require')} in {percent(found.any)}"
    return text


def self_check_lines(check: SelfCheck) -> list[str]:
    """Say what a suite can see: verdict, table, plans, floors."""
    alone = len({power.scorer for power in check.powers}) <= 1
    most = " (at most)" if check.epochs_are_most else ""
    size = f"{words.counted(check.cases, 'case')} x {check.epochs}{most}"
    lines = [
        f"{log_line(check.evalset, 80)}: {verdict_of_suite(check)}",
        f"{size} against {log_line(check.baseline, 80)}; "
        f"{check.runs} simulated runs, alpha {percent(check.alpha)}",
        "",
        *_table(check, alone=alone),
        "",
        *_alarm_lines(check),
    ]
    lines += _plan_lines(check, alone=alone)
    if check.small_slices:
        lines.append(f"not gating, under 10 cases: {log_line(', '.join(check.small_slices), 300)}")
    if check.floors:
        lines.append(floor_chance_line(check.floors))
    return [*lines, *(f"note: {log_line(note, 300)}" for note in check.notes)]


def verdict_of_suite(check: SelfCheck) -> str:
    """Say whether the suite can be trusted to see what its gates ask for."""
    if not check.powers:
        return "no gate row has a score; there is nothing to see"
    alone = len({power.scorer for power in check.powers}) <= 1
    weak = [power for power in check.powers if _seen(power) < ENOUGH]
    if not weak:
        return f"this suite can be trusted to see {_each_drop(check.powers, alone=alone)}"
    worst = min(weak, key=lambda power: (power.slice is not None, _seen(power)))
    text = f"this suite cannot be trusted to see {_drop(worst)} in {_safe_name(worst, alone=alone)}"
    text += f" ({percent(worst.at_margin)})" if worst.at_margin is not None else " (no drop can turn it red)"
    if len(weak) > 1:
        text += f", nor in {words.counted(len(weak) - 1, 'more row')}"
    fine = len(check.powers) - len(weak)
    return f"{text}; it can in {fine}" if fine else text


def _each_drop(powers: Sequence[Power], *, alone: bool) -> str:
    if len(powers) > 3:
        return f"the margin of each of its {len(powers)} gate rows"
    return ", ".join(f"{_drop(power)} in {_safe_name(power, alone=alone)}" for power in powers)


def _table(check: SelfCheck, *, alone: bool) -> list[str]:
    rows = [("", "cases", "false alarm", "sees the margin", "sees twice that", "cannot tell")]
    rows += [
        (
            log_line(power_name(power, alone=alone), 40),
            str(power.n_cases),
            percent(power.alarm),
            _sees(power, 1),
            _sees(power, 2),
            percent(power.inconclusive),
        )
        for power in check.powers
    ]
    return _columns(rows, left=(0,))


def _sees(power: Power, times: int) -> str:
    share = power.at_margin if times == 1 else power.at_twice
    return f"{words.distance(times * power.margin, power.scale)}: {percent(share)}"


def error_of(share: float, runs: int) -> float:
    """Return the standard error of a simulated share, at least that of one hit."""
    kept = min(max(share, 1 / (runs + 1)), runs / (runs + 1))
    return math.sqrt(kept * (1 - kept) / runs)


def _alarm_lines(check: SelfCheck) -> list[str]:
    error = error_of(check.alarm_any, check.runs)
    limit = check.alpha + 3 * error
    word = "more than" if check.alarm_any > limit else "within"
    return [
        f"false alarms: {words.rate(check.alarm_any)} of unchanged runs are red in any row "
        f"(+- {words.rate(error)}, {word} {words.rate(check.alpha)}); "
        f"{words.rate(check.alarm_any_fresh)} were the baseline drawn anew",
        f"cannot tell: {words.rate(check.inconclusive_any)} of unchanged runs, worded anew, leave a row open",
    ]


def _plan_lines(check: SelfCheck, *, alone: bool) -> list[str]:
    """Say the cheapest suite for each row that sees too little; overall rows first."""
    plans = sorted(
        (plan for plan in check.plans if plan.status != "enough"),
        key=lambda plan: (plan.slice is not None, plan.calls or math.inf),
    )
    if not plans:
        return []
    told = [
        (f"  {log_line(power_name(plan, alone=alone), 40)}", *_plan_said(plan, check))
        for plan in plans[:_MOST_PLANS]
    ]
    lines = ["", "to see the margin four times in five, baseline and run both:", *_columns(told, left=(0, 5))]
    if len(plans) > _MOST_PLANS:
        lines.append(f"  and {len(plans) - _MOST_PLANS} more: see --json")
    return lines


def _plan_said(plan: Plan, check: SelfCheck) -> tuple[str, ...]:
    if plan.status == "out_of_reach":
        return "-", "", "", "", "not even 12 x the cases with 10 epochs; widen the margin"
    remark = ""
    if plan.status == "cases_only":
        remark = "only more cases help"
    elif plan.times_cases != 1 and plan.epochs_alone:
        remark = f"or about {words.counted(plan.epochs_alone, 'epoch')} with these {check.cases} cases"
    return (
        f"{words.counted(plan.cases or 0, 'case')} x {plan.epochs}",
        words.counted(plan.calls or 0, "call"),
        words.money(plan.cost_usd),
        f"sees it with {percent(plan.power)}",
        remark,
    )


def _columns(rows: Sequence[tuple[str, ...]], *, left: tuple[int, ...]) -> list[str]:
    """Lay rows out in columns, those in `left` to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
