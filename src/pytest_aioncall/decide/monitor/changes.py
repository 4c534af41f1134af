"""What differs between two runs of an evalset: the subject, the instrument, the models that answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ...model.baseline import ScorerInfo
from ...model.frozen import canonical_json
from ...model.history import EvalsetDay
from ...model.report import SubjectChange
from ..instrument import changed_parts

_LONGEST = 200
_MOST = 60
_Kind = Literal["file", "label", "model", "target", "instrument"]


def changes_between_runs(was: EvalsetDay, now: EvalsetDay) -> tuple[SubjectChange, ...]:
    """Return what changed from one run to a later one, files first. Texts are told by their digests."""
    found = [
        *_files(_part(was.subject, "files"), _part(now.subject, "files")),
        *_named("label", _part(was.subject, "labels"), _part(now.subject, "labels")),
        *_target(_part(was.subject, "target"), _part(now.subject, "target")),
        *_models(was.models, now.models),
        *_scorers(was.scorers, now.scorers),
        *_baseline(was.baseline, now.baseline),
    ]
    return tuple(found[:_MOST])


def _part(subject: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = subject.get(name)
    return part if isinstance(part, Mapping) else {}


def _files(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[SubjectChange]:
    for name in sorted({*was, *now}):
        before, after = _digest(was.get(name)), _digest(now.get(name))
        if before != after:
            yield SubjectChange(name=name, kind="file", was=before, now=after)


def _digest(file: Any) -> str | None:
    """Return the first 12 digits of a file's digest, whether it stands alone or with its text."""
    told = file.get("sha256") if isinstance(file, Mapping) else file
    return str(told)[:12] if told else None


def _target(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[SubjectChange]:
    for name in sorted({*was, *now}):
        yield from _named(
            "model" if name == "model" else "target", {name: was.get(name)}, {name: now.get(name)}
        )


def _named(kind: _Kind, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[SubjectChange]:
    for name in sorted({*was, *now}):
        if canonical_json(was.get(name)) != canonical_json(now.get(name)):
            yield SubjectChange(name=name, kind=kind, was=_short(was.get(name)), now=_short(now.get(name)))


def _short(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text[:_LONGEST]


def _models(was: Mapping[str, int], now: Mapping[str, int]) -> Iterator[SubjectChange]:
    """Yield a change where another set of models answered; a provider says it only in its answers."""
    before, after = (sorted(name for name, number in side.items() if number > 0) for side in (was, now))
    if before and after and before != after:
        sides = [", ".join(side)[:_LONGEST] for side in (before, after)]
        yield SubjectChange(name="response model", kind="model", was=sides[0], now=sides[1])


def _scorers(was: Mapping[str, ScorerInfo], now: Mapping[str, ScorerInfo]) -> Iterator[SubjectChange]:
    for name in sorted({*was, *now}):
        if name not in was or name not in now:
            kind = (was.get(name) or now[name]).kind
            sides = (kind, None) if name in was else (None, kind)
            yield SubjectChange(name=name, kind="instrument", was=sides[0], now=sides[1])
            continue
        for part in changed_parts(now[name], was[name]):
            word, _, values = part.partition(": ")
            before, arrow, after = values.partition(" -> ")
            yield SubjectChange(
                name=f"{name} {word}",
                kind="instrument",
                was=before if arrow else None,
                now=after if arrow else None,
            )


def _baseline(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[SubjectChange]:
    if was and now and canonical_json(was) != canonical_json(now):
        sides = [str(side.get("commit") or side.get("accepted_at") or "another")[:40] for side in (was, now)]
        yield SubjectChange(name="baseline", kind="instrument", was=sides[0], now=sides[1])
