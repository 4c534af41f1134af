"""`aioncall check --against REF`: what a change takes away from the gates, and which of it has a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..adapters.baseline_store import baseline_path
from ..adapters.config_file import FILE_NAME, load_config
from ..adapters.evalset_files import lines_of, parts_named
from ..adapters.files import exists
from ..adapters.git_tree import tree_at
from ..adapters.named_texts import names_in, text_behind
from ..decide.weakenings import (
    compare_evalsets,
    count_strengthened,
    excuse,
    moved_baseline,
    removed_baseline,
    removed_evalset,
    unreadable_version,
)
from ..decide.weakerconfig import compare_configs
from ..decide.weakergates import Scale, Version
from ..errors import UsageError
from ..model.config import Config
from ..model.evalset import Evalset, ScorerSpec
from ..model.weakening import ChangeReview, Weakening, WeakeningEntry
from ..settings import Settings
from .bases import base_of
from .evalset_paths import evalsets_in
from .oldversion import OldEvalset, OldVersion
from .prepare import Prepared, shown_path


def review_change(
    ref: str, prepared: Sequence[Prepared], *, named: Sequence[Path], settings: Settings
) -> ChangeReview:
    """Compare the working tree with the commit where it left `ref`.

    `prepared` are the evalsets as they are now; `named` the files and folders that were asked for, none for
    all. Raises UsageError without a repository, a ref or a merge base.
    """
    return _reviewed(
        ref, prepared, settings, asked=lambda one: not named or _lies_in(one, named, settings.root)
    )


def review_gate(ref: str, prepared: Sequence[Prepared], settings: Settings) -> ChangeReview:
    """Compare the evalsets of a run with the merge base; of the others only those that are gone are told.

    Raises UsageError as `review_change` does.
    """
    here = {one.path.resolve() for one in prepared}
    names = {parts_named(path)[0] for path in evalsets_in(settings.root) if path.resolve() not in here}

    def is_gone(one: OldEvalset) -> bool:
        moved = one.evalset is not None and one.evalset.evalset in names
        return not moved and not exists(settings.root / one.file)

    return _reviewed(ref, prepared, settings, asked=is_gone)


def _reviewed(
    ref: str, prepared: Sequence[Prepared], settings: Settings, *, asked: Callable[[OldEvalset], bool]
) -> ChangeReview:
    """Compare; `asked` tells whether an evalset that is not among those prepared is told as removed."""
    commit = base_of(settings.root, ref)
    for one in prepared:
        if not one.path.resolve().is_relative_to(settings.root.resolve()):
            raise UsageError(
                f"{one.path}: lies outside {settings.root}; run check --against in its own project"
            )
    with tree_at(settings.root, commit) as tree:
        old = OldVersion(tree, settings)
        return _Review(ref, commit, old, settings).of(prepared, asked=asked)


def _lies_in(one: OldEvalset, named: Sequence[Path], root: Path) -> bool:
    there = (root / one.file).resolve()
    return any(there.is_relative_to(path.resolve()) for path in named)


@dataclass(slots=True)
class _Review:
    """Collects the weakenings of all evalsets and of the configuration."""

    ref: str
    commit: str
    old: OldVersion
    settings: Settings
    found: list[Weakening] = field(default_factory=list)
    of_config: list[Weakening] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    strengthened: int = 0

    def of(self, prepared: Sequence[Prepared], *, asked: Callable[[OldEvalset], bool]) -> ChangeReview:
        olds = self.old.evalsets()
        configs = self.old.configs()
        config = load_config(self.settings.root)
        was_config = configs[0][1] if configs and configs[0][1] else Config()
        pairs = paired(olds, prepared)
        for one, now in pairs:
            if now is not None:
                self._compare(one, now, was_config, config)
            elif one is not None and asked(one):
                gone = removed_evalset(one.evalset) if one.evalset else _unreadable(one, None)
                self.of_config.append(gone)
        for file, was, problem in configs:
            if was is None:
                self.of_config.append(unreadable_version(file, evalset=None, problem=problem))
            else:
                weaker = [
                    one if one.at_base else one.model_copy(update={"file": FILE_NAME})
                    for one in compare_configs(was, config, file=file)
                ]
                self.of_config += weaker
                self.strengthened += count_strengthened(weaker, compare_configs(config, was, file=file))
        entries = [entry for _, was, _ in configs if was for entry in was.weakening]
        self._excuse(self.of_config, was=entries, now=config.weakening, file=FILE_NAME)
        return ChangeReview(
            ref=self.ref,
            commit=self.commit,
            weakenings=tuple(self._placed()),
            strengthened=self.strengthened,
            notes=tuple(self.notes),
        )

    def _compare(self, one: OldEvalset | None, now: Prepared, was_config: Config, config: Config) -> None:
        new = _version(
            now.evalset, config, root=self.settings.root, folder=now.path.parent, scales=_scales(now)
        )
        was_entries: tuple[WeakeningEntry, ...] = ()
        weaker: list[Weakening] = []
        if one is None:
            self.strengthened += 1
        elif one.evalset is None:
            weaker.append(_unreadable(one, now.name))
        else:
            scales = {**_scales(now), **_judge_scales(one.evalset.scorers)}
            old = _version(one.evalset, was_config, root=self.old.root, folder=one.path.parent, scales=scales)
            weaker += compare_evalsets(old, new)
            self.strengthened += count_strengthened(weaker, compare_evalsets(new, old))
            was_entries = one.evalset.weakening
            weaker += self._baseline(one.path, one.evalset.evalset, now)
        file = shown_path(now.path, self.settings.root)
        self._excuse(weaker, was=was_entries, now=now.evalset.weakening, file=file)

    def _baseline(self, old_file: Path, old_name: str, now: Prepared) -> Iterator[Weakening]:
        """Yield what became of a committed baseline that is not where the gate looks for it."""
        before, after = baseline_path(old_file, old_name), baseline_path(now.path, now.name)
        if not self.old.has(before):
            return
        was = before.relative_to(self.old.root).as_posix()
        new = shown_path(after, self.settings.root)
        if not exists(after):
            yield removed_baseline(now.name, was)
        elif was != new and old_name == now.name:
            yield moved_baseline(now.name, was, now=new)

    def _excuse(
        self,
        weaker: list[Weakening],
        *,
        was: Sequence[WeakeningEntry],
        now: Sequence[WeakeningEntry],
        file: str,
    ) -> None:
        today = (self.settings.now or datetime.now(UTC)).date()
        told, idle = excuse(weaker, was=was, now=now, today=today)
        self.found += [one.model_copy(update={"entry_file": file}) for one in told]
        self.notes += [
            f"{file}: weakening {entry.what!r} names nothing that this change weakens; take it out, or name "
            "the line as it is printed"
            for entry in idle
        ]

    def _placed(self) -> Iterator[Weakening]:
        """Yield what was found with its line, each file read once; cases know theirs."""
        wanted: dict[tuple[str, bool], set[str]] = {}
        for one in self.found:
            if not one.line:
                wanted.setdefault((one.file, one.at_base), set()).add(one.where)
        lines = {
            (file, at_base): lines_of((self.old.root if at_base else self.settings.root) / file, places)
            for (file, at_base), places in wanted.items()
        }
        for one in self.found:
            line = one.line or lines[one.file, one.at_base][one.where]
            yield one.model_copy(update={"line": line})


def _unreadable(one: OldEvalset, evalset: str | None) -> Weakening:
    return unreadable_version(one.file, evalset=evalset, problem=one.problem)


Pair = tuple[OldEvalset | None, Prepared | None]


def paired(olds: Sequence[OldEvalset], prepared: Sequence[Prepared]) -> list[Pair]:
    """Pair old and new evalsets: by name, the same file first; then what is left by file."""
    left = {one.file: one for one in olds}
    pairs: list[Pair] = []
    waiting = []
    for now in prepared:
        same = [one for one in left.values() if one.evalset and one.evalset.evalset == now.name]
        same.sort(key=lambda one: one.file != now.evalset.file)
        if same:
            pairs.append((left.pop(same[0].file), now))
        else:
            waiting.append(now)
    pairs += [(left.pop(now.evalset.file, None), now) for now in waiting]
    return [*pairs, *((one, None) for one in left.values())]


def _version(
    evalset: Evalset, config: Config, *, root: Path, folder: Path, scales: dict[str, Scale]
) -> Version:
    texts: dict[str, str] = {}
    for name in names_in(evalset):
        text = text_behind(name, root=root, folder=folder)
        if text is not None:
            texts[name] = text
    return Version(evalset, config.defaults, texts, scales)


def _scales(now: Prepared) -> dict[str, Scale]:
    return {name: info.scale for name, info in now.infos.items()}


def _judge_scales(scorers: Sequence[ScorerSpec]) -> dict[str, Scale]:
    """Return the scales of judges as their options say them: nothing of an old version is built."""
    found: dict[str, Scale] = {}
    for spec in scorers:
        if spec.kind != "judge":
            continue
        scale: Any = spec.options.get("scale", [1, 5])
        labels: Any = spec.options.get("labels")
        marks = list(labels.values()) if isinstance(labels, dict) else [0, 1] if labels else scale
        numbers = (
            [float(one) for one in marks if isinstance(one, int | float)] if isinstance(marks, list) else []
        )
        if len(numbers) > 1 and min(numbers) < max(numbers):
            found[spec.name] = (min(numbers), max(numbers))
    return found
