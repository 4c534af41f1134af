"""`aioncall init|check|schema`: a first evalset, and everything that is wrong before anything runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..model.spelling import counted
from .talk import EXIT_OK, EXIT_USAGE, add_verb, count, say, say_json, settings_of


def add_init(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "init",
        _init,
        help="write a first evalset for a function of yours, and the workflows that run it",
        example="aioncall init myapp.triage:route --github",
    )
    parser.add_argument(
        "target",
        metavar="PACKAGE.MODULE:FUNCTION",
        nargs="?",
        help="what to evaluate (default: an example, where there is no evalset yet)",
    )
    parser.add_argument("--name", help="name of the evalset (default: the function's)")
    parser.add_argument("--owner", help="who is on call for it (default: CODEOWNERS, else git's user)")
    parser.add_argument(
        "--github",
        action="store_true",
        help="write the gate, comment and daily workflows and CODEOWNERS, too",
    )
    parser.add_argument(
        "--shards", type=count, metavar="N", help="with --github: the daily run on N machines at once"
    )
    parser.add_argument(
        "--install", metavar="SPEC", help="with --github: what pip installs (default: this version)"
    )
    parser.add_argument(
        "--update",
        action="store_true",
        default=None,
        help="with --github: write workflows anew that would differ now; git has to have them",
    )


def add_check(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "check",
        _check,
        help="say everything that is wrong with configuration and evalsets; calls nothing",
        example="aioncall check evalsets/triage.eval.yaml",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="evalset files (default: all)")
    parser.add_argument(
        "--against",
        metavar="REF",
        help="list what is weaker than where this branch left REF; exit 1 without a reason",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_schema(verbs: Any) -> None:
    schema = add_verb(
        verbs, "schema", _schema, help=None, example="aioncall schema evalset > evalsets/.schema/evalset.json"
    )
    schema.add_argument("kind", choices=["evalset", "config", "incident"])


def _init(options: argparse.Namespace) -> int:
    from ..flows.scaffold import init
    from ..flows.scaffold_workflows import OnGitHub

    root = Path(options.root or Path.cwd()).absolute()
    for name in ("shards", "install", "update"):
        if getattr(options, name) is not None and not options.github:
            raise UsageError(f"--{name} says something of the workflows; add --github")
    github = (
        OnGitHub(options.shards, options.install, update=bool(options.update)) if options.github else None
    )
    written = init(options.target, name=options.name, owner=options.owner, github=github, start=root)
    for one in written:
        say(f"{one.state:8}{one.path}" + (f": {one.note}" if one.note else ""))
        say(*(f"          {line}" for line in one.diff))
    made = {one.path for one in written if one.state == "made"}
    evalset = next((path for path in made if path.endswith(".eval.yaml")), None)
    edit = f"edit the cases in {evalset}, then run: " if evalset else ""
    say("", f"next:  {edit}pytest --aioncall")
    if any(one.diff for one in written):
        say("       aioncall init --github --update takes what differs; git diff then shows what was yours")
    if github is not None:
        say("       then accept the run, commit and push; aioncall doctor says what is still missing")
    return EXIT_OK


def _check(options: argparse.Namespace) -> int:
    from ..flows.checking import check

    settings = settings_of(options, mode="replay")
    found = check(options.files, settings)
    review = None
    if options.against is not None and not found.problems:
        from ..flows.against import review_change

        named = [Path(name).absolute() for name in options.files]
        review = review_change(options.against, found.prepared, named=named, settings=settings)
    code = EXIT_USAGE if found.problems else _weakened(review)
    if options.json:
        _say_checked(found, review, code)
        return code
    say(*found.problems)
    if found.problems:
        say(*_warned(found))
        problems = counted(len(found.problems), "problem")
        compared = (
            "" if options.against is None else f" Not compared with {options.against}: mend this first."
        )
        say(f"{problems}; nothing was run and nothing was spent.{compared}")
        return code
    evalsets = counted(len(found.evalsets), "evalset")
    summary = f"{evalsets}, {counted(found.cases, 'case')}: no problem found"
    if review is None:
        say(*_warned(found), summary)
        return code
    from .against import entry_lines, review_lines

    say(*review_lines(review), "")
    say(*_warned(found), summary, *entry_lines(review))
    return code


def _warned(found: Any) -> list[str]:
    from ..flows.wording import log_line

    return [log_line(f"warning: {line}", 600) for line in found.warnings]


def _weakened(review: Any) -> int:
    if review is None:
        return EXIT_OK
    from .against import exit_code

    return exit_code(review)


def _say_checked(found: Any, review: Any, code: int) -> None:
    said = {
        "format": 1,
        "evalsets": found.evalsets,
        "cases": found.cases,
        "problems": found.problems,
        "warnings": found.warnings,
    }
    if review is not None:
        from .against import review_json

        said |= review_json(review)
    say_json({**said, "exit_code": code})


def _schema(options: argparse.Namespace) -> int:
    from ..flows.schema import schema

    say(json.dumps(schema(options.kind), indent=1))
    return EXIT_OK
