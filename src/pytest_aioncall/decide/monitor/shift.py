"""Has the mix of labels or of features changed? Paired by case against the reference days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from ...model import spelling
from ...model.alert import Alert, Evidence
from ...model.baseline import ScorerInfo
from ...model.history import CaseDay
from ...model.oncall import Monitors
from ...stats.arrays import Ints
from ...stats.shift import excess_kl, swapped_days
from . import titles
from .calm import CalmDay, CalmDays
from .looks import Look

ALPHA = 0.01
FEWEST_DAYS = 7
MOST_CATEGORIES = 40
MOVERS = 4
REST = "(other)"

Labels = tuple[str | None, ...]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Question:
    """One thing that has a mix: the labels of a scorer, or a feature of the text."""

    name: str
    pick: Callable[[CaseDay], Labels]
    same: Callable[[Look], bool]


class Shifts:
    """Ask of each run whether its mix is another one. What the reference held is counted once.

    asked  of which the newest run could tell
    """

    def __init__(self, monitors: Monitors) -> None:
        self.asked: set[str] = set()
        self._min_kl = monitors.min_kl
        self._pools: dict[str, tuple[tuple[str, int, frozenset[Key]], Counter[str]]] = {}
        self._days: dict[tuple[str, str], tuple[frozenset[Key], Counter[str]]] = {}
        self._cases: dict[str, tuple[tuple[str, int], frozenset[Key]]] = {}

    def alerts(self, look: Look, calm: CalmDays) -> list[Alert]:
        """Return an alert for each scorer's labels and each feature whose mix is another one.

        Excess KL against the reference days above `min_kl`, and the permutation test significant at .01
        divided by the number of questions asked (Bonferroni). Only cases that both sides have are counted.
        """
        self.asked.clear()
        if len(calm.reference) < FEWEST_DAYS:
            return []
        questions = list(_questions(look))
        self.asked |= set(_without_a_label(look, calm))
        found = []
        for question in questions:
            days = calm.reference_where(question.same)
            if len(days) >= FEWEST_DAYS:
                found.append(self._asked(question, look, days, alpha=ALPHA / len(questions)))
        return [alert for alert in found if alert is not None]

    def _asked(self, question: _Question, look: Look, days: list[CalmDay], *, alpha: float) -> Alert | None:
        today = {_key(case): given for case in look.evalset.cases if (given := question.pick(case))}
        # Cases that no day of the reference has are no part of either side.
        known = self._known(question, days)
        today = {key: given for key, given in today.items() if key in known}
        if today:
            self.asked.add(question.name)
        now = Counter(label for given in today.values() for label in given if label is not None)
        mix = _Mix(now, self._pool(question, days, frozenset(today)))
        size = excess_kl(mix.now, mix.was)
        if size <= self._min_kl:
            return None
        table, held = _table(today, _by_case(question, days, today), mix)
        p = swapped_days(table, days=held, alpha=alpha).p
        return _alert(question.name, look, mix, size=size, p=p, alpha=alpha) if p <= alpha else None

    def _known(self, question: _Question, days: list[CalmDay]) -> frozenset[Key]:
        """Return the cases that the reference has."""
        mark = days[0].day, len(days)
        held = self._cases.get(question.name)
        if held is None or held[0] != mark:
            keys = frozenset[Key]().union(*(self._of_day(question, one)[0] for one in days))
            held = self._cases[question.name] = mark, keys
        return held[1]

    def _pool(self, question: _Question, days: list[CalmDay], keys: frozenset[Key]) -> Counter[str]:
        """Count the labels of the reference in the cases that today has, too."""
        mark = days[0].day, len(days), keys
        held = self._pools.get(question.name)
        if held is None or held[0] != mark:
            pool: Counter[str] = Counter()
            for one in days:
                there, counted = self._of_day(question, one)
                pool.update(counted if there <= keys else _counted(question, one, keys))
            held = self._pools[question.name] = mark, pool
        return held[1]

    def _of_day(self, question: _Question, day: CalmDay) -> tuple[frozenset[Key], Counter[str]]:
        """Return the cases of a day of the reference, and its labels counted."""
        held = self._days.get((question.name, day.day))
        if held is None:
            keys = frozenset(_key(case) for look in day.looks for case in look.evalset.cases)
            held = self._days[question.name, day.day] = keys, _counted(question, day, keys)
        return held


def _counted(question: _Question, day: CalmDay, keys: frozenset[Key]) -> Counter[str]:
    return Counter(
        label
        for look in day.looks
        for case in look.evalset.cases
        if _key(case) in keys
        for label in question.pick(case)
        if label is not None
    )


class _Mix:
    """Both sides as counts of the same categories: the most frequent by name, the rest as one."""

    def __init__(self, now: Counter[str], was: Counter[str]) -> None:
        both = now + was
        frequent = sorted(both, key=lambda name: (-both[name], name))[:MOST_CATEGORIES]
        self.place = {name: at for at, name in enumerate(sorted(frequent))}
        self.names = [*self.place, *([REST] if len(both) > len(self.place) else [])]
        self.now, self.was = self._counted(now), self._counted(was)

    def at(self, name: str) -> int:
        """Return the place of a category."""
        return self.place.get(name, len(self.place))

    def _counted(self, side: Counter[str]) -> Ints:
        counts = np.zeros(len(self.names), dtype=np.int64)
        for name, number in side.items():
            counts[self.at(name)] += number
        return counts


def _questions(look: Look) -> Iterator[_Question]:
    """Yield what is asked of a run: labels of a scorer only against days with the same scorer."""
    day = look.evalset
    for name in sorted({name for case in day.cases for name in case.labels}):
        same = partial(_has, name=name, info=day.scorers.get(name))
        yield _Question(name, partial(_labels, name=name), same)
    for name in sorted({name for case in day.cases for name in case.features}):
        yield _Question(name, partial(_feature, name=name), _always)


def _without_a_label(look: Look, calm: CalmDays) -> Iterator[str]:
    """Yield the scorers of the reference that scored and labelled nothing, as one that names faults does."""
    day = look.evalset
    labelled = {name for case in day.cases for name in case.labels}
    scored = {name for case in day.cases for name in case.scores}
    for name in sorted(scored & day.scorers.keys() - labelled):
        if len(calm.reference_where(partial(_has, name=name, info=day.scorers[name]))) >= FEWEST_DAYS:
            yield name


def _labels(case: CaseDay, *, name: str) -> Labels:
    return case.labels.get(name, ())


def _feature(case: CaseDay, *, name: str) -> Labels:
    return case.features.get(name, ())


def _has(look: Look, *, name: str, info: ScorerInfo | None) -> bool:
    return look.evalset.scorers.get(name) == info


def _always(_: Look) -> bool:
    return True


def _key(case: CaseDay) -> Key:
    return case.case, case.digest


def _by_case(
    question: _Question, days: list[CalmDay], today: Mapping[Key, Labels]
) -> dict[Key, list[list[Labels]]]:
    """Return what each of today's cases gave on each day of the reference on which it was asked."""
    found: dict[Key, list[list[Labels]]] = {}
    for one in days:
        of_day: dict[Key, list[Labels]] = {}
        for other in one.looks:
            for case in other.evalset.cases:
                if (key := _key(case)) in today and (given := question.pick(case)):
                    of_day.setdefault(key, []).append(given)
        for key, labels in of_day.items():
            found.setdefault(key, []).append(labels)
    return found


