"""Evalsets of the merge base that a run should have judged and did not meet: somebody hid them from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..adapters.evalset_files import parts_named
from ..adapters.files import exists
from ..adapters.git_tree import tree_at
from ..model.run import RunEvalset
from ..settings import Settings
from .against import paired
from .bases import base_of
from .evalset_paths import evalsets_in
from .oldversion import OldEvalset, OldVersion
from .prepare import Prepared, shown_path

WHY = "none of its cases ran, and not the command line left them out: see addopts, testpaths and conftest.py"
WHY_PART = "and not the command line chose them: see addopts and conftest.py"


def left_out(met: Sequence[Prepared], settings: Settings, *, below: Sequence[Path]) -> list[RunEvalset]:
    """Return the evalsets of the merge base at or below some paths that a run did not meet.

    met     evalsets that ran, or that the change cannot affect
    below   files and folders, that were to be run as a whole
    One whose file is gone is none of them: that is a proposal of its own. Raises UsageError without a
    repository, a ref or a merge base.
    """
    if settings.baseline_ref is None:
        return []
    asked = [path.resolve() for path in below]
    root = settings.root.resolve()
    here = {shown_path(one.path, settings.root) for one in met}
    with tree_at(settings.root, base_of(settings.root, settings.baseline_ref)) as tree:
        old = OldVersion(tree, settings)
        before = tree.names(below=old.prefix, suffixes=(".eval.yaml",))
        if {name.removeprefix(old.prefix).lstrip("/") for name in before} <= here:
            return []
        names = {parts_named(path)[0] for path in evalsets_in(settings.root)}
        return [
            _planned(one)
            for one, now in paired(old.evalsets(), met)
            if one is not None
            and now is None
            and any((root / one.file).is_relative_to(path) for path in asked)
            and (exists(settings.root / one.file) or (one.evalset and one.evalset.evalset in names))
        ]


def _planned(one: OldEvalset) -> RunEvalset:
    name = Path(one.file).name.removesuffix(".eval.yaml")
    if one.evalset is None:
        return RunEvalset(evalset=name, file=one.file)
    return RunEvalset(
        evalset=one.evalset.evalset,
        file=one.file,
        owner=one.evalset.owner or "",
        cases=len(one.evalset.cases),
    )
