"""The project's own patterns, each search of which ends.

Python's `re` cannot be stopped once it backtracks, and what is searched here was written by a model. The
`regex` library reads the same patterns and takes a time-out. What a search has not seen to its end may hold
what the pattern is to hide, so the whole text is withheld then.
"""

from __future__ import annotations

import re
from typing import Any

FIRST_S, LEAST_S = 0.5, 0.02
"""Seconds that a search may take; half of it after each time-out: a bad pattern cannot stall a run."""
S_PER_CHARACTER = 2e-7
"""Seconds more for each character of a long text."""


class PatternTooSlow(Exception):
    """Tell that a pattern did not come to the end of a text in time; `name` says which."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


class OwnPattern:
    """One pattern of the project."""

    def __init__(self, text: str, *, name: str) -> None:
        self.text = text
        self.name = name
        self.late = 0
        self._placeholder = f"[REDACTED:{name}]"
        self._compiled: Any = None

    def taken_out(self, text: str) -> str:
        """Return `text` with a placeholder for each match; raises PatternTooSlow."""
        if self._compiled is None:
            self._compiled = _compiled(self.text)
        limit = max(LEAST_S, FIRST_S / 2**self.late) + len(text) * S_PER_CHARACTER
        try:
            clean: str = self._compiled.sub(self._replaced, text, timeout=limit)
        except TimeoutError:
            self.late += 1
            raise PatternTooSlow(self.name) from None
        return clean

    def _replaced(self, match: Any) -> str:
        # `x*` finds nothing between the letters, too: only what it finds is hidden.
        return self._placeholder if match[0] else ""


def why_unfit(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None."""
    try:
        re.compile(pattern)
        compiled = _compiled(pattern)
        if compiled.match("", timeout=FIRST_S):
            return "matches the empty text, and so everywhere; narrow it"
    except TimeoutError:
        return "takes too long on the empty text; narrow it"
    except (re.error, OverflowError) as error:
        return f"is not a regular expression: {error}"
    except RecursionError:
        return "is nested too deep for a regular expression"
    except Exception as error:  # noqa: BLE001 - regex.error; the library is not imported to name it
        return f"is not a regular expression: {error}"
    return None


def _compiled(pattern: str) -> Any:
    import regex  # type: ignore[import-untyped] # 20 ms, for those who have patterns only

    return regex.compile(pattern)
