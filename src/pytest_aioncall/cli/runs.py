"""`aioncall runs list|show|prune`."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_OK, add_verb, say, say_json, settings_of


def add_runs(verbs: Any) -> None:
    runs = add_verb(verbs, "runs", _runs, help=None, example="aioncall runs list")
    runs.add_argument("action", choices=["list", "show", "prune"])
    runs.add_argument("run", nargs="?", default="latest", help="run id, run folder or latest (for show)")
    runs.add_argument("--keep", type=int, default=20, help="how many runs prune leaves (default 20)")
    runs.add_argument("--json", action="store_true")


def _runs(options: argparse.Namespace) -> int:
    from ..flows.showing import list_of_runs, one_run, prune, run_line

    settings = settings_of(options)
    if options.action == "prune":
        gone = prune(settings, keep=options.keep)
        say(f"{len(gone)} runs deleted")
        return EXIT_OK
    told = [one_run(options.run, settings)] if options.action == "show" else list_of_runs(settings)
    if options.json:
        say_json([run.model_dump(mode="json") for run in told])
        return EXIT_OK
    for run in told:
        say(run_line(run))
    if not told:
        say("no run yet; run: pytest --aioncall")
    return EXIT_OK
