"""What only the end of a run needs: judging, the page, the words."""

from __future__ import annotations


def load_what_comes_last() -> None:
    """Import it now. Called while the first answers are under way, it costs a run no time."""
    from ..adapters.render import html
    from ..decide import compare
    from . import ending, wording

    del compare, ending, html, wording
