"""The tables of the page, from the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .methods import ALPHA, COMMON
from .promises import Promise
from .results import Results, Share
from .scenarios import (
    EDITS,
    EPOCHS,
    KINDS,
    LARGE,
    MANY,
    REPEATED,
    SMALL,
    TIMES,
    broken,
    large,
    rows,
    scenarios,
    small,
)
from .worlds import Edit, Kind

NAMES = {"binary": "0-1", "graded": "1-5"}
BROKEN = ((2, 10, 5), (3, 10, 3), (3, 20, 3))
FAMILIES = ("no correction", "Bonferroni", "BH", "gate")


def table(head: Sequence[str], body: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """Return a Markdown table; the first `left` columns are words, the others numbers."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *body))


def percent(share: Share) -> str:
    """Write a share and its standard error, both in percent."""
    return f"{100 * share.value:.1f} ± {100 * share.error:.1f}"


def alarms(share: Share) -> str:
    """Write a share of false alarms, bold where it is over 5 % by more than two standard errors."""
    room = 2 * (ALPHA * (1 - ALPHA) / share.changes) ** 0.5
    return f"**{percent(share)}**" if share.value > ALPHA + room else percent(share)


def verdict_on(promise: Promise, share: Share) -> str:
    """Say whether a cell keeps its bound: plainly, within two standard errors, or not."""
    if promise.keeps(share.value, changes=share.changes, slack=0):
        return "yes"
    kept = promise.keeps(share.value, changes=share.changes, slack=2)
    return "within 2 s.e." if kept else "**NO**"


def cells(results: Results, chosen: Iterable[Promise]) -> str:
    """Return the table of cells."""
    body = []
    for one in chosen:
        share = results.share(one.scenario, one.method, one.label)
        what = one.label.removeprefix("gate: ")
        bound = f"{'<=' if one.side == 'at most' else '>='} {100 * one.bound:g}"
        name = f"`{one.scenario}`"
        body.append([name, what, percent(share), bound, f"{share.changes:,}", verdict_on(one, share)])
    return table(["scenario", "share of runs", "%", "bound", "changes", "kept"], body, left=2)


def by_method(results: Results, scenario: str, label: str = "red") -> list[str]:
    """Return a scenario's shares, the gate's first."""
    return [alarms(results.share(scenario, name, label)) for name in ("gate", *(m.name for m in COMMON))]


def false_alarms(results: Results, edit: Edit) -> str:
    """Return the table of red runs of large suites under one neutral change."""
    body = [
        [NAMES[kind], f"{cases:,}", str(epochs), *by_method(results, large(kind, cases, epochs, edit=edit))]
        for kind in KINDS
        for cases in LARGE
        for epochs in EPOCHS
    ]
    return table(["scores", "cases", "epochs", "gate", *(m.name for m in COMMON)], body, left=3)


def small_false_alarms(results: Results) -> str:
    """Return the table of red runs of small suites, unchanged and edited."""
    body = [
        [
            {"none": "unchanged", "edit": "neutral edit"}[edit],
            NAMES[kind],
            str(cases),
            str(epochs),
            *by_method(results, small(kind, cases, epochs, edit=edit)),
        ]
        for edit in EDITS[:2]
        for kind in KINDS
        for cases in SMALL
        for epochs in REPEATED
    ]
    return table(["change", "scores", "cases", "epochs", "gate", *(m.name for m in COMMON)], body, left=4)


def power(results: Results) -> str:
    """Return the table of drops found."""
    scenarios = [
        (f"{one[0]} of {one[1]} cases break", str(one[1]), str(one[2]), broken(*one)) for one in BROKEN
    ]
    words: dict[Kind, str] = {"binary": ".90 to .85", "graded": "4.21 to 4.05"}
    scenarios += [
        (words[kind], f"{cases:,}", str(epochs), large(kind, cases, epochs, times=1))
        for kind in KINDS
        for cases in LARGE
        for epochs in EPOCHS
    ]
    names = ["gate", *(m.name for m in COMMON)]
    body = []
    for what, cases, epochs, scenario in scenarios:
        red, *others = [percent(results.share(scenario, name, "red")) for name in names]
        noticed = percent(results.share(scenario, "gate", "noticed"))
        body.append([what, cases, epochs, red, noticed, *others])
    head = ["drop", "cases", "epochs", "gate: red", "gate: noticed", *names[1:]]
    return table(head, body, left=3)


def answers(results: Results, *, small_suites: bool) -> str:
    """Return the table of the gate's three answers by true drop."""
    body = []
    for kind in KINDS:
        for cases in SMALL if small_suites else LARGE:
            for epochs in REPEATED if small_suites else EPOCHS:
                row = [NAMES[kind], f"{cases:,}", str(epochs)]
                names = [
                    (small if small_suites else large)(kind, cases, epochs, times=times) for times in TIMES
                ]
                row += [_three(results, name) for name in names]
                at_margin, at_twice = names[2:]
                row += [alarms(results.share(at_margin, "gate", "pass"))]
                row += [alarms(results.share(name, "gate", "p > .05")) for name in (at_margin, at_twice)]
                body.append(row)
    head = ["scores", "cases", "epochs", "no drop", "half the margin", "the margin", "twice the margin"]
    head += ["wrong pass at the margin", "by p > .05", "by p > .05 at twice the margin"]
    return table(head, body, left=3)


def _three(results: Results, scenario: str) -> str:
    shares = [results.share(scenario, "gate", label).value for label in ("pass", "inconclusive", "red")]
    return " / ".join(f"{100 * share:.0f}" for share in shares)


def many_unchanged(results: Results) -> str:
    """Return the table of unchanged runs with any row flagged, by number of rows."""
    body = [
        [str(number), *(alarms(results.share(rows(number), "rows", f"{name}: red")) for name in FAMILIES)]
        for number in MANY
    ]
    return table(["rows", *FAMILIES], body)


def many_dropped(results: Results) -> str:
    """Return the table of what is flagged when one slice of one scorer dropped."""
    chosen = [(str(n), "auto", "3", rows(n, dropped=True)) for n, (_, values) in MANY.items() if values] + [
        ("45", "cases like these", str(r), rows(45, dropped=True, claim="cases-like-these", epochs=r))
        for r in (1, 3)
    ]
    body = [
        [
            number,
            claim,
            epochs,
            *(percent(results.share(scenario, "rows", f"{name}: found")) for name in FAMILIES),
            *(percent(results.share(scenario, "rows", f"{name}: wrong")) for name in FAMILIES),
        ]
        for number, claim, epochs, scenario in chosen
    ]
    head = ["rows", "claim", "epochs"]
    head += [f"found: {name}" for name in FAMILIES] + [f"wrong row: {name}" for name in FAMILIES]
    return table(head, body, left=3)


def stopping_early(results: Results) -> str:
    """Return the table of adaptive epochs: what is drawn, and what comes out, against all epochs at once."""
    body = []
    for name in (name for name in scenarios() if name.startswith("rounds ")):
        red, passed, calls, lost = (
            results.share(name, "rounds", label) for label in ("red", "pass", "calls", "lost")
        )
        at_once = f"{100 * (red.value + lost.value):.1f}"
        body.append([f"`{name}`", percent(red), at_once, percent(passed), f"{100 * (1 - calls.value):.0f}"])
    return table(["scenario", "red", "red, all epochs", "pass", "calls saved"], body)
