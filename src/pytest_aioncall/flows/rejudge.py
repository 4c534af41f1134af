"""`aioncall rejudge BASELINE|RUN`: score stored answers again with the scorers of today, asking no target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..adapters.baseline_store import is_baseline
from ..adapters.evalset_files import load_evalset
from ..adapters.run_store import find_run, list_runs
from ..errors import UsageError
from ..settings import Settings
from .acceptable import listed
from .checking import find_evalsets
from .prepare import shown_path
from .rejudge_baseline import BaselineAgain
from .rejudge_run import RunAgain
from .rejudged import Rejudged, RejudgeRequest
from .rescoring import Say
from .runs import runs_folder

__all__ = ["RejudgeRequest", "Rejudged", "rejudge"]


def rejudge(request: RejudgeRequest, settings: Settings, *, say: Say | None = None) -> list[Rejudged]:
    """Judge the stored outputs of a baseline or of a run again.

    A baseline is written anew, with a line in its header that says so; of a run a new run is made, and the
    old one stays. Raises UsageError for outputs that are not kept, cases that are gone or a missing reason,
    and ScorerError where too many outputs cannot be judged: then nothing is written.
    """
    settings = replace(settings, baseline_ref=None, require_baseline=False)
    path = _baseline_named(request.name, settings)
    if path is not None:
        return [BaselineAgain(path, request, settings).rejudge(say)]
    return RunAgain(request, settings).rejudge(say)


def _baseline_named(name: str, settings: Settings) -> Path | None:
    """Return the baseline file that is meant, or None where a run is; UsageError where it is neither."""
    path = Path(name)
    if path.is_file() and path.name.endswith(".jsonl"):
        if not is_baseline(path):
            raise UsageError(f"{path}: is no baseline; its outputs cannot be judged again")
        return path.absolute()
    if path.name.endswith(".eval.yaml") and path.is_file():
        path = path.parent / "baselines" / f"{load_evalset(path, root=settings.root).evalset}.jsonl"
        if not path.is_file():
            raise UsageError(f"{shown_path(path, settings.root)} does not exist; accept a run first")
        return path.absolute()
    known = {p.stem: p for p in _baselines(settings)}
    if name in known:
        return known[name]
    runs = runs_folder(settings)
    try:
        find_run(runs, name)
    except UsageError:
        if name == "latest":
            raise
        newest = ", ".join(folder.name for folder in list_runs(runs)[-3:]) or "none"
        raise UsageError(
            f"{name}: neither a baseline nor a run; baselines: {listed(sorted(known)) or 'none'}; newest "
            f"runs: {newest}"
        ) from None
    return None


def _baselines(settings: Settings) -> list[Path]:
    folders = dict.fromkeys(path.parent / "baselines" for path in find_evalsets(settings.root, []))
    return [p for f in folders for p in sorted(f.glob("*.jsonl")) if not p.name.endswith(".outputs.jsonl")]
