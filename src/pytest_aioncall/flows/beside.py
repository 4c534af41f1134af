"""What a session looks at beside the working tree: its merge base, a change, the base's daily runs.

Each is read when it is first asked for; most sessions ask for none and start without them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..model.run import ChangeLimit, UnaffectedEvalset
from ..settings import Settings
from .baserules import BaseVersion
from .daily import Daily
from .prepare import Prepared, shown_path

if TYPE_CHECKING:
    from .affected import Affected


@dataclass(slots=True)
class Beside:
    """The merge base (`base`), what a change affects (`affected`), the daily runs (`daily`) of a session."""

    settings: Settings
    _affected: Affected | None = None
    _base: BaseVersion | None = None
    _base_is_read: bool = False
    _daily: Daily | None = None
    _daily_is_read: bool = False

    @property
    def affected(self) -> Affected | None:
        """What tells which evalsets a change can affect; None where all are to run. Raises UsageError."""
        if self._affected is None and self.settings.changed is not None:
            # Most runs are of everything, and start without it.
            from .affected import Affected
            from .changed import Change

            change = Change.since(self.settings.changed, self.settings.root)
            self._affected = Affected(change, self.settings)
        return self._affected

    @property
    def base(self) -> BaseVersion | None:
        """What the merge base asks of the evalsets; None where no base is given. Raises UsageError."""
        if not self._base_is_read:
            try:
                self._base = BaseVersion.of(self.settings)
            except UsageError:
                # A shard is not judged, and needs no history: what it lacks the gate will say.
                if self.settings.shard is None:
                    raise
            self._base_is_read = True
        return self._base

    @property
    def daily(self) -> Daily | None:
        """The base's daily runs; None where none are known. Raises UsageError where they were named."""
        if not self._daily_is_read and self.settings.shard is None:
            self._daily = Daily.of(self.settings, self.base)
            self._daily_is_read = True
        return self._daily

    def causes(self, one: Prepared) -> tuple[str, ...]:
        """Return why the change can affect an evalset; nothing where it cannot, or where nobody asked."""
        return self.affected.causes(one) if self.affected is not None else ()

    def is_unaffected(self, one: Prepared) -> bool:
        """Tell whether an evalset is left out, as the change cannot affect it."""
        return self.affected is not None and not self.affected.causes(one)

    def limit(self, ran: Iterable[Prepared], unaffected: Iterable[Prepared]) -> ChangeLimit | None:
        """Say in `run.json` what the change was, which evalsets it left out and why the others ran."""
        if self.affected is None:
            return None
        change = self.affected.change
        return ChangeLimit(
            ref=change.ref,
            commit=change.commit,
            files=len(change.files),
            unaffected=tuple(
                UnaffectedEvalset(
                    evalset=one.name,
                    file=shown_path(one.path, self.settings.root),
                    owner=one.evalset.owner,
                    cases=len(one.jobs),
                )
                for one in unaffected
            ),
            because={one.name: self.causes(one) for one in ran},
        )

    def look_ahead(self, one: Prepared) -> None:
        """Read what was named, so that what is not there is refused before anything is asked: UsageError."""
        self.causes(one)
        if self.settings.daily is not None:
            _ = self.daily
