"""Errors of a kind that the history does not have, and answers of a model that it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...model import spelling
from ...model.alert import Alert, Evidence
from ...model.history import ErrorText
from . import titles
from .error_texts import OTHER, is_one_kind
from .looks import Look, days_between

LEAST_CASES = 3
FEWEST_RUNS = 3
"""Before so many judged runs everything is new."""
MOST_KNOWN = 1000
KNOWN_DAYS = 30
TURNS_DAYS = 7


class ErrorKinds:
    """Remember the templates that were told, or seen in a judged run; those of an episode stay news until its
    end.
    """

    def __init__(self) -> None:
        self._known: list[str] = []
        self._fresh: list[str] = []
        self._runs = 0

    def novel(self, look: Look) -> list[ErrorText]:
        """Return the templates of a run that no run before the episode had, in three cases or more."""
        texts = [one for one in look.evalset.error_texts if one.template != OTHER]
        news = [one for one in texts if not _among(one.template, self._known)]
        return [one for one in news if one.cases >= LEAST_CASES] if self._runs >= FEWEST_RUNS else []

    def learn(self, look: Look, *, told: Sequence[ErrorText], in_episode: bool) -> None:
        """Take the templates of a run in: of one that was not judged those that an alert told."""
        self._runs += look.evalset.judged
        into = self._fresh if in_episode else self._known
        for one in look.evalset.error_texts if look.evalset.judged else told:
            if not _among(one.template, into):
                into.append(one.template)
        del into[:-MOST_KNOWN]

    def settle(self) -> None:
        """End the episode: what was news in it is known now."""
        self._known = [*self._known, *self._fresh][-MOST_KNOWN:]
        self._fresh = []


def _among(template: str, known: Iterable[str]) -> bool:
    return any(is_one_kind(template, other) for other in known)


def novel_alerts(look: Look, texts: list[ErrorText]) -> list[Alert]:
    """Return one alert for all novel errors of a run."""
    if not texts:
        return []
    first, *rest = texts
    told = f"new: {titles.plain(first.template, 90)} ({spelling.counted(first.cases, 'case')})"
    if rest:
        told += f" and {len(rest)} more"
    return [
        Alert(
            kind="novel_error",
            tier=2,
            evalset=look.evalset.evalset,
            title=titles.about(look.evalset.evalset, "error", told),
            summary="Errors of a kind that no run before had.",
            evidence=tuple(
                Evidence(
                    name="new error",
                    value=f"{titles.plain(one.template, 200)} ({spelling.counted(one.samples, 'sample')}, "
                    f"{spelling.counted(one.cases, 'case')})",
                )
                for one in texts[:8]
            ),
        )
    ]


class ModelIds:
    """Remember which models answered. A model is known for thirty days after its last answer."""

    def __init__(self) -> None:
        self._last_day: dict[str, str] = {}
        self._main_day: dict[str, str] = {}
        self._main = ""

    def changed(self, look: Look) -> Alert | None:
        """Take a run in; return an alert where a model answered that is not known, or another one mostly."""
        models = {name: number for name, number in look.evalset.models.items() if number > 0}
        if not models:
            return None
        main = max(sorted(models), key=models.__getitem__)
        fresh = sorted(name for name in models if not self._knows(name, look.day))
        before, first = self._main, not self._last_day
        # Two models that take turns are one line, not one a day.
        takes_turns = main in self._main_day and days_between(self._main_day[main], look.day) <= TURNS_DAYS
        self._main, self._main_day[main] = main, look.day
        self._last_day.update(dict.fromkeys(models, look.day))
        if first or not (fresh or (main != before and not takes_turns)):
            return None
        samples = sum(models.values())
        named = fresh or [main]
        told = f"{titles.plain(before, 60)} -> {', '.join(titles.plain(name, 60) for name in named[:3])}"
        share = spelling.rate(sum(models[name] for name in named) / samples)
        return Alert(
            kind="provider_change",
            tier=3,
            evalset=look.evalset.evalset,
            title=titles.about(look.evalset.evalset, "model", f"{told} ({share} of {samples} answers)"),
            summary="The provider answers with another model than before.",
            evidence=tuple(
                Evidence(name=titles.plain(name, 80), value=spelling.counted(models[name], "answer"))
                for name in sorted(models, key=lambda one: (-models[one], one))[:8]
            ),
            quality=False,
        )

    def _knows(self, name: str, day: str) -> bool:
        return name in self._last_day and days_between(self._last_day[name], day) <= KNOWN_DAYS