def _table(
    today: Mapping[Key, Labels], before: Mapping[Key, list[list[Labels]]], mix: _Mix
) -> tuple[Ints, Ints]:
    """Return the counts, cases x days x categories with today first, and how many days each case has."""
    days = 1 + max((len(one) for one in before.values()), default=0)
    table = np.zeros((len(before), days, len(mix.names)), dtype=np.int64)
    held = np.ones(len(before), dtype=np.int64)
    for row, key in enumerate(sorted(before)):
        rows = [[today[key]], *before[key]]
        held[row] = len(rows)
        for at, labels in enumerate(chain.from_iterable(one) for one in rows):
            for label in labels:
                if label is not None:
                    table[row, at, mix.at(label)] += 1
    return table, held


def _alert(name: str, look: Look, mix: _Mix, *, size: float, p: float, alpha: float) -> Alert:
    now, was = (side / max(1, int(side.sum())) for side in (mix.now, mix.was))
    order = sorted(range(len(mix.names)), key=lambda at: (-abs(now[at] - was[at]), mix.names[at]))
    moved = [
        f"{titles.plain(mix.names[at], 40)} "
        f"{spelling.rate(float(was[at]))} -> {spelling.rate(float(now[at]))}"
        for at in order[:MOVERS]
        if now[at] != was[at]
    ]
    told = f"{moved[0]} (excess KL {size:.2f}, n={int(mix.now.sum())})"
    return Alert(
        kind="output_shift",
        tier=2,
        evalset=look.evalset.evalset,
        scorer=name,
        title=titles.about(look.evalset.evalset, name, told),
        summary=f"The mix of {name} is another one than on the reference days: {'; '.join(moved)}.",
        evidence=(
            Evidence(name="excess KL", value=f"{size:.3f} nats"),
            Evidence(name="permutation G-test", value=f"p {p:.2g}, limit {alpha:.2g}"),
            *(Evidence(name="moved", value=one) for one in moved),
        ),
    )
