"""When Python's garbage collector works during a session, and over what.

Ten thousand cases are a million objects that live until the end. The collector would walk all of them again
and again, a seventh of the run's time, and find nothing. Reference counts free what is free all the same.
"""

from __future__ import annotations

import atexit
import gc
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


def spare_the_exit() -> None:
    """Let the process end without a walk over all that is left: with 10,000 cases it takes half a second.

    Every file that is open is flushed, and what is garbage by then is collected, as the walk would do.
    """
    atexit.unregister(_leave)
    atexit.register(_leave)


def _leave() -> None:
    gc.unfreeze()
    # Before anything is collected: of a text file in a cycle, Python may close the bytes before the text.
    for thing in gc.get_objects():
        if isinstance(thing, io.BufferedWriter | io.BufferedRandom | io.TextIOWrapper):
            with suppress(OSError, ValueError):
                thing.flush()
    gc.collect()
    gc.freeze()
