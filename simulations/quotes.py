"""Numbers of the page of error rates that other pages quote (see marks.py for how).

A number said in words carries its range:

    one run in three<!-- simulated in words: .25 to .40, like binary n=30 r=1 unchanged, gate: red -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .marks import KEY, Marks
from .results import Results
from .scenarios import scenarios

MARKS = Marks("simulated", "error-rates.md")
FIGURE = MARKS.figure
WORDS = re.compile(rf"<!-- simulated in words: (?P<low>[.\d]+) to (?P<high>[.\d]+), {KEY}")
MARK = MARKS.opening


def pages() -> Iterator[Path]:
    """Yield every page that may quote."""
    return MARKS.pages()


def share_told(found: re.Match[str], results: Results) -> float:
    """Return the share that a mark names. Raises KeyError for a scenario, procedure or label that is none."""
    known = {method.name: method.labels for method in scenarios()[found["scenario"]].methods}
    if found["label"] not in known[found["method"]]:
        raise KeyError(f"{found['method']} never says {found['label']!r}")
    return results.share(found["scenario"], found["method"], found["label"]).value


def mended(text: str, results: Results) -> str:
    """Return a page with every quoted figure as the results have it, with as many digits as it had."""
    return MARKS.mended(text, lambda found: share_told(found, results))
