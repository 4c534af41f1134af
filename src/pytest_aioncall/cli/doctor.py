"""`aioncall doctor`: what is missing, why it matters, and what mends it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .talk import EXIT_OK, EXIT_USAGE, add_verb, say, say_json

_EXIT_MEND = 1


def add_doctor(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "doctor",
        _doctor,
        help="say what keeps the gate and the daily run from working, and what mends it",
        example="aioncall doctor --online",
    )
    parser.add_argument(
        "--online",
        action="store_true",
        help="ask GitHub, too (needs GITHUB_TOKEN or GH_TOKEN; changes nothing)",
    )
    parser.add_argument("--verbose", "-v", action="store_true", help="list what is fine, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _doctor(options: argparse.Namespace) -> int:
    from ..flows.doctor import look

    start = Path(options.root or Path.cwd()).absolute()
    looked = look(start, {}, online=options.online)
    code = EXIT_USAGE if looked.unreadable else _EXIT_MEND if looked.has_to_be_mended else EXIT_OK
    if options.json:
        say_json(
            {
                "format": 1,
                "findings": [asdict(one) for one in looked.findings],
                "fine": [asdict(one) for one in looked.fine],
                "unknown": [asdict(one) for one in looked.unknown],
                "exit_code": code,
            }
        )
        return code
    _say_findings(looked)
    _say_rest(looked, verbose=options.verbose)
    return code


def _say_findings(looked: Any) -> None:
    for one in looked.findings:
        where = f"{one.file}: " if one.file else ""
        say(f"{one.level:7}{where}{one.what}", f"       why: {one.why}", f"       fix: {one.fix}", "")


def _say_rest(looked: Any, *, verbose: bool) -> None:
    if verbose:
        say(*(f"fine   {one.check}: {one.what}" for one in looked.fine))
    say(*(f"?      {one.check}: {one.why}" for one in looked.unknown))
    must = sum(one.level == "must" for one in looked.findings)
    should = len(looked.findings) - must
    if not looked.findings:
        say(f"{len(looked.fine)} checks, nothing is missing")
        return
    parts = [f"{must} to mend before it works"] if must else []
    parts += [f"{should} to think about"] if should else []
    say(f"{', '.join(parts)}; {len(looked.fine)} checks are fine")
