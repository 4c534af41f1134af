"""Word-level difference of two texts, bounded by counted work: a page takes the same time anywhere."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

# One run of text: 0 kept, 1 changed. Changed runs are what the other side does not have.
Run = tuple[int, str]
_TOKENS = re.compile(r"\w+|\s+|[^\w\s]")
_MOST_PAIRS = 160_000
_REWRITTEN = 0.3


@dataclass(slots=True)
class Work:
    """How many token pairs may still be compared on this page."""

    left: int = 30_000_000


@dataclass(frozen=True, slots=True)
class Sides:
    """Both texts as runs. `rewritten`: too little is shared for marks to help, so nothing is marked."""

    was: tuple[Run, ...]
    now: tuple[Run, ...]
    same: bool = False
    rewritten: bool = False


def side_by_side(was: str, now: str, work: Work) -> Sides:
    """Compare two texts word by word; by lines where words are too many; not at all beyond that.

    Both sides always spell their whole text: the joined runs of `was` are `was`, those of `now` are `now`.
    """
    if was == now:
        runs: tuple[Run, ...] = ((0, was),) if was else ()
        return Sides(runs, runs, same=True)
    for tokens in (_TOKENS.findall, lambda text: text.splitlines(keepends=True)):
        sides = _compared(tokens(was), tokens(now), work)
        if sides is not None:
            return sides
    return Sides(((0, was),) if was else (), ((0, now),) if now else (), rewritten=True)


def _compared(a: Sequence[str], b: Sequence[str], work: Work) -> Sides | None:
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    mid_a, mid_b = a[head : len(a) - tail], b[head : len(b) - tail]
    pairs = len(mid_a) * len(mid_b)
    if pairs > min(_MOST_PAIRS, work.left):
        return None
    work.left -= pairs
    left, right = _Runs(), _Runs()
    for side in (left, right):
        side.add(0, "".join(a[:head]))
    matcher = difflib.SequenceMatcher(None, mid_a, mid_b, autojunk=False)
    kept = head + tail
    for tag, i, j, k, m in matcher.get_opcodes():
        old, new = "".join(mid_a[i:j]), "".join(mid_b[k:m])
        # A lone space between two changed words belongs to the change: fewer, longer marks read better.
        lone = tag == "equal" and not old.strip() and i > 0 and j < len(mid_a)
        changed = int(tag != "equal" or lone)
        kept += 0 if changed else j - i
        left.add(changed, old)
        right.add(changed, new)
    for side in (left, right):
        side.add(0, "".join(a[len(a) - tail :]))
    if kept < _REWRITTEN * min(len(a), len(b)) and min(len(a), len(b)) > 3:
        return Sides(((0, "".join(a)),), ((0, "".join(b)),), rewritten=True)
    return Sides(tuple(left.runs), tuple(right.runs))


class _Runs:
    """Joins neighbouring runs of one kind."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def add(self, kind: int, text: str) -> None:
        if not text:
            return
        if self.runs and self.runs[-1][0] == kind:
            text = self.runs.pop()[1] + text
        self.runs.append((kind, text))
