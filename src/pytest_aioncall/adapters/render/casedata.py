"""The cases of a page as data for its script: compact, bounded, and inert inside a script element."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ...model.report import CaseView, EpochView
from ...model.sample import Score
from ..text import many_lines
from . import words
from .diffs import Run, Work, side_by_side
from .story import Story

_LONG = 20_000
_SHORT = 600
_PAGE = 12_000_000
_ORDER = ("newly_failing", "worse", "error", "failing", "changed", "new", "better", "holding")
STATUS_WORDS = {
    "newly_failing": "newly failing",
    "worse": "worse",
    "failing": "failing",
    "error": "error",
    "better": "better",
    "holding": "holding",
    "new": "new",
    "changed": "changed",
}
STATUS_TONES = {
    "newly_failing": "bad",
    "worse": "bad",
    "failing": "bad",
    "error": "doubt",
    "better": "good",
    "holding": "good",
    "new": "none",
    "changed": "none",
}


class _Room:
    """How many characters the page may still take; the worst cases are written first and in full."""

    def __init__(self) -> None:
        self.left = _PAGE

    def cut(self, text: str, *, already: int = 0) -> tuple[str, int]:
        """Return the text that is shown and how many characters are not."""
        limit = _LONG if self.left > 0 else _SHORT
        shown = many_lines(text[:limit])
        self.left -= len(shown)
        return shown, already + max(0, len(text) - limit)


def case_payload(told: Iterable[Story]) -> list[dict[str, Any]]:
    """Return every case, worst first, in JSON types. Diffs are made while the page's work lasts."""
    room, work = _Room(), Work()
    listed = [(story, case) for story in told for case in story.report.cases]
    listed.sort(key=lambda pair: _ORDER.index(pair[1].status))
    why = {
        (story.name, move.case): move.why for story in told for move in story.worst if move.why is not None
    }
    return [_case(story, case, why.get((story.name, case.case)), room, work) for story, case in listed]


def script_json(value: Any) -> str:
    """Write JSON that no HTML parser can leave: ASCII only, `<`, `>` and `&` as escapes."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _case(story: Story, case: CaseView, why: str | None, room: _Room, work: Work) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": many_lines(case.case),
        "set": story.name,
        "status": case.status,
        "slices": [many_lines(f"{key}={value}"[:200]) for key, value in case.slices.items()],
        "moves": _moves(case),
        "epochs": _epochs(case, room, work),
        "input": _block(case.input, room),
        "facts": [[name, many_lines(str(value)[:400])] for name, value in _facts(story, case) if value],
    }
    if case.expected is not None:
        data["expected"] = _block(case.expected, room)
    if why:
        data["why"] = many_lines(why[:400])
    return data


def _facts(story: Story, case: CaseView) -> list[tuple[str, str]]:
    file = story.report.planned.file
    return [
        ("node", case.node_id),
        ("defined in", f"{file}:{case.line}" if file and case.line else ""),
        ("cluster", case.cluster or ""),
        ("incident", case.incident or ""),
    ]


def _block(value: Any, room: _Room) -> dict[str, Any]:
    """Return a value as text: a string as it is, a mapping of strings as named parts, else JSON."""
    if isinstance(value, str):
        shown, cut = room.cut(value)
    elif isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
        shown, cut = room.cut("\n\n".join(f"{key}:\n{text}" for key, text in value.items()))
    else:
        shown, cut = room.cut(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    return {"text": shown, "cut": cut} if cut else {"text": shown}


def _moves(case: CaseView) -> list[list[str]]:
    """Return [scorer, was, now] for each scorer that has a score on either side, `must` ones last."""
    now: dict[str, list[Score]] = {}
    for view in case.now:
        for score in view.scores:
            now.setdefault(score.scorer, []).append(score)
    names = sorted(dict.fromkeys([*case.was_scores, *now]), key=lambda name: name.startswith("must["))
    return [
        [many_lines(name), _was(case.was_scores.get(name, ()), now.get(name, [])), _now(now.get(name, []))]
        for name in names
    ]


def _now(scores: list[Score]) -> str:
    values = [s.value for s in scores if s.value is not None]
    if not values:
        return "no score" if scores else ""
    if all(s.passed is not None or s.value is None for s in scores) and scores[0].scale == (0.0, 1.0):
        return f"{sum(bool(s.passed) for s in scores)}/{len(values)}"
    return words.mean(sum(values) / len(values), scores[0].scale)


def _was(values: tuple[float | None, ...], now: list[Score]) -> str:
    known = [v for v in values if v is not None]
    scale = now[0].scale if now else (0.0, 1.0)
    if not known:
        return ""
    if scale == (0.0, 1.0) and all(v in (0.0, 1.0) for v in known):
        return f"{int(sum(known))}/{len(known)}"
    return words.mean(sum(known) / len(known), scale)


def _epochs(case: CaseView, room: _Room, work: Work) -> list[dict[str, Any]]:
    """Return the epochs, equal neighbours as one: most cases answer alike every time."""
    groups: list[dict[str, Any]] = []
    last_key: Any = None
    for nth, view in enumerate(case.now):
        was = case.was_text[nth] if nth < len(case.was_text) else None
        key = (view.text, was, view.error, [(s.scorer, s.value, s.reason, s.error) for s in view.scores])
        if groups and key == last_key:
            groups[-1]["n"].append(view.epoch + 1)
            groups[-1]["took"].append(_took(view))
            continue
        last_key = key
        groups.append(_epoch(view, was, room, work))
    return groups


def _took(view: EpochView) -> str:
    parts = [words.seconds(view.latency_s)] if view.latency_s is not None else []
    parts += [words.money(view.cost_usd)] if view.cost_usd is not None else []
    return ", ".join(parts)


def _epoch(view: EpochView, was: str | None, room: _Room, work: Work) -> dict[str, Any]:
    group: dict[str, Any] = {"n": [view.epoch + 1], "took": [_took(view)], "scores": _scores(view)}
    old = room.cut(was) if was is not None else None
    new = room.cut(view.text, already=view.cut) if view.text is not None else None
    if old and new:
        sides = side_by_side(old[0], new[0], work)
        group |= {"was": _runs(sides.was), "now": _runs(sides.now)}
        group |= {"same": True} if sides.same else {}
        group |= {"rewritten": True} if sides.rewritten else {}
    else:
        group |= {"was": [[0, old[0]]]} if old else {}
        group |= {"now": [[0, new[0]]]} if new else {}
    if new and new[1]:
        group["cut"] = new[1]
    if view.error is not None:
        group["error"] = many_lines(view.error[:2000])
        group["kind"] = view.error_kind or "transport"
    if view.replayed:
        group["replayed"] = many_lines(view.replayed)
    if view.data is not None:
        group["data"] = _block(view.data, room)
    if view.retrieved:
        group["retrieved"] = [many_lines(name[:200]) for name in view.retrieved[:50]]
    return group


def _runs(runs: Iterable[Run]) -> list[list[Any]]:
    return [[kind, text] for kind, text in runs]


def _scores(view: EpochView) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for score in view.scores:
        word = "unscored" if score.value is None else words.mean(score.value, score.scale)
        if score.passed is not None and score.value is not None and score.scale == (0.0, 1.0):
            word = "pass" if score.passed else "miss"
        item: dict[str, Any] = {"scorer": many_lines(score.scorer), "word": word}
        item["tone"] = "doubt" if score.value is None else "bad" if score.passed is False else "good"
        for name in ("label", "reason", "error"):
            text = getattr(score, name)
            if text:
                item[name] = many_lines(text[:2000])
        found.append(item)
    return found
