"""Simulate years of daily runs: how often does the daily monitor page for nothing, how soon for a drop?

    python -m simulations.monitor [--years 400] [--only TEXT] [--write]

Prints a line for each promise and exits 1 when one is not kept within two standard errors.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import platform
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy
import scipy

from .daily import SEED, Seen, year
from .dailycells import NEVER, Figures, effort, figures_of, promises, scenarios
from .tables import table

STORED = Path(__file__).with_name("monitor.json")
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "monitoring.md"
BEGIN, END = "<!-- figures: python -m simulations.monitor --write -->", "<!-- end of figures -->"
BLOCK = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)
CHUNK = 10


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m simulations.monitor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--years", type=int, default=400, help="simulated years a scenario")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios with TEXT in their name")
    parser.add_argument("--workers", type=int, help="processes; as many as cores by default")
    parser.add_argument("--write", action="store_true", help=f"write {STORED.name} and into {PAGE.name}")
    parser.add_argument("--render", action="store_true", help=f"only write into {PAGE.name}")
    asked = parser.parse_args(arguments)
    if asked.render:
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), *load()), encoding="utf-8")
        return 0
    names = [name for name in scenarios() if asked.only in name]
    if not names or asked.years < 2:
        parser.error(f"years have to be 2 or more, and a scenario named: {'; '.join(scenarios())}")
    found = run(names, years=asked.years, workers=asked.workers)
    broken = report(found)
    if asked.write:
        kept = load()[0] if STORED.exists() else {}
        save({name: one for name, one in {**kept, **found}.items() if name in scenarios()}, years=asked.years)
        PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8"), *load()), encoding="utf-8")
        print(f"wrote {STORED} and {PAGE}")
    return 1 if broken else 0


def run(names: list[str], *, years: int, workers: int | None = None) -> dict[str, Figures]:
    """Simulate scenarios; the answer does not depend on `workers`."""
    numbers = {name: max(2, round(years * effort(scenarios()[name]))) for name in names}
    parts = [
        (name, start, min(start + CHUNK, numbers[name]))
        for name in names
        for start in range(0, numbers[name], CHUNK)
    ]
    seen: dict[str, list[Seen]] = {name: [] for name in names}
    with ProcessPoolExecutor(workers) as pool:
        for (name, _, _), years_seen in zip(parts, pool.map(_part, parts), strict=True):
            seen[name] += years_seen
    return {name: figures_of(scenarios()[name], seen[name]) for name in names}


def _part(part: tuple[str, int, int]) -> list[Seen]:
    name, start, end = part
    return [year(scenarios()[name], number) for number in range(start, end)]


def report(found: dict[str, Figures]) -> int:
    """Print the figures of each scenario and a line for each promise; return how many are not kept."""
    for name, one in found.items():
        print(f"{name}: {_days_told(one)}")
    broken = 0
    for promise in promises():
        if promise.scenario in found:
            one = found[promise.scenario]
            good = promise.keeps(one)
            broken += not good
            word = "ok " if good else "OUT"
            told = f"{promise.what} {promise.figure(one):.2f} {promise.side} {promise.bound:g}"
            print(f"{word} {told}  {promise.scenario}")
    return broken


def _days_told(one: Figures) -> str:
    return (
        f"{one.pages:.2f} +- {one.pages_error:.2f} pages and {one.tickets:.2f} tickets a year, "
        f"page after {one.delay:g} days (9 in 10 within {one.delay_p90:g}), kept open in {one.kept:.3f}, "
        f"ended after {one.ended:g} days"
    )


def save(found: dict[str, Figures], *, years: int) -> None:
    """Write the figures as JSON, a scenario a line."""
    versions = {"Python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__}
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    head = {"seed": SEED, "years": years, "date": today, "versions": versions}
    lines = []
    for name in scenarios():
        if name in found:
            numbers = {key: round(value, 6) for key, value in dataclasses.asdict(found[name]).items()}
            lines.append(f"    {json.dumps(name)}: {json.dumps(numbers)}")
    text = json.dumps(head, indent=1)[:-2] + ',\n "scenarios": {\n' + ",\n".join(lines) + "\n }\n}\n"
    STORED.write_text(text, encoding="utf-8")


def load(path: Path = STORED) -> tuple[dict[str, Figures], dict[str, object]]:
    """Return the stored figures, and when and with what they were made."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return {name: Figures(**one) for name, one in data.pop("scenarios").items()}, data


def rendered(page: str, found: dict[str, Figures], made: dict[str, object]) -> str:
    """Return the page with its block of figures anew. Raises ValueError where it has no such block."""
    if not BLOCK.search(page):
        raise ValueError(f"{PAGE} has no block between {BEGIN!r} and {END!r}")
    block = "\n\n".join([BEGIN, *_blocks(found), _colophon(found, made), END])
    return BLOCK.sub(lambda _: block, page)


def _blocks(found: dict[str, Figures]) -> list[str]:
    quiet = [name for name, one in scenarios().items() if not one.drop]
    dropped = {name: one for name, one in scenarios().items() if one.drop}
    fallen = [name for name, one in dropped.items() if one.lasts is None and one.watched < 365]
    lasting = [name for name in dropped if name not in fallen]
    first = table(
        [
            "nothing ever changes",
            "pages a year",
            "asked for",
            "tickets",
            "days in it, %",
            "z < -2",
            "-5 %",
            "rolling",
        ],
        [
            [
                name,
                f"{found[name].pages:.1f} ± {found[name].pages_error:.1f}",
                f"{scenarios()[name].pages:g}",
                f"{found[name].tickets:.1f}",
                f"{100 * found[name].bad_share:.1f}",
                f"{found[name].fixed_2sd:.0f}",
                f"{found[name].fixed_5:.0f}",
                f"{found[name].rolling:.0f}",
            ]
            for name in quiet
        ],
    )
    second = table(
        ["a step", "median days to the page", "9 in 10 within"],
        [[name, _days(found[name].delay), _days(found[name].delay_p90)] for name in fallen],
    )
    third = table(
        ["an incident that lasts", "kept open, years in 100", "median days from its end to *recovered*"],
        [
            [
                name,
                f"{100 * found[name].kept:.0f}",
                "-" if scenarios()[name].lasts is None else _days(found[name].ended),
            ]
            for name in lasting
        ],
    )
    return [first, second, third]


def _days(value: float) -> str:
    return "more than watched" if value >= NEVER else f"{value:g}"


def _colophon(found: dict[str, Figures], made: dict[str, object]) -> str:
    versions = made["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())  # type: ignore[attr-defined]
    years = sorted({one.years for one in found.values()})
    return f"*{years[0]} to {years[-1]} simulated years a row, seed {made['seed']}, {made['date']}, {told}.*"


if __name__ == "__main__":
    sys.exit(main())
