"""`aioncall gate --self-check` and `--aa`: modes of the gate that judge the suite and the instrument."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from ..errors import UsageError
from .talk import EXIT_CANNOT_JUDGE, EXIT_OK, count, say, say_json, settings_of


def add_self_check(parser: argparse.ArgumentParser) -> None:
    """Add the options of `--self-check` and `--aa` to the gate's parser."""
    parser.add_argument(
        "--self-check",
        nargs="?",
        const="",
        metavar="EVALSET",
        help="simulate: false alarms, power, what more would cost (default: all evalsets with a baseline)",
    )
    parser.add_argument(
        "--runs",
        type=_runs,
        metavar="N",
        help="simulated runs of --self-check (default 300, 100 for slow tests)",
    )
    parser.add_argument("--no-plan", action="store_true", help="--self-check: look for no cheaper suite")
    parser.add_argument(
        "--aa",
        action="append",
        metavar="RUN",
        help="does the instrument hold its error rate? splits a run's epochs, or compares two runs (twice)",
    )


_BOTH = {"evalset", "scorer", "margin", "alpha", "slices", "json"}
_USED = {
    "--self-check": _BOTH
    | {"self_check", "candidate", "baseline", "baseline_ref", "strict", "runs", "no_plan"},
    "--aa": _BOTH | {"aa"},
}
# Not asked on the command line: where the project is, and what the parser keeps for itself.
_NO_OPTIONS = {"command", "root", "verb"}


def is_special(options: argparse.Namespace) -> bool:
    """Tell whether the command line asks for one of these modes.

    Raises UsageError for an option that the mode asked for would pass over.
    """
    mode = "--self-check" if options.self_check is not None else "--aa" if options.aa else None
    given = {name for name, value in vars(options).items() if value not in (None, False, [], ())}
    if mode is None:
        strays = given & {"runs", "no_plan"}
        reason = "belongs to --self-check"
    else:
        strays = given - _USED[mode] - _NO_OPTIONS
        reason = f"does not go with {mode}"
    if strays:
        name = min(strays)
        shown = repr(options.results[0]) if name == "results" else f"--{name.replace('_', '-')}"
        raise UsageError(f"{shown} {reason}")
    return mode is not None


def run_special(options: argparse.Namespace) -> int:
    """Run the mode that was asked for."""
    return _self_check(options) if options.self_check is not None else _aa(options)


def _self_check(options: argparse.Namespace) -> int:
    from ..flows.selfcheck import CheckRequest, check_suites

    given = [*(options.candidate or ()), *([options.baseline] if options.baseline else ())]
    if len(given) > 1:
        raise UsageError(f"--self-check looks at one suite, and {len(given)} are given: {', '.join(given)}")
    request = CheckRequest(
        evalset=options.self_check or options.evalset or None,
        given=tuple(given),
        scorer=options.scorer,
        margin=options.margin,
        alpha=options.alpha,
        slices=tuple(name for name in (options.slices or "").split(",") if name),
        runs=options.runs,
        plans=not options.no_plan,
    )
    settings = settings_of(options, baseline_ref=options.baseline_ref)
    counter = _Counter()
    try:
        checked = check_suites(request, settings, announce=counter.begin)
    finally:
        counter.clear()
    if options.json:
        found = [one.check.model_dump(mode="json") for one in checked]
        say_json({"format": 1, "suites": found})
    for nth, one in enumerate(checked if not options.json else ()):
        say(*([""] if nth else []), *one.lines())
    fails = options.strict and any(one.fails_strict for one in checked)
    return EXIT_CANNOT_JUDGE if fails else EXIT_OK


def _aa(options: argparse.Namespace) -> int:
    from ..flows.aa import aa_lines, aa_run
    from ..flows.gating import GateRequest

    wish = GateRequest(
        candidates=tuple(options.aa),
        evalset=options.evalset,
        scorer=options.scorer,
        margin=options.margin,
        alpha=options.alpha,
        slices=tuple(name for name in (options.slices or "").split(",") if name),
    )
    report = aa_run(wish, settings_of(options))
    if options.json:
        say_json(report.model_dump(mode="json"))
    else:
        say(*aa_lines(report))
    return report.exit_code


class _Counter:
    """One line on a terminal's stderr while runs are simulated; nothing where nobody looks."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._width = 0
        self._last = 0.0

    def begin(self, name: str) -> Callable[[int], None]:
        made = 0

        def count_up(more: int) -> None:
            nonlocal made
            made += more
            now = time.monotonic()
            if self._shown and now - self._last >= 0.2:
                self._last = now
                self._write(f"aioncall self-check {name}: {made:,} comparisons")

        return count_up

    def clear(self) -> None:
        if self._width:
            self._write("")
            sys.stderr.write("\r")
            self._width = 0

    def _write(self, text: str) -> None:
        text = text.encode("ascii", "backslashreplace").decode("ascii")[:78]
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


def _runs(text: str) -> int:
    value = count(text)
    if not 20 <= value <= 20_000:
        raise argparse.ArgumentTypeError(f"{text} is no number of runs; give 20 to 20000")
    return value
