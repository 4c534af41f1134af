"""`aioncall history push|pull|rebuild|show|site`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .talk import EXIT_OK, add_verb, count, near, say, say_json, settings_of


def add_history(verbs: Any) -> None:
    parser = add_verb(verbs, "history", _history, help=None, example="aioncall history show")
    parser.description = "look at the history of runs, share it, fetch it, make it again"
    parser.add_argument("action", choices=["push", "pull", "rebuild", "show", "site"])
    parser.add_argument(
        "folder", nargs="*", metavar="FOLDER", help="rebuild: run folders, or folders that hold some"
    )
    parser.add_argument(
        "--history",
        metavar="DIR|BRANCH",
        help="show, rebuild, site: which history; push, pull: the folder here. Default: this machine's",
    )
    parser.add_argument("--branch", metavar="NAME", help="push, pull: the branch (default monitors.history)")
    parser.add_argument("--kind", choices=["daily", "other"], help="push, rebuild: what the runs were")
    parser.add_argument("--evalset", metavar="NAME", help="show: this evalset only")
    parser.add_argument("--last", type=count, default=30, metavar="N", help="show: the newest N (default 30)")
    parser.add_argument("--out", metavar="DIR", help="site: where the pages are written (default site)")
    parser.add_argument("--days", type=count, metavar="N", help="site: how far back it reaches (default 180)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


_OPTIONS = {
    "push": {"history", "branch", "kind"},
    "pull": {"history", "branch"},
    "rebuild": {"folder", "history", "kind"},
    "show": {"history", "evalset"},
    "site": {"history", "out", "days"},
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
    if options.action == "site":
        return _site(options, settings)
    if options.action == "rebuild":
        done = keeping.rebuild(options.folder, settings, history=options.history, kind=options.kind)
    elif options.action == "push":
        done = keeping.push(settings, branch=options.branch, history=options.history, kind=options.kind)
    else:
        done = keeping.pull(settings, branch=options.branch, history=options.history)
    if options.json:
        told = {"format": 1, "history": done.where, "entries": done.looked_at, "new": done.new}
        say_json({**told, "notes": list(done.notes)})
        return EXIT_OK
    say(f"{done.where}: {done.looked_at} entries, {done.new} new or changed")
    say(*(f"  note: {note}" for note in done.notes))
    return EXIT_OK


def _site(options: argparse.Namespace, settings: Any) -> int:
    """Write the pages of the trend."""
    from ..flows.trend import DAYS, write_site

    days = DAYS if options.days is None else options.days
    pages = write_site(Path(options.out or "site"), where=options.history, settings=settings, days=days)
    if options.json:
        say_json({"format": 1, "pages": [str(page) for page in pages]})
        return EXIT_OK
    say(f"{len(pages)} pages -> {near(pages[0])}", f"next:  open {near(pages[0])}")
    return EXIT_OK


def _refuse_unused(options: argparse.Namespace) -> None:
    """Refuse an option that this action would pass over in silence."""
    for name in ("folder", "history", "branch", "kind", "evalset", "out", "days"):
        given = getattr(options, name)
        if given not in (None, []) and name not in _OPTIONS[options.action]:
            shown = given[0] if name == "folder" else f"--{name}"
            raise UsageError(f"history {options.action} takes no {shown}; see aioncall history --help")
