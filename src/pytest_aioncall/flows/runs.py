"""Read runs back: the same rows that pytest judged, from the run folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..adapters.files import exists
from ..adapters.history import ALERTS_FILE
from ..adapters.render import words
from ..adapters.run_store import find_run, list_runs, read_run, read_samples
from ..decide.rows import row_of
from ..errors import UsageError
from ..model.run import Run, RunEvalset
from ..model.sample import Sample
from ..settings import Settings
from .record import Counts, EvalsetRecord, drawn_by_case, hashes_of

LATEST: Final = "latest"


def runs_folder(settings: Settings) -> Path:
    """Return where run folders stand."""
    return settings.root / settings.config.store / "runs"


def load_run(name: str, settings: Settings) -> tuple[Path, Run]:
    """Find a run by id, folder or `latest`, and read its `run.json`."""
    folder = find_run(runs_folder(settings), name)
    return folder, read_kept_run(folder)


def has_no_run(name: str, settings: Settings) -> bool:
    """Tell whether the newest run is asked for and there is none at all: nothing ran here, or none began."""
    return name == LATEST and not list_runs(runs_folder(settings))


def folder_of_alerts(name: str, settings: Settings) -> Path:
    """Return where the monitor left its alerts: in the run's folder; where there is no run, in the store.

    Raises UsageError for a run that is not there.
    """
    store = settings.root / settings.config.store
    if has_no_run(name, settings) and exists(store / ALERTS_FILE):
        return store
    return load_run(name, settings)[0]


def read_kept_run(folder: Path) -> Run:
    """Read a run; of one that was killed before its end, count the samples that it had kept."""
    run = read_run(folder)
    if not run.was_killed:
        return run
    counts = Counts()
    with suppress(UsageError):
        for sample in read_samples(folder):
            counts.add(sample)
    totals = run.totals.model_copy(update={"judged": counts.samples - counts.errors, "errors": counts.errors})
    return run.model_copy(update={"totals": totals})


def samples_kept(run: Run) -> str:
    """Say how many samples a run has: `1 sample`, `248 samples`."""
    return words.counted(run.totals.judged + run.totals.errors, "sample")


def samples_by_case(folder: Path, planned: RunEvalset) -> dict[str, list[Sample]]:
    """Return what was drawn of one evalset, by case, each case's by epoch."""
    return drawn_by_case(read_samples(folder), planned.evalset, plan=planned.plan)


def record_of(planned: RunEvalset, samples: Mapping[str, list[Sample]]) -> EvalsetRecord:
    """Rebuild what pytest had in memory when it judged; floors come from `run.json`."""
    record = EvalsetRecord()
    for case, epochs in samples.items():
        record.rows[case] = row_of(epochs, scorers=planned.scorers)
        record.hashes[case] = hashes_of(epochs)
        for sample in epochs:
            record.note(sample)
    for floor in planned.floors:
        record.floors[floor.case] = (*record.floors.get(floor.case, ()), floor)
    return record


def refuse_killed(run: Run) -> None:
    """Raise UsageError for a run that nobody closed, with the command that finishes it."""
    if run.was_killed:
        raise UsageError(
            f"run {run.id} was killed before its end; {samples_kept(run)} kept, but a part is not judged. "
            f"Finish it: pytest --aioncall --aioncall-resume --aioncall-run {run.id}"
        )


def evalset_of(run: Run, name: str | None) -> RunEvalset:
    """Return the evalset of a run by name; the only one where no name is given."""
    refuse_killed(run)
    if name is None and len(run.evalsets) == 1:
        return run.evalsets[0]
    for one in run.evalsets:
        if one.evalset == name:
            return one
    known = ", ".join(one.evalset for one in run.evalsets)
    if name is None:
        raise UsageError(f"run {run.id} has several evalsets; choose with --evalset: {known}")
    raise UsageError(f"run {run.id} has no evalset {name!r}; it has: {known}")
