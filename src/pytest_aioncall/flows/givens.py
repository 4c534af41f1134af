"""What `aioncall gate` is given: runs, shards of one run, baselines and flat scores, each as one side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..adapters.baseline_store import Baseline, is_baseline, read_baseline
from ..adapters.flat_scores import read_flat_scores
from ..adapters.run_store import RUN_FILE
from ..decide.compare import Side
from ..decide.mergeable import told
from ..errors import UsageError
from ..model.baseline import Acceptance, CaseRow, ScorerInfo
from ..model.evalset import Case, EpochRange, Gate
from ..model.run import Run, RunEvalset
from ..model.sample import Sample
from ..model.verdict import Floor
from ..settings import Settings
from .judge import side_of, side_of_record
from .merging import Drawn, Merged, expanded, find_sources, merged
from .runs import evalset_of, load_run, record_of, samples_by_case


@dataclass(frozen=True, slots=True)
class Given:
    """One side as it was given: what to compare, and for a run how to judge it.

    `runs` is the run, or nothing for a file; `notes` tell what was passed over where parts were merged.
    """

    side: Side
    evalset: str
    gates: tuple[Gate, ...] = ()
    floors: tuple[Floor, ...] = ()
    max_error_rate: float = 0.02
    file: str = ""
    user_errors: int = 0
    why_failed: str = ""
    not_recorded: int = 0
    accepts: tuple[Acceptance, ...] = ()
    settled: tuple[Acceptance, ...] = ()
    missing: int = 0
    committed: Baseline | None = None
    max_age_days: int | None = None
    plan: EpochRange | None = None
    capped: bool = False
    samples: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    runs: tuple[Run, ...] = ()
    notes: tuple[str, ...] = ()


def given_side(name: str, evalset: str | None, settings: Settings) -> Given:
    """Return what a file or a run says of one evalset. Raises UsageError for a shard: it is no side."""
    path = Path(name)
    if path.is_file() and path.name != RUN_FILE:
        return _given_file(path, evalset)
    folder, run = load_run(str(path.parent) if path.name == RUN_FILE else name, settings)
    if run.shard is not None:
        raise UsageError(
            f"{told(run)} is a part of a run; put the shards together: aioncall runs merge RUN..."
        )
    planned = evalset_of(run, evalset)
    return _given_run(run, planned, samples_by_case(folder, planned))


def given_candidates(names: Sequence[str], evalset: str | None, settings: Settings) -> list[Given]:
    """Return the candidate, one side an evalset: several names are parts of one run, or of one table.

    Without `evalset` every evalset of the run is there: none where the change could affect none. Raises
    UsageError for parts that are not one run.
    """
    every = expanded(names)
    files = [path for name in every if (path := Path(name)).is_file() and path.name != RUN_FILE]
    if files:
        if len(files) < len(every):
            raise UsageError(
                "files of scores and run folders are not parts of one run; judge one or the other"
            )
        return [_merged([_given_file(path, evalset) for path in files])]
    sources = find_sources(every, settings)
    if len(sources) == 1 and sources[0].run.shard is None:
        whole = Merged(sources[0].run, tuple(sources))
    else:
        whole = merged(sources)
    chosen = whole.run.evalsets
    if not chosen and evalset is None and whole.run.change is not None:
        return []  # the change can affect nothing, so there is nothing to judge
    if evalset is not None or not chosen:
        chosen = (evalset_of(whole.run, evalset),)
    return [
        replace(_given_run(whole.run, one, whole.drawn(one.evalset)), notes=whole.notes) for one in chosen
    ]


def run_given(names: Sequence[str], settings: Settings) -> Run | None:
    """Return the run that candidates are, several being parts of one; None where one is a file of scores."""
    every = expanded(names)
    if not every or any(Path(name).is_file() and Path(name).name != RUN_FILE for name in every):
        return None
    sources = find_sources(every, settings)
    return sources[0].run if len(sources) == 1 and sources[0].run.shard is None else merged(sources).run


def _given_run(run: Run, planned: RunEvalset, samples: Drawn) -> Given:
    record = record_of(planned, samples)
    return Given(
        side_of_record(planned, record),
        planned.evalset,
        gates=planned.gates,
        floors=planned.floors,
        max_error_rate=planned.max_error_rate,
        file=planned.file,
        user_errors=record.user_errors,
        why_failed=record.why_failed,
        not_recorded=record.not_recorded,
        missing=planned.cases - len(record.rows),
        max_age_days=planned.baseline_max_age_days,
        plan=planned.plan,
        capped=planned.capped,
        samples=samples,
        runs=(run,),
    )


def _given_file(path: Path, evalset: str | None) -> Given:
    if is_baseline(path):
        baseline = read_baseline(path)
        header = baseline.header
        return Given(side_of(baseline), header.evalset, settled=header.accepts, committed=baseline)
    scorers, rows = read_flat_scores(path, evalset=evalset)
    return Given(Side(rows=rows, scorers=scorers, output_hashes={}), evalset or path.stem)


def _merged(files: Sequence[Given]) -> Given:
    """Join files of scores; a case that stands in two of them is refused by name."""
    if len(files) == 1:
        return files[0]
    rows: dict[str, CaseRow] = {}
    scorers: dict[str, ScorerInfo] = {}
    for one in files:
        for row in one.side.rows:
            if row.case in rows:
                raise UsageError(f"case {row.case!r} stands in two candidates; shards do not overlap")
            rows[row.case] = row
        for name, info in one.side.scorers.items():
            if scorers.setdefault(name, info) != info:
                raise UsageError(f"scorer {name!r} differs between candidates; they are not one run")
    hashes = {case: h for one in files for case, h in one.side.output_hashes.items()}
    return Given(Side(tuple(rows.values()), scorers, hashes), files[0].evalset)
