"""`aioncall gate`: judge a run, a baseline file or flat scores against a baseline."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .importing import add_import, import_asked
from .selfcheck import add_self_check, is_special, run_special
from .talk import add_verb, fraction, near, probability, say, say_json, settings_of

_MOST_WORST = 5


def add_gate(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "gate",
        _gate,
        help="judge a run, a baseline file, flat scores or another tool's results against a baseline",
        example="aioncall gate --baseline main.jsonl --candidate branch.jsonl --margin 0.05",
    )
    parser.add_argument(
        "--candidate",
        nargs="+",
        metavar="FILE|RUN",
        help="several are shards of one run; folders of run folders and patterns are taken, too",
    )
    parser.add_argument("--baseline", metavar="FILE|RUN", help="default: the run's committed baseline")
    parser.add_argument("--evalset", metavar="NAME")
    parser.add_argument("--scorer", metavar="NAME", help="judge this scorer only")
    parser.add_argument("--margin", type=fraction, metavar="X", help="largest drop that is no regression")
    parser.add_argument("--alpha", type=probability, metavar="A", help="false-alarm rate (default 0.05)")
    parser.add_argument("--slices", metavar="NAME,NAME", help="judge these partitions, too")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="exit 7 where a gate is inconclusive, or --self-check finds it cannot be relied on",
    )
    parser.add_argument("--require-baseline", action="store_true", help="exit 8 without a baseline")
    parser.add_argument(
        "--baseline-ref",
        metavar="REF",
        help="judge by baseline and gates as they were where the branch left REF, or by stricter ones",
    )
    parser.add_argument(
        "--daily",
        metavar="WHERE",
        help="branch or folder with daily runs of the base: what is red there is not blamed here",
    )
    parser.add_argument(
        "--max-error-rate", type=_share, metavar="X", help="share of samples that may lack a score (0.02)"
    )
    parser.add_argument("--report", metavar="DIR", help="write report.html and report.json there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_import(parser)
    add_self_check(parser)


def _gate(options: argparse.Namespace) -> int:
    _refuse_several_modes(options)
    if is_special(options):
        return run_special(options)
    from ..flows.gate_report import write_gate_report
    from ..flows.gating import GateRequest, change_of, gated_all, tell
    from ..flows.wording import left_out_line

    settings = settings_of(
        options,
        strict=options.strict or None,
        require_baseline=options.require_baseline or None,
        baseline_ref=options.baseline_ref,
        daily=options.daily,
    )
    request = GateRequest(
        candidates=tuple(options.candidate or ()),
        baseline=options.baseline,
        evalset=options.evalset,
        scorer=options.scorer,
        margin=options.margin,
        alpha=options.alpha,
        slices=tuple(name for name in (options.slices or "").split(",") if name),
        imported=import_asked(options),
        max_error_rate=options.max_error_rate,
    )
    found = gated_all(request, settings)
    told = tell(found)
    limited = change_of(request, found, settings)
    page = None
    if options.report:
        compared = [_compared(options, one) for one in found]
        page = write_gate_report(found, Path(options.report), settings, compared=compared, limited=limited)
    if options.json:
        say_json(told.as_json())
        return told.exit_code
    for number, one in enumerate(found):
        say(*([""] if number else []), *_lines(one, named=len(found) > 1))
    if len(found) > 1:
        say("", told.line)
    if limited is not None and (left_out := left_out_line(limited)):
        say(left_out)
    if page is not None:
        say(f"report: {near(page)}")
    elif told.status == "regressed":
        say("next: add --report DIR for a page with every case, its answers and its scores")
    return told.exit_code


def _lines(found: Any, *, named: bool) -> list[str]:
    """Return what is printed of a judgement; what a reader has to know first stands under the verdict."""
    from ..flows.wording import beside_base_lines, case_shown, judgement_lines

    notes = tuple(note for note in found.judgement.notes if note not in found.warnings)
    first, *rest = judgement_lines(found.judgement.model_copy(update={"notes": notes}))
    if named:
        first = f"{case_shown(found.candidate.evalset)}: {first}"
    standing = [f"  {line}" for line in found.standing]
    warnings = [f"  {warning}" for warning in found.warnings]
    beside = [
        f"  {line}" for line in beside_base_lines(found.judgement, already=found.already, review=found.review)
    ]
    return [first, *warnings, *_worst(found.judgement), *rest, *beside, *standing]


def _worst(judgement: Any) -> list[str]:
    """Name the cases that fell most, each once: what a reader of a red verdict looks at first."""
    from ..flows.wording import case_shown

    if judgement.status != "regressed":
        return []
    fell: dict[str, float] = {}
    for move in (one for one in judgement.worst if not one.already):
        fell[move.case] = min(fell.get(move.case, 0.0), move.difference or 0.0)
    # Cases that fell by a fraction of the worst one's fall explain nothing.
    far = 0.5 * min(fell.values(), default=0.0)
    names = list(dict.fromkeys([*judgement.newly_failing, *(name for name in fell if fell[name] <= far < 0)]))
    if not names:
        return []
    rest = f" and {len(names) - _MOST_WORST} more" if len(names) > _MOST_WORST else ""
    return [f"  worst cases: {', '.join(map(case_shown, names[:_MOST_WORST]))}{rest}"]


def _compared(options: argparse.Namespace, found: Any) -> tuple[str, str]:
    """Name baseline and candidate as a reader knows them."""
    if options.results:
        return options.results[0], options.results[1]
    if options.baseline:
        return options.baseline, " ".join(options.candidate)
    return f"the committed baseline of {found.candidate.evalset}", " ".join(options.candidate)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share; give a number from 0 to 1")
    return value


def _refuse_several_modes(options: argparse.Namespace) -> None:
    """Refuse a command line that asks for none or for several of the gate's modes."""
    asked = [
        name
        for name, given in (
            ("--self-check", options.self_check is not None),
            ("--aa", bool(options.aa)),
            ("--from", options.source is not None),
        )
        if given
    ]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} are different questions; ask one at a time")
    if not asked and not options.candidate and not options.results:
        raise UsageError(
            "name what is judged: --candidate FILE|RUN (latest for the newest run); results of another tool: "
            "--from TOOL A B; or look at the suite itself: --self-check, --aa RUN"
        )
    if "--aa" in asked and (options.candidate or options.baseline):
        raise UsageError("--aa takes its runs itself: aioncall gate --aa RUN [--aa RUN]")
