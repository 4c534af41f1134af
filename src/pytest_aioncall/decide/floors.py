"""Floors: `must` in every epoch, `require` in a share of them. They need no baseline and no statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ..model.evalset import Case
from ..model.sample import Sample, Score
from ..model.verdict import Floor

# What an outage or a run that stopped may do to a sample. Everything else is the system's or the user's own.
EXCUSED = frozenset({"transport", "cassette_miss", "cancelled"})

Held = Literal["held", "failed", "unknown"]


def must_name(index: int, *, kind: str) -> str:
    """Return the name under which a sample keeps the score of `case.must[index]`."""
    return f"must[{index}]:{kind}"


def case_floors(case: Case, samples: Sequence[Sample]) -> list[Floor]:
    """Evaluate every `must` and `require` of a case over its samples.

    An epoch holds, fails, or is unknown. Unknown: no answer arrived (transport, cassette miss, cancelled), or
    the scorer itself could not score. An answer that is no output, or an exception of the user's own code, is
    no outage: there the floor failed. With h held and u unknown of the epochs and `needed` asked for:
      h >= needed      ok
      h + u < needed   broken: no answer that is missing could have saved it
      else             undecided, and `ok`: an outage breaks no floor. It proves none either, so the run is
                       not a pass, and too many of them are *cannot judge*.
    An epoch in which there was nothing to measure (the latency of a recording) is no epoch of this floor; a
    floor without any is left out.
    """
    floors = []
    for index, spec in enumerate(case.must):
        name = must_name(index, kind=spec.kind)
        measured = _measured(samples, name)
        if measured or not samples:
            floors.append(_floor("must", case.id, name, measured, needed=len(measured), holds=_passed))
    for require in case.require:
        least = require.at_least
        measured = _measured(samples, require.scorer)
        if measured or not samples:
            floors.append(
                _floor(
                    "require",
                    case.id,
                    require.scorer,
                    measured,
                    needed=require.needed(len(measured)),
                    holds=_passed if least is None else _reaches(least),
                )
            )
    return floors


def _measured(samples: Sequence[Sample], scorer: str) -> Sequence[Sample]:
    """Return the samples in which a scorer had something to measure: all of them, but for recordings."""
    if not any(score.not_measured for sample in samples for score in sample.scores):
        return samples
    return [s for s in samples if not any(one.not_measured for one in s.scores if one.scorer == scorer)]


def _floor(
    kind: Literal["must", "require"],
    case: str,
    scorer: str,
    samples: Sequence[Sample],
    *,
    needed: int,
    holds: Callable[[Score], bool],
) -> Floor:
    outcomes = [_outcome(sample, scorer, holds) for sample in sorted(samples, key=lambda s: s.epoch)]
    states = [state for state, _ in outcomes]
    held, unknown = states.count("held"), states.count("unknown")
    broken = held + unknown < needed
    undecided = not broken and (held < needed or not samples)
    wanted: Held = "failed" if broken else "unknown"
    reason = next((why for state, why in outcomes if state == wanted and why), None)
    if not samples:
        reason = "no sample was drawn"
    return Floor(
        kind=kind,
        case=case,
        scorer=scorer,
        ok=not broken,
        held=held,
        epochs=len(samples),
        needed=needed,
        undecided=undecided,
        reason=reason if broken or undecided else None,
    )


def _outcome(sample: Sample, scorer: str, holds: Callable[[Score], bool]) -> tuple[Held, str | None]:
    score = next((one for one in sample.scores if one.scorer == scorer), None)
    if score is None:
        if sample.error is None:
            return "unknown", f"epoch {sample.epoch} has no score of {scorer}"
        why = f"{sample.error.type}: {sample.error.message}"
        return ("unknown" if sample.error.kind in EXCUSED else "failed"), why
    if score.error is not None or (score.value is None and score.passed is None):
        return "unknown", score.error or f"epoch {sample.epoch} is unscored"
    return ("held", None) if holds(score) else ("failed", score.reason)


def _passed(score: Score) -> bool:
    return score.passed is True


def _reaches(least: float) -> Callable[[Score], bool]:
    return lambda score: score.value is not None and score.value >= least
