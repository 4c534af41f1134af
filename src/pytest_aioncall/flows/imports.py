"""Results of other tools as two sides of a comparison: cases named alike, epochs counted, scales found."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..adapters.results.observed import Observed, joined
from ..adapters.results.sources import Results, read_side
from ..decide.compare import Side
from ..errors import UsageError
from ..model.baseline import CaseRow, ScorerInfo
from ..model.evalset import Case
from ..model.frozen import digest_of
from ..model.sample import Output, Sample, SampleError, Score

KIND: Final = "imported"
UNIT: Final = (0.0, 1.0)

Scale = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which files are the two sides, who wrote them, and what the files do not tell.

    scales  scorer -> (worst, best); worst above best where less is better
    """

    tool: str
    baseline: tuple[str, ...]
    candidate: tuple[str, ...]
    evalset: str | None = None
    scorer: str | None = None
    scales: Mapping[str, Scale] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedSide:
    """One side: what the gate compares, and what a report shows."""

    side: Side
    samples: Mapping[str, tuple[Sample, ...]]
    cases: tuple[Case, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Imported:
    """Both sides. `variants` are the slices that tell apart what ran side by side; each is judged, too."""

    baseline: ImportedSide
    candidate: ImportedSide
    variants: tuple[str, ...]
    notes: tuple[str, ...]


def import_sides(request: ImportRequest) -> Imported:
    """Read both sides and name cases, epochs and scales alike on both.

    Raises LoadError for files that cannot be read, UsageError where two files are one run, a side holds
    several evalsets, or a score has no scale.
    """
    found = {
        "baseline": read_side(request.baseline, request.tool),
        "candidate": read_side(request.candidate, request.tool),
    }
    _refuse_copies(found)
    sides = {name: _chosen(name, results, request.evalset) for name, results in found.items()}
    dimensions = _variants(sides.values())
    sides = {name: [_in_variant(one, dimensions) for one in side] for name, side in sides.items()}
    sides = _asked_alike(_told_apart(sides))
    rules = _Rules.of([r for side in found.values() for r in side], sides, request)
    notes = [f"{name}: {_told(results, sides[name])}" for name, results in found.items()]
    notes += _file_notes(found) + rules.notes
    made = {name: _side(side, rules, title=_title(found[name], request)) for name, side in sides.items()}
    infos = {name: rules.infos(found[name], one.side.scorers) for name, one in made.items()}
    made = {name: replace(one, side=replace(one.side, scorers=infos[name])) for name, one in made.items()}
    return Imported(made["baseline"], made["candidate"], dimensions, tuple(notes))


def _refuse_copies(found: Mapping[str, Sequence[Results]]) -> None:
    for name, results in found.items():
        first: dict[str, Results] = {}
        for one in results:
            other = first.setdefault(one.sha256, one)
            if other is not one:
                raise UsageError(
                    f"{one.path}: the same content as {other.path}; copies of a run are no epochs ({name})"
                )
    was, now = ({one.sha256 for one in results} for results in found.values())
    if was & now:
        which = next(one.path for one in found["candidate"] if one.sha256 in was)
        raise UsageError(
            f"{which}: the same content stands on both sides; a run compared with itself passes whatever it "
            "holds. Name the results of two runs"
        )


def _chosen(name: str, results: Sequence[Results], evalset: str | None) -> list[Observed]:
    """Return a side's samples in order; of several evalsets (inspect: tasks) the one asked for."""
    found = [one for result in results for one in _ordered(result.reading.observed)]
    known = sorted({one.evalset for one in found})
    if evalset is not None and known != [""]:
        found = [one for one in found if one.evalset == evalset]
        if not found:
            raise UsageError(f"{name}: no evalset {evalset!r} in these files; they hold: {joined(known)}")
    elif len(known) > 1:
        raise UsageError(f"{name}: several evalsets in these files; choose with --evalset: {joined(known)}")
    return found


def _ordered(observed: Sequence[Observed]) -> list[Observed]:
    return sorted(observed, key=lambda one: one.epoch or 0)


def _variants(sides: Iterable[Sequence[Observed]]) -> tuple[str, ...]:
    """Return what differs within a side: models or prompts run side by side are not repeats of each other."""
    several: dict[str, None] = {}
    for side in sides:
        values: dict[str, set[str]] = defaultdict(set)
        for one in side:
            for name, value in one.variant.items():
                values[name].add(value)
        several |= {name: None for name, known in values.items() if len(known) > 1}
    return tuple(several)


def _in_variant(one: Observed, dimensions: Sequence[str]) -> Observed:
    named = {name: one.variant.get(name, "none") for name in dimensions}
    if not named:
        return one
    slices = {**one.slices, **named}
    # One question asked of two models is one voice, not two questions.
    return replace(one, case=f"{one.case} [{', '.join(named.values())}]", slices=slices, cluster=one.case)


def _told_apart(sides: Mapping[str, list[Observed]]) -> dict[str, list[Observed]]:
    """Give cases that share an id on one side, but ask different things, ids of their own on both sides."""
    several: set[str] = set()
    for side in sides.values():
        digests: dict[str, set[str]] = defaultdict(set)
        for one in side:
            if one.digest:
                digests[one.case].add(_identity(one))
        several |= {case for case, known in digests.items() if len(known) > 1}
    return {
        name: [
            replace(one, case=f"{one.case} #{_identity(one)[:8]}")
            if one.case in several and one.digest
            else one
            for one in side
        ]
        for name, side in sides.items()
    }


def _identity(one: Observed) -> str:
    return digest_of([one.digest, dict(one.asked)])


def _asked_alike(sides: Mapping[str, list[Observed]]) -> dict[str, list[Observed]]:
    """Fold what the scorers of both sides ask of a case into its digest.

    An assertion that is new, or gone, makes no case another one; an assertion that asks something else does.
    """
    names: dict[str, dict[str, set[str]]] = {side: defaultdict(set) for side in sides}
    for side, found in sides.items():
        for one in found:
            names[side][one.case] |= one.asked.keys()

    def folded(one: Observed) -> Observed:
        shared = set.intersection(*(known[one.case] for known in names.values()))
        asked = {name: what for name, what in one.asked.items() if name in shared}
        return replace(one, digest=digest_of([one.digest, asked])) if asked and one.digest else one

    return {side: [folded(one) for one in found] for side, found in sides.items()}


@dataclass(slots=True)
class _Rules:
    """How a scorer's values become scores of ours, the same on both sides."""

    scales: dict[str, Scale]
    flipped: set[str]
    by_pass: set[str]
    notes: list[str]

    @classmethod
    def of(
        cls, results: Sequence[Results], sides: Mapping[str, Sequence[Observed]], request: ImportRequest
    ) -> _Rules:
        directions: dict[str, set[str]] = defaultdict(set)
        for one in results:
            for scorer, ends in one.reading.directions.items():
                directions[scorer] |= ends
        flipped = {scorer for scorer, ends in directions.items() if ends == {"lower"}}
        by_pass = {scorer for scorer, ends in directions.items() if len(ends) > 1} - request.scales.keys()
        notes = [f"{name}: less is better in these files; turned round" for name in sorted(flipped)]
        notes += [
            f"{name}: neither more nor less is always a success in these files; its pass or fail is judged"
            for name in sorted(by_pass)
        ]
        rules = cls({}, flipped - request.scales.keys(), by_pass, notes)
        rules._find_scales(sides, request)
        return rules

    def _find_scales(self, sides: Mapping[str, Sequence[Observed]], request: ImportRequest) -> None:
        """Find each scorer's scale: 0..1 where all its values lie there, else what the command line says."""
        ends: dict[str, Scale] = {}
        for side in sides.values():
            for score in (score for one in side for score in one.scores):
                low, high = ends.get(score.scorer, (float("inf"), float("-inf")))
                if score.value is not None and score.scorer not in self.by_pass:
                    low, high = min(low, score.value), max(high, score.value)
                ends[score.scorer] = (low, high)
        unknown = [name for name in request.scales if name not in ends]
        if unknown:
            raise UsageError(f"--scale {unknown[0]}: no such scorer; the files have: {joined(sorted(ends))}")
        for name, (low, high) in ends.items():
            worst, best = request.scales.get(name, UNIT)
            if worst > best:
                self.flipped.add(name)
            scale = (min(worst, best), max(worst, best))
            self.scales[name] = scale
            wanted = request.scorer is None or request.scorer == name
            if low < scale[0] or high > scale[1]:
                if not wanted:
                    continue
                told = f"lies outside {scale[0]:g}..{scale[1]:g}"
                raise UsageError(
                    f"scorer {name!r} has scores from {low:g} to {high:g}, which {told}; say its scale, the "
                    f"worst end first: --scale '{name}=WORST..BEST' (or judge another one: --scorer NAME)"
                )

    def fits(self, score: Score) -> bool:
        low, high = self.scales[score.scorer]
        return score.value is None or score.scorer in self.by_pass or low <= score.value <= high

    def score(self, score: Score) -> Score:
        """Return a score on its scale, more being better; graded ones have no pass or miss of their own."""
        low, high = self.scales[score.scorer]
        value, passed = score.value, score.passed
        if score.scorer in self.by_pass:
            value = None if passed is None else float(passed)
            if value is None and score.error is None:
                return Score(scorer=score.scorer, scale=UNIT, error="the tool tells neither pass nor fail")
            return score.model_copy(update={"scale": UNIT, "value": value})
        if value is not None and score.scorer in self.flipped:
            value = low + high - value
        binary = (low, high) == UNIT and value in UNIT and passed == bool(value)
        return score.model_copy(
            update={"scale": (low, high), "value": value, "passed": passed if binary else None}
        )

    def infos(self, results: Sequence[Results], scorers: Iterable[str]) -> dict[str, ScorerInfo]:
        """Say what each scorer measures with, where the files tell it."""
        found = {}
        for name in sorted(scorers):
            parts = sorted({part for one in results for part in one.reading.instruments.get(name, ())})
            digest = digest_of(parts) if parts else ""
            found[name] = ScorerInfo(kind=KIND, scale=self.scales[name], hash=digest)
        return found


def _side(observed: Sequence[Observed], rules: _Rules, *, title: str) -> ImportedSide:
    by_case: dict[str, list[Observed]] = defaultdict(list)
    for one in observed:
        by_case[one.case].append(one)
    planned = {
        case: list(dict.fromkeys(s.scorer for one in found for s in one.scores if rules.fits(s)))
        for case, found in by_case.items()
    }
    names = list(dict.fromkeys(name for scorers in planned.values() for name in scorers))
    samples = {
        case: tuple(_sample(one, nth, rules) for nth, one in enumerate(found))
        for case, found in sorted(by_case.items())
    }
    rows = tuple(_row(case, found, planned[case] or names) for case, found in samples.items())
    hashes = {case: tuple(_hash(sample) for sample in found) for case, found in samples.items()}
    return ImportedSide(
        Side(rows, dict.fromkeys(names, ScorerInfo(kind=KIND)), hashes),
        samples,
        tuple(_case(samples[case][0], found[0]) for case, found in sorted(by_case.items())),
        title,
    )


def _sample(one: Observed, epoch: int, rules: _Rules) -> Sample:
    output = None
    if one.text is not None:
        output = Output(
            text=one.text,
            latency_s=one.latency_s,
            cost_usd=one.cost_usd,
            tokens_in=one.tokens_in,
            tokens_out=one.tokens_out,
            model=one.model,
        )
    return Sample(
        evalset=one.evalset,
        case=one.case,
        digest=one.digest,
        epoch=epoch,
        slices=dict(one.slices),
        cluster=one.cluster,
        output=output,
        scores=tuple(rules.score(score) for score in one.scores if rules.fits(score)),
        error=SampleError(kind="transport", type="error", message=one.error) if one.error else None,
    )


def _row(case: str, samples: Sequence[Sample], scorers: Sequence[str]) -> CaseRow:
    """Return the row of a case; unlike in a run of ours, an output may be missing although it was scored."""
    scored = [{score.scorer: score for score in sample.scores} for sample in samples]

    def value(scores: Mapping[str, Score], name: str) -> float | None:
        return scores[name].value if name in scores and scores[name].error is None else None

    def own(name: str) -> tuple[float | None, ...]:
        found = tuple(getattr(s.output, name) if s.output else None for s in samples)
        return found if any(item is not None for item in found) else ()

    return CaseRow(
        case=case,
        digest=samples[0].digest,
        slices=samples[0].slices,
        cluster=samples[0].cluster,
        scores={name: tuple(value(scores, name) for scores in scored) for name in scorers},
        latency_s=own("latency_s"),
        cost_usd=own("cost_usd"),
        errors=sum(sample.error is not None for sample in samples),
    )


def _hash(sample: Sample) -> str | None:
    """Return the hash of an output that the file holds; None where nobody knows what was answered."""
    if sample.output is None:
        return None
    return hashlib.sha256(sample.output.text.encode("utf-8", "surrogatepass")).hexdigest()


def _case(sample: Sample, one: Observed) -> Case:
    # Other tools' ids are not bound to our pattern of names.
    fields: dict[str, Any] = {
        "id": sample.case,
        "input": one.input,
        "expected": one.expected,
        "slices": sample.slices,
        "cluster": sample.cluster,
    }
    return Case.model_construct(**fields)


def _title(results: Sequence[Results], request: ImportRequest) -> str:
    return request.evalset or results[0].reading.title


def _told(results: Sequence[Results], side: Sequence[Observed]) -> str:
    """Say what was read of a side: files, samples, cases, epochs, errors, unscored, what was left out."""
    cases = Counter(one.case for one in side)
    few, most = min(cases.values()), max(cases.values())
    epochs = f"{most}" if few == most else f"{few} to {most}"
    errors = sum(one.error is not None for one in side)
    unscored = sum(score.value is None for one in side for score in one.scores)
    tools = joined(dict.fromkeys(one.reading.tool for one in results))
    parts = [
        f"{len(results)} file{'s' if len(results) > 1 else ''} of {tools}",
        f"{len(cases)} case{'s' if len(cases) > 1 else ''} x {epochs} epoch{'s' if most > 1 else ''}",
    ]
    parts += [f"{errors} sample{'s' if errors > 1 else ''} without an output"] if errors else []
    parts += [f"{unscored} score{'s' if unscored > 1 else ''} missing"] if unscored else []
    left = Counter[str]()
    for one in results:
        left.update(one.reading.left_out)
    parts += [f"left out: {n} {why}" for why, n in sorted(left.items())]
    return ", ".join(parts)


def _file_notes(found: Mapping[str, Sequence[Results]]) -> list[str]:
    return [
        f"{one.path.name}: {note}" for side in found.values() for one in side for note in one.reading.notes
    ]
