"""`aioncall check --against REF`: how a review of what a change weakens is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..flows.wording import log_line
from ..model.weakening import ChangeReview, Weakening

EXIT_WEAKENED = 1
SHORT = 60


def exit_code(review: ChangeReview) -> int:
    """Return 1 where a weakening has no reason, else 0."""
    return EXIT_WEAKENED if review.without_reason else 0


def review_json(review: ChangeReview) -> dict[str, Any]:
    """Return the review as `--json` has it."""
    return {
        "against": {"ref": review.ref, "commit": review.commit},
        "weakenings": [one.model_dump(mode="json") for one in review.weakenings],
        "strengthened": review.strengthened,
        "notes": list(review.notes),
    }


def review_lines(review: ChangeReview) -> Iterator[str]:
    """Yield the verdict, and each weakening with its place; the excused ones with their reasons."""
    yield _verdict(review)
    for one in review.without_reason:
        yield ""
        yield from _told(review, one)
        if one.not_excused:
            yield f"    {one.not_excused}"
    excused = [one for one in review.weakenings if one.excused_by is not None]
    if excused:
        yield ""
        yield "with a reason, for the reviewer:"
    for one in excused:
        yield from _told(review, one)
        yield f"    because: {log_line(one.excused_by or '', 300)}"
    if review.notes:
        yield ""
    for note in review.notes:
        yield f"warning: {log_line(note, 300)}"


def _verdict(review: ChangeReview) -> str:
    against = f"(against {review.ref}@{review.commit[:7]})"
    bare = review.without_reason
    stricter = f"; {review.strengthened} stricter" if review.strengthened else ""
    if bare:
        evalsets = {one.evalset for one in bare if one.evalset}
        places = [f"{len(evalsets)} evalset{_s(len(evalsets))}"] if evalsets else []
        places += ["the configuration"] if any(one.evalset is None for one in bare) else []
        return f"{len(bare)} weakening{_s(len(bare))} without a reason in {' and '.join(places)} {against}"
    count = len(review.weakenings)
    if count:
        return (
            f"{count} weakening{_s(count)}, {'each ' if count > 1 else ''}with a reason{stricter} {against}"
        )
    return f"nothing is weaker{stricter} {against}"


def _told(review: ChangeReview, one: Weakening) -> Iterator[str]:
    """Yield what a weakening is: in one line where both values are short."""
    start = log_line(f"{_place(review, one)}: {one.what}", 400)
    was, now = log_line(one.was, 300), log_line(one.now, 300)
    if len(was) + len(now) <= SHORT:
        yield f"{start}: {was} -> {now}"
    else:
        yield start
        yield f"    was: {was}"
        yield f"    now: {now}"


def _place(review: ChangeReview, one: Weakening) -> str:
    place = f"{one.file}:{one.line}"
    return f"{review.commit[:7]}:{place}" if one.at_base else place


def entry_lines(review: ChangeReview) -> Iterator[str]:
    """Yield the entries to paste, file by file; what is pasted as it is excuses nothing yet."""
    by_file: dict[str, list[str]] = {}
    for one in review.without_reason:
        by_file.setdefault(one.entry_file, []).append(one.what)
    for file, names in by_file.items():
        yield ""
        shown = log_line(file, 200)
        yield f"next:  undo it, or add to {shown} (below `weakening:` where it has one) and write the reason:"
        yield ""
        yield "weakening:"
        for what in dict.fromkeys(names):
            yield f'  - {{what: {json.dumps(what)}, reason: "WHY"}}'


def _s(count: int) -> str:
    return "" if count == 1 else "s"
