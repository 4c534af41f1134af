"""Figures of the page of speed that other pages quote:

takes 1.12<!-- measured: contest 10000, pytest-aioncall: x raw httpx --> times as long
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.results import Results
from benchmarks.tables import figures
from simulations.marks import Marks

MARKS = Marks("measured", "speed.md")


def pages() -> Iterator[Path]:
    """Yield every page that may quote."""
    return MARKS.pages()


def mended(text: str, parts: Mapping[str, Results]) -> str:
    """Return a page with every quoted figure as the stored runs have it, with as many digits as it had.

    Raises KeyError for a mark that names no figure.
    """
    known = figures(parts)

    def tell(found: re.Match[str]) -> float:
        return known[found["scenario"]][found["method"]][found["label"]]

    return MARKS.mended(text, tell)
