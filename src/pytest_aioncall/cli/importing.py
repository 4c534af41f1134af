"""`aioncall gate --from TOOL A B`: the options of result files of other tools, and what they ask for."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import UsageError


def add_import(parser: argparse.ArgumentParser) -> None:
    """Add the options of `--from` to the gate's parser."""
    parser.add_argument(
        "results", nargs="*", metavar="A B", help="--from: baseline and candidate; a file, folder or 'glob'"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="TOOL",
        help="A and B are results of promptfoo, inspect, deepeval, pydantic-evals or junit (auto: look)",
    )
    parser.add_argument(
        "--scale",
        action="append",
        type=_scale,
        default=[],
        metavar="SCORER=WORST..BEST",
        help="--from: the scale of a scorer that is not on 0..1",
    )


def import_asked(options: argparse.Namespace) -> Any:
    """Return the ImportRequest that the command line asks for; None without `--from`."""
    if options.source is None:
        if options.results:
            raise UsageError(
                f"{options.results[0]}: which tool wrote it? gate --from auto A B, "
                "or, for runs and flat scores, --baseline A --candidate B"
            )
        if options.scale:
            raise UsageError("--scale belongs to --from; flat scores carry their scale in each row")
        return None
    from ..flows.imports import ImportRequest

    baseline, candidate = _sides(options)
    return ImportRequest(
        options.source,
        baseline,
        candidate,
        evalset=options.evalset,
        scorer=options.scorer,
        scales=dict(options.scale),
    )


def _sides(options: argparse.Namespace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    named = options.baseline or options.candidate
    if options.results and named:
        raise UsageError("name the two sides once: --from TOOL A B, or --baseline A --candidate B")
    if named:
        if not (options.baseline and options.candidate):
            raise UsageError("--from compares two sides: name --baseline A and --candidate B, or A B")
        return (options.baseline,), tuple(options.candidate)
    if len(options.results) != 2:
        raise UsageError(
            f"--from {options.source} takes two names, A (baseline) and B (candidate), "
            f"got {len(options.results)}; several files of one side are a folder, or a pattern in quotes: "
            "'runs/new-*.json'"
        )
    first, second = options.results
    return (first,), (second,)


def _scale(text: str) -> tuple[str, tuple[float, float]]:
    name, _, ends = text.rpartition("=")
    worst, _, best = ends.partition("..")
    try:
        found = float(worst), float(best)
    except ValueError:
        found = (0.0, 0.0)
    if not name or found[0] == found[1] or not all(abs(end) < 1e12 for end in found):
        raise argparse.ArgumentTypeError(
            f"{text} is no scale; write SCORER=WORST..BEST, for example helpful=1..5"
        )
    return name, found
