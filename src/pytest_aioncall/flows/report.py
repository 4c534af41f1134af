"""Tell people and machines what a run said: `report.json`, `report.html` and the terminal block."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..adapters.baseline_store import Baseline
from ..adapters.files import replace_parts
from ..adapters.text import seen_json
from ..decide.exit_codes import run_exit_code
from ..decide.instrument import changed_parts
from ..decide.movement import at_the_floor
from ..model.baseline import ScorerInfo
from ..model.evalset import Case
from ..model.frozen import Frozen
from ..model.report import AlreadyRegressed, BaseReview, EvalsetReport, Report, SubjectChange
from ..model.run import Run, RunEvalset
from ..model.verdict import Judgement
from .judge import BaselineFound
from .record import EvalsetRecord, age_days, rfc3339
from .report_cases import case_views, chosen_cases, samples_of
from .standing import rejudged_line, standing_notes


@dataclass(frozen=True, slots=True)
class EvalsetInput:
    """All that is known of one evalset when its run is over."""

    planned: RunEvalset
    cases: Sequence[Case]
    record: EvalsetRecord
    found: BaselineFound
    judgement: Judgement | None
    not_judged_because: str | None = None
    unfinished: int = 0
    description: str = ""
    max_age_days: int = 30
    unaffected: bool = False
    affected_by: tuple[str, ...] = ()
    already: tuple[AlreadyRegressed, ...] = ()
    review: BaseReview | None = None
    without_key: str | None = None


def build_report(
    run: Run,
    inputs: Sequence[EvalsetInput],
    *,
    folder: Path | None,
    now: datetime,
    exit_code: int | None = None,
    review: BaseReview | None = None,
) -> Report:
    """Gather what a reader is shown. `folder` is the run folder; outputs are read back from it.

    `review` is what a branch proposes that concerns no evalset of this run.
    """
    chosen = {
        one.planned.evalset: chosen_cases(
            one.cases, one.record, baseline=one.found.baseline, judgement=one.judgement
        )
        for one in inputs
    }
    samples = samples_of(
        folder, {name: {case.id for case, _ in found.full} for name, found in chosen.items()}
    )
    evalsets = []
    for one in inputs:
        name = one.planned.evalset
        header = one.found.baseline.header if one.found.baseline else None
        evalsets.append(
            EvalsetReport(
                planned=one.planned,
                description=one.description,
                judgement=one.judgement,
                not_judged_because=one.not_judged_because,
                shard=(run.shard.index, run.shard.count) if run.shard is not None else None,
                not_recorded=one.record.not_recorded,
                unfinished=one.unfinished,
                baseline=header,
                baseline_age_days=age_days(header.accepted_at, now) if header else None,
                baseline_notes=tuple(_baseline_notes(one, now)),
                without_key=one.without_key,
                unaffected=one.unaffected,
                affected_by=one.affected_by,
                already=one.already,
                review=one.review,
                changes=_changes(one),
                cases=case_views(
                    chosen[name],
                    one.record,
                    samples=samples.get(name, {}),
                    baseline=one.found.baseline,
                    file=one.planned.file,
                ),
            )
        )
    judgements = [one.judgement for one in inputs if one.judgement is not None]
    return Report(
        run=run,
        status=_status(inputs, judgements),
        exit_code=run_exit_code(judgements) if exit_code is None else exit_code,
        generated_at=rfc3339(now),
        evalsets=tuple(evalsets),
        review=review,
    )


def write_report(report: Report, folder: Path) -> Path:
    """Write `report.json` and `report.html`; return the page's path."""
    replace_parts(folder / "report.json", json_parts(report))
    page = folder / "report.html"
    # Needed when all has run, so it is not loaded before anything was asked.
    from ..adapters.render.html import html_parts

    replace_parts(page, html_parts(report))
    return page


def json_parts(report: Report) -> Iterator[str]:
    """Yield the text of `report.json` piece by piece, a line a case: it may be many megabytes."""
    yield _open_ended(report, without="evalsets") + ',\n "evalsets": ['
    for number, one in enumerate(report.evalsets):
        yield (",\n" if number else "\n") + _open_ended(one, without="cases") + ',\n "cases": ['
        for place, case in enumerate(one.cases):
            yield (",\n" if place else "\n") + seen_json(case.model_dump_json())
        yield "]}"
    yield "]\n}\n"


def _open_ended(model: Frozen, *, without: str) -> str:
    """Return a model as JSON whose last brace is not there yet."""
    return seen_json(model.model_dump_json(indent=1, exclude={without})).removesuffix("}").rstrip()


