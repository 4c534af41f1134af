"""The part of a run that this session draws, where it is one shard of several."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ..decide.shards import plan_digest, shards_of
from ..model.run import Shard
from .prepare import Prepared


@dataclass(slots=True)
class Part:
    """Shard `index` of `count`: which cases of each evalset are drawn here, worked out once an evalset.

    told_of  evalsets that were selected, once that is known; None: all that are loaded
    """

    index: int
    count: int
    told_of: Collection[str] | None = None
    _cases: dict[str, frozenset[str]] = field(default_factory=dict)
    _plans: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, shard: tuple[int, int] | None) -> Part | None:
        """Return the part that was asked for; None where the whole was."""
        return cls(*shard) if shard is not None else None

    @property
    def name(self) -> str:
        return f"shard {self.index} of {self.count}"

    def cases_of(self, one: Prepared) -> frozenset[str]:
        """Return the ids of this shard's cases of an evalset, whatever else of it is selected."""
        if one.name not in self._cases:
            cases = [job.case for job in one.jobs]
            found = shards_of(one.name, {case.id: case.cluster for case in cases}, count=self.count)
            self._cases[one.name] = frozenset(case for case, shard in found.items() if shard == self.index)
            self._plans[one.name] = plan_digest(
                one.name, ((case.id, case.digest, case.cluster) for case in cases), count=self.count
            )
        return self._cases[one.name]

    def samples_of(self, one: Prepared) -> int:
        """Return how many samples this shard draws of an evalset."""
        mine = self.cases_of(one)
        return sum(job.epochs for job in one.jobs if job.case.id in mine)

    def described(self, prepared: Iterable[Prepared], *, complete: bool) -> Shard:
        """Say in `run.json` which part this is."""
        wanted = self.told_of
        cases = {
            one.name: len(self.cases_of(one)) for one in prepared if wanted is None or one.name in wanted
        }
        return Shard(
            index=self.index,
            count=self.count,
            plan={name: self._plans[name] for name in cases},
            cases=cases,
            complete=complete,
        )

    def why_not_judged(self, one: Prepared, *, done: int, ended: str) -> str:
        """Say why nothing is judged here; `ended` is what ended the shard early, or empty."""
        name = self.name
        mine = len(self.cases_of(one))
        if ended == "interrupted":
            return f"interrupted in {name}: {done} of its {mine} cases"
        if ended:
            return f"{name}: {ended}"
        if done < mine:
            return f"{name}: {done} of its {mine} cases ran"
        return f"{name}: {mine} of {len(one.jobs)} cases; judged when all shards are there"
