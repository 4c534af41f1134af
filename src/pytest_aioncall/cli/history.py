"""`aioncall history push|pull|rebuild|show`."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import UsageError
from .talk import EXIT_OK, add_verb, count, say, say_json, settings_of


def add_history(verbs: Any) -> None:
    parser = add_verb(verbs, "history", _history, help=None, example="aioncall history show")
    parser.description = "look at the history of runs, share it, fetch it, make it again"
    parser.add_argument("action", choices=["push", "pull", "rebuild", "show"])
    parser.add_argument(
        "folder", nargs="*", metavar="FOLDER", help="rebuild: run folders, or folders that hold some"
    )
    parser.add_argument(
        "--history",
        metavar="DIR|BRANCH",
        help="show, rebuild: which history; push, pull: the folder here. Default: this machine's",
    )
    parser.add_argument("--branch", metavar="NAME", help="push, pull: the branch (default monitors.history)")
    parser.add_argument("--kind", choices=["daily", "other"], help="rebuild: what the runs were")
    parser.add_argument("--evalset", metavar="NAME", help="show: this evalset only")
    parser.add_argument("--last", type=count, default=30, metavar="N", help="show: the newest N (default 30)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


_OPTIONS = {
    "push": {"history", "branch"},
    "pull": {"history", "branch"},
    "rebuild": {"folder", "history", "kind"},
    "show": {"history", "evalset"},
}


def _history(options: argparse.Namespace) -> int:
    from ..flows import keeping

    _refuse_unused(options)
    settings = settings_of(options)
    if options.action == "show":
        shown = keeping.show(
            settings, history=options.history, evalset=options.evalset, last=max(1, options.last)
        )
        if options.json:
            say_json(shown.as_json())
        else:
            say(*shown.lines())
        return EXIT_OK
    if options.action == "rebuild":
        done = keeping.rebuild(options.folder, settings, history=options.history, kind=options.kind)
    else:
        move = keeping.push if options.action == "push" else keeping.pull
        done = move(settings, branch=options.branch, history=options.history)
    if options.json:
        told = {"format": 1, "history": done.where, "entries": done.looked_at, "new": done.new}
        say_json({**told, "notes": list(done.notes)})
        return EXIT_OK
    say(f"{done.where}: {done.looked_at} entries, {done.new} new or changed")
    say(*(f"  note: {note}" for note in done.notes))
    return EXIT_OK


def _refuse_unused(options: argparse.Namespace) -> None:
    """Refuse an option that this action would pass over in silence."""
    for name in ("folder", "history", "branch", "kind", "evalset"):
        given = getattr(options, name)
        if given and name not in _OPTIONS[options.action]:
            shown = given[0] if name == "folder" else f"--{name}"
            raise UsageError(f"history {options.action} takes no {shown}; see aioncall history --help")
