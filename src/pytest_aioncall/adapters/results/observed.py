"""What a reader of somebody's result file hands on: samples in our words, and what it had to leave out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...model.frozen import digest_of
from ...model.sample import Score
from ..text import one_line

Direction = Literal["higher", "lower"]

_LONGEST_SLICE = 80
_MOST_SLICES = 30
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Observed:
    """One sample as a tool recorded it.

    case      the tool's own id where it has a stable one, else made of the inputs; never a position
    digest    of inputs and expectation: a case whose digest differs is another question; "" where unknown
    epoch     the tool's number of the repeat; None: the order in the file
    scores    one a scorer; unscored ones carry `error`
    error     why there is no output, on the sample; its scores are unscored then
    text      the output; None where the file has none
    asked     scorer -> what it checks this case against, where that is the case's own and no common rule
    variant   what was run (model, prompt), where one file can hold several
    """

    case: str
    digest: str
    epoch: int | None = None
    input: Any = None
    expected: Any = None
    scores: tuple[Score, ...] = ()
    error: str | None = None
    text: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    variant: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    evalset: str = ""
    latency_s: float | None = None
    cost_usd: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    model: str | None = None


@dataclass(slots=True)
class Reading:
    """One result file as read.

    title        what the tool calls the suite; only a name on screens
    instruments  scorer -> what it measures with (a judge's model, options), where the file tells
    directions   scorer -> which ends of its scale the file shows to be better; empty: higher
    left_out     what was not taken, each reason with its count
    """

    tool: str
    title: str = ""
    observed: list[Observed] = field(default_factory=list)
    instruments: dict[str, set[str]] = field(default_factory=dict)
    directions: dict[str, set[Direction]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def measured_with(self, scorer: str, what: Any) -> None:
        """Note what a scorer measures with; nothing where the file does not tell."""
        if what not in (None, "", {}, []):
            self.instruments.setdefault(scorer, set()).add(digest_of(plain(what)))


class Unreadable(Exception):
    """Say what is wrong with a result file; `place` is a path in it."""

    def __init__(self, message: str, place: str = "") -> None:
        self.place = place
        super().__init__(message)


def scored(scorer: str, value: Any, *, reason: Any = None, label: str | None = None) -> Score:
    """Return a score; a truth value is a pass or a miss, and what is no finite number is unscored."""
    name = named(scorer)
    if isinstance(value, bool):
        return Score(scorer=name, value=float(value), passed=value, reason=text_of(reason), label=label)
    if isinstance(value, int | float) and math.isfinite(value):
        return Score(scorer=name, value=float(value), reason=text_of(reason), label=label)
    return unscored(name, f"the score is {one_line(str(value), 60)}, no number")


def unscored(scorer: str, why: Any) -> Score:
    """Return a score that is none, with its reason."""
    return Score(scorer=named(scorer), error=one_line(text_of(why) or "the tool gives no reason", 400))


def named(name: Any) -> str:
    """Return a name that fits on a line."""
    return one_line(str(name), _LONGEST_NAME).strip() or "unnamed"


def text_of(value: Any) -> str | None:
    """Return a value as text: a string as it is, nothing as None, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return _json(value)


def plain(value: Any) -> Any:
    """Return JSON that can be digested: no NaN in it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def digest(given: Any, expected: Any) -> str:
    """Return the digest of what a case asks and expects."""
    return digest_of([plain(given), plain(expected)])


def content_id(given: Any) -> str:
    """Return an id for a case without one: the beginning of its input, and a digest of all of it."""
    shown = given if isinstance(given, str) else _json(plain(given))
    if isinstance(given, dict) and len(given) == 1:
        (only,) = given.values()
        shown = only if isinstance(only, str) else shown
    return f"{one_line(' '.join(shown.split()), 48)} #{digest_of(plain(given))[:8]}"


def slices_of(found: Any) -> dict[str, str]:
    """Return what of some metadata can be a slice: short text, whole numbers and truth values."""
    slices: dict[str, str] = {}
    for key, value in found.items() if isinstance(found, dict) else ():
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif isinstance(value, int):
            value = str(value) if abs(value) < 10**12 else None
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_SLICE or key.startswith("_"):
            continue
        slices[named(key)[:_LONGEST_SLICE]] = one_line(value, _LONGEST_SLICE)
        if len(slices) == _MOST_SLICES:
            break
    return slices


def number(value: Any, *, least: float = 0.0) -> float | None:
    """Return a finite number from `least` up, else None."""
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if fits and math.isfinite(value) and value >= least else None


def count(value: Any) -> int | None:
    """Return a count, else None."""
    return value if type(value) is int and value >= 0 else None


def mapping(value: Any) -> dict[str, Any]:
    """Return a mapping as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """Return a list as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []


def needs(value: Any, kind: type, place: str) -> Any:
    """Return a value of the kind that the format says; raises Unreadable where it is another."""
    if not isinstance(value, kind):
        words: dict[type, str] = {dict: "a mapping", list: "a list", str: "text"}
        raise Unreadable(
            f"needs {words.get(kind, 'another value')}; the file is damaged or of a new format", place
        )
    return value


def joined(names: Iterable[str], most: int = 8) -> str:
    """Return names on one line, with the count of those that do not fit."""
    found = list(names)
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(one_line(name, 80) for name in found[:most]) + rest


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
