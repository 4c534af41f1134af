"""`aioncall cassettes`: what is recorded, which recordings nobody asks for any more, and their deletion."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..adapters.cassettes import CassetteWire, Index, cassette_file, drop, merge, parts_of
from ..adapters.redaction import Redactor
from ..adapters.text import did_you_mean, one_line
from ..engine import opened
from ..errors import AioncallError, UsageError
from ..settings import Settings
from .cassettes import FOLDER, SUFFIX
from .evalset_paths import evalsets_in
from .ondemand import silent_wire
from .prepare import Prepared, prepare, shown_path
from .recordings import Walk, walk

Use = Literal["used", "further", "unused", "unknown"]
"""used     a replay of the evalset as it is asks for it
further  only a run of more epochs than the evalset has asks for it
unused   no run asks for it any more
unknown  nobody can tell without a run
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording, as it is listed: `size` in bytes, `recorded_at` the UTC day, `by` judge or target."""

    key: str
    epoch: int
    by: str
    use: Use
    recorded_at: str
    status: int
    size: int
    question: str


@dataclass(frozen=True, slots=True)
class KeptCassette:
    """One cassette: its recordings, what its evalset asks besides, and why that may not be known.

    file      from the project root
    evalset   None where no evalset is beside it any more
    missing   calls of a run that are not recorded; None where that is not known
    unmerged  files of recordings that a killed run left behind; the next recording merges them
    """

    file: str
    path: Path
    evalset: str | None
    recordings: tuple[Recording, ...]
    missing: int | None = None
    unmerged: int = 0
    unknown: str = ""

    def of_use(self, *uses: Use) -> tuple[Recording, ...]:
        """Return the recordings of such a use."""
        return tuple(one for one in self.recordings if one.use in uses)

    @property
    def size(self) -> int:
        return sum(one.size for one in self.recordings)

    @property
    def days(self) -> tuple[str, str] | None:
        """The days of the oldest and of the newest recording."""
        days = [one.recorded_at for one in self.recordings]
        return (min(days), max(days)) if days else None

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints of it."""
        counts = {use: len(self.of_use(use)) for use in ("used", "further", "unused", "unknown")}
        return {
            "file": self.file,
            "evalset": self.evalset,
            "recordings": len(self.recordings),
            "bytes": self.size,
            "days": list(self.days) if self.days else None,
            **counts,
            "missing": self.missing,
            "unmerged": self.unmerged,
            "unknown_because": self.unknown or None,
        }


def kept_cassettes(
    named: Sequence[str], settings: Settings, *, only_these_epochs: bool = False
) -> list[KeptCassette]:
    """Return the cassettes of the project, or those of the evalsets (or files) that are named.

    With `only_these_epochs` a recording of a further epoch than the settings ask for is unused.
    Calls nobody; of the user's code only the `variables` of chat targets are run, as every replay runs them.
    Raises UsageError for a name that nothing has, LoadError where an evalset does not load.
    """
    if str(settings.root) not in sys.path:
        sys.path.insert(0, str(settings.root))
    found: list[KeptCassette] = []
    known: list[str] = []
    for evalset in evalsets_in(settings.root):
        file = cassette_file(evalset.parent / FOLDER, evalset.name.removesuffix(SUFFIX))
        names = _names_of(evalset, file, settings)
        known.append(names[0])
        if not named or not {*names}.isdisjoint(named):
            found.append(_of_evalset(evalset, file, settings, with_further=not only_these_epochs))
    for file in _orphans(settings.root):
        names = [file.stem, shown_path(file, settings.root), str(file)]
        known.append(names[0])
        if not named or not {*names}.isdisjoint(named):
            found += _orphan(file, settings)
    _refuse_unknown(named, known, settings)
    return [one for one in found if one.recordings or one.unmerged or one.missing]


def prune(cassettes: Sequence[KeptCassette]) -> int:
    """Delete the unused recordings of each cassette; return how many went."""
    gone = 0
    for one in cassettes:
        unused = {recording.key for recording in one.of_use("unused")}
        if one.unmerged:
            merge(one.path)
        if unused and one.path.is_file():
            drop(one.path, unused)
            gone += len(unused)
    return gone


