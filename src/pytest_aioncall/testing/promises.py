"""The one way a contract suite says that a promise is broken: also under `python -O`."""

from __future__ import annotations


def demand(holds: bool, told: str) -> None:
    """Raise AssertionError with `told` unless the promise holds."""
    if not holds:
        raise AssertionError(told)
