"""What the plugin costs a project that does not use it, and what one case costs from a cold start."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.meter import CLIENT_CORE, Cost, measure
from benchmarks.project import OPTIONS, PYTEST, lay_project, plugin_run
from benchmarks.results import Results, Run, now

HEAVY = ["pydantic", "numpy", "scipy", "yaml", "jinja2", "httpx", "asyncio", "jsonschema"]
WITH, WITHOUT = "one test, plugin installed", "one test, `-p no:aioncall`"
ONE_CASE = "one case, `pytest --aioncall`"


def idle(*, quick: bool) -> Results:
    """Return runs of a one-test pytest with and without the plugin, and of an evalset of one case."""
    runs: list[Run] = []
    absent = {}
    with tempfile.TemporaryDirectory(prefix="aioncall-bench-") as name:
        folder = Path(name)
        (folder / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n", encoding="utf-8")
        lay_project(folder / "one", count=1)
        sides: dict[str, Callable[[], Cost]] = {
            WITH: lambda: measure([*PYTEST, "test_one.py"], folder=folder, core=CLIENT_CORE),
            WITHOUT: lambda: measure(
                [*PYTEST, "-p", "no:aioncall", "test_one.py"], folder=folder, core=CLIENT_CORE
            ),
            ONE_CASE: lambda: plugin_run(folder / "one"),
        }
        for side in sides.values():  # byte code, file cache
            side()
        for number in range(5 if quick else 20):
            order = list(sides) if number % 2 else list(reversed(sides))
            runs += [as_run(sides[name](), client=name, round=number) for name in order]
        heavy = imported(folder)
    absent["heavy modules imported with the plugin"] = ", ".join(heavy) or "none"
    return now("idle", runs, absent=absent)


def as_run(cost: Cost, **what: object) -> Run:
    """Return a cost as it is stored."""
    return {
        **what,
        "wall_s": round(cost.wall_s, 3),
        "cpu_s": round(cost.cpu_s, 3),
        "peak_mib": cost.peak_mib,
        "other_s": round(cost.other_s, 2),
    }


def imported(folder: Path, options: Sequence[str] = ()) -> list[str]:
    """Return which of the heavy modules a bare pytest run has imported at its end."""
    code = (
        "import json, sys, pytest\n"
        f"pytest.main({[*OPTIONS, *options, 'test_one.py']!r})\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    names: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return names
