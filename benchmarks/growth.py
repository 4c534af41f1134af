"""How cost and memory grow from 100 to 100,000 cases, where the model costs nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.idle import as_run
from benchmarks.items import count_right
from benchmarks.meter import CommandFailed
from benchmarks.project import count_passed, lay_project, plugin_run
from benchmarks.results import Results, Run, now

SIZES = {100: 5, 1_000: 5, 10_000: 3, 30_000: 1, 100_000: 1}
"""Cases, and how often each size is run: the large ones take minutes."""
QUICK = {100: 2, 1_000: 2, 10_000: 1}


def growth(*, quick: bool) -> Results:
    """Return runs of a Python target that answers at once, one scorer, one epoch."""
    runs: list[Run] = []
    sizes = QUICK if quick else SIZES
    with tempfile.TemporaryDirectory(prefix="aioncall-bench-") as name:
        for number in range(max(sizes.values())):
            for count in [count for count, repeats in sizes.items() if number < repeats]:
                project = Path(name) / f"{count}-{number}"
                lay_project(project, count=count)
                cost = plugin_run(project)
                if (right := count_passed(project)) != count_right(count):
                    raise CommandFailed(f"{right} of {count} cases passed, not {count_right(count)}")
                runs.append(as_run(cost, cases=count, round=number))
                shutil.rmtree(project)
    return now("growth", runs)
