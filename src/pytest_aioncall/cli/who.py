"""`aioncall who` and `aioncall oncall`: who is called, and who will be."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_OK, add_verb, count, say, say_json, settings_of


def add_who(verbs: Any) -> None:
    parser = add_verb(verbs, "who", _who, help=None, example='aioncall who --at "2026-12-24 10:00"')
    parser.add_argument("--at", metavar="TIME", help="then, not now; without an offset local to the rotation")
    parser.add_argument("--feature", metavar="EVALSET", help="who is called for this one, and who owns it")
    parser.add_argument("--now", metavar="TIME", help="the clock (RFC 3339); AIONCALL_NOW by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_oncall(verbs: Any) -> None:
    parser = add_verb(verbs, "oncall", _oncall, help=None, example="aioncall oncall --weeks 8")
    parser.add_argument("--weeks", type=count, default=4, metavar="N", help="how far to look (default 4)")
    parser.add_argument("--now", metavar="TIME", help="the clock (RFC 3339); AIONCALL_NOW by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _who(options: argparse.Namespace) -> int:
    from ..flows.rotation import who

    found = who(settings_of(options, now=options.now), at=options.at, feature=options.feature)
    if options.json:
        say_json(found.as_json())
    else:
        say(*found.lines())
    return EXIT_OK


def _oncall(options: argparse.Namespace) -> int:
    from ..flows.rotation import plan

    found = plan(settings_of(options, now=options.now), weeks=options.weeks)
    if options.json:
        say_json(found.as_json())
    else:
        say(*found.lines())
    return EXIT_OK
