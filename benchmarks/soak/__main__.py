"""Soak the real stack: `python -m benchmarks.soak [--minutes 30] [--samples 100000]`.

pytest --aioncall runs in a process of its own against a server on this machine that answers 5 % of the
requests badly. The server paces itself, so that the samples take the minutes asked for. Exit 1 where a
promise broke.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.results import now
from benchmarks.soak.running import soak
from benchmarks.soak.shapes import Shape, shapes

FEWEST = 400


def main(arguments: list[str] | None = None) -> int:
    """Soak every shape, print each promise with what was seen, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="how long the samples take, all shapes together"
    )
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument(
        "--faults", type=float, default=0.05, help="share of requests that are answered badly"
    )
    parser.add_argument("--looks", type=Path, help="write every look as JSON there")
    parser.add_argument(
        "--write", action="store_true", help="store what was seen for docs/reference/speed.md"
    )
    given = parser.parse_args(arguments)
    if not sys.platform.startswith("linux"):
        parser.error("memory and open files are read from /proc, which only Linux has")
    if given.minutes <= 0 or given.samples < FEWEST or not 0 <= given.faults < 0.5:
        parser.error(f"needs --minutes over 0, --samples of {FEWEST} or more, --faults from 0 to 0.5")
    broken, written, seen = 0, [], []
    with tempfile.TemporaryDirectory(prefix="aioncall-soak-") as name:
        for number, shape in enumerate(shapes(given.samples)):
            print(f"{shape.name}: {shape.cases:,} cases x {shape.epochs:,} epochs", flush=True)
            seconds = 60 * given.minutes / len(shapes(given.samples))
            soaked, found = soak(Path(name) / f"soak-{number}", shape, seconds=seconds, faults=given.faults)
            for check in found:
                print(f"  {'ok    ' if check.kept else 'BROKEN'} {check.promise}: {check.seen}", flush=True)
                broken += not check.kept
                seen.append({"shape": _named(shape, seconds), **asdict(check)})
            written.append({"shape": shape.name, "looks": [list(_row(look)) for look in soaked.looks]})
    if given.looks:
        given.looks.write_text(json.dumps(written), encoding="utf-8")
    if given.write:
        print(f"wrote {now('soak', seen).save()}; `python benchmarks/run.py --render` puts it on the page")
    print("every promise was kept" if not broken else f"{broken} promises broken")
    return 1 if broken else 0


def _named(shape: Shape, seconds: float) -> str:
    return f"{shape.cases:,} cases x {shape.epochs:,}, {seconds / 60:.0f} minutes"


def _row(look: object) -> list[float]:
    return [getattr(look, name) for name in ("at_s", "answered", "rss_kib", "files", "threads")]


if __name__ == "__main__":
    sys.exit(main())
