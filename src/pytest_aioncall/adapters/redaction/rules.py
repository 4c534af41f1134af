"""What `redact` in aioncall.yaml asks for: own patterns, built-in kinds off, kinds of personal data on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final

from ...errors import UsageError
from ...model.config import RedactRule
from ..text import did_you_mean, one_line
from .own import OwnPattern, why_unfit
from .patterns import SECRET_KINDS
from .personal import PERSONAL_KINDS

Rule = str | RedactRule

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}", re.ASCII)
_KEYS: Final = {"name", "pattern", "off", "reason", "kinds"}


DEFAULT_NAME: Final = "pattern"


class Rules:
    """The rules of one project, ready to be used. Raises UsageError where one cannot be."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        patterns: list[OwnPattern] = []
        off: set[str] = set()
        personal: set[str] = set()
        for rule in rules:
            problem = problem_of(rule)
            if problem is not None:
                key, message = problem
                raise UsageError(f"redact: {_shown(rule)}: {key}{' ' if key else ''}{message}")
            if isinstance(rule, str):
                patterns.append(OwnPattern(rule, name=DEFAULT_NAME))
            elif rule.pattern is not None:
                patterns.append(OwnPattern(rule.pattern, name=rule.name or DEFAULT_NAME))
            elif rule.off is not None:
                off.add(_canonical(rule.off, SECRET_KINDS) or "")
            personal |= {_canonical(kind, PERSONAL_KINDS) or "" for kind in _kinds(rule)}
        self.patterns = tuple(patterns)
        self.off = frozenset(off)
        self.personal = frozenset(personal)


def problem_of(rule: Rule) -> tuple[str, str] | None:
    """Return what is wrong with a rule: the key in it ("" for all of it) and a message; None if nothing."""
    if isinstance(rule, str):
        why = why_unfit(rule)
        return None if why is None else ("", why)
    said = [key for key in ("pattern", "off", "kinds") if getattr(rule, key)]
    if len(said) != 1:
        which = " and ".join(said)
        return "", (
            f"{which} exclude each other; write two entries" if said else "needs pattern, off or kinds"
        )
    if rule.pattern is not None and (why := why_unfit(rule.pattern)) is not None:
        return "pattern", why
    if rule.name is not None:
        if rule.pattern is None:
            return "name", "belongs to a pattern"
        if not _NAME.fullmatch(rule.name):
            return "name", f"{one_line(rule.name, 40)!r} is no name: A-Z a-z 0-9 - _ and spaces, up to 40"
        if rule.name in (*SECRET_KINDS, *PERSONAL_KINDS):
            return "name", f"{rule.name!r} is the name of a built-in kind; choose another"
    if rule.off is not None:
        if not (rule.reason or "").strip():
            return "reason", "is missing: say why keys of this kind may be stored"
        return _unknown("off", rule.off, SECRET_KINDS)
    if rule.reason is not None:
        return "reason", "belongs to off"
    return next((wrong for kind in rule.kinds if (wrong := _unknown("kinds", kind, PERSONAL_KINDS))), None)


def _shown(rule: Rule) -> str:
    text = rule if isinstance(rule, str) else rule.pattern or rule.off or ", ".join(rule.kinds)
    return repr(one_line(text, 60))


def _kinds(rule: Rule) -> tuple[str, ...]:
    return () if isinstance(rule, str) else rule.kinds


def _unknown(key: str, kind: str, known: Collection[str]) -> tuple[str, str] | None:
    if _canonical(kind, known) is not None:
        return None
    near = did_you_mean(kind, known)
    hint = f"did you mean {near!r}?" if near else f"known are {', '.join(known)}"
    return key, f"unknown kind {one_line(kind, 40)!r}; {hint}"


def _canonical(kind: str, known: Collection[str]) -> str | None:
    """Return the kind as it is written in placeholders: `credit-card-number` and `iban` will do."""
    plain = _plain(kind)
    return next((one for one in known if _plain(one) == plain), None)


def _plain(kind: str) -> str:
    return kind.casefold().replace("-", " ").replace("_", " ").strip()
