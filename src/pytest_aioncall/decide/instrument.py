"""What changed of an instrument: why scores of one side cannot be compared with those of the other."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from ..model.baseline import ScorerInfo
from ..model.verdict import Verdict

# How a part is called for people; the rest has the name of the argument in YAML.
_WORDS = {
    "source": "own code",
    "parser": "scorer version",
    "wordings": "scorer version",
    "patterns": "scorer version",
    "words": "scorer version",
    "prompt": "judge prompt",
    "schema": "JSON schema",
}
# A digest over several arguments says nothing more where one of those changed, too.
_FOLDED = {"prompt": {"rubric", "rubric text", "scale", "labels", "step", "show", "max_chars"}}


def changed_parts(now: ScorerInfo, was: ScorerInfo) -> tuple[str, ...]:
    """Name what differs between two forms of one scorer: `model: openai/a-1 -> openai/b-2`, `rubric text`.

    Empty where both are the same. Where a side does not tell its parts (an older file, flat scores) there is
    one general answer.
    """
    if now.kind != was.kind:
        return (f"kind: {was.kind or 'unknown'} -> {now.kind or 'unknown'}",)
    found = []
    if tuple(now.scale) != tuple(was.scale):
        found.append(f"scale: {_ends(was.scale)} -> {_ends(now.scale)}")
    if now.hash == was.hash or not (now.hash and was.hash):
        return tuple(found)
    if now.parts and was.parts:
        names = {n for n in {*now.parts, *was.parts} if now.parts.get(n) != was.parts.get(n)}
        for name, covers in _FOLDED.items():
            if names & covers:
                names.discard(name)
        if found:
            names.discard("scale")
        if "rubric text" in names and _digest_only(now, was, "rubric"):
            names.discard("rubric")
        found += [_told(name, now.parts, was.parts) for name in sorted(names)]
    return tuple(dict.fromkeys(found)) or ("its arguments, rubric or code",)


def differs(now: ScorerInfo, was: ScorerInfo) -> bool:
    """Tell whether two forms of one scorer may score one output differently."""
    return bool(changed_parts(now, was))


def _told(name: str, now: Mapping[str, str], was: Mapping[str, str]) -> str:
    word = _WORDS.get(name, name)
    before, after = was.get(name), now.get(name)
    plain = name not in _WORDS and name != "rubric text"
    if plain and not any((text or "").startswith("sha256:") for text in (before, after)):
        return f"{word}: {before or 'unset'} -> {after or 'unset'}"
    return word


def _digest_only(now: ScorerInfo, was: ScorerInfo, name: str) -> bool:
    """Tell whether a part is a long text on both sides, and so says no more than its own digest."""
    return all(side.parts.get(name, "").startswith("sha256:") for side in (now, was))


def _ends(scale: tuple[float, float]) -> str:
    return f"{scale[0]:g}..{scale[1]:g}"


def rejudge_notes(
    verdicts: Sequence[Verdict],
    *,
    now: Mapping[str, ScorerInfo],
    was: Mapping[str, ScorerInfo],
    evalset: str = "",
) -> list[str]:
    """Say of each scorer that is not comparable what changed of it, and how old outputs are scored anew."""
    notes = []
    for name in dict.fromkeys(v.scorer for v in verdicts if v.reason == "not_comparable"):
        if name not in now or name not in was:
            continue
        changed = "; ".join(changed_parts(now[name], was[name])) or "its kind is not told on both sides"
        command = f", run: aioncall rejudge {shlex.quote(evalset)}" if evalset else ""
        notes.append(f"{name}: not comparable - re-judge (changed: {changed}){command}")
    return notes
