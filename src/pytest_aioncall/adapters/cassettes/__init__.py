"""Recorded answers of the network: one JSONL file for an evalset, a line for each (request, epoch).

An entry is found by a digest of what was asked and the epoch: a second epoch never gets the first one's
recording, and a changed prompt, model or parameter finds none. Neither keys nor headers are part of it; of a
judge its hash is, so that a changed judge asks anew. While recording, answers go to a hidden part file of the
process as they arrive; `close()` merges it into the sorted file. A part that a killed process left behind is
read, and merged by the next recording.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from ...protocols import Wire
from .entries import Redacts, question_of
from .index import Index
from .parts import can_share, drop, merge, parts_of
from .wire import CassetteWire, Mode, Seen

__all__ = [
    "CassetteWire",
    "Index",
    "Mode",
    "Seen",
    "can_share",
    "cassette_file",
    "drop",
    "merge",
    "open_cassettes",
    "parts_of",
    "question_of",
]


def open_cassettes(
    wire: Wire,
    *,
    mode: Mode,
    folder: Path,
    evalset: str,
    redact: Redacts | Callable[[], Redacts],
    today: date | None = None,
    needs_key: Callable[[str], str] = lambda _provider: "",
) -> CassetteWire:
    """Return `wire` behind the cassette `<folder>/<evalset>.jsonl`; nothing is read or written yet.

    `redact` takes secrets out of what is written (a function is asked for it when the first recording is).
    `today` is the UTC day written into recordings (default: the system's). `needs_key(provider)` names the
    environment variable that a live call would lack, '' where it lacks none.
    """
    return CassetteWire(
        wire,
        mode=mode,
        file=cassette_file(folder, evalset),
        redact=redact,
        today=today,
        needs_key=needs_key,
    )


def cassette_file(folder: Path, evalset: str) -> Path:
    """Return where the cassette of an evalset is."""
    return folder / (re.sub(r"[^\w.@-]+", "-", evalset).lstrip(".") + ".jsonl")
