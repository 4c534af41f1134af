"""What the comparison itself costs: 10,000 cases x 5 scorers x 50 slices, and 500 x 5 x 200."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.meter import CLIENT_CORE, CommandFailed, busy_s, pinned
from benchmarks.results import Results, Run, now
from benchmarks.serving import ROOT

LIMITS_S = {(10_000, 50): 5.0, (500, 200): 3.0}
"""(cases, slices): CPU seconds that judging may take."""


def gates(*, quick: bool) -> Results:
    """Return runs of large comparisons in processes of their own; the same one is judged alike each time."""
    runs: list[Run] = []
    for cases, slices in LIMITS_S:
        for clustered in (False, True):
            digests = set()
            for number in range(1 if quick else 3):
                found = _judged(cases, slices, clustered=clustered)
                digests.add(found.pop("digest"))
                runs.append(
                    {"cases": cases, "slices": slices, "clustered": clustered, "round": number, **found}
                )
            if len(digests) > 1:
                raise CommandFailed("the same comparison was judged in two ways")
    return now("gates", runs)


def _judged(cases: int, slices: int, *, clustered: bool) -> Run:
    command = [sys.executable, "-m", "benchmarks.judging", str(cases), str(slices)]
    with pinned(CLIENT_CORE):
        busy = busy_s(CLIENT_CORE)
        done = subprocess.run(
            [*command, *(["--clustered"] if clustered else [])],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        busy = busy_s(CLIENT_CORE) - busy
    if done.returncode:
        raise CommandFailed(done.stderr)
    found: Run = json.loads(done.stdout)
    return {**found, "other_s": round(max(0.0, busy - found["cpu_s"]), 2)}
