"""The cassettes of one run: opened with its evalsets, looked at before it, merged after it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path

from ..adapters.cassettes import CassetteWire, Index, can_share, open_cassettes
from ..adapters.redaction import Redactor
from ..adapters.targets.secrets import named_secrets
from ..errors import AioncallError, UsageError
from ..protocols import Wire
from ..settings import Mode, Settings
from .prepare import Prepared, secrets_of, shown_path
from .recordings import Walk, look, refuse_without_keys

FOLDER = "cassettes"
"""Where the cassettes of a folder's evalsets stand."""
SUFFIX = ".eval.yaml"


@dataclass(slots=True)
class RunCassettes:
    """The cassettes of one run, by the file of their evalset; none in a live run.

    prepared  the evalsets of the run by name, as they are loaded one after the other
    redactor  takes the run's secrets out of what is recorded; known after loading
    """

    settings: Settings
    prepared: Mapping[str, Prepared]
    redactor: Callable[[], Redactor]
    _wires: dict[Path, CassetteWire] = field(default_factory=dict)

    def wire_for(self, path: Path, net: Wire, *, mode: Mode | None = None) -> Wire:
        """Return `net` behind the cassette of the evalset at `path`; as it is in a live run.

        `mode` of this evalset alone, where it is not that of the session.

        Raises UsageError with file and line of a damaged recording: before anything is asked and paid for.
        """
        mode = mode or self.settings.mode
        if mode == "live":
            return net
        wire = open_cassettes(
            net,
            mode=mode,
            folder=path.parent / FOLDER,
            evalset=path.name.removesuffix(SUFFIX),
            redact=self.redactor,
            today=None if self.settings.now is None else self.settings.now.astimezone(UTC).date(),
            needs_key=partial(self._lacking, path),
        )
        try:
            wire.check()
        except UsageError as error:
            shown = shown_path(wire.file, self.settings.root)
            raise UsageError(str(error).replace(str(wire.file), shown)) from None
        self._wires[path] = wire
        return wire

    def refuse_sharing(self) -> None:
        """Raise UsageError where this system cannot record in several processes."""
        if self.settings.mode in ("record", "extend") and not can_share():
            raise UsageError("--aioncall-record runs in one process on this system: drop -n")

    def missing_in(self, one: Prepared) -> Walk | None:
        """Return what is not recorded of an evalset that asks only for that; None where all of it is asked.

        Raises UsageError where a call will be made for which the key is not set.
        """
        wire = self._wires.get(one.path)
        if wire is not None and wire.mode == "replay":
            return Walk()
        if wire is None or self.settings.mode not in ("fallback", "extend"):
            return None
        found = look(one, wire)
        refuse_without_keys(
            one, found, lacking={name: self._lacking(one.path, name) for name in found.providers}
        )
        return found

    def unused_in(self, one: Prepared) -> int:
        """Return how many recordings of an evalset a run that asked for all of it did not ask for.

        Those of epochs beyond the evalset's own are not counted: another run may ask for more epochs.
        """
        wire = self._wires.get(one.path)
        if wire is None or not wire.keeps or not wire.used:
            return 0  # nothing was recorded, or other processes did it
        try:
            index = Index([wire.file])
            epochs = max((job.first + job.epochs for job in one.jobs), default=0)
            unused = sum(int(index.entry(key)["epoch"]) < epochs for key in index if key not in wire.used)
        except (AioncallError, OSError):
            return 0  # only a hint hangs on it
        index.close()
        return unused

    def hints(self, complete: Iterable[str]) -> list[str]:
        """Say how many recordings of evalsets that ran completely are no longer asked for, and what to do."""
        found = {name: self.unused_in(self.prepared[name]) for name in complete}
        return [
            f"{number} recording{'s are' if number > 1 else ' is'} no longer asked for: "
            f"aioncall cassettes prune {shlex.quote(self.prepared[name].path.name.removesuffix(SUFFIX))}"
            for name, number in found.items()
            if number
        ]

    async def close(self) -> None:
        """Merge what was recorded; one file that cannot be written keeps no other from being written."""
        failed: list[Exception] = []
        for wire in self._wires.values():
            try:
                await wire.close()
            except (OSError, AioncallError) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _lacking(self, path: Path, provider: str) -> str:
        """Return the environment variable that a call lacks, '' where it lacks none."""
        if provider:
            known = self.settings.config.providers.get(provider)
            wanted = (known.api_key_env, *known.headers_env.values()) if known else ()
            return next((name for name in wanted if name and not self.settings.secrets.get(name)), "")
        one = next((one for one in self.prepared.values() if one.path == path), None)
        if one is None or one.evalset.target.kind != "http":
            return ""
        known_values = secrets_of(one.evalset)
        return next((name for name in named_secrets(one.evalset.target) if not known_values.get(name)), "")
