"""Run folders: `run.json` and the append-only `samples.jsonl` under `.aioncall/runs/<run-id>/`.

folders   find, list and prune runs; read `run.json`
samples   read `samples.jsonl`; mend what a crash has torn
store     write a run, new or taken up again
"""

from .folders import RUN_FILE, check_writable, find_run, list_runs, prune_runs, read_run, runs_below
from .locks import is_locked, lock_folder
from .samples import SAMPLES_FILE, TORN_FILE, KeptSamples, Place, index_samples, mend_samples, read_samples
from .store import RunStore

__all__ = [
    "RUN_FILE",
    "SAMPLES_FILE",
    "TORN_FILE",
    "KeptSamples",
    "Place",
    "RunStore",
    "check_writable",
    "find_run",
    "index_samples",
    "is_locked",
    "list_runs",
    "lock_folder",
    "mend_samples",
    "prune_runs",
    "read_run",
    "read_samples",
    "runs_below",
]
