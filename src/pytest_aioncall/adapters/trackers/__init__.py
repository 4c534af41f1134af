"""Where incidents are kept: issue trackers.

github.py   issues, comments, labels, pull requests and check runs of one repository
refusals.py why GitHub said no, in a line that names what to change
"""

from __future__ import annotations

from ...protocols import Calls
from .github import GitHubTracker

__all__ = ["GitHubTracker", "open_calls"]


def open_calls() -> Calls:
    """Return the network seam of a tracker that was given none."""
    from ..net import Caller

    return Caller()
