"""Measure pytest-aioncall beside other clients: `python benchmarks/run.py [PART ...] [--quick]`.

contest   1,000 and 10,000 cases over HTTP, with and without a judge call each: bare clients and ours
growth    100 to 100,000 cases of a target that answers at once: CPU, memory, each further case
idle      what the plugin costs a project that does not use it; one case from a cold start
gates     what a comparison of many cases, scorers and slices costs
keeping   10,000 cases recorded, replayed, resumed after a kill, judged again from the run folder
peers     the contest with the tools that `make bench-peers` installed, beside a bare client and ours

Without a name: all but peers. Start-up is always included; clients take turns. The model server has the first
core of this machine for itself, the measured process the last one, and what others use of them is told.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

if __package__ in (None, ""):  # run as a file: the folder above has the package
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.contest import core_contest
from benchmarks.gates import gates
from benchmarks.growth import growth
from benchmarks.idle import idle
from benchmarks.keeping import keeping
from benchmarks.meter import CommandFailed
from benchmarks.page import PAGE, page, section, stored
from benchmarks.peers.taking_part import peer_contest
from benchmarks.promises import PROMISES, broken, told
from benchmarks.quotes import mended, pages
from benchmarks.results import Results

PARTS: dict[str, Callable[..., Results]] = {
    "contest": core_contest,
    "growth": growth,
    "idle": idle,
    "gates": gates,
    "keeping": keeping,
    "peers": peer_contest,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for, print it, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python benchmarks/run.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [name for name in PARTS if name != "peers"]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"default: {' '.join(names)}")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: does it work at all?")
    parser.add_argument("--write", action="store_true", help=f"store the runs, write {PAGE.name} and quotes")
    parser.add_argument("--render", action="store_true", help=f"only write {PAGE.name} and quotes again")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.parts if name not in PARTS]:
        parser.error(f"no part is called {unknown[0]!r}; there is {', '.join(PARTS)}")
    if given.write and given.quick:
        parser.error("--quick is not enough to be written")
    found: dict[str, Results] = {}
    for name in () if given.render else given.parts or names:
        print(f"{name}:", file=sys.stderr, flush=True)
        began = time.monotonic()
        found[name] = PARTS[name](quick=given.quick)
        print(f"\n## {name}\n\n{section(found[name])}\n\n({time.monotonic() - began:.0f} s)", flush=True)
        if given.write:
            print(f"wrote {found[name].save()}")
    if given.write or given.render:
        write_page()
    return verdict(found)


def verdict(found: dict[str, Results]) -> int:
    """Print what was promised of what was measured; return 1 where it is broken or a run is invalid."""
    for one in PROMISES:
        if one.found(found) is not None:
            print(f"{one.words}: {told(one, found)[0]}, at most {one.most:g} {one.unit}")
    invalid = [run for results in found.values() for run in results.runs if "invalid" in run]
    for run in invalid:
        print(f"invalid: {run['client']}, {run['cases']:,} cases: {run['invalid']}")
    return 1 if invalid or broken(found) else 0


def write_page() -> None:
    """Write the page from all stored results, and the figures that other pages quote."""
    parts = stored()
    PAGE.write_text(page(parts), encoding="utf-8")
    print(f"wrote {PAGE}")
    for path in pages():
        text = path.read_text(encoding="utf-8")
        if (new := mended(text, parts)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"mended what {path} quotes")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CommandFailed as failed:
        sys.exit(str(failed))
