"""SHARDS: which of N machines draws which cases, agreed on without a word between them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

METHOD = 1
"""Number of the rule below, part of every plan's digest: shards cut by two rules are never put together."""


def shards_of(evalset: str, clusters: Mapping[str, str | None], *, count: int) -> dict[str, int]:
    """Return the shard (1 to `count`) of every case of an evalset; `clusters` names each case's cluster.

    Depends on the evalset's name, the case ids, their clusters and `count`, not on any order. The cases of a
    cluster stay together. Balance comes first: without clusters no two shards differ by more than one case,
    and with them none holds more than an even share and the largest cluster together. Within that, cases keep
    their shard when others come and go: each starts at a shard drawn from its own name and moves on to the
    next one only where that is full (consistent hashing with bounded loads, at the tightest bound).
    """
    units: dict[tuple[str, str], list[str]] = {}
    for case, cluster in clusters.items():
        unit = ("case", case) if cluster is None else ("cluster", cluster)
        units.setdefault(unit, []).append(case)
    drawn = {unit: _number(evalset, *unit) for unit in units}
    loads = _Loads(sum(map(len, units.values())), count)
    found: dict[str, int] = {}
    for unit in sorted(units, key=lambda unit: (-len(units[unit]), drawn[unit], unit)):
        shard = loads.place(len(units[unit]), start=drawn[unit] % count)
        found.update(dict.fromkeys(units[unit], shard + 1))
    return found


class _Loads:
    """How many cases each shard has: `low` for all, one more for some, so that an even share is exact."""

    def __init__(self, total: int, count: int) -> None:
        self._low, self._spare = divmod(total, count)
        self._loads = [0] * count
        self._open = list(range(count))

    def place(self, size: int, *, start: int) -> int:
        """Take a unit into the first shard from `start` on with room for it, else into the emptiest."""
        count = len(self._loads)
        walk = [(start + step) % count for step in range(count)] if size > 1 else self._walk(start)
        for shard in walk:
            if self._fits(self._loads[shard] + size):
                return self._take(shard, size)
        return self._take(min(walk, key=lambda shard: self._loads[shard]), size)

    def _walk(self, start: int) -> list[int]:
        """Return the shards that have room for one case; full ones are taken out, so that many stay quick."""
        self._open = [shard for shard in self._open if self._fits(self._loads[shard] + 1)]
        later = [shard for shard in self._open if shard >= start]
        return later + self._open[: len(self._open) - len(later)]

    def _fits(self, load: int) -> bool:
        return load <= self._low or (load == self._low + 1 and self._spare > 0)

    def _take(self, shard: int, size: int) -> int:
        was = self._loads[shard]
        self._loads[shard] += size
        if was <= self._low < self._loads[shard] and self._spare:
            self._spare -= 1
        return shard


def plan_digest(evalset: str, cases: Iterable[tuple[str, str, str | None]], *, count: int) -> str:
    """Return the digest of what is divided and how: (id, digest, cluster) of each case, in any order.

    Shards with one plan digest asked parts of the same cases, and together all of them.
    """
    told = sorted([case, digest, cluster] for case, digest, cluster in cases)
    return hashlib.sha256(_canonical(["plan", METHOD, evalset, count, told])).hexdigest()[:16]


def _number(*words: str) -> int:
    """Return a number of 64 bits drawn from some words."""
    return int.from_bytes(hashlib.sha256(_canonical(["shard", METHOD, *words])).digest()[:8], "big")


def _canonical(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()


def shards_told(numbers: Sequence[int], *, count: int) -> str:
    """Name shards in a sentence: `shard 3 of 4`, `shards 2, 3 of 4`."""
    word = "shard" if len(numbers) == 1 else "shards"
    return f"{word} {', '.join(map(str, sorted(numbers)))} of {count}"
