"""`aioncall rejudge BASELINE|RUN`: score stored answers again, without asking the target."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from typing import Any, TextIO

from .talk import EXIT_OK, add_verb, say, say_json, settings_of


def add_rejudge(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "rejudge",
        _rejudge,
        help=None,
        example='aioncall rejudge triage --reason "rubric: tone no longer counts"',
    )
    parser.description = "score the stored answers of a baseline or a run again with the scorers of today"
    parser.add_argument(
        "name", metavar="BASELINE|RUN", help="an evalset or its baseline file; a run id, run folder or latest"
    )
    parser.add_argument("--evalset", metavar="NAME", help="this evalset of a run only (default: all)")
    parser.add_argument("--reason", default="", help="one sentence on why; a baseline needs it")
    parser.add_argument("--by", metavar="NAME", help="who has it judged again (default: git's user)")
    parser.add_argument(
        "--all", action="store_true", help="score with every scorer, not only with those that changed"
    )
    parser.add_argument("--max-cost", metavar="USD", help="stop at this cost (default 5 for priced models)")
    parser.add_argument("--concurrency", metavar="N", help="how many outputs are judged at once")
    parser.add_argument("--replay", action="store_true", help="judges answer from recordings only")
    parser.add_argument("--record", action="store_true", help="keep what judges answer as recordings")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _rejudge(options: argparse.Namespace) -> int:
    from ..flows.guarding import GuardedStream, guard_for
    from ..flows.rejudge import RejudgeRequest, rejudge

    settings = settings_of(
        options,
        max_cost_usd=options.max_cost,
        concurrency=options.concurrency,
        replay=options.replay or None,
        record=options.record or None,
    )
    request = RejudgeRequest(
        options.name,
        evalset=options.evalset,
        reason=options.reason,
        by=options.by,
        every=options.all,
    )
    # What own scorers print is no part of the answer, least of all of its JSON; and they print answers.
    screen = sys.stderr
    theirs = GuardedStream(screen, guard_for(settings))
    try:
        with redirect_stdout(theirs), redirect_stderr(theirs):
            done = rejudge(request, settings, say=partial(_line, screen) if screen.isatty() else None)
    finally:
        theirs.finish()
    if options.json:
        say_json({"format": 1, "evalsets": [one.as_json() for one in done]})
        return EXIT_OK
    for one in done:
        say(*one.lines())
    written = [one for one in done if one.written is not None]
    if not written:
        return EXIT_OK
    first = written[0]
    if first.kind == "baseline":
        say("", f"next:  git diff {shlex.quote(first.written or '')}, then commit it")
    else:
        say("", f"next:  aioncall gate --candidate {shlex.quote(first.written or '')}{_of_one(done)}")
    return EXIT_OK


def _of_one(done: list[Any]) -> str:
    return f" --evalset {shlex.quote(done[0].evalset)}" if len(done) > 1 else ""


def _line(screen: TextIO, text: str) -> None:
    """Draw the progress over itself; a text with an end of line stays."""
    screen.write(f"\r\x1b[2K{text}")
    screen.flush()