def _status(inputs: Sequence[EvalsetInput], judgements: Sequence[Judgement]) -> Any:
    """Return the worst status of what ran; a run that had to judge nothing has a word of its own."""
    ran = [one for one in inputs if not one.unaffected]
    if inputs and not ran:
        return "unaffected"
    return _worst_status(judgements) if ran and len(judgements) == len(ran) else "not_judged"


def _worst_status(judgements: Sequence[Judgement]) -> Any:
    order = ("regressed", "cannot_judge", "inconclusive", "pass")
    return min((j.status for j in judgements), key=order.index, default="pass")


def _baseline_notes(one: EvalsetInput, now: datetime) -> list[str]:
    """Say what is to be known of the baseline itself: who judged it again, that it is old or not whole.

    Where there is none yet: why this run should not become it.
    """
    baseline = one.found.baseline
    if baseline is None:
        from .acceptable import nobodys_baseline

        return nobodys_baseline(one.planned, one.cases, one.record) if one.judgement is not None else []
    again = rejudged_line(baseline.header)
    notes = standing_notes(baseline, now, limit=one.max_age_days)
    return [*_blind_notes(baseline, one.planned), *notes, *([f"the baseline was {again}"] if again else [])]


def _blind_notes(baseline: Baseline, planned: RunEvalset) -> list[str]:
    """Say which gated scorers have nothing to lose: `accept` warned of it, and every run stays green."""
    known = baseline.header.scorers
    return [
        f"{name} is at the worst of its scale in every case of the baseline: no drop can ever be seen from "
        "there, however many epochs. Is the target right, and what the cases expect?"
        for name in dict.fromkeys(gate.scorer for gate in planned.gates)
        if name in known and at_the_floor(baseline.rows, name, known[name])
    ]


def _changes(one: EvalsetInput) -> tuple[SubjectChange, ...]:
    """Return what of the subject and the instrument differs from the baseline's record of it."""
    if one.found.baseline is None:
        return ()
    was, now = one.found.baseline.header.subject, one.planned.fingerprint.subject
    changes = _file_changes(was.get("files") or {}, now.get("files") or {})
    # A prompt in a file is told by its text; one that stands in the evalset is known by its digest only.
    told_by_file = bool(changes)
    changes += _plain_changes("label", was.get("labels") or {}, now.get("labels") or {})
    was_target, now_target = was.get("target") or {}, now.get("target") or {}
    for name in sorted({*was_target, *now_target}):
        if was_target.get(name) != now_target.get(name) and not (name == "prompt" and told_by_file):
            kind = "model" if name == "model" else "target"
            changes += _plain_changes(kind, {name: was_target.get(name)}, {name: now_target.get(name)})
    changes += _instrument_changes(one.found.baseline.header.scorers, one.planned.scorers)
    return tuple(changes)


def _instrument_changes(was: Mapping[str, ScorerInfo], now: Mapping[str, ScorerInfo]) -> list[SubjectChange]:
    """Name what changed of each scorer: the part, and its two values where they are told."""
    changes = []
    for name in sorted({*was, *now}):
        if name not in was or name not in now:
            there = was.get(name) or now[name]
            sides = (there.kind, None) if name in was else (None, there.kind)
            changes.append(SubjectChange(name=name, kind="instrument", was=sides[0], now=sides[1]))
            continue
        for part in changed_parts(now[name], was[name]):
            word, _, values = part.partition(": ")
            before, arrow, after = values.partition(" -> ")
            was_now = (before, after) if arrow else (None, None)
            changes.append(
                SubjectChange(name=f"{name} {word}", kind="instrument", was=was_now[0], now=was_now[1])
            )
    return changes


def _plain_changes(kind: Any, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[SubjectChange]:
    return [
        SubjectChange(name=name, kind=kind, was=_short(was.get(name)), now=_short(now.get(name)))
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]


def _short(value: Any) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True))[:200]


def _file_changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[SubjectChange]:
    changes = []
    for name in sorted({*was, *now}):
        before, after = was.get(name) or {}, now.get(name) or {}
        if before.get("sha256") == after.get("sha256"):
            continue
        old, new = before.get("text"), after.get("text")
        diff, added, removed = None, 0, 0
        if (old is not None or not before) and (new is not None or not after):
            lines = list(
                difflib.unified_diff(
                    (old or "").splitlines(),
                    (new or "").splitlines(),
                    f"a/{name}",
                    f"b/{name}",
                    lineterm="",
                    n=1,
                )
            )
            added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
            removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
            diff = "\n".join(lines)[:20_000]
        changes.append(
            SubjectChange(
                name=name,
                kind="file",
                was=(before.get("sha256") or "")[:12] or None,
                now=(after.get("sha256") or "")[:12] or None,
                added=added,
                removed=removed,
                diff=diff,
            )
        )
    return changes
