"""A run folder as the history takes it: read once, sample by sample, no answer kept in memory."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..adapters.run_store import read_samples
from ..decide.rows import output_hash, row_of
from ..model.baseline import ScorerInfo
from ..model.history import CaseDay
from ..model.run import Run, RunEvalset
from ..model.sample import NOT_RECORDED, Document, Output, Sample
from .reasons import Reasons
from .record import Counts, EvalsetRecord

_LONGEST_LABEL = 64
_MOST_MODELS = 20
_NO_DOCUMENT = Document(id="")


@dataclass(frozen=True, slots=True)
class Seen:
    """One sample without its answer: what was read of that, and the sample as the gate takes it."""

    sample: Sample
    hash: str | None
    features: Mapping[str, str]
    model: str | None


@dataclass(slots=True)
class Gathered:
    """All that was seen of one evalset, by case and epoch."""

    planned: RunEvalset
    cases: dict[str, dict[int, Seen]] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=Reasons)

    def add(self, sample: Sample) -> None:
        """Take a sample in; one that was kept twice counts once. An epoch that was never drawn is none."""
        plan, error = self.planned.plan, sample.error
        if error is not None and error.kind == "cancelled" and plan is not None and sample.epoch >= plan.min:
            return
        self.cases.setdefault(sample.case, {})[sample.epoch] = _seen(sample)
        self.reasons.note(sample)

    def samples(self) -> Iterator[Sample]:
        """Yield the samples by case and epoch, their answers without text."""
        for epochs in self.cases.values():
            for epoch in sorted(epochs):
                yield epochs[epoch].sample

    def record(self) -> EvalsetRecord:
        """Return what pytest had in memory when it judged; floors are those of `run.json`."""
        record = EvalsetRecord(reasons=self.reasons)
        for case, epochs in self.cases.items():
            drawn = [epochs[epoch] for epoch in sorted(epochs)]
            record.rows[case] = row_of([one.sample for one in drawn], scorers=self.planned.scorers)
            record.hashes[case] = tuple(one.hash for one in drawn)
            for one in drawn:
                record.note(one.sample)
        for floor in self.planned.floors:
            record.floors[floor.case] = (*record.floors.get(floor.case, ()), floor)
        return record

    def counts(self) -> Counts:
        """Return the sums over the samples."""
        counts = Counts()
        for sample in self.samples():
            counts.add(sample)
        return counts

    def models(self) -> dict[str, int]:
        """Return how many samples each model answered, by the id that it gave itself; the commonest only."""
        found = Counter(
            one.model for epochs in self.cases.values() for one in epochs.values() if one.model is not None
        )
        return dict(sorted(found.most_common(_MOST_MODELS)))

    def error_texts(self) -> Iterator[tuple[str, str]]:
        """Yield (case, text) of each error: of the target, of a scorer, of a judge."""
        for sample in self.samples():
            error = sample.error
            if error is not None and error.kind not in ("cancelled", "cassette_miss"):
                yield sample.case, f"{error.type}: {error.message}"
            for score in sample.scores:
                if score.error and not score.error.startswith(NOT_RECORDED):
                    yield sample.case, f"{score.scorer}: {score.error}"

    def judge_errors(self) -> float | None:
        """Return the share of judge calls that gave no score; None where no judge was asked."""
        judges = judges_of(self.planned.scorers)
        asked = [score for s in self.samples() for score in s.scores if score.scorer in judges]
        asked = [score for score in asked if not score.not_measured]
        return sum(score.error is not None for score in asked) / len(asked) if asked else None

    def case_days(self, record: EvalsetRecord) -> tuple[CaseDay, ...]:
        """Return the cases as the history keeps them, sorted."""
        found = []
        for case, row in sorted(record.rows.items()):
            epochs = self.cases[case]
            drawn = [epochs[epoch] for epoch in sorted(epochs)]
            names = sorted({name for one in drawn for name in one.features})
            floors = record.floors.get(case, ())
            failed = {floor.scorer for floor in floors if not floor.ok or floor.undecided}
            found.append(
                CaseDay(
                    case=case,
                    digest=row.digest,
                    slices=row.slices,
                    cluster=row.cluster,
                    scores=row.scores,
                    labels={name: tuple(map(_short_label, said)) for name, said in row.labels.items()},
                    features={name: tuple(one.features.get(name) for one in drawn) for name in names},
                    held=tuple(sorted({floor.scorer for floor in floors} - failed)),
                    errors=row.errors,
                )
            )
        return tuple(found)


def judges_of(scorers: Mapping[str, ScorerInfo]) -> dict[str, str]:
    """Return the digest of each scorer that asks a model."""
    return {name: info.hash for name, info in scorers.items() if info.kind == "judge"}


def gather(folders: Mapping[Path, Run] | Path, run: Run) -> dict[str, Gathered]:
    """Read a run, or the shards that it was put together of; return what was seen by evalset."""
    found = {one.evalset: Gathered(one) for one in run.evalsets}
    for folder in [folders] if isinstance(folders, Path) else folders:
        for sample in read_samples(folder):
            if sample.evalset in found:
                found[sample.evalset].add(sample)
    return found


def _seen(sample: Sample) -> Seen:
    from ..decide.monitor.features import features_of

    output = sample.output
    scores = tuple(score.model_copy(update={"reason": None}) for score in sample.scores)
    if output is None:
        return Seen(sample.model_copy(update={"scores": scores}), None, {}, None)
    kept = Output(
        text="",
        retrieved=None if output.retrieved is None else (_NO_DOCUMENT,) * len(output.retrieved),
        latency_s=output.latency_s,
        tokens_in=output.tokens_in,
        tokens_out=output.tokens_out,
        cost_usd=output.cost_usd,
        model=output.model,
        replayed=output.replayed,
    )
    return Seen(
        sample.model_copy(update={"scores": scores, "output": kept}),
        output_hash(output),
        features_of(output.text),
        output.model if output.replayed is None else None,
    )


def _short_label(label: str | None) -> str | None:
    """Return a label; a long one is no category but somebody's text, and only its digest is kept."""
    if label is None or len(label) <= _LONGEST_LABEL:
        return label
    return f"sha256:{hashlib.sha256(label.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
