"""JUnit XML of any producer: a test is a case, its result pass or fail, a repeated test an epoch."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from ...model.sample import Score
from .observed import Observed, Reading, Unreadable, named, scored, slices_of, unscored
from .opened import Opened
from .xml_tree import Element

PASS = "pass"  # noqa: S105 - a scorer's name
_SCORE = "score."
# pytest-repeat's last part of a parameter list: the second of three is 2-3.
_REPEAT = re.compile(r"(?s)(.*)(?:\[|-)(\d{1,4})-(\d{1,4})\]\Z")
_TEARDOWN = "failed on teardown"
_TRIED_AGAIN = ("flakyFailure", "flakyError", "rerunFailure", "rerunError")
_MISSES = ("flakyFailure", "rerunFailure")


def looks_like(opened: Opened) -> bool:
    """Tell JUnit by its root element."""
    return opened.xml is not None and opened.xml.name in ("testsuites", "testsuite")


def read(opened: Opened) -> Reading:
    """Map every test; skipped ones are left out, errors are unscored, of tries the first one counts."""
    root = opened.xml
    if root is None:
        raise Unreadable("is no XML")
    if root.attributes.get("name") == "promptfoo":
        raise Unreadable(
            "is promptfoo's JUnit, which names tests by their position; write JSON instead "
            "(promptfoo eval -o results.json) and use --from promptfoo"
        )
    reading = Reading("junit", title="junit")
    ids: set[str] = set()
    for test in _tests(root):
        found = _observed(test, ids, reading)
        ids.add(_id_of(test))
        if found is not None:
            reading.observed.append(found)
    reading.observed = _without_repeats(reading, ids)
    return reading


def _tests(root: Element) -> Iterator[Element]:
    # The tree is bounded in depth.
    yield from root.all("testcase")
    for suite in root.all("testsuite"):
        yield from _tests(suite)


def _observed(test: Element, ids: set[str], reading: Reading) -> Observed | None:
    case = _id_of(test)
    properties = {p.attributes.get("name", ""): p.attributes.get("value", p.text) for p in _properties(test)}
    scores, error = _outcome(test)
    if test.all("skipped"):
        reading.left_out["skipped tests"] += 1
        return None
    if error and case in ids and error.startswith(_TEARDOWN):
        reading.left_out["errors in teardown, after the test had its result"] += 1
        return None
    if any(test.all(kind) for kind in _TRIED_AGAIN):
        reading.left_out["retries of failed tests: the first try counts"] += 1
    if error is None:
        scores += _own_scores(properties)
    told = {key: value for key, value in properties.items() if not key.startswith(_SCORE)}
    output, given = told.pop("output", None), told.pop("input", None)
    return Observed(
        case=case,
        digest="",
        input=given,
        scores=tuple(scores) if error is None else (),
        error=error,
        text=output,
        slices=slices_of(told),
    )


def _id_of(test: Element) -> str:
    classname, name = test.attributes.get("classname", ""), test.attributes.get("name", "")
    return named(f"{classname}::{name}" if classname and classname != name else name or classname)


def _properties(test: Element) -> list[Element]:
    return [one for group in test.all("properties") for one in group.all("property")]


def _outcome(test: Element) -> tuple[list[Score], str | None]:
    """Return the score of a test, or why it has none."""
    tried = [child for child in test.children if child.name in _TRIED_AGAIN]
    if tried:
        first = tried[0]
        if first.name in _MISSES:
            return [scored(PASS, False, reason=_message(first))], None
        return [], _message(first)
    for error in test.all("error"):
        return [], _message(error)
    for failure in test.all("failure"):
        return [scored(PASS, False, reason=_message(failure))], None
    return [scored(PASS, True)], None


def _message(element: Element) -> str:
    text = (
        element.attributes.get("message")
        or element.text.strip()
        or element.attributes.get("type")
        or "no reason"
    )
    return text.strip()[:2000] or "no reason"


def _own_scores(properties: dict[str, str]) -> list[Score]:
    """Return the graded scores that a test recorded as properties: `score.NAME`."""
    found = []
    for key, value in properties.items():
        if key.startswith(_SCORE) and len(key) > len(_SCORE):
            try:
                found.append(scored(key.removeprefix(_SCORE), float(value)))
            except ValueError:
                found.append(unscored(key.removeprefix(_SCORE), f"{value[:60]!r} is no number"))
    return found


def _without_repeats(reading: Reading, ids: set[str]) -> list[Observed]:
    """Take `test[1-3]`, `test[2-3]`, `test[3-3]` (pytest-repeat) as three epochs, where all are there."""
    groups: dict[tuple[str, int], set[int]] = defaultdict(set)
    for case in ids:
        if repeat := _REPEAT.match(case):
            groups[_base(repeat), int(repeat[3])].add(int(repeat[2]))
    whole = {key for key, seen in groups.items() if key[1] > 1 and seen == set(range(1, key[1] + 1))}
    found = []
    for one in reading.observed:
        repeat = _REPEAT.match(one.case)
        if repeat and (_base(repeat), int(repeat[3])) in whole:
            one = replace(one, case=_base(repeat), epoch=int(repeat[2]))
        found.append(one)
    if whole:
        reading.notes.append(f"{len(whole)} tests repeated by pytest-repeat: each [k-n] is epoch k")
    return found


def _base(repeat: re.Match[str]) -> str:
    """Return the id without the repeat: `test[a-1-3]` is `test[a]`, `test[1-3]` is `test`."""
    stem = repeat[1]
    return f"{stem}]" if "[" in stem else stem
