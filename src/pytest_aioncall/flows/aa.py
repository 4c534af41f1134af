"""`aioncall gate --aa`: one subject against itself, by its own gates."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..adapters.render.aa_screen import aa_screen
from ..decide.aa import AaRequest, compare_runs, split_run
from ..decide.fingerprints import changes_between
from ..errors import UsageError
from ..model.selfcheck import AaReport
from ..settings import Settings
from .gating import GateRequest, gates_asked
from .givens import Given, given_side
from .runs import evalset_of, load_run

__all__ = ["aa_lines", "aa_run"]

aa_lines = aa_screen


def aa_run(wish: GateRequest, settings: Settings) -> AaReport:
    """Split one run, or compare two runs of the same subject: the candidates of `wish`.

    Raises UsageError for partial runs, more than two, and two runs whose instrument or subject differs.
    """
    names, evalset = wish.candidates, wish.evalset
    if len(names) > 2:
        raise UsageError(f"--aa takes one run or two, and {len(names)} are given")
    given = [_whole(name, evalset, settings) for name in names]
    first = given[0]
    request = AaRequest(
        evalset=first.evalset,
        gates=gates_asked(wish, first),
        defaults=settings.config.defaults.model_copy(
            update={} if wish.alpha is None else {"alpha": wish.alpha}
        ),
        runs=tuple(_run_id(name, settings) for name in names),
    )
    if len(given) == 1:
        report = split_run(first.side, request)
    else:
        _refuse_other_subject(names, evalset, settings)
        report = compare_runs(first.side, given[1].side, request)
    return report.model_copy(update={"next": _next(report, first)})


def _whole(name: str, evalset: str | None, settings: Settings) -> Given:
    given = given_side(name, evalset, settings)
    if given.missing:
        raise UsageError(f"{name}: {given.missing} cases are missing; an A/A run takes whole runs")
    if not given.side.rows:
        raise UsageError(f"{name}: no case; there is nothing to compare")
    return given


def _is_run(name: str) -> bool:
    return not Path(name).is_file() or Path(name).name == "run.json"


def _run_id(name: str, settings: Settings) -> str:
    if not _is_run(name):
        return Path(name).name
    return load_run(str(Path(name).parent) if Path(name).is_file() else name, settings)[1].id


def _refuse_other_subject(names: tuple[str, ...], evalset: str | None, settings: Settings) -> None:
    """Refuse two runs that are no A/A pair: another instrument or subject is a change that is known."""
    files = [name for name in names if not _is_run(name)]
    if files:
        raise UsageError(
            f"{files[0]}: two sides of an A/A pair have to be runs, whose fingerprints tell that nothing "
            "changed; compare files with: aioncall gate --baseline A --candidate B"
        )
    found = []
    for name in names:
        run = load_run(str(Path(name).parent) if Path(name).is_file() else name, settings)[1]
        found.append((run.id, evalset_of(run, evalset).fingerprint))
    (one, was), (other, now) = found
    if one == other:
        raise UsageError(f"both are run {one}; name two runs, or one to split its epochs")
    changed = changes_between(was, now)
    if changed:
        raise UsageError(
            f"runs {one} and {other} are no A/A pair, they differ in {', '.join(changed)}; "
            f"compare them with: aioncall gate --baseline {one} --candidate {other}"
        )


def _next(report: AaReport, given: Given) -> str:
    """Return what to type next."""
    run = f"pytest --aioncall {shlex.quote(given.file)}".rstrip() if given.file else "pytest --aioncall"
    again = f"{run} --aioncall-epochs 6, then aioncall gate --aa latest"
    if report.verdict == "holds":
        return ""
    if report.verdict == "unknown" or report.mode == "pair":
        return again
    return f"{run} --aioncall-epochs {max(8, report.epochs)}, then aioncall gate --aa latest"
