"""`aioncall baseline diff`: what moved between the committed baseline and a run, case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..adapters.baseline_store import Baseline
from ..adapters.evalset_files import load_evalset
from ..adapters.render import words
from ..adapters.render.wordwise import woven
from ..adapters.text import did_you_mean, log_line, log_lines
from ..decide.casediffs import CaseDiff, case_diffs, falls
from ..errors import NotComparable, UsageError
from ..model.run import RunEvalset
from ..model.sample import Sample
from ..model.verdict import Judgement
from ..settings import Settings
from .acceptable import moved_on, whole_run
from .judge import find_baseline, judge_record, side_of, side_of_record
from .record import EvalsetRecord
from .runs import evalset_of, load_run, record_of, samples_by_case
from .standing import Age, age_of, origin_of, rejudged_line, standing_notes
from .wording import coverage_lines, judgement_lines

SHOWN = 30
"""Scores that are listed without --all."""
SHOWN_TEXTS = 3
"""Cases whose outputs -v shows: the worst."""
_MOST_LINES, _MOST_CHARACTERS = 24, 20_000


@dataclass(frozen=True, slots=True)
class TextDiff:
    """One case's answers: the best scored one then, the worst scored one now; None where it is not kept."""

    case: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Diff:
    """A run against the baseline: `moves` hold the largest fall first."""

    run: str
    baseline: Baseline
    age: Age
    notes: tuple[str, ...]
    moves: tuple[CaseDiff, ...]
    texts: tuple[TextDiff, ...]
    judgement: Judgement

    def lines(self, *, most: int | None = SHOWN) -> list[str]:
        """Return what a person reads; `most` scores are listed (None: all)."""
        header = self.baseline.header
        lines = [
            f"{log_line(header.evalset, 120)}: run {self.run} against the baseline of {origin_of(header)}, "
            f"{self.age.told}",
            f"  accepted by {log_line(header.accepted_by, 120)}: {log_line(header.reason, 300)}",
        ]
        if again := rejudged_line(header):
            lines.append(f"  {again}")
        lines += [f"  note: {note}" for note in self.notes]
        # Where no case was compared the gate's line says so, and nothing is to be said of what moved.
        lines += ["", *self._table(most), ""] if self.moves or self.judgement.coverage.compared else [""]
        for text in self.texts:
            lines += [*_text_lines(text), ""]
        coverage = set(coverage_lines(self.judgement))
        told = judgement_lines(self.judgement)
        return [*lines, *(line for line in told if line.strip() not in coverage), *self._coverage()]

    def _coverage(self) -> list[str]:
        """Name every case that was not compared: here nothing is cut short."""
        found = self.judgement.coverage
        lines = [f"  {line}" for line in coverage_lines(self.judgement)[:1]]
        for word, cases in (("new", found.new), ("changed", found.changed), ("removed", found.removed)):
            lines += [f"  {word:8} {log_line(case, 120)}" for case in cases]
        return lines

    def _table(self, most: int | None) -> list[str]:
        if not self.moves:
            return ["no score moved in the cases that were compared"]
        shown = self.moves if most is None else self.moves[:most]
        cells = [_cells(move) for move in shown]
        sizes = [max(len(line[i]) for line in cells) for i in range(3)]
        lines = [
            "  " + "  ".join([*(c.ljust(s) for c, s in zip(line[:3], sizes, strict=True)), line[3]])
            for line in cells
        ]
        down = falls(self.moves)
        count = f"{words.counted(len(self.moves), 'score')} moved, {down} of them down"
        noise = sum(bool(move.could_be_noise) for move in self.moves)
        count += f"; {noise} could be noise" if noise else ""
        rest = len(self.moves) - len(shown)
        if rest:
            lines.append(f"  and {rest} more (--all)")
        if any(move.ci for move in shown):
            name = words.interval_name(self.judgement.alpha)
            lines.append(f"  in brackets: the case's {name}, from its own epochs, for this case alone")
        return [*lines, count]

    def as_json(self) -> dict[str, Any]:
        """Return all of it in JSON types; nothing is left out."""
        header = self.baseline.header
        return {
            "format": 1,
            "evalset": header.evalset,
            "run": self.run,
            "baseline": {**header.model_dump(mode="json", exclude={"subject"}), "age_days": self.age.days},
            "notes": list(self.notes),
            "moves": [_move_json(move) for move in self.moves],
            "texts": [{"case": t.case, "baseline": t.was, "candidate": t.now} for t in self.texts],
            "verdicts": [v.model_dump(mode="json") for v in self.judgement.verdicts],
            "coverage": self.judgement.coverage.model_dump(mode="json"),
        }


