"""The page `docs/reference/error-rates.md`: a template of words, and every number in it simulated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean

from . import tables
from .methods import COMMON
from .promises import FALSE_ALARMS, FOUND, STOPPING, WRONG_PASSES, promises
from .results import Results
from .scenarios import (
    DEAR,
    EDITS,
    EPOCHS,
    KINDS,
    LARGE,
    REPEATED,
    SMALL,
    broken,
    large,
    rows,
    scenarios,
    small,
    stopping,
)

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "error-rates.md"
TEMPLATE = Path(__file__).with_name("error-rates.template.md")
PLACE = re.compile(r"\{\{ (\w+) \}\}")


def page(results: Results) -> str:
    """Return the whole page. Raises ValueError where words and numbers do not fit together."""
    words = TEMPLATE.read_text(encoding="utf-8")
    blocks = {**_headlines(results), **_promised(results), **_compared(results), **_colophon(results)}
    if set(PLACE.findall(words)) != set(blocks):
        raise ValueError(f"without use or number: {sorted(set(PLACE.findall(words)) ^ set(blocks))}")
    return PLACE.sub(lambda place: blocks[place[1]], words)


def _headlines(results: Results) -> dict[str, str]:
    """Return the numbers of the sentences that say it all."""
    neutral = [large(k, n, r, edit=edit) for k in KINDS for n in LARGE for r in EPOCHS for edit in EDITS]
    few = [small(k, n, r) for k in KINDS for n in SMALL for r in REPEATED]
    drops = [large(k, n, r, times=1) for k in KINDS for n in LARGE for r in EPOCHS]
    drops += [small(k, n, r, times=1) for k in KINDS for n in SMALL for r in REPEATED]

    saving = [stopping(kind, 200, 1) for kind in KINDS]
    losing = [stopping(kind, 200, 1, times=1) for kind in KINDS]

    def most(names: Iterable[str], method: str, label: str) -> float:
        return 100 * max(results.share(name, method, label).value for name in names)

    def one(scenario: str, method: str, label: str) -> str:
        return f"{100 * results.share(scenario, method, label).value:.1f}"

    return {
        "neutral": str(len(neutral)),
        "gate_mean": f"{100 * fmean(results.share(name, 'gate', 'red').value for name in neutral):.1f}",
        "gate_most": f"{most(neutral, 'gate', 'red'):.1f}",
        "others_most": "; ".join(f"{m.name} {most(neutral, m.name, 'red'):.0f} %" for m in COMMON),
        "small_most": f"{most(few, 'gate', 'red'):.1f}",
        "three_of_ten": one(broken(3, 10, 3), "gate", "red"),
        "two_of_ten": one(broken(2, 10, 5), "gate", "red"),
        "wrong_pass_most": f"{most(drops, 'gate', 'pass'):.1f}",
        "by_p_most": f"{most(drops, 'gate', 'p > .05'):.0f}",
        "rows_loud": one(rows(45), "rows", "no correction: red"),
        "rows_quiet": one(rows(45), "rows", "gate: red"),
        "calls_saved": f"{100 - most(saving, 'rounds', 'calls'):.0f}",
        "power_lost": f"{most(losing, 'rounds', 'lost'):.1f}",
        "slice_found": one(rows(45, dropped=True), "rows", "gate: found"),
    }


def _promised(results: Results) -> dict[str, str]:
    """Return the tables of cells with their headings."""
    found = {}
    for key, family in (
        ("false_alarms", FALSE_ALARMS),
        ("wrong_passes", WRONG_PASSES),
        ("found", FOUND),
        ("stopping", STOPPING),
    ):
        found[f"heading_{key}"] = family
        found[f"promised_{key}"] = tables.cells(results, [p for p in promises() if p.family == family])
    return found


def _compared(results: Results) -> dict[str, str]:
    """Return the tables that compare procedures."""
    return {
        **{f"alarms_{edit}": tables.false_alarms(results, edit) for edit in EDITS},
        "alarms_small": tables.small_false_alarms(results),
        "power": tables.power(results),
        "answers_large": tables.answers(results, small_suites=False),
        "answers_small": tables.answers(results, small_suites=True),
        "many_unchanged": tables.many_unchanged(results),
        "stopping": tables.stopping_early(results),
        "many_dropped": tables.many_dropped(results),
    }


def _colophon(results: Results) -> dict[str, str]:
    """Return what tells how the numbers were made."""
    asked = {name: scenarios()[name].changes(results.asked) for name in results.tallies}
    return {
        "scenarios": str(len(results.tallies)),
        "asked": f"{results.asked:,}",
        "dear": f"{round(DEAR * results.asked):,}",
        "drawn_on": str(sum(one.changes > asked[name] for name, one in results.tallies.items())),
        "seed": str(results.seed),
        "date": results.date,
        "versions": ", ".join(f"{name} {version}" for name, version in results.versions.items()),
    }
