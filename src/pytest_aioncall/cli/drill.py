"""`aioncall drill`: try the way of a page before one is needed."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import add_verb, say, say_json, settings_of


def add_drill(verbs: Any) -> None:
    parser = add_verb(verbs, "drill", _drill, help=None, example="aioncall drill --channel slack")
    parser.description = (
        "fire one incident that is none, labelled aioncall-drill, through the issue tracker and the "
        "notifiers of tier 1, and end it again; real incidents are not touched"
    )
    parser.add_argument("--channel", metavar="NAME", help="this notifier only, or github for the issue only")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent, and what is missing")
    parser.add_argument("--keep", action="store_true", help="leave issue and page open, to be ended by hand")
    parser.add_argument("--now", metavar="TIME", help="the clock (RFC 3339); AIONCALL_NOW by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _drill(options: argparse.Namespace) -> int:
    from ..flows.drill import drill

    settings = settings_of(options, now=options.now)
    told = drill(settings, channel=options.channel, dry_run=options.dry_run, keep=options.keep)
    if options.json:
        say_json(told.as_json())
    else:
        say(*told.lines)
    return told.exit_code
