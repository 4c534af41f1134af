"""Simulate the error rates: how often is an unchanged run red, how often is a broken one found?

    python -m simulations [--changes 1000] [--only TEXT] [--write]

Prints a line for each cell with a bound and exits 1 when one is beyond it by more than two standard errors.
"""

from __future__ import annotations

import argparse
import sys

from .page import PAGE, page
from .promises import promises
from .quotes import mended, pages
from .results import STORED, Results, load, now
from .running import settled
from .scenarios import scenarios


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m simulations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--changes", type=_positive, default=1000, help="simulated changes a scenario")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios with TEXT in their name")
    parser.add_argument("--workers", type=_positive, help="processes; as many as cores by default")
    parser.add_argument("--write", action="store_true", help=f"write {STORED.name}, {PAGE.name} and quotes")
    parser.add_argument(
        "--render", action="store_true", help=f"only write {PAGE.name} and quotes, from {STORED.name}"
    )
    asked = parser.parse_args(arguments)
    if asked.render:
        return _written(load(), stored=False)
    names = [name for name in scenarios() if asked.only in name]
    if not names:
        parser.error(f"no scenario has {asked.only!r} in its name; there is {', '.join(scenarios())}")
    try:
        stored = load().merged(now({}, asked=asked.changes)) if asked.write and asked.only else None
    except ValueError as error:  # before the minutes that it takes
        parser.error(str(error))
    found = now(settled(names, asked=asked.changes, workers=asked.workers), asked=asked.changes)
    out = report(found)
    if asked.write:
        _written(stored.merged(found) if stored else found, stored=True)
    return 1 if out else 0


def report(found: Results) -> int:
    """Print a line for each cell that was run and return how many are out of bounds."""
    out = told = 0
    for one in promises():
        if one.scenario not in found.tallies:
            continue
        share = found.share(one.scenario, one.method, one.label)
        good = one.keeps(share.value, changes=share.changes, slack=2)
        out, told = out + (not good), told + 1
        word = "ok " if good else "OUT"
        print(f"{word} {share.value:.3f} +- {share.error:.3f} {one.side} {one.bound:.2f}  {one.name}")
    print(f"{out} of {told} cells out of bounds")
    return out


def _written(results: Results, *, stored: bool) -> int:
    if stored:
        results.save()
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"wrote {PAGE}")
    for path in pages():
        text = path.read_text(encoding="utf-8")
        if (new := mended(text, results)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"mended what {path} quotes")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("has to be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
