"""What pytest was told on its command line, as settings; and where to look for the project root."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .hooks import EVALSET_SUFFIX


def flags_of(config: pytest.Config) -> dict[str, Any]:
    """Return the options of this session by field of Settings; None is an option that was not given."""
    option = config.option
    return {
        "epochs": option.aioncall_epochs,
        "concurrency": option.aioncall_concurrency,
        "replay": option.aioncall_replay or None,
        "fallback": option.aioncall_fallback or None,
        "record": option.aioncall_record or None,
        "require_baseline": option.aioncall_require_baseline or None,
        "strict": option.aioncall_strict or None,
        "max_cost_usd": option.aioncall_max_cost,
        "baseline_ref": option.aioncall_baseline_ref,
        "changed": option.aioncall_changed,
        "daily": option.aioncall_daily,
        "report_dir": option.aioncall_report,
        "without_keys": option.aioncall_without_keys,
        "shard": option.aioncall_shard,
        "resume": option.aioncall_resume or None,
        # A worker goes on with the run that its controller has chosen.
        "run_id": getattr(config, "workerinput", {}).get("aioncall_run", option.aioncall_run),
    }


def start_folder(config: pytest.Config) -> Path:
    """Start looking for the project root at the first evalset that is named, else at pytest's root."""
    for argument in config.args:
        path = argument.split("::", 1)[0]
        if path.endswith(EVALSET_SUFFIX):
            # As pytest does it: `..` goes, links stay.
            return Path(os.path.abspath(path)).parent  # noqa: PTH100
    return config.rootpath


def is_worker(config: pytest.Config) -> bool:
    """Tell whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def will_run(config: pytest.Config) -> bool:
    """Tell whether items are run; `--setup-plan` and `--setup-only` show them, no more."""
    option = config.option
    return not (
        option.collectonly or getattr(option, "setuponly", False) or getattr(option, "setupplan", False)
    )
