"""When Python's garbage collector works during a session, and over what.

Ten thousand cases are a million objects that live until the end. The collector would walk all of them again
and again, a seventh of the run's time, and find nothing. Reference counts free what is free all the same.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_frozen = False


@contextmanager
def paused() -> Iterator[None]:
    """Collect no cycles while code runs that makes much that stays; as before afterwards."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def set_aside() -> None:
    """Leave all that there is now out of collections, until `take_back`."""
    global _frozen
    gc.freeze()
    _frozen = True


def take_back() -> None:
    """Undo `set_aside`: an embedding program gets the collector as it was."""
    global _frozen
    if _frozen:
        _frozen = False
        gc.unfreeze()
