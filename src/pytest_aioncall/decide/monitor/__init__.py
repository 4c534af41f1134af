"""The daily monitor: the history of daily runs in, what holds now out. Pure: the clock is an argument."""

from __future__ import annotations

from .conditions import conditions

__all__ = ["conditions"]
