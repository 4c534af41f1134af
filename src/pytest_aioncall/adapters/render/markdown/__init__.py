"""Markdown as GitHub renders it: step summary, pull-request comment, and the pieces of an issue.

escape.py     other people's text, shown and nothing more; every piece of text passes through it once
place.py      where it is shown: run, commit, branch; what a report cannot choose
headline.py   the verdict in one line, and the line of counts
findings.py   what fell, what could not be decided, what else is different
proposals.py  what a change asks less strictly than its base
details.py    what a click opens
report.py     all of it in order, within GitHub's limits
marker.py     the hidden line by which a comment of ours is found again
"""

from .escape import capped, cell, fenced, folded, inline, plain, prose, table
from .headline import headline, tone_of
from .marker import Marker, read_marker
from .place import Place
from .report import comment, resolved, summary

__all__ = [
    "Marker",
    "Place",
    "capped",
    "cell",
    "comment",
    "fenced",
    "folded",
    "headline",
    "inline",
    "plain",
    "prose",
    "read_marker",
    "resolved",
    "summary",
    "table",
    "tone_of",
]
