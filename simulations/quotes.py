"""Numbers of the page that other pages quote: each is followed by a comment that says which one it is.

    found in 96.3 %<!-- simulated: these binary n=10 r=3 broken=3, gate: red --> of the runs

No mark has a bar in it, so that it may stand in a table. A number said in words carries its range:

    one run in three<!-- simulated in words: .25 to .40, like binary n=30 r=1 unchanged, gate: red -->
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .results import Results
from .scenarios import scenarios

ROOT = Path(__file__).parents[1]
KEY = r"(?P<scenario>[^,>]+), (?P<method>[^:>]+): (?P<label>.+?) -->"
FIGURE = re.compile(rf"(?P<figure>\d*\.?\d+)(?P<percent> %)?(?P<key><!-- simulated: {KEY})")
WORDS = re.compile(rf"<!-- simulated in words: (?P<low>[.\d]+) to (?P<high>[.\d]+), {KEY}")
MARK = "<!-- simulated"


def pages() -> Iterator[Path]:
    """Yield every page that may quote; the page of error rates itself only explains how."""
    yield ROOT / "README.md"
    yield from (path for path in sorted((ROOT / "docs").rglob("*.md")) if path.name != "error-rates.md")


def share_told(found: re.Match[str], results: Results) -> float:
    """Return the share that a mark names. Raises KeyError for a scenario, procedure or label that is none."""
    known = {method.name: method.labels for method in scenarios()[found["scenario"]].methods}
    if found["label"] not in known[found["method"]]:
        raise KeyError(f"{found['method']} never says {found['label']!r}")
    return results.share(found["scenario"], found["method"], found["label"]).value


def mended(text: str, results: Results) -> str:
    """Return a page with every quoted figure as the results have it, with as many digits as it had."""

    def figure(found: re.Match[str]) -> str:
        digits = len(found["figure"].partition(".")[2])
        share = share_told(found, results)
        told = f"{100 * share if found['percent'] else share:.{digits}f}"
        if found["figure"].startswith("."):
            told = told.removeprefix("0")
        return f"{told}{found['percent'] or ''}{found['key']}"

    return FIGURE.sub(figure, text)
