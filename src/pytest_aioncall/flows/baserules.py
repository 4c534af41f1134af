"""What the merge base asks of the evalsets of a branch (`--aioncall-baseline-ref`): read once a session."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..adapters.baseline_store import baseline_path
from ..model.config import Config, Defaults
from ..model.evalset import Case, EpochRange, Evalset, Gate
from ..model.oncall import Monitors
from ..settings import Settings
from .bases import base_of
from .evalset_paths import evalsets_in

if TYPE_CHECKING:
    from ..decide.stricterset import Stricter
    from .oldversion import OldEvalset


@dataclass(frozen=True, slots=True)
class BaseRules:
    """What the merge base asks of one evalset.

    evalset   as it was there; None where it was not, or cannot be read (`problem`)
    file      where it stood, from the project root; empty where it was not there
    defaults  of the base's configuration
    """

    ref: str
    commit: str
    defaults: Defaults
    evalset: Evalset | None = None
    file: str = ""
    problem: str = ""
    cases: Mapping[str, Case] = field(default_factory=dict)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The base's gates; without any, one for every scorer that it had."""
        if self.evalset is None:
            return ()
        names = dict.fromkeys(spec.name for spec in self.evalset.scorers)
        names |= dict.fromkeys(spec.name for case in self.evalset.cases for spec in case.scorers)
        return self.evalset.gates or tuple(Gate(scorer=name) for name in names)

    def baseline(self, root: Path) -> Path | None:
        """Return where the base's baseline of this evalset stood, named as a path of today's tree."""
        if self.evalset is None:
            return None
        return baseline_path(root / self.file, self.evalset.evalset)

    def stricter(self, head: Evalset, settings: Settings, *, lost: Collection[str] = ()) -> Stricter:
        """Return the branch's evalset with what the base asks more strictly of a run.

        lost  the base's scorers that cannot be made any more
        """
        from ..decide.stricterset import Stricter, stricter_evalset

        if self.evalset is None:
            return Stricter(head)
        left = tuple(spec for spec in self.evalset.scorers if spec.name not in lost)
        return stricter_evalset(
            head,
            self.evalset.model_copy(update={"scorers": left}),
            head_epochs=_epochs(head, settings.config.defaults),
            base_epochs=_epochs(self.evalset, self.defaults),
        )


def _epochs(evalset: Evalset, defaults: Defaults) -> int | EpochRange:
    from ..decide.weakerconfig import EPOCHS

    return evalset.epochs if "epochs" in evalset.model_fields_set else defaults.epochs or EPOCHS


@dataclass(slots=True)
class BaseVersion:
    """All evalsets of the merge base, and its configuration."""

    ref: str
    commit: str
    defaults: Defaults
    evalsets: list[OldEvalset]
    monitors: Monitors

    @classmethod
    def of(cls, settings: Settings) -> BaseVersion | None:
        """Read the merge base of `baseline_ref`; None where none is given. Raises UsageError."""
        if settings.baseline_ref is None:
            return None
        # Most runs have no base to look at, and start without it.
        from ..adapters.git_tree import tree_at
        from .oldversion import OldVersion

        commit = base_of(settings.root, settings.baseline_ref, option="--aioncall-baseline-ref")
        with tree_at(settings.root, commit) as tree:
            old = OldVersion(tree, settings)
            evalsets = old.evalsets()
            for one in evalsets:
                one.path = settings.root / one.file  # the folder goes; where it stood is what is asked for
            configs = old.configs()
        config = configs[0][1] if configs and configs[0][1] is not None else Config()
        defaults = config.defaults
        if settings.strict:
            defaults = defaults.model_copy(update={"on_inconclusive": "fail"})
        return cls(settings.baseline_ref, commit, defaults, evalsets, config.monitors)

    def rules_of(self, name: str, file: Path, root: Path) -> BaseRules:
        """Return what the base asks of an evalset: by its name, in the same file first, else by its file."""
        rules = BaseRules(self.ref, self.commit, self.defaults)
        here = (root / file).resolve()
        same = [one for one in self.evalsets if one.evalset is not None and one.evalset.evalset == name]
        same.sort(key=lambda one: one.path.resolve() != here)
        found = same[:1] or [one for one in self.evalsets if one.path.resolve() == here]
        if not found:
            return rules
        one = found[0]
        if one.evalset is not None and one.evalset.evalset != name and self._has_moved(one, root):
            return rules
        cases = {case.id: case for case in one.evalset.cases} if one.evalset is not None else {}
        return replace(rules, evalset=one.evalset, file=one.file, problem=one.problem, cases=cases)

    def _has_moved(self, one: OldEvalset, root: Path) -> bool:
        """Tell whether an evalset of the base has its name in another file today: this one took its place."""
        from ..adapters.evalset_files import parts_named

        if one.evalset is None:
            return False
        elsewhere = (path for path in evalsets_in(root) if path.resolve() != one.path.resolve())
        return any(parts_named(path)[0] == one.evalset.evalset for path in elsewhere)
