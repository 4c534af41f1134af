"""What differs between two fingerprints, named for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..model.frozen import canonical_json
from ..model.run import Fingerprint

_LONGEST = 40


def changes_between(was: Fingerprint, now: Fingerprint) -> list[str]:
    """Name what differs: `scorer route`, `target prompt`, `file prompts/triage.md`, `label index: a -> b`."""
    found = [
        f"scorer {name}"
        for name in sorted({*was.instrument, *now.instrument})
        if _differs(was.instrument.get(name), now.instrument.get(name))
    ]
    for key in sorted({*was.subject, *now.subject}):
        before, after = was.subject.get(key), now.subject.get(key)
        if _differs(before, after):
            # `files` holds a file each, `labels` a label each.
            found += _inside(key.removesuffix("s"), before, after)
    return found


def _inside(name: str, was: Any, now: Any) -> Iterator[str]:
    """Yield what differs inside a part; its values only where they are short enough to say something."""
    if isinstance(was or {}, Mapping) and isinstance(now or {}, Mapping):
        before, after = was or {}, now or {}
        for key in sorted({*before, *after}):
            if _differs(before.get(key), after.get(key)):
                yield f"{name} {key}{_told(before.get(key), after.get(key))}"
    else:
        yield f"{name}{_told(was, now)}"


def _told(was: Any, now: Any) -> str:
    told = [_plain(value) for value in (was, now)]
    return f": {told[0]} -> {told[1]}" if all(told) else ""


def _plain(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else ""
    # A digest tells nobody anything.
    is_digest = len(text) >= 16 and not set(text) - set("0123456789abcdef")
    return "" if is_digest or len(text) > _LONGEST or not text.isprintable() else text


def _differs(was: Any, now: Any) -> bool:
    return canonical_json(was) != canonical_json(now)
