"""The screen of `gate --aa`: does the instrument hold its error rate?"""

from __future__ import annotations

from ...model.selfcheck import AaReport, AaRow
from ..text import log_line
from . import words
from .sight_line import percent

_HEAD = {"holds": "HOLDS", "moved": "MOVED", "unknown": "CANNOT TELL"}


def aa_screen(report: AaReport) -> list[str]:
    """Say what an A/A run came to: verdict, why, rows, what it means, the next command."""
    runs = " and ".join(log_line(run, 80) for run in report.runs)
    lines = [
        f"instrument {_HEAD[report.verdict]}   {log_line(report.evalset, 80)}: {log_line(report.why, 300)}"
    ]
    if report.mode == "split" and report.red_any is not None and report.interval is not None:
        low, high = (percent(end) for end in report.interval)
        lines.append(
            f"run {runs}: {report.epochs} epochs split into halves, {report.splits} comparisons; red in any "
            f"row {percent(report.red_any)}, inconclusive {percent(report.inconclusive_any)}, "
            f"alpha {percent(report.alpha)}"
        )
        weight = words.counted(report.independent, "independent one")
        lines.append(f"they share their samples and weigh like {weight}: false alarms {low} to {high} (95 %)")
    elif report.mode == "pair":
        lines.append(f"runs {runs}: judged both ways round")
    width = max((len(_name(row)) for row in report.rows), default=0)
    lines += [f"  {_name(row).ljust(width)}  {_row_said(row, report)}" for row in report.rows]
    if report.verdict == "moved":
        lines.append(
            "something moved that the fingerprint does not name: the model behind the id, the index, the "
            "judge; hold red verdicts of this evalset until it is known"
        )
    return [*lines, "", f"next:  {report.next}"] if report.next else lines


def _name(row: AaRow) -> str:
    return log_line(f"{row.scorer} {words.slice_name(row.slice)}".rstrip(), 40)


def _row_said(row: AaRow, report: AaReport) -> str:
    p = "" if row.drift_p is None else f", p {words.p_relation(row.drift_p)}"
    moved = f"{words.difference(row.drift, row.scale)}{p}" if row.drift is not None else "not tested"
    if report.mode == "pair":
        red = "RED  " if row.red else ""
        return f"{red}{moved}"
    small = "" if row.p_small is None else f", p at most alpha in {percent(row.p_small)}"
    return (
        f"red {percent(row.red)}{small}, inconclusive {percent(row.inconclusive)}; "
        f"later against earlier epochs {moved}"
    )
