"""DOOR 1: the `aioncall` command. Each verb is one call into flows; what it prints is made here."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from ..errors import AioncallError, NotComparable, UsageError
from .baseline import add_baseline
from .cassettes import add_cassettes
from .doctor import add_doctor
from .drill import add_drill
from .gate import add_gate
from .history import add_history
from .monitor import add_monitor
from .publish import add_publish
from .rejudge import add_rejudge
from .review import add_review
from .runbook import add_runbook
from .runs import add_runs
from .scores import add_scores
from .setting_up import add_check, add_init, add_schema
from .talk import (
    EXIT_CANNOT_JUDGE,
    EXIT_INTERRUPTED,
    EXIT_NOT_COMPARABLE,
    EXIT_OK,
    EXIT_USAGE,
    Parser,
    complain,
    leave_stdout,
)
from .who import add_oncall, add_who


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; a user's mistake is a line, never a traceback."""
    code = EXIT_OK
    try:
        code = _run(arguments)
        if not sys.stdout.closed:
            sys.stdout.flush()
    except BrokenPipeError:
        leave_stdout()
    return code


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        # argparse exits with 2, which is pytest's "interrupted"; bad usage is 4 everywhere.
        return EXIT_OK if stop.code in (0, None) else EXIT_USAGE
    verb: Callable[[argparse.Namespace], int] | None = getattr(options, "verb", None)
    if verb is None:
        parser.print_help()
        return EXIT_OK
    try:
        return verb(options)
    except NotComparable as error:
        complain(error)
        return EXIT_NOT_COMPARABLE
    except UsageError as error:
        complain(error)
        return EXIT_USAGE
    except AioncallError as error:
        complain(error)
        return EXIT_CANNOT_JUDGE
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else error)
        return EXIT_USAGE
    except KeyboardInterrupt:
        # Each step of these may be the last one; the next start does the rest.
        goes_on = options.command in ("publish", "monitor", "history")
        complain("interrupted; run it again: nothing is lost" if goes_on else "interrupted")
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser = Parser(
        prog="aioncall",
        description="Puts AI features on call: eval cases, an honest gate, a case out of every incident.",
        epilog="exit codes: 0 pass; 1 regressed or a floor broken; 2 interrupted; 4 bad YAML, configuration "
        "or usage; 7 cannot judge; 8 baseline missing or not comparable. Further verbs: "
        "cassettes, drill, history, monitor, oncall, rejudge, review, runbook, runs, schema, scores, who.",
    )
    parser.add_argument("--version", action="version", version=f"pytest-aioncall {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", dest="command")
    add_init(verbs)
    add_check(verbs)
    add_baseline(verbs)
    add_gate(verbs)
    add_doctor(verbs)
    add_publish(verbs)
    add_rejudge(verbs)
    add_schema(verbs)
    add_runs(verbs)
    add_cassettes(verbs)
    add_who(verbs)
    add_oncall(verbs)
    add_runbook(verbs)
    add_review(verbs)
    add_monitor(verbs)
    add_history(verbs)
    add_scores(verbs)
    add_drill(verbs)
    return parser
