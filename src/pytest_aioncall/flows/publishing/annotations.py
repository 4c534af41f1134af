"""Which lines of evalset files are annotated: the YAML line of each case that broke or fell, little else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from ...adapters.render import words
from ...adapters.render.story import Story
from ...adapters.runner import Annotation
from ...model.report import CaseView

MOST = 10
"""Of each level in a step; GitHub shows no more."""
_DOUBLED_BY = "pytest_github_actions_annotate_failures"


def annotations_of(told: Sequence[Story], *, folder: str, doubled: bool | None = None) -> list[Annotation]:
    """Return at most ten errors and ten warnings, worst first; the last of a full ten counts the rest.

    `doubled`: pytest's own failures (floors, gates, the user's exceptions) are annotated by a plugin of
    pytest already, so only what is no failure to pytest is. None: looks whether that plugin is installed.
    """
    by_pytest = find_spec(_DOUBLED_BY) is not None if doubled is None else doubled
    errors: list[Annotation] = []
    warnings: list[Annotation] = []
    for story in told:
        if not by_pytest:
            errors += _broken(story, folder)
            errors += _raised(story, folder)
            errors += _gates(story, folder)
        for one in _fallen(story, folder):
            (errors if one.level == "error" else warnings).append(one)
        warnings += _doubts(story, folder)
    return [*_capped(errors), *_capped(warnings)]


def _capped(found: Sequence[Annotation]) -> list[Annotation]:
    unique = list({(one.file, one.line, one.title): one for one in found}.values())
    if len(unique) <= MOST:
        return unique
    rest = unique[MOST - 1 :]
    more = Annotation(
        rest[0].level,
        rest[0].file,
        0,
        "aioncall",
        f"{len(rest)} more of this kind: see the summary of the step",
    )
    return [*unique[: MOST - 1], more]


def _broken(story: Story, folder: str) -> Iterator[Annotation]:
    views = {view.case: view for view in story.report.cases}
    for floor in story.broken:
        why = f": {floor.reason}" if floor.reason else ""
        text = f"{floor.case}: {words.floor_scorer(floor)} {words.floor_held(floor)}{why}"
        yield _at(story, views.get(floor.case), folder, "error", f"aioncall: {floor.kind} broken", text)


def _raised(story: Story, folder: str) -> Iterator[Annotation]:
    for view in story.report.cases:
        own = [epoch for epoch in view.now if epoch.error_kind in ("user", "target")]
        if own:
            text = f"{view.case}: {own[0].error}"
            what = "raised" if own[0].error_kind == "user" else "answered with no output"
            yield _at(story, view, folder, "error", f"aioncall: the target {what}", text)


def _gates(story: Story, folder: str) -> Iterator[Annotation]:
    for row in story.rows:
        if row.gating and row.status == "regressed":
            moved = (
                f"{words.mean(row.baseline, row.scale)} -> {words.mean(row.candidate, row.scale)} "
                f"({words.difference(row.difference, row.scale)}, {words.interval(row.ci, row.scale)})"
            )
            title = f"aioncall: {words.row_name(row)} regressed"
            yield _at(story, None, folder, "error", title, f"{moved}. {words.verdict_reason(row)}")


def _fallen(story: Story, folder: str) -> Iterator[Annotation]:
    """Yield the cases that fell with this change, where a gate fell, too: alone, a miss fails nothing."""
    if story.tone not in ("bad", "doubt"):
        return
    views = {view.case: view for view in story.report.cases}
    for move in story.worst:
        view = views.get(move.case)
        if view is None or not view.line or move.already:
            continue
        level = "error" if move.newly_failing and story.tone == "bad" else "warning"
        why = f": {move.why}" if move.why else ""
        title = "aioncall: newly failing" if move.newly_failing else "aioncall: fell"
        yield _at(story, view, folder, level, title, f"{move.case}: {move.scorer} {words.move(move)}{why}")


def _doubts(story: Story, folder: str) -> Iterator[Annotation]:
    if story.state in ("suspected", "cannot_judge", "not_recorded", "not_comparable", "not_run"):
        yield _at(story, None, folder, "warning", f"aioncall: {story.word.lower()}", story.sentence)
    judgement = story.report.judgement
    if judgement is not None and story.report.baseline is not None and judgement.coverage.removed:
        removed = judgement.coverage.removed
        text = f"{words.counted(len(removed), 'case')} removed: {', '.join(removed[:10])}"
        yield _at(story, None, folder, "warning", "aioncall: removed cases", text)


def _at(story: Story, view: CaseView | None, folder: str, level: str, title: str, text: str) -> Annotation:
    file = (view.file if view is not None else "") or story.report.planned.file
    line = view.line if view is not None else 0
    known: dict[str, str] = {"error": "error", "warning": "warning"}
    return Annotation(known[level], f"{folder}{file}", line or 1, title, text)  # type: ignore[arg-type]
