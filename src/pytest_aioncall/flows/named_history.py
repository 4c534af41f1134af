"""The name of a history on the command line: refused where nothing bears it, repeated in the next command."""

from __future__ import annotations

import shlex
from pathlib import Path

from ..adapters.history import HistoryBranch, HistoryFolder
from ..adapters.text import did_you_mean, log_line
from ..errors import StoreError, UsageError
from ..settings import Settings

_MOST_NAMES = 6


def history_given(history: str | None) -> str:
    """Return what a command ends with that is to go on with the same history; "" where none was named."""
    return "" if history is None else f" --history {shlex.quote(log_line(history, 300))}"


def refuse_file(where: str) -> None:
    """Raise UsageError where a history is named by the path of a file."""
    path = Path(where).expanduser()
    if path.exists() and not path.is_dir():
        raise UsageError(
            f"--history {log_line(where, 120)}: is a file; name a folder (./history/) or a branch"
        )


def refuse_unknown(
    history: HistoryFolder, settings: Settings, *, option: str = "--history", makes: bool = False
) -> None:
    """Raise UsageError for a branch, fetched already, that is neither here nor where it is shared.

    The branch of `monitors.history` is there by its name alone: the first run makes it.
    option  what named it
    makes   the command would make the branch: then how a new one is made is said, too
    """
    ours = settings.config.monitors.history
    if not isinstance(history, HistoryBranch) or history.branch == ours or history.is_there:
        return
    try:
        known = history.branches()
    except StoreError:
        known = ()
    near = did_you_mean(history.branch, [*known, ours])
    name = log_line(history.branch, 80)
    told = f", did you mean {log_line(near, 80)}?" if near else "."
    shown = [log_line(one, 60) for one in sorted(known, key=lambda one: (one != ours, one))]
    there = ", ".join(shown[:_MOST_NAMES]) + (", ..." if len(shown) > _MOST_NAMES else "")
    make = f" To make it, name it in aioncall.yaml: monitors: {{history: {name}}}." if makes else ""
    folder = f" A folder is written with a slash: ./{name}/" if option == "--history" else ""
    raise UsageError(
        f"{option} {name}: no such branch here or on {history.shared_on}{told} There are: {there or 'none'}."
        f"{make}{folder}"
    )
