"""What one case came to, for the person who reads the item: held, missed, broken, errored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from ..adapters.text import log_line
from ..decide.floors import case_floors
from ..engine import Job
from ..model.sample import NOT_RECORDED, Sample, Score
from ..model.verdict import Floor

OutcomeKind = Literal["held", "missed", "broken", "user_error", "unjudged", "not_recorded", "cancelled"]

SHOWN_OUTPUT = 400


Properties = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`broken`: a must or require failed. `missed`: some score failed, the gates decide. `unjudged`: an error
    of transport, scorer or judge. `lines` explain it; `properties` go to JUnit."""

    kind: OutcomeKind
    lines: tuple[str, ...] = ()
    properties: Properties = ()
    floors: tuple[Floor, ...] = ()

    @property
    def reason(self) -> str:
        return self.lines[0] if self.lines else self.kind


def outcome_of(job: Job, samples: Sequence[Sample]) -> Outcome:
    """Decide what an item says of its samples. A wrong answer alone never fails an item: gates do."""
    floors = tuple(case_floors(job.case, samples)) if job.case.must or job.case.require else ()
    properties = _properties(samples)
    own = [s for s in samples if s.error is not None and s.error.kind in {"user", "target"}]
    if own:
        return Outcome("user_error", _error_lines(own, len(samples)), properties, floors)
    broken = [floor for floor in floors if not floor.ok and not floor.undecided]
    if broken:
        lines = [*(_floor_line(floor) for floor in broken), *_incident_lines(job)]
        return Outcome("broken", tuple(lines + _sample_lines(job, samples)), properties, floors)
    errored = [s for s in samples if s.error is not None]
    if errored:
        kinds = {s.error.kind for s in errored if s.error is not None}
        kind: OutcomeKind = "unjudged"
        if "cancelled" in kinds:
            kind = "cancelled"
        elif kinds == {"cassette_miss"}:
            kind = "not_recorded"
        return Outcome(kind, _error_lines(errored, len(samples)), properties, floors)
    unscored = [score for s in samples for score in s.scores if score.error]
    if unscored:
        first = unscored[0]
        line = f"{first.scorer} could not score {len(unscored)} time(s): {log_line(first.error or '', 500)}"
        missed = all((score.error or "").startswith(NOT_RECORDED) for score in unscored)
        judged: OutcomeKind = "not_recorded" if missed else "unjudged"
        return Outcome(judged, (line, *_sample_lines(job, samples)), properties, floors)
    if any(score.passed is False for s in samples for score in s.scores):
        return Outcome("missed", tuple(_sample_lines(job, samples)), properties, floors)
    return Outcome("held", (), properties, floors) if floors else _held(properties)


def _floor_line(floor: Floor) -> str:
    why = f": {log_line(floor.reason, 300)}" if floor.reason else ""
    held = f"held in {floor.held}/{floor.epochs} epochs, needs {floor.needed}"
    return f"{floor.kind} {_plain(floor.scorer)} {held}{why}"


def _plain(scorer: str) -> str:
    """Return a scorer's name without the prefix that keeps a must's apart inside a sample."""
    return scorer.partition("]:")[2] or scorer


def _incident_lines(job: Job) -> list[str]:
    """Name the incident that has come back."""
    source = job.case.source
    if source is None:
        return []
    said = " ".join(part for part in (source.incident, source.opened, source.url) if part)
    return [f"incident: {log_line(said, 300)}"]


def _error_lines(errored: Sequence[Sample], planned: int) -> tuple[str, ...]:
    first = errored[0].error
    assert first is not None  # noqa: S101 - the caller selected by it
    head = f"{first.type}: {log_line(first.message, 500)} ({len(errored)}/{planned} epochs)"
    trace = tuple(log_line(line, 300) for line in (first.traceback or "").splitlines())
    return (head, *trace)


def _sample_lines(job: Job, samples: Sequence[Sample]) -> list[str]:
    """Return input, expected, and for each epoch the output with the scores that failed."""
    lines = [f"input:    {log_line(_text(job.case.input), SHOWN_OUTPUT)}"]
    if job.case.expected is not None:
        lines.append(f"expected: {log_line(_text(job.case.expected), SHOWN_OUTPUT)}")
    for sample in samples:
        if sample.output is None:
            continue
        replayed = f" (replayed from {sample.output.replayed})" if sample.output.replayed else ""
        lines.append(f"epoch {sample.epoch}:  {log_line(sample.output.text, SHOWN_OUTPUT)}{replayed}")
        for score in sample.scores:
            if score.passed is False or score.error:
                lines.append(f"          {_score_line(score)}")
    return lines


def _score_line(score: Score) -> str:
    value = "error" if score.error else "missed" if score.value is None else f"{score.value:g}"
    return f"{_plain(score.scorer)}: {value} - {log_line(score.error or score.reason or '', 500)}"


def _properties(samples: Sequence[Sample]) -> Properties:
    """Return `passed/judged` by scorer, for JUnit and `-rA`."""
    counts: dict[str, list[int]] = {}
    for sample in samples:
        for score in sample.scores:
            passed, judged = counts.setdefault(score.scorer, [0, 0])
            if score.value is not None:
                counts[score.scorer] = [passed + bool(score.passed), judged + 1]
    return _shared(tuple((name, passed, judged) for name, (passed, judged) in counts.items()))


@lru_cache(maxsize=4096)
def _shared(counts: tuple[tuple[str, int, int], ...]) -> Properties:
    """Return one tuple for all cases with the same counts: most of 10,000 cases have the same few."""
    return tuple((f"aioncall.{name}", f"{passed}/{judged}") for name, passed, judged in counts)


@lru_cache(maxsize=4096)
def _held(properties: Properties) -> Outcome:
    return Outcome("held", (), properties)


def _text(value: Any) -> str:
    from ..model.frozen import canonical_json

    return value if isinstance(value, str) else canonical_json(value)
