"""`aioncall scores`: how scores stand now against before, by slice."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_CANNOT_JUDGE, EXIT_OK, add_verb, say, say_json, settings_of


def add_scores(verbs: Any) -> None:
    parser = add_verb(
        verbs, "scores", _scores, help=None, example="aioncall scores --since 24h --by persona,shape"
    )
    parser.description = "compare the scores of a span of time with those before it, by slice, worst first"
    parser.add_argument(
        "--since", metavar="SPAN|TIME", default="24h", help="24h (default), 7d, 2w, or a time"
    )
    parser.add_argument("--by", metavar="NAME,NAME", default="", help="slices, for example persona,shape")
    parser.add_argument("--evalset", metavar="NAME")
    parser.add_argument("--scorer", metavar="NAME")
    parser.add_argument(
        "--against",
        choices=["previous", "baseline"],
        default="previous",
        help="the span of the same length before (default), or the committed baseline",
    )
    parser.add_argument("--history", metavar="DIR|BRANCH", help="default: the runs of this machine")
    parser.add_argument("--now", metavar="TIME", help="the clock (RFC 3339), above AIONCALL_NOW")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _scores(options: argparse.Namespace) -> int:
    from ..flows.history import open_history
    from ..flows.scores import ScoresRequest, scores

    settings = settings_of(options, now=options.now)
    request = ScoresRequest(
        since=options.since,
        by=tuple(dict.fromkeys(name.strip() for name in options.by.split(",") if name.strip())),
        evalset=options.evalset,
        scorer=options.scorer,
        against=options.against,
    )
    history = open_history(options.history, settings, must_be_there=True)
    found = scores(request, history, settings)
    if options.json:
        say_json(found.as_json())
    else:
        say(*found.lines())
    return EXIT_OK if found.scorers else EXIT_CANNOT_JUDGE
