"""`aioncall runs list|show|prune|merge|mend`."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import UsageError
from .talk import EXIT_OK, add_verb, near, say, say_json, settings_of


def add_runs(verbs: Any) -> None:
    runs = add_verb(verbs, "runs", _runs, help=None, example="aioncall runs list")
    runs.add_argument("action", choices=["list", "show", "prune", "merge", "mend"])
    runs.add_argument(
        "run",
        nargs="*",
        metavar="RUN",
        help="show, mend: run id, run folder or latest (default); merge: the shards, or a folder with them",
    )
    runs.add_argument("--keep", type=int, default=20, help="how many runs prune leaves (default 20)")
    runs.add_argument("--json", action="store_true")


def _runs(options: argparse.Namespace) -> int:
    from ..flows.showing import list_of_runs, one_run, prune, run_line

    settings = settings_of(options)
    if len(options.run) > (options.action in ("show", "mend")) and options.action != "merge":
        raise UsageError(f"runs {options.action} takes no {options.run[-1]!r}; see aioncall runs --help")
    if options.action == "prune":
        gone = prune(settings, keep=options.keep)
        say(f"{len(gone)} runs deleted")
        return EXIT_OK
    if options.action == "merge":
        return _merge(options, settings)
    wanted = options.run[0] if options.run else "latest"
    if options.action == "mend":
        from ..flows.resume import mend

        say(*mend(wanted, settings))
        return EXIT_OK
    told = [one_run(wanted, settings)] if options.action == "show" else list_of_runs(settings)
    if options.json:
        say_json([run.model_dump(mode="json") for run in told])
        return EXIT_OK
    for run in told:
        say(run_line(run))
    if not told:
        say("no run yet; run: pytest --aioncall")
    return EXIT_OK


def _merge(options: argparse.Namespace, settings: Any) -> int:
    """Write one run folder of several shards."""
    from ..flows.merging import write_merged

    if not options.run:
        raise UsageError("name the shards: aioncall runs merge RUN RUN..., or the folder that holds them")
    found, folder = write_merged(options.run, settings)
    if options.json:
        say_json([found.run.model_dump(mode="json")])
        return EXIT_OK
    say(f"merged {len(found.sources)} runs -> {near(folder)}", *(f"  {note}" for note in found.notes))
    for one in found.run.evalsets:
        say(f"  {one.evalset}: {one.cases} cases x {one.epochs} epochs")
    say("", f"next:  aioncall gate --candidate {found.run.id}")
    return EXIT_OK
