"""`aioncall check`: everything wrong with configuration and evalsets, and what will bite later."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..adapters.evalset_files import line_of
from ..adapters.text import did_you_mean
from ..decide.gaterows import SMALLEST_SLICE
from ..errors import LoadError, UsageError
from ..settings import Settings
from .cost import is_loopback, price_of
from .evalset_paths import evalsets_in
from .judge import find_baseline
from .ondemand import silent_wire
from .orphans import baseline_warnings
from .prepare import Prepared, prepare, shown_path
from .scaffold import is_placeholder

LISTED = 5
"""Cases and slices that a warning lists."""

_PINNED = re.compile(r"(20\d{2}-?[01]\d-?[0-3]\d|-\d{4}(?!\d)|@sha256:|[-@][0-9a-f]{7,64}$|-v\d+(\.\d+)+$)")


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found: problems keep an evalset from loading, warnings do not.

    `prepared` are the evalsets that load.
    """

    evalsets: tuple[str, ...]
    cases: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    prepared: tuple[Prepared, ...] = ()


def find_evalsets(root: Path, named: Sequence[str]) -> list[Path]:
    """Return the evalset files that are named or lie in a named folder; all under the root without a name."""
    found: dict[Path, None] = {}
    for path in [Path(name).absolute() for name in named] or [root]:
        if path.is_file():
            found[path] = None
        elif path.is_dir():
            found.update(dict.fromkeys(evalsets_in(path)))
        else:
            raise UsageError(f"{path}: no such file or folder")
    return list(found)


def check(named: Sequence[str], settings: Settings) -> Checked:
    """Load every evalset with all its pieces, calling nothing."""
    if str(settings.root) not in sys.path:
        sys.path.insert(0, str(settings.root))
    wire = silent_wire()
    problems: list[str] = []
    warnings: list[str] = []
    loaded: list[Prepared] = []
    files = find_evalsets(settings.root, named)
    if not files:
        problems.append(
            f"{settings.root}: no *.eval.yaml; write one with: aioncall init PACKAGE.MODULE:FUNCTION"
        )
    for path in files:
        try:
            one = prepare(path, settings=settings, wire=wire)
            loaded.append(one)
            found = find_baseline(path, one.name, settings)
            if found.unreadable and found.why_not:
                problems.append(found.why_not)
        except LoadError as error:
            problems += [str(problem) for problem in error.problems]
        except UsageError as error:
            problems.append(str(error))
    names = [one.name for one in loaded]
    for name in sorted({n for n in names if names.count(n) > 1}):
        files_of = ", ".join(shown_path(one.path, settings.root) for one in loaded if one.name == name)
        problems.append(f"evalset {name!r} is the name of {files_of}; rename one")
    for one in loaded:
        warnings += _warnings(one, settings)
    everywhere = not named and len(loaded) == len(files)
    now = settings.now or datetime.now(UTC)
    warnings += baseline_warnings(loaded, settings, now=now, everywhere=everywhere)
    if everywhere:
        warnings += _owners_of_nothing(names, settings)
    cases = sum(len(one.jobs) for one in loaded)
    return Checked(tuple(names), cases, tuple(problems), tuple(warnings), tuple(loaded))


def _warnings(one: Prepared, settings: Settings) -> list[str]:
    file = one.path.name
    warnings = []
    for model in models_of(one):
        provider = settings.config.providers.get(model.partition("/")[0])
        local = provider is not None and bool(provider.base_url) and is_loopback(provider.base_url or "")
        if not local and is_floating(model):
            warnings.append(
                f"{file}: model {model!r} is a floating id: it can change without a commit. "
                "Name the dated version"
            )
        if price_of(model, settings.config) is None:
            warnings.append(f"{file}: cost unknown: add {model} to prices in aioncall.yaml")
        key = provider.api_key_env if provider else None
        if key and not settings.secrets.get(key):
            warnings.append(f"{file}: {key} is not set; a live run of {model} needs it, a replay does not")
    if one.jobs and one.jobs[0].epochs < 2:
        warnings.append(f"{file}: with one epoch noise cannot be told from change; 3 is the default")
    return [*warnings, *_unfinished(one), *_small_slices(one, settings), *_overdue(one, settings)]


def _owners_of_nothing(names: Sequence[str], settings: Settings) -> Iterator[str]:
    """Say which entry of `oncall.owners` is no evalset: nobody would ever be called by it."""
    for name in settings.config.oncall.owners:
        if name not in names:
            near = did_you_mean(name, names)
            hint = f"did you mean {near!r}?" if near else "take it out, or correct the name"
            yield f"aioncall.yaml: oncall.owners names {name!r}, and there is no such evalset; {hint}"


def _unfinished(one: Prepared) -> Iterator[str]:
    """Say which cases nobody has filled in yet: their scores tell nothing."""
    blank = [
        case for case in one.evalset.cases if is_placeholder(case.input) or is_placeholder(case.expected)
    ]
    for case in blank[:LISTED]:
        yield f"{case.file}:{case.line}: case {case.id} is a placeholder: write a real question and answer"
    if len(blank) > LISTED:
        yield f"{one.evalset.file}: {len(blank) - LISTED} more cases are placeholders"


def _small_slices(one: Prepared, settings: Settings) -> Iterator[str]:
    """Say which values of gated slices have too few cases to decide anything."""
    sizes: dict[tuple[str, str], Counter[str]] = {}
    for job in one.jobs:
        for scorer in job.scorers:
            for dimension, value in job.case.slices.items():
                sizes.setdefault((scorer.name, dimension), Counter())[value] += 1
    for index, gate in enumerate(one.evalset.gates):
        for dimension in gate.slices:
            counted = sizes.get((gate.scorer, dimension), Counter())
            small = [f"{value} ({n})" for value, n in sorted(counted.items()) if n < SMALLEST_SLICE]
            if small:
                line = line_of(settings.root / one.evalset.file, f"gates[{index}].slices")
                listed = ", ".join(small[:LISTED]) + (", ..." if len(small) > LISTED else "")
                yield (
                    f"{one.evalset.file}:{line}: gate of {gate.scorer} by {dimension}: under "
                    f"{SMALLEST_SLICE} cases in {listed}; reported, not gating. Add cases, or drop the slice"
                )


def _overdue(one: Prepared, settings: Settings) -> Iterator[str]:
    """Say which weakenings were to be taken back by now."""
    today = (settings.now or datetime.now(UTC)).date()
    for index, entry in enumerate(one.evalset.weakening):
        if entry.until is not None and entry.until < today:
            line = line_of(settings.root / one.evalset.file, f"weakening[{index}]")
            yield (
                f"{one.evalset.file}:{line}: the weakening {entry.what!r} was meant until {entry.until}; "
                "take it back, or give it another day"
            )


def models_of(one: Prepared) -> list[str]:
    """Return the provider/model-ids that an evalset calls, target first."""
    models: dict[str, None] = {}
    if one.evalset.target.kind == "chat":
        models[str(one.evalset.target.options.get("model", ""))] = None
    for scorer in one.scorers.values():
        for model in scorer.traits.models:
            models[model] = None
    return list(models)


def is_floating(model: str) -> bool:
    """Tell whether a model id names no version: no date, no digest, no full version number."""
    name = model.partition("/")[2] or model
    return name.endswith("latest") or not _PINNED.search(name)
