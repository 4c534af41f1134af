"""What a change takes away from the gates: two versions in, weakenings out, excused by a written reason.

A weakening is whatever cannot be shown to be at least as strict as before; what became stricter is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ..model.evalset import EpochRange, Evalset
from ..model.weakening import Weakening, WeakeningEntry, WeakeningKind
from .strictness import ABSENT, Difference, differences
from .weakercases import cut, shown, spec_shown, weaker_cases
from .weakerconfig import EPOCHS, epochs_shown, fewer_epochs
from .weakergates import Version, weaker_gates

LISTED = 10
"""Weakenings of one kind in one evalset that are listed one by one; more are told in one line."""


def compare_evalsets(was: Version, now: Version) -> list[Weakening]:
    """Return what the new version asks less strictly than the old one, each named once."""
    found = [
        *_header(was, now),
        *_scorers(was, now),
        *weaker_gates(was, now),
        *weaker_cases(was, now),
    ]
    return [one.model_copy(update={"evalset": now.evalset.evalset}) for one in found]


def removed_evalset(was: Evalset) -> Weakening:
    """Tell of an evalset that is gone: one line, whatever it held."""
    count = len(was.cases)
    gates = len(was.gates) or len(was.scorers)
    held = f"{gates} gate{_s(gates)}, {count} case{_s(count)}"
    incidents = sum(case.source is not None for case in was.cases)
    return Weakening(
        kind="evalset_removed",
        evalset=was.evalset,
        what=f"evalset {was.evalset} removed",
        was=f"{held}, {incidents} of them of incidents" if incidents else held,
        now="no evalset",
        file=was.file,
        line=1,
        at_base=True,
    )


def unreadable_version(file: str, *, evalset: str | None, problem: str) -> Weakening:
    """Tell of an old version that cannot be read: every gate of it counts as removed."""
    return Weakening(
        kind="old_version_unreadable",
        evalset=evalset,
        what=f"old version of {file}",
        was=f"cannot be read, so every gate of it counts as removed: {cut(problem)}",
        now="nothing to compare with",
        file=file,
        line=1,
        at_base=True,
    )


def removed_baseline(evalset: str, file: str) -> Weakening:
    """Tell of a committed baseline that is gone, with nothing in its place."""
    return Weakening(
        kind="baseline_removed",
        evalset=evalset,
        what="baseline removed",
        was="committed",
        now="no baseline, so no drop can be seen",
        file=file,
        line=1,
        at_base=True,
    )


def moved_baseline(evalset: str, file: str, *, now: str) -> Weakening:
    """Tell of a baseline in another folder: the gate looks for the old one where there was none."""
    return Weakening(
        kind="baseline_moved",
        evalset=evalset,
        what="baseline moved",
        was=file,
        now=f"{now}, so this change is compared with no earlier baseline",
        file=file,
        line=1,
        at_base=True,
    )


def _header(before: Version, after: Version) -> Iterator[Weakening]:
    was, now = before.evalset, after.evalset

    def told(kind: WeakeningKind, what: str, old: str, new: str, where: str) -> Weakening:
        return Weakening(kind=kind, what=what, was=old, now=new, file=now.file, where=where)

    if was.evalset != now.evalset:
        renamed = f"{now.evalset}, which is compared with no earlier baseline"
        yield told("evalset_renamed", f"evalset {was.evalset} renamed", was.evalset, renamed, "evalset")
    if now.target.kind == "replay" != was.target.kind:
        yield told("target_replays", "target", was.target.kind, "replay: recorded answers only", "target")
    if now.errors.max_rate > was.errors.max_rate:
        old, new = f"{was.errors.max_rate:g}", f"{now.errors.max_rate:g}"
        yield told("error_rate_up", "errors.max_rate", old, new, "errors.max_rate")
    added = [name for name in now.errors.transport if name not in was.errors.transport]
    if added:
        new = f"{cut(', '.join(added))} counts as no answer, too"
        old = cut(", ".join(was.errors.transport)) or "none"
        yield told("error_types_added", "errors.transport", old, new, "errors.transport")
    said = was.model_fields_set | now.model_fields_set
    epochs, fewer = _epochs(before), _epochs(after)
    if "epochs" in said and fewer_epochs(epochs, fewer):
        yield told("fewer_epochs", "epochs", epochs_shown(epochs), epochs_shown(fewer), "epochs")
    days, more = _days(before), _days(after)
    if "baseline_max_age_days" in said and more > days:
        yield told("baseline_age_up", "baseline_max_age_days", str(days), str(more), "baseline_max_age_days")


def _epochs(version: Version) -> int | EpochRange:
    """Return how often each case runs: what the evalset says, else the configuration."""
    if "epochs" in version.evalset.model_fields_set:
        return version.evalset.epochs
    return version.defaults.epochs or EPOCHS


def _days(version: Version) -> int:
    return version.evalset.baseline_max_age_days or version.defaults.baseline_max_age_days


def _scorers(was: Version, now: Version) -> Iterator[Weakening]:
    """Compare the evalset's scorers by name; those that only cases have are compared with their cases."""
    old = {spec.name: spec for spec in was.evalset.scorers}
    new = {spec.name: (index, spec) for index, spec in enumerate(now.evalset.scorers)}
    for index, (name, before) in enumerate(old.items()):
        if name not in new:
            yield Weakening(
                kind="scorer_removed",
                what=f"scorer {name} removed",
                was=cut(spec_shown(before)),
                now="no scorer, and no gate of it",
                file=was.evalset.file,
                at_base=True,
                where=f"scorers[{index}]",
            )
            continue
        place, after = new[name]
        if before.kind == after.kind:
            changed = [
                one
                for one in differences(before, after, was_texts=was.texts, now_texts=now.texts)
                if one.change in ("looser", "unclear")
            ]
            if not changed:
                continue
            if after.kind == "judge" and any(one.option != "pass_at" for one in changed):
                kind: WeakeningKind = "judge_swapped"
            else:
                kind = "scorer_loosened"
            old_text, new_text = _options(changed, "was"), _options(changed, "now")
        else:
            kind = "judge_swapped" if "judge" in (before.kind, after.kind) else "scorer_swapped"
            old_text, new_text = cut(spec_shown(before)), cut(spec_shown(after))
        yield Weakening(
            kind=kind,
            what=f"{'judge' if kind == 'judge_swapped' else 'scorer'} {name}",
            was=old_text,
            now=new_text,
            file=now.evalset.file,
            where=f"scorers[{place}]",
        )


