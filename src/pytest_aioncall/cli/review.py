"""`aioncall review`: the weekly look at what does not page."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_OK, add_verb, say, say_json, settings_of


def add_review(verbs: Any) -> None:
    parser = add_verb(verbs, "review", _review, help=None, example="aioncall review --since 7d --markdown")
    parser.add_argument(
        "--since", default="7d", metavar="TIME", help="a duration (7d, the default) or a day (2026-11-15)"
    )
    parser.add_argument("--history", metavar="DIR|BRANCH", help="default: the runs of this machine")
    parser.add_argument("--now", metavar="TIME", help="the clock (RFC 3339); AIONCALL_NOW by default")
    parser.add_argument("--markdown", action="store_true", help="print Markdown for an issue or a summary")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _review(options: argparse.Namespace) -> int:
    from ..flows.review import review, told

    found = review(settings_of(options, now=options.now), since=options.since, where=options.history)
    if options.json:
        say_json(found.model_dump(mode="json"))
    else:
        say(*told(found, markdown=options.markdown))
    return EXIT_OK
