"""DOOR 1: the `aioncall` command. Each verb is one call into flows; what it prints is made here."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .errors import AioncallError, NotComparable, UsageError

EXIT_OK, EXIT_USAGE, EXIT_CANNOT_JUDGE, EXIT_NOT_COMPARABLE, EXIT_INTERRUPTED = 0, 4, 7, 8, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code; a user's mistake is a line, never a traceback."""
    code = EXIT_OK
    try:
        code = _run(arguments)
        if not sys.stdout.closed:
            sys.stdout.flush()
    except BrokenPipeError:
        _leave_stdout()
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
        _complain(error)
        return EXIT_NOT_COMPARABLE
    except UsageError as error:
        _complain(error)
        return EXIT_USAGE
    except AioncallError as error:
        _complain(error)
        return EXIT_CANNOT_JUDGE
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}" if error.filename else error)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _complain(error: object) -> None:
    sys.stderr.write(f"{error}\n")


def _say(*lines: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    for line in lines:
        _write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _say_json(value: Any) -> None:
    _write(json.dumps(value, ensure_ascii=True) + "\n")


def _write(text: str) -> None:
    """Print; a reader that has gone (`| head`) changes nothing about the verb and its exit code."""
    if sys.stdout.closed:
        return
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        _leave_stdout()


def _leave_stdout() -> None:
    # Closed, Python does not flush it again, and complain, when the process ends.
    with suppress(OSError):
        sys.stdout.close()


def _settings(options: argparse.Namespace, **flags: Any) -> Any:
    from .flows.evalrun import settings_for

    start = Path(getattr(options, "root", None) or Path.cwd())
    return settings_for(start.absolute(), flags)


# -- verbs


def _init(options: argparse.Namespace) -> int:
    from .flows.scaffold import init

    root = Path(options.root or Path.cwd()).absolute()
    written = init(options.target, name=options.name, owner=options.owner, github=options.github, start=root)
    for one in written:
        _say(f"{one.state:8}{one.path}")
    evalset = next(one.path for one in written if one.path.endswith(".eval.yaml"))
    _say("", f"next:  edit the cases in {evalset}, then run: pytest --aioncall")
    return EXIT_OK


def _check(options: argparse.Namespace) -> int:
    from .flows.checking import check

    found = check(options.files, _settings(options, mode="replay"))
    if options.json:
        _say_json(
            {
                "format": 1,
                "evalsets": found.evalsets,
                "cases": found.cases,
                "problems": found.problems,
                "warnings": found.warnings,
                "exit_code": EXIT_USAGE if found.problems else EXIT_OK,
            }
        )
        return EXIT_USAGE if found.problems else EXIT_OK
    _say(*found.problems)
    _say(*(f"warning: {line}" for line in found.warnings))
    if found.problems:
        count = len(found.problems)
        _say(f"{count} problem{'' if count == 1 else 's'}; nothing was run and nothing was spent.")
        return EXIT_USAGE
    evalsets = len(found.evalsets)
    _say(f"{evalsets} evalset{'' if evalsets == 1 else 's'}, {found.cases} cases: no problem found")
    return EXIT_OK


def _schema(options: argparse.Namespace) -> int:
    from .flows.schema import schema

    _say(json.dumps(schema(options.kind), indent=1))
    return EXIT_OK


def _gate(options: argparse.Namespace) -> int:
    from .flows.gating import GateRequest, gate
    from .flows.wording import judgement_lines

    settings = _settings(
        options,
        strict=options.strict or None,
        require_baseline=options.require_baseline or None,
        baseline_ref=options.baseline_ref,
    )
    request = GateRequest(
        candidates=tuple(options.candidate),
        baseline=options.baseline,
        evalset=options.evalset,
        scorer=options.scorer,
        margin=options.margin,
        alpha=options.alpha,
        slices=tuple(name for name in (options.slices or "").split(",") if name),
    )
    judgement = gate(request, settings)
    if options.json:
        _say_json(judgement.model_dump(mode="json"))
    else:
        _say(*judgement_lines(judgement))
    return judgement.exit_code


def _accept(options: argparse.Namespace) -> int:
    from .flows.accept import accept
    from .flows.wording import sight_lines

    written = accept(
        options.evalset,
        run=options.run,
        reason=options.reason,
        by=options.by,
        ticket=options.accept_regression,
        settings=_settings(options),
    )
    for one in written:
        moved = f", {len(one.moved)} moved" if one.moved else ""
        _say(f"accepted {one.evalset}: {one.cases} cases x {one.epochs} epochs{moved} -> {_near(one.path)}")
        _say(*(f"  {line}" for line in sight_lines(one.sights)))
    _say(
        "",
        f"next:  git add {' '.join(dict.fromkeys(_near(one.path.parent) for one in written))}, then commit",
    )
    return EXIT_OK


def _show(options: argparse.Namespace) -> int:
    from .flows.showing import show

    shown = show(options.evalset, _settings(options))
    if options.json:
        _say_json([one.as_json() for one in shown])
        return EXIT_OK
    for one in shown:
        _say(*one.lines())
    return EXIT_OK


def _diff(options: argparse.Namespace) -> int:
    from .flows.accept import diff
    from .flows.wording import judgement_lines

    baseline, moves, judgement = diff(options.evalset, run=options.run, settings=_settings(options))
    if options.json:
        _say_json(
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
    _say(f"{header.evalset}: baseline of {header.accepted_at[:10]} by {header.accepted_by}: {header.reason}")
    for move in moves:
        _say(f"  {move.case:32} {move.scorer:20} {move.was:.2f} -> {move.now:.2f}")
    _say("no case moved" if not moves else f"{len(moves)} scores moved", "")
    _say(*judgement_lines(judgement))
    return EXIT_OK


def _runs(options: argparse.Namespace) -> int:
    from .flows.showing import list_of_runs, one_run, prune

    settings = _settings(options)
    if options.action == "prune":
        gone = prune(settings, keep=options.keep)
        _say(f"{len(gone)} runs deleted")
        return EXIT_OK
    told = [one_run(options.run, settings)] if options.action == "show" else list_of_runs(settings)
    if options.json:
        _say_json([run.model_dump(mode="json") for run in told])
        return EXIT_OK
    for run in told:
        state = "complete" if run.complete else "partial"
        names = ", ".join(one.evalset for one in run.evalsets) or "-"
        totals = run.totals
        _say(f"{run.id}  {state:8}  {totals.judged}/{totals.planned} judged, {totals.errors} errors  {names}")
    if not told:
        _say("no run yet; run: pytest --aioncall")
    return EXIT_OK


def _near(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


# -- the command line


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(
        prog="aioncall",
        description="Puts AI features on call: eval cases, an honest gate, a case out of every incident.",
        epilog="exit codes: 0 pass; 1 regressed or a floor broken; 4 bad YAML, configuration or usage; "
        "7 cannot judge; 8 baseline missing or not comparable. Further verbs: schema, runs.",
    )
    parser.add_argument("--version", action="version", version=f"pytest-aioncall {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    _add_init(verbs)
    _add_check(verbs)
    _add_baseline(verbs)
    _add_gate(verbs)
    _add_others(verbs)
    return parser


def _verb(
    verbs: Any, name: str, call: Callable[[argparse.Namespace], int], *, help: str | None, example: str
) -> argparse.ArgumentParser:
    shown = {"help": help} if help is not None else {}
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        description=help,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **shown,
    )
    parser.add_argument("--root", help=argparse.SUPPRESS)
    parser.set_defaults(verb=call)
    return parser


def _add_init(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "init",
        _init,
        help="write a first evalset for a function of yours",
        example="aioncall init myapp.triage:route",
    )
    parser.add_argument("target", metavar="PACKAGE.MODULE:FUNCTION", help="what to evaluate")
    parser.add_argument("--name", help="name of the evalset (default: the function's)")
    parser.add_argument("--owner", help="who is on call for it (default: CODEOWNERS, else git's user)")
    parser.add_argument("--github", action="store_true", help="write a gate workflow for pull requests, too")


def _add_check(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "check",
        _check,
        help="say everything that is wrong with configuration and evalsets; calls nothing",
        example="aioncall check evalsets/triage.eval.yaml",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="evalset files (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_baseline(verbs: Any) -> None:
    parser = verbs.add_parser(
        "baseline",
        help="accept, show or compare the committed baselines",
        epilog="example: aioncall baseline show",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    accept = _verb(
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
    show = _verb(
        actions, "show", _show, help="show baselines: who, when, why", example="aioncall baseline show triage"
    )
    show.add_argument("evalset", nargs="*", metavar="EVALSET")
    show.add_argument("--json", action="store_true")
    diff = _verb(
        actions,
        "diff",
        _diff,
        help="list the cases that moved since the baseline",
        example="aioncall baseline diff triage",
    )
    diff.add_argument("evalset", nargs="?", metavar="EVALSET")
    diff.add_argument("--run", default="latest", help="run id, run folder or latest (default)")
    diff.add_argument("--json", action="store_true")


def _add_gate(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "gate",
        _gate,
        help="judge a run, a baseline file or flat scores against a baseline",
        example="aioncall gate --baseline main.jsonl --candidate branch.jsonl --margin 0.05",
    )
    parser.add_argument(
        "--candidate", nargs="+", required=True, metavar="FILE|RUN", help="several are shards of one run"
    )
    parser.add_argument("--baseline", metavar="FILE|RUN", help="default: the run's committed baseline")
    parser.add_argument("--evalset", metavar="NAME")
    parser.add_argument("--scorer", metavar="NAME", help="judge this scorer only")
    parser.add_argument("--margin", type=_fraction, metavar="X", help="largest drop that is no regression")
    parser.add_argument("--alpha", type=_probability, metavar="A", help="false-alarm rate (default 0.05)")
    parser.add_argument("--slices", metavar="NAME,NAME", help="judge these partitions, too")
    parser.add_argument("--strict", action="store_true", help="exit 7 where a gate is inconclusive")
    parser.add_argument("--require-baseline", action="store_true", help="exit 8 without a baseline")
    parser.add_argument("--baseline-ref", metavar="REF", help="baseline as it was where the branch left REF")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_others(verbs: Any) -> None:
    schema = _verb(
        verbs, "schema", _schema, help=None, example="aioncall schema evalset > evalsets/.schema/evalset.json"
    )
    schema.add_argument("kind", choices=["evalset", "config", "incident"])
    runs = _verb(verbs, "runs", _runs, help=None, example="aioncall runs list")
    runs.add_argument("action", choices=["list", "show", "prune"])
    runs.add_argument("run", nargs="?", default="latest", help="run id, run folder or latest (for show)")
    runs.add_argument("--keep", type=int, default=20, help="how many runs prune leaves (default 20)")
    runs.add_argument("--json", action="store_true")


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text} is no margin; give a number from 0 up, in units of the scale"
        )
    return value


def _probability(text: str) -> float:
    value = float(text)
    if not 0 < value < 0.5:
        raise argparse.ArgumentTypeError(f"{text} is no false-alarm rate; give a number between 0 and 0.5")
    return value


if __name__ == "__main__":
    sys.exit(main())