def _names_of(evalset: Path, file: Path, settings: Settings) -> list[str]:
    """Return what a person may call a cassette: the evalset, its file, the cassette's file."""
    shown = [shown_path(path, settings.root) for path in (evalset, file)]
    names = [evalset.name.removesuffix(SUFFIX), *shown, str(evalset), str(file)]
    with suppress(ValueError):
        names += [path.relative_to(Path.cwd()).as_posix() for path in (evalset, file)]
    return names


def _refuse_unknown(named: Sequence[str], known: Sequence[str], settings: Settings) -> None:
    for name in named:
        stem = Path(name).name.removesuffix(SUFFIX).removesuffix(".jsonl")
        if name not in known and stem not in known:
            near = did_you_mean(stem, known)
            hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(known) or 'none'}"
            raise UsageError(f"no evalset and no cassette {one_line(name, 80)!r} in {settings.root}; {hint}")


def _of_evalset(evalset: Path, file: Path, settings: Settings, *, with_further: bool) -> KeptCassette:
    wire = CassetteWire(silent_wire(), mode="replay", file=file, redact=Redactor())
    try:
        index = wire.index
    except UsageError as error:
        raise UsageError(str(error).replace(str(file), shown_path(file, settings.root))) from None
    try:
        one = prepare(evalset, settings=settings, wire=wire)
        further = _further_epochs(index, one) if with_further else []
        seen = asyncio.run(_walked(one, wire, further))
        return KeptCassette(
            file=shown_path(file, settings.root),
            path=file,
            evalset=one.name,
            recordings=tuple(_recordings(index, seen)),
            missing=None if seen.unknown else seen.missing,
            unmerged=len(parts_of(file)),
            unknown=one_line(seen.unknown, 200),
        )
    finally:
        index.close()


async def _walked(one: Prepared, wire: CassetteWire, further: Collection[int]) -> Walk:
    """Walk with what the target opens, as a replay opens it."""
    spec = one.evalset.target
    if spec.kind != "chat" or not spec.options.get("variables"):
        return await walk(one, wire, further=further)
    try:
        async with opened(one.target):
            return await walk(one, wire, further=further, running_code=True)
    except AioncallError:
        raise
    except Exception as error:  # noqa: BLE001 - the user's own code
        return Walk(unknown=f"{spec.options['variables']}: {type(error).__name__}: {error}")


def _further_epochs(index: Index, one: Prepared) -> list[int]:
    """Return the epochs that are recorded beyond those that the evalset asks for."""
    most = max((job.epochs for job in one.jobs), default=0)
    return sorted({epoch for key in index if (epoch := int(index.entry(key)["epoch"])) >= most})


def _recordings(index: Index, seen: Walk | None) -> Iterator[Recording]:
    for key in sorted(index):
        entry = index.entry(key)
        yield Recording(
            key=key,
            epoch=int(entry["epoch"]),
            by=str(entry.get("by", "target")),
            use=_use_of(key, seen),
            recorded_at=one_line(entry["recorded_at"], 20),
            status=int(entry["status"]),
            size=len(index.line(key)),
            question=one_line(str(entry.get("question", "")), 160),
        )


def _use_of(key: str, seen: Walk | None) -> Use:
    if seen is None:
        return "unused"
    if key in seen.used:
        return "used"
    if key in seen.further:
        return "further"
    return "unknown" if seen.unknown else "unused"


def _orphans(root: Path) -> list[Path]:
    """Return the cassettes beside which no evalset of their name stands any more."""
    evalsets = evalsets_in(root)
    owners = {cassette_file(p.parent / FOLDER, p.name.removesuffix(SUFFIX)) for p in evalsets}
    folders = {root / "evalsets" / FOLDER, *(file.parent for file in owners)}
    files = (file for folder in sorted(folders) for file in sorted(folder.glob("*.jsonl")))
    return [file for file in files if file not in owners]


def _orphan(file: Path, settings: Settings) -> list[KeptCassette]:
    """Return a cassette that is nobody's; nothing where the file is none of ours."""
    try:
        index = Index([file], torn=parts_of(file))
    except UsageError:
        return []
    try:
        recordings = tuple(_recordings(index, None))
    finally:
        index.close()
    shown = shown_path(file, settings.root)
    return [KeptCassette(shown, file, None, recordings, unmerged=len(parts_of(file)))]
