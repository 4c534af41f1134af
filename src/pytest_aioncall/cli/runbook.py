"""`aioncall runbook`: what to look at when an alert rings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .talk import EXIT_OK, add_verb, near, say, say_json, settings_of


def add_runbook(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "runbook",
        _runbook,
        help=None,
        example="aioncall runbook eval_regression --evalset triage",
    )
    parser.description = "print what to look at for a kind of alert; without a kind, list them"
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="as in alerts.json: eval_regression, errors, ..."
    )
    parser.add_argument("--evalset", default="EVALSET", metavar="NAME", help="put it into the commands")
    parser.add_argument("--run", default="latest", metavar="RUN", help="put it into the commands (latest)")
    parser.add_argument(
        "--write",
        nargs="?",
        const="",
        metavar="DIR",
        help="write a page a kind into your repository, to make them yours (default docs/runbooks)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _runbook(options: argparse.Namespace) -> int:
    from ..flows import runbooks

    if options.write is not None:
        if options.kind:
            raise UsageError("--write writes all pages; leave the kind away")
        folder = Path(options.write) if options.write else runbooks.default_folder(settings_of(options))
        done = runbooks.write_pages(folder)
        if options.json:
            say_json({"format": 1, "made": [*map(str, done.made)], "kept": [*map(str, done.kept)]})
            return EXIT_OK
        say(f"{len(done.made)} pages written to {near(folder)}, {len(done.kept)} kept as they are")
        say("next:  make them yours, and commit them; alerts link to docs/runbooks or to oncall.runbooks")
        return EXIT_OK
    if not options.kind:
        if options.json:
            say_json({"format": 1, "kinds": list(runbooks.KINDS)})
        else:
            say(*runbooks.KINDS, "", "next:  aioncall runbook KIND")
        return EXIT_OK
    text = runbooks.shown(options.kind, evalset=options.evalset, run=options.run)
    if options.json:
        say_json({"format": 1, "kind": options.kind, "text": text})
    else:
        say(*text.rstrip("\n").split("\n"))
    return EXIT_OK