def _options(changed: Sequence[Difference], side: str) -> str:
    """Show the options that are looser, and say of those where nobody can tell that they count so."""
    told = []
    for one in changed:
        value = one.was if side == "was" else one.now
        if side == "now" and one.was == one.now:
            text = "the same name, with another text behind it"
        else:
            text = ABSENT if value == ABSENT else shown(value)
        doubt = " (cannot tell, taken as looser)" if side == "now" and one.change == "unclear" else ""
        told.append(f"{one.option} {text}{doubt}")
    return cut("; ".join(told))


def count_strengthened(forward: Iterable[Weakening], backward: Iterable[Weakening]) -> int:
    """Count what became stricter: all that would be a weakening the other way round, and is none this way."""
    weaker = {(one.evalset, one.kind, one.what) for one in forward}
    return sum((one.evalset, one.kind, one.what) not in weaker for one in backward)


def excuse(
    weakenings: Sequence[Weakening],
    *,
    was: Sequence[WeakeningEntry],
    now: Sequence[WeakeningEntry],
    today: date,
) -> tuple[list[Weakening], list[WeakeningEntry]]:
    """Return the weakenings with the reasons that this change brings, many of a kind told as one, and the new
    entries that excuse nothing.

    An entry excuses where it names a weakening exactly, was not there before, gives a reason that says
    something, and is not over.
    """
    had = {entry.model_dump_json() for entry in was}
    by_name: dict[str, list[WeakeningEntry]] = {}
    for entry in now:
        by_name.setdefault(_plain(entry.what), []).append(entry)
    told: list[Weakening] = []
    left: list[Weakening] = []
    for one in weakenings:
        (told if _plain(one.what) in by_name else left).append(one)
    told += _grouped(left, by_name)
    excused = [_with_reason(one, by_name.get(_plain(one.what), []), had=had, today=today) for one in told]
    used = {_plain(one.what) for one in told}
    idle = [e for e in now if e.model_dump_json() not in had and _plain(e.what) not in used]
    return sorted(excused, key=lambda one: one.excused_by is not None), idle


def _with_reason(
    one: Weakening, entries: Sequence[WeakeningEntry], *, had: set[str], today: date
) -> Weakening:
    """Return a weakening excused by the first entry that counts, or with why none does."""
    why_not: str | None = None
    for entry in entries:
        if entry.model_dump_json() in had:
            why_not = why_not or "its entry was there before this change; write a reason for this one"
        elif not says_why(entry.reason):
            why_not = "the reason of its entry says nothing; write why this is right"
        elif entry.until is not None and entry.until < today:
            why_not = f"its entry ended on {entry.until.isoformat()}"
        else:
            return one.model_copy(update={"excused_by": entry.reason.strip()})
    return one.model_copy(update={"not_excused": why_not})


def _plain(what: str) -> str:
    return " ".join(what.split())


_PLACEHOLDERS = (
    "todo",
    "tbd",
    "fixme",
    "xxx",
    "why",
    "reason",
    "because",
    "wip",
    "n/a",
    "none",
    "placeholder",
)


def says_why(reason: str) -> bool:
    """Tell a reason from a placeholder: eight letters or digits at least, and no word that stands for one."""
    text = reason.strip().strip("<>[]{}().!?:;-_ \"'").casefold()
    if sum(char.isalnum() for char in text) < 8 or len(set(filter(str.isalnum, text))) < 4:
        return False
    first = text.split()[0].strip(":;,.-")
    return first not in {"todo", "tbd", "fixme", "xxx", "wip"} and text not in _PLACEHOLDERS


def _grouped(weakenings: Sequence[Weakening], names: Iterable[str]) -> list[Weakening]:
    """Tell many weakenings of one kind, which speak of a case each, in one line."""
    named = set(names)
    by_kind: dict[WeakeningKind, list[Weakening]] = {}
    for one in weakenings:
        by_kind.setdefault(one.kind, []).append(one)
    found: list[Weakening] = []
    for many in by_kind.values():
        group = _group(many) if len(many) > 1 and all(one.cases for one in many) else None
        if group is not None and (len(many) > LISTED or _plain(group.what) in named):
            found.append(group)
        else:
            found += many
    return found


def _group(many: Sequence[Weakening]) -> Weakening:
    first = many[0]
    cases = tuple(case for one in many for case in one.cases)
    key = first.what.partition(" of case ")[0]
    if first.kind == "case_removed":
        what = f"{len(cases)} cases removed"
    elif first.kind == "incident_removed":
        what = f"{len(cases)} incident cases removed"
    else:
        what = f"{key} of {len(cases)} cases"
    listed = ", ".join(cases[:3]) + (f" and {len(cases) - 3} more" if len(cases) > 3 else "")
    now = "no such cases" if first.kind.endswith("_removed") else f"the first of them: {first.now}"
    return first.model_copy(update={"what": what, "was": listed, "now": now, "cases": cases})


def _s(count: int) -> str:
    return "" if count == 1 else "s"