def diff(
    name: str | None,
    *,
    run: str,
    settings: Settings,
    cases: Sequence[str] = (),
    texts: bool = False,
) -> Diff:
    """Compare a run with the committed baseline.

    `cases` limits the scores to these and adds their outputs; `texts` adds the outputs of the worst cases.
    """
    folder, found = load_run(run, settings)
    planned = evalset_of(found, name)
    samples = samples_by_case(folder, planned)
    record = record_of(planned, samples)
    if not planned.complete:
        raise UsageError(
            f"{planned.evalset}: run {found.id} is partial ({len(record.rows)} of {planned.cases} cases); "
            "compare a whole run: pytest --aioncall"
        )
    there = find_baseline(settings.root / planned.file, planned.evalset, settings)
    if there.baseline is None:
        raise NotComparable(f"{planned.evalset}: {there.why_not}")
    baseline = there.baseline
    known = {*record.rows, *(row.case for row in baseline.rows)}
    for case in cases:
        if case not in known:
            near = did_you_mean(case, known)
            hint = f"; did you mean {near!r}?" if near else f" of evalset {planned.evalset!r}"
            raise UsageError(f"--cases: there is no case {log_line(case, 80)!r}{hint}")
    now = settings.now or datetime.now(UTC)
    limit = planned.baseline_max_age_days or settings.config.defaults.baseline_max_age_days
    judgement = judge_record(planned, record, there, settings).judgement
    moves = case_diffs(side_of_record(planned, record), side_of(baseline), alpha=judgement.alpha)
    if cases:
        moves = [move for move in moves if move.case in cases]
    worst = [move.case for move in moves if move.difference < 0]
    chosen = list(cases) or (list(dict.fromkeys(worst))[:SHOWN_TEXTS] if texts else [])
    return Diff(
        run=found.id,
        baseline=baseline,
        age=age_of(baseline.header, now, limit=limit),
        notes=(
            *_notes_on_cases(planned, record, found.id, settings),
            *standing_notes(baseline, now, limit=limit),
        ),
        moves=tuple(moves),
        texts=tuple(_texts(chosen, baseline, samples, moves)),
        judgement=judgement,
    )


def _notes_on_cases(planned: RunEvalset, record: EvalsetRecord, run: str, settings: Settings) -> list[str]:
    """Say which cases of the file are others than the run had; a file that does not load says nothing."""
    with suppress(UsageError):
        evalset = load_evalset(settings.root / planned.file, root=settings.root)
        said = moved_on(record, evalset.cases)
        again = whole_run(planned.file, settings.epochs_of(evalset))
        if said and evalset.evalset == planned.evalset:
            return [f"cases of {planned.file} moved on since run {run}: {said}; run it again: {again}"]
    return []


def _texts(
    cases: Sequence[str],
    baseline: Baseline,
    samples: Mapping[str, Sequence[Sample]],
    moves: Sequence[CaseDiff],
) -> list[TextDiff]:
    """Return for each case the answer that scored best then beside the one that scores worst now."""
    kept = baseline.texts_of(set(cases))
    rows = {row.case: row for row in baseline.rows}
    scorer_of = {move.case: move.scorer for move in reversed(moves)}
    found = []
    for case in cases:
        scorer = scorer_of.get(case)
        was, row = kept.get(case, ()), rows.get(case)
        if was and row is not None and scorer is not None:
            values = row.scores.get(scorer, ())
            was = (was[_best(values, len(was))],)
        answered = [s for s in samples.get(case, ()) if s.output is not None]
        answered.sort(key=lambda s: (_value(s, scorer), s.epoch))
        now = answered[0].output.text if answered and answered[0].output else None
        found.append(TextDiff(case, was[0] if was else None, now))
    return found


def _best(values: Sequence[float | None], count: int) -> int:
    known = [(v, -i) for i, v in enumerate(values[:count]) if v is not None]
    return -max(known)[1] if known else 0


def _value(sample: Sample, scorer: str | None) -> float:
    found = next((s.value for s in sample.scores if s.scorer == scorer), None)
    return float("inf") if found is None else found


def _cells(move: CaseDiff) -> list[str]:
    if move.was_passed is not None and move.now_passed is not None:
        was, now = (f"{k}/{n}" for k, n in (move.was_passed, move.now_passed))
    else:
        was, now = words.mean(move.was, move.scale), words.mean(move.now, move.scale)
    step = words.difference(move.difference, move.scale)
    if move.ci is not None:
        step += f" [{words.interval(move.ci, move.scale)}]"
        step += ", could be noise" if move.could_be_noise else ""
    else:
        step += ", one epoch: noise cannot be told from change"
    return [log_line(move.case, 44), log_line(move.scorer, 30), f"{was} -> {now}", step]


def _move_json(move: CaseDiff) -> dict[str, Any]:
    return {
        "case": move.case,
        "scorer": move.scorer,
        "scale": list(move.scale),
        "baseline": move.was,
        "candidate": move.now,
        "difference": move.difference,
        "epochs": {"baseline": move.epochs[0], "candidate": move.epochs[1]},
        "ci": list(move.ci) if move.ci else None,
        "could_be_noise": move.could_be_noise,
    }


def _text_lines(text: TextDiff) -> list[str]:
    """Show two answers word by word: [-gone-] and {+come+}; each whole where they share too little."""
    name = f"--- {log_line(text.case, 120)}"
    if text.was is None or text.now is None:
        was = text.was if text.was is not None else "(not kept: it was long, or outputs is none)"
        now = text.now if text.now is not None else "(no answer)"
        return [name, *_block("was", was), *_block("now", now)]
    if text.was == text.now:
        return [f"{name}: the same answer", *_block("", text.now)]
    was, now = text.was[:_MOST_CHARACTERS], text.now[:_MOST_CHARACTERS]
    both = woven(was, now)
    if both is None:
        return [name, *_block("was", was), *_block("now", now)]
    return [name, *_block("", both)]


def _block(name: str, text: str) -> list[str]:
    shown = log_lines(text, limit=_MOST_LINES, width=400) or [""]
    return [f"    {name + ': ' if name and not i else ''}{line}" for i, line in enumerate(shown)]
