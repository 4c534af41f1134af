"""`aioncall baseline accept|show|diff`: the only way a baseline comes to be, or moves."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from .talk import EXIT_OK, add_verb, count, near, say, say_json, settings_of


def add_baseline(verbs: Any) -> None:
    parser = verbs.add_parser(
        "baseline",
        help="accept, show or compare the committed baselines",
        epilog="example: aioncall baseline show",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    accept = add_verb(
        actions,
        "accept",
        _accept,
        help="make a run the baseline, with a reason that reviewers read",
        example='aioncall baseline accept --reason "first run"',
    )
    accept.add_argument("evalset", nargs="*", metavar="EVALSET", help="which (default: all of the run)")
    accept.add_argument("--run", default="latest", help="run id, run folder or latest (default)")
    accept.add_argument("--reason", required=True, help="one sentence on why this is how it should be")
    accept.add_argument("--by", metavar="NAME", help="who accepts (default: git's user)")
    accept.add_argument(
        "--accept-regression", metavar="TICKET", help="accept a run that regressed, naming the ticket"
    )
    accept.add_argument(
        "--allow-errors",
        type=count,
        default=0,
        metavar="N",
        help="accept a run in which at most N samples errored; they have no score in the baseline",
    )
    show = add_verb(
        actions, "show", _show, help="show baselines: who, when, why", example="aioncall baseline show triage"
    )
    show.add_argument("evalset", nargs="*", metavar="EVALSET")
    show.add_argument("--json", action="store_true")
    diff = add_verb(
        actions,
        "diff",
        _diff,
        help="list the cases that moved since the baseline",
        example="aioncall baseline diff triage",
    )
    diff.add_argument("evalset", nargs="?", metavar="EVALSET")
    diff.add_argument("--run", default="latest", help="run id, run folder or latest (default)")
    diff.add_argument(
        "--cases", metavar="ID,ID", help="these cases only, with the answers then and now, word by word"
    )
    diff.add_argument("--all", action="store_true", help="list every score that moved (default: 30)")
    diff.add_argument(
        "-v", "--verbose", action="store_true", help="show the answers of the three worst cases, too"
    )
    diff.add_argument("--json", action="store_true")


def _accept(options: argparse.Namespace) -> int:
    from ..flows.accept import accept
    from ..flows.wording import sight_lines, trust_lines

    written = accept(
        options.evalset,
        run=options.run,
        reason=options.reason,
        by=options.by,
        ticket=options.accept_regression,
        settings=settings_of(options),
        allow_errors=options.allow_errors,
    )
    for one in written:
        if one.kept:
            say(f"kept {one.evalset}: unchanged (the same cases, answers, scores); name it to accept it anew")
            continue
        moved = f", {len(one.moved)} moved" if one.moved else ""
        say(f"accepted {one.evalset}: {one.cases} cases x {one.epochs} epochs{moved} -> {near(one.path)}")
        say(*(f"  {line}" for line in one.drift))
        say(*(f"  WARNING: {line}" for line in one.warnings))
        say(*(f"  {line}" for line in sight_lines(one.sights)))
        say(*(f"  {line}" for line in trust_lines(one.powers, one.floors)))
    folders = dict.fromkeys(near(one.path.parent) for one in written if not one.kept)
    if folders:
        say("", f"next:  git add {shlex.join(folders)}, then commit")
    return EXIT_OK


def _show(options: argparse.Namespace) -> int:
    from ..flows.showing import show

    shown = show(options.evalset, settings_of(options))
    if options.json:
        say_json([one.as_json() for one in shown])
        return EXIT_OK
    for one in shown:
        say(*one.lines())
    return EXIT_OK


def _diff(options: argparse.Namespace) -> int:
    from ..flows.diffing import diff

    found = diff(
        options.evalset,
        run=options.run,
        settings=settings_of(options),
        cases=[case for case in (options.cases or "").split(",") if case],
        texts=options.verbose,
    )
    if options.json:
        say_json(found.as_json())
    elif options.all:
        say(*found.lines(most=None))
    else:
        say(*found.lines())
    return EXIT_OK
