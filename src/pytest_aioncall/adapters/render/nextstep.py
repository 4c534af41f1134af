"""The next command: what to type after reading a verdict, ready to be copied."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence

from .states import row_weight
from .story import Story

# What pytest's -k takes as one word; anything else is named by its node id.
_PLAIN_ID = re.compile(r"\w[\w.+/:-]*\Z", re.ASCII)
_RESERVED = {"and", "or", "not", "True", "False", "None"}
_MOST_CASES = 3


def next_advice(story: Story) -> str:
    """Return what to do before the next command; empty where it can be typed at once."""
    if story.state == "not_run":
        return f"set {story.quote(story.report.without_key or 'the key')}, then"
    if story.state == "cannot_judge" or (story.state == "user_error" and story.failures.only_refused):
        return "mend what the errors name, then"
    if story.is_nobodys_baseline:
        return "mend what keeps it from being a baseline, then"
    if story.awaits_other_shards:
        return f"when all {story.report.shard[1]} shards are there," if story.report.shard else ""
    return "raise --aioncall-max-cost, then" if story.hit_the_cap else ""


def next_command(story: Story) -> str:
    """Return what to type next; empty where nothing is to be done, or no evalset of ours to be run."""
    if not (story.report.planned.file or story.report.planned.owner):
        return ""
    name = shlex.quote(story.name)
    file = shlex.quote(story.report.planned.file) if story.report.planned.file else ""
    whole = f"{_pytest(story)} {file}".rstrip()
    # A run of several evalsets is taken up whole: what the others lack would be forgotten otherwise.
    resumed = f"{whole if story.alone else _pytest(story)} --aioncall-resume"
    resumed = resumed if story.report.unfinished else whole
    if story.report.shard is not None and story.state in ("partial", "interrupted"):
        return _of_shard(story, resumed if story.alone else resumed.replace(whole, _pytest(story), 1))
    if story.state in ("regressed", "floor_broken", "user_error", "suspected"):
        if story.state == "suspected" and (epochs := _epochs_needed(story)):
            return f"{whole} --aioncall-epochs {epochs}"
        return _reproduce(story) or f"{whole} -vv"
    if story.is_nobodys_baseline:
        return whole
    if story.state == "undecided":
        epochs = _epochs_needed(story)
        return f"{whole} --aioncall-epochs {epochs}" if epochs else ""
    if story.state in ("pass", "no_drop_seen", "accepted") and story.compared_part:
        return f'aioncall baseline accept {name} --reason "new cases: ..."'
    return {
        "not_recorded": f"pytest --aioncall --aioncall-replay --aioncall-record {file}".rstrip(),
        "cannot_judge": resumed,
        "not_comparable": _judged_anew(story, name),
        "not_run": f"pytest --aioncall {file}".rstrip(),
        "interrupted": resumed,
        "partial": resumed,
        "nothing_shared": f'aioncall baseline accept {name} --reason "new cases: ..."',
        "no_baseline": f'aioncall baseline accept {name} --reason "first baseline"',
    }.get(story.state, "")


def _of_shard(story: Story, whole: str) -> str:
    """Return how the shards are judged together, or how this one comes to have all of its cases."""
    index, count = story.report.shard or (1, 1)
    if not story.awaits_other_shards:
        return f"{whole} --aioncall-shard {index}/{count}"
    runs = [f"RUN{n}" for n in range(1, count + 1)]
    return f"aioncall gate --candidate {' '.join(runs if count <= 4 else [*runs[:2], '...', runs[-1]])}"


def _judged_anew(story: Story, name: str) -> str:
    """Return how scores become comparable again; a baseline that cannot be read has no answers to judge."""
    if story.report.baseline is None:
        return f'aioncall baseline accept {name} --reason "..."'
    return f'aioncall rejudge {name} --reason "instrument changed: ..."'


def _pytest(story: Story) -> str:
    """Return the command of a run like this one: a run from recordings is repeated from recordings."""
    replayed = any(epoch.replayed for case in story.report.cases for epoch in case.now)
    return "pytest --aioncall --aioncall-replay" if replayed else "pytest --aioncall"


def _epochs_needed(story: Story) -> int | None:
    if any(v.reason == "one_epoch" for v in story.rows):
        return 3
    wishes = [v.needed for v in story.rows if row_weight(v) == 2 and v.needed and not v.needed.both_sides]
    return max((need.epochs for need in wishes if need.epochs), default=None)


def _reproduce(story: Story) -> str:
    """Return the command that runs the worst cases again, empty where no case stands out."""
    ids: list[str] = [f.case for f in story.broken]
    ids += [m.case for m in story.worst]
    if story.state == "user_error":
        ids = [c.case for c in story.report.cases if any(v.error_kind in ("user", "target") for v in c.now)]
    chosen = list(dict.fromkeys(ids))[:_MOST_CASES]
    if not chosen:
        return ""
    if _selects_no_more(chosen, story):
        wanted = " or ".join(chosen)
        return f"{_pytest(story)} -k {wanted if len(chosen) == 1 else chr(34) + wanted + chr(34)} -vv"
    nodes = {c.case: c.node_id for c in story.report.cases if c.node_id}
    file = story.report.planned.file
    args = " ".join(shlex.quote(nodes.get(case) or f"{file}::{case}") for case in chosen)
    return f"{_pytest(story)} {args} -vv"


def _selects_no_more(chosen: Sequence[str], story: Story) -> bool:
    """Tell whether `-k` with these ids selects these cases only.

    It looks for each word inside every name of an item, whatever the case of its letters: ids, the file, the
    evalset, slices, marks. Of other evalsets, and of cases that the report leaves out, nothing is known here.
    """
    known = [case.case for case in story.report.cases]
    if not story.alone or len(known) < story.report.planned.cases:
        return False
    if any(case in _RESERVED or not _PLAIN_ID.match(case) for case in chosen):
        return False
    others: Collection[str] = {*known} - {*chosen}
    shared = {f"{key}={value}" for case in story.report.cases for key, value in case.slices.items()}
    names = [name.lower() for name in (*others, *shared, story.report.planned.file, story.name, "aioncall")]
    return not any(case.lower() in name for case in chosen for name in names)
