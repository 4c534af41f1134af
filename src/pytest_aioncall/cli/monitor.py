"""`aioncall monitor`: what holds after a daily run, given all runs before it."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_OK, add_verb, say, say_json, settings_of


def add_monitor(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "monitor",
        _monitor,
        help=None,
        example="aioncall monitor --run latest --history aioncall-history",
    )
    parser.description = "enter a run into the history, and say what holds after it"
    parser.add_argument(
        "--run", metavar="RUN", default="latest", help="run id, run folder or latest (default)"
    )
    parser.add_argument(
        "--history",
        metavar="DIR|BRANCH",
        help="a folder (written with a slash: ./history/) or a branch; default: the runs of this machine",
    )
    parser.add_argument(
        "--kind",
        choices=["daily", "other"],
        help="only daily runs are monitored; default: by the job's event, daily outside of a job",
    )
    parser.add_argument(
        "--exit-zero", action="store_true", help="exit 0 whatever holds: a later step publishes it"
    )
    parser.add_argument("--now", metavar="TIME", help="the clock (RFC 3339), above AIONCALL_NOW")
    parser.add_argument("--json", action="store_true", help="print alerts.json")


def _monitor(options: argparse.Namespace) -> int:
    from ..flows.history import open_history
    from ..flows.monitor import monitored, monitored_without_run
    from ..flows.monitor_told import monitor_lines
    from ..flows.runs import has_no_run

    settings = settings_of(options, now=options.now)
    is_missing = has_no_run(options.run, settings)
    # The entry is pushed, which fetches; there is no need to fetch twice.
    history = open_history(
        options.history, settings, fetch=is_missing, but=options.run, must_be_there=True, makes=True
    )
    if is_missing:
        found = monitored_without_run(history=history, settings=settings)
    else:
        found = monitored(options.run, history=history, settings=settings, kind=options.kind)
    if options.json:
        say_json({**found.alerts.model_dump(mode="json"), "exit_code": found.exit_code})
    else:
        say(*monitor_lines(found, settings, history=options.history))
    return EXIT_OK if options.exit_zero else found.exit_code
