"""`aioncall baseline accept|show|diff`: the only way a baseline comes to be, or moves."""

from __future__ import annotations

import argparse
from typing import Any

from .talk import EXIT_OK, add_verb, near, say, say_json, settings_of


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
    diff.add_argument("--json", action="store_true")


def _accept(options: argparse.Namespace) -> int:
    from ..flows.accept import accept
    from ..flows.wording import sight_lines

    written = accept(
        options.evalset,
        run=options.run,
        reason=options.reason,
        by=options.by,
        ticket=options.accept_regression,
        settings=settings_of(options),
    )
    for one in written:
        moved = f", {len(one.moved)} moved" if one.moved else ""
        say(f"accepted {one.evalset}: {one.cases} cases x {one.epochs} epochs{moved} -> {near(one.path)}")
        say(*(f"  {line}" for line in sight_lines(one.sights)))
    say(
        "",
        f"next:  git add {' '.join(dict.fromkeys(near(one.path.parent) for one in written))}, then commit",
    )
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
    from ..flows.accept import diff
    from ..flows.wording import judgement_lines

    baseline, moves, judgement = diff(options.evalset, run=options.run, settings=settings_of(options))
    if options.json:
        say_json(
            {
                "format": 1,
                "evalset": baseline.header.evalset,
                "moves": [
                    {"case": m.case, "scorer": m.scorer, "baseline": m.was, "candidate": m.now} for m in moves
                ],
                "verdicts": [v.model_dump(mode="json") for v in judgement.verdicts],
            }
        )
        return EXIT_OK
    header = baseline.header
    say(f"{header.evalset}: baseline of {header.accepted_at[:10]} by {header.accepted_by}: {header.reason}")
    for move in moves:
        say(f"  {move.case:32} {move.scorer:20} {move.was:.2f} -> {move.now:.2f}")
    say("no case moved" if not moves else f"{len(moves)} scores moved", "")
    say(*judgement_lines(judgement))
    return EXIT_OK
