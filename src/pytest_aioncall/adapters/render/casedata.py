"""The cases of a page as data for its script: an index of all, and in chunks what each of them says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...model.report import CaseView, EpochView
from ...model.sample import Score
from ..text import many_lines
from . import words
from .story import Story

_LONG = 20_000
_SHORT = 600
_PAGE = 12_000_000
_CHUNK = 50
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


@dataclass(frozen=True, slots=True)
class CaseData:
    """All that the page's script is given.

    names   JSON types: lists of names, which numbers in the rows point into
    rows    one array a case, as text that may stand in the page, since thousands of small lists take five
            times the memory: id, set, status, slices, scores, detail. `detail` is a place in the chunks, or
            the excerpt of the input where the page has no more of the case. A score is scorer, was, now, how
            far it fell, its level.
    chunks  the details in order, some fifty a chunk, so that opening the page parses none of them
    """

    names: dict[str, Any]
    rows: list[str]
    chunks: list[list[dict[str, Any]]]

    @property
    def listed(self) -> int:
        return len(self.rows)

    def index(self) -> str:
        """Return names and rows as one JSON object that may stand in the page."""
        return "".join([script_json(self.names)[:-1], ',"cases":[', ",".join(self.rows), "]}"])

    @property
    def whole(self) -> int:
        return sum(map(len, self.chunks))


class _Room:
    """How many characters of JSON the page may still take; the worst cases are written first and in full."""

    def __init__(self) -> None:
        self.left = _PAGE

    def cut(self, text: str, *, already: int = 0) -> tuple[str, int]:
        """Return the text that is shown and how many characters are not."""
        limit = _LONG if self.left > 0 else _SHORT
        shown = many_lines(text[:limit])
        # What is not ASCII is written as escapes, some two characters a byte of UTF-8.
        self.left -= len(shown) if shown.isascii() else 2 * len(shown.encode("utf-8"))
        return shown, already + max(0, len(text) - limit)


class _Names:
    """Numbers names in the order in which they are first seen."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))

    def shown(self) -> list[str]:
        return [many_lines(name[:200]) for name in self.numbers]


def case_data(told: Sequence[Story]) -> CaseData:
    """Return every case, worst first, in JSON types."""
    room = _Room()
    files = {story.name: story.report.planned.file for story in told}
    listed = [(story, case) for story in told for case in story.report.cases]
    listed.sort(key=lambda pair: (_ORDER.index(pair[1].status), _fall(*pair)))
    why = {
        (story.name, move.case): move.why for story in told for move in story.worst if move.why is not None
    }
    sets, slices, scorers = _Names(), _Names(), _Names()
    rows: list[str] = []
    details: list[dict[str, Any]] = []
    for story, case in listed:
        detail: int | str = len(details)
        if case.brief:
            detail = "" if case.input is None else _block(case.input, room)["text"]
        else:
            details.append(_detail(story, case, why.get((story.name, case.case)), room))
        rows.append(
            script_json(
                [
                    many_lines(case.case),
                    sets.number(story.name),
                    _ORDER.index(case.status),
                    [slices.number(f"{key}={value}") for key, value in case.slices.items()],
                    [[scorers.number(name), *move] for name, *move in score_moves(story, case)],
                    detail,
                ]
            )
        )
    names = {
        "words": [STATUS_WORDS[status] for status in _ORDER],
        "tones": [STATUS_TONES[status] for status in _ORDER],
        "sets": sets.shown(),
        "files": [many_lines(files[name][:400]) for name in sets.numbers],
        "slices": slices.shown(),
        "scorers": scorers.shown(),
        "chunk": _CHUNK,
    }
    return CaseData(names, rows, [details[at : at + _CHUNK] for at in range(0, len(details), _CHUNK)])


def script_json(value: Any) -> str:
    """Write JSON that no HTML parser can leave: ASCII only, `<`, `>` and `&` as escapes."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _detail(story: Story, case: CaseView, why: str | None, room: _Room) -> dict[str, Any]:
    texts = _Texts(room)
    data: dict[str, Any] = {
        "epochs": _epochs(case, texts, room),
        "facts": [[name, many_lines(str(value)[:400])] for name, value in _facts(story, case) if value],
    }
    data["texts"] = texts.shown
    if any(texts.cut):
        data["cut"] = texts.cut
    # Scores from a file, or from another tool, come without the question.
    if case.input is not None:
        data["input"] = _block(case.input, room)
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


class _Texts:
    """The answers of one case, each once: most cases answer alike every time."""

    def __init__(self, room: _Room) -> None:
        self.room = room
        self.shown: list[str] = []
        self.cut: list[int] = []
        self._known: dict[tuple[str, int], int] = {}

    def number(self, text: str, *, already: int = 0) -> int:
        """Return the place of a text in `shown`, writing it there when it is new."""
        at = self._known.get((text, already))
        if at is None:
            shown, cut = self.room.cut(text, already=already)
            at = self._known[text, already] = len(self.shown)
            self.shown.append(shown)
            self.cut.append(cut)
        return at


def _block(value: Any, room: _Room) -> dict[str, Any]:
    """Return a value as text: a string as it is, a mapping of strings as named parts, else JSON."""
    if isinstance(value, str):
        shown, cut = room.cut(value)
    elif isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
        shown, cut = room.cut("\n\n".join(f"{key}:\n{text}" for key, text in value.items()))
    else:
        shown, cut = room.cut(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    return {"text": shown, "cut": cut} if cut else {"text": shown}


def score_moves(story: Story, case: CaseView) -> list[list[Any]]:
    """Return [scorer, was, now, fell, level] for each scorer that has a score on either side.

    `fell` is the difference of the means and `level` the mean now, as shares of the scale, or None. `must`
    ones come last.
    """
    now: dict[str, list[Score]] = {}
    for view in case.now:
        for score in view.scores:
            now.setdefault(score.scorer, []).append(score)
    known = story.report.planned.scorers
    names = sorted({**case.was_scores, **case.now_scores, **now}, key=lambda name: name.startswith("must["))
    moves = []
    for name in names:
        scores = now.get(name, [])
        scale = known[name].scale if name in known else scores[0].scale if scores else (0.0, 1.0)
        was = [v for v in case.was_scores.get(name, ()) if v is not None]
        values = [s.value for s in scores] if scores else list(case.now_scores.get(name, ()))
        judged = [v for v in values if v is not None]
        text = _counted(judged, scale) if judged else "no score" if values else ""
        if (
            judged
            and scale == (0.0, 1.0)
            and scores
            and all(s.passed is not None or s.value is None for s in scores)
        ):
            text = f"{sum(bool(s.passed) for s in scores)}/{len(judged)}"
        level = _share(judged, scale)
        before = _share(was, scale)
        fell = round(level - before, 4) if level is not None and before is not None else None
        moves.append([many_lines(name), _counted(was, scale), text, fell, level])
    return moves


def _fall(story: Story, case: CaseView) -> float:
    """Return how far the mean of a case fell at most, as a share of the scorer's scale; 0 where none fell."""
    if case.status == "holding":
        return 0.0
    falls: list[float] = [0.0]
    falls += [fell for name, *_, fell, _ in score_moves(story, case) if fell and not name.startswith("must[")]
    return min(falls)


def _counted(values: Sequence[float], scale: tuple[float, float]) -> str:
    """Write scores of one case: as a count where each is all or nothing, else as their mean."""
    if not values:
        return ""
    if scale == (0.0, 1.0) and all(v in (0.0, 1.0) for v in values):
        return f"{int(sum(values))}/{len(values)}"
    return words.mean(sum(values) / len(values), scale)


def _share(values: Sequence[float], scale: tuple[float, float]) -> float | None:
    span = scale[1] - scale[0]
    return round((sum(values) / len(values) - scale[0]) / span, 4) if values and span > 0 else None


def _epochs(case: CaseView, texts: _Texts, room: _Room) -> list[dict[str, Any]]:
    """Return the epochs, equal neighbours as one: most cases answer alike every time."""
    groups: list[dict[str, Any]] = []
    last_key: Any = None
    for nth, view in enumerate(case.now):
        text = case.was_text[nth] if nth < len(case.was_text) else None
        before = {name: values[nth] for name, values in case.was_scores.items() if nth < len(values)}
        scores = [(s.scorer, s.value, s.reason, s.error, before.get(s.scorer)) for s in view.scores]
        key = (view.text, text, view.error, scores)
        if groups and key == last_key:
            groups[-1]["n"].append(view.epoch)
            groups[-1]["took"].append(_took(view))
            continue
        last_key = key
        groups.append(_epoch(view, text, before, texts, room))
    return groups


def _took(view: EpochView) -> str:
    parts = [words.seconds(view.latency_s)] if view.latency_s is not None else []
    parts += [words.money(view.cost_usd)] if view.cost_usd is not None else []
    return ", ".join(parts)


def _epoch(
    view: EpochView, was: str | None, before: dict[str, float | None], texts: _Texts, room: _Room
) -> dict[str, Any]:
    group: dict[str, Any] = {"n": [view.epoch], "took": [_took(view)], "scores": _scores(view, before)}
    if was is not None:
        group["was"] = texts.number(was)
    if view.text is not None:
        group["now"] = texts.number(view.text, already=view.cut)
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


def _scores(view: EpochView, before: dict[str, float | None]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for score in view.scores:
        word = words.mean(score.value, score.scale)
        if score.value is None:
            word = "unscored" if score.error else "not measured"
        all_or_nothing = score.passed is not None and score.scale == (0.0, 1.0)
        if all_or_nothing and score.value is not None:
            word = "pass" if score.passed else "miss"
        item: dict[str, Any] = {"scorer": many_lines(score.scorer), "word": word}
        item["tone"] = "doubt" if score.value is None else "bad" if score.passed is False else "good"
        was = before.get(score.scorer)
        if was is not None:
            plain = all_or_nothing and was in (0.0, 1.0)
            item["was"] = ("pass" if was else "miss") if plain else words.mean(was, score.scale)
        for name in ("label", "reason", "error"):
            text = getattr(score, name)
            if text:
                item[name] = many_lines(text[:2000])
        found.append(item)
    return found
