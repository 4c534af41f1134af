"""Targets, scorers and notifiers by the name that YAML gives: from entry points, or an import string.

Our own pieces are entry points like everybody else's (`aioncall.targets`, `aioncall.scorers`,
`aioncall.notifiers` in pyproject.toml), so a name is looked up in one way only. How arguments are checked
stands in `arguments.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from ..errors import LoadError, UsageError
from ..model.evalset import ScorerSpec, TargetSpec
from ..model.frozen import canonical_json, digest_of
from ..model.oncall import NotifierSpec
from ..protocols import Notifier, NotifierContext, PieceContext, Scorer, ScorerTraits, Target
from .arguments import call_factory
from .imports import is_import_string, load_object, raised_at, source_digest
from .text import did_you_mean, one_line

Group = Literal["targets", "scorers", "notifiers"]

SHORT_PART = 60
"""Characters of a scorer's argument that a baseline header spells out; a longer one is told by its digest."""


class PieceError(UsageError):
    """Say that a target or scorer cannot be made; `where` is the place in the YAML, `message` the rest."""

    def __init__(self, where: str, message: str) -> None:
        self.where = where
        self.message = message
        super().__init__(f"{where}: {message}" if where else message)


@dataclass(frozen=True, slots=True)
class BoundScorer:
    """A scorer as an evalset uses it.

    `hash` is a digest of all that decides its scores: kind, arguments, what it fingerprints of itself, and
    the source of a factory that an import string names. `parts` names these one by one, for people.
    """

    name: str
    kind: str
    scorer: Scorer
    traits: ScorerTraits
    hash: str
    parts: Mapping[str, str] = field(default_factory=dict)


def build_scorer(spec: ScorerSpec, context: PieceContext) -> BoundScorer:
    """Make the scorer that `spec` names; PieceError says what is wrong with it and where."""
    factory = _factory("scorers", spec.kind, spec.where)
    scorer = _made("scorers", factory, spec, context)
    if not callable(getattr(scorer, "score", None)):
        hint = f"; to score by a function, write python: {spec.kind}" if ":" in spec.kind else ""
        raise PieceError(
            spec.where, f"{spec.kind}: the factory returned {_named(scorer)}, which has no score method{hint}"
        )
    traits = _traits(scorer, spec)
    digest = _hash(spec, factory, traits)
    return BoundScorer(spec.name, spec.kind, scorer, traits, digest, _parts(spec, factory, traits))


def build_target(spec: TargetSpec, context: PieceContext) -> Target:
    """Make the target that `spec` names; PieceError says what is wrong with it and where."""
    factory = _factory("targets", spec.kind, spec.where)
    target = _made("targets", factory, spec, context)
    if not isinstance(target, Target):
        hint = f"; to call a function as the target, write python: {spec.kind}" if ":" in spec.kind else ""
        raise PieceError(
            spec.where,
            f"{spec.kind}: the factory returned {_named(target)}, "
            f"which has no answer and fingerprint methods{hint}",
        )
    return target


def build_notifier(spec: NotifierSpec, context: NotifierContext) -> Notifier:
    """Make the notifier that an entry of `notifiers` describes; PieceError says what is wrong and where."""
    where = f"notifiers.{context.name}"
    factory = _factory("notifiers", spec.kind, where)
    given = {name: getattr(spec, name) for name in ("url_env", "key_env", "path")}
    options = {**{name: value for name, value in given.items() if value is not None}, **spec.options}
    try:
        notifier: Notifier = call_factory(factory, has_arg=False, arg=None, options=options, context=context)
    except (PieceError, LoadError):
        raise
    except UsageError as error:
        raise PieceError(where, str(error).removeprefix(f"notifier {context.name}: ")) from error
    except (Exception, SystemExit) as error:
        raise PieceError(where, f"{spec.kind}: its factory raised {raised_at(error)}") from error
    if not callable(getattr(notifier, "send", None)):
        raise PieceError(
            where, f"{spec.kind}: the factory returned {_named(notifier)}, without a send method"
        )
    return notifier


def piece_names(group: Group) -> list[str]:
    """Return the names that are installed, sorted."""
    return sorted(_installed(group))


@cache
def _installed(group: Group) -> dict[str, tuple[EntryPoint, ...]]:
    """Return the entry points of a group by name; the same one found twice on sys.path counts once."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for entry in entry_points(group=f"aioncall.{group}"):
        found.setdefault(entry.name, {}).setdefault(entry.value, entry)
    return {name: tuple(by_value.values()) for name, by_value in found.items()}


def _factory(group: Group, kind: str, where: str) -> Any:
    what = group[:-1]
    if is_import_string(kind):
        try:
            return load_object(kind, what=what)
        except UsageError as error:
            raise PieceError(where, str(error)) from error
    entries = _installed(group).get(kind)
    if entries is None:
        raise PieceError(where, _unknown(group, kind))
    if len(entries) > 1:
        packages = " and ".join(_package(entry) for entry in entries)
        raise PieceError(
            where, f"{what} {kind!r} is in {packages}; name the one you mean as package.module:name"
        )
    try:
        return entries[0].load()
    except (Exception, SystemExit) as error:
        raise PieceError(
            where, f"{what} {kind!r} of {_package(entries[0])} does not load: {raised_at(error)}"
        ) from error


def _unknown(group: Group, kind: str) -> str:
    what, names = group[:-1], piece_names(group)
    if not names:
        return f"unknown {what} {kind!r}: none is installed; reinstall pytest-aioncall, which brings its own"
    near = did_you_mean(kind, names)
    hint = f"; did you mean {near!r}?" if near else "; one of your own is named package.module:name."
    return f"unknown {what} {one_line(kind, 60)!r}{hint} Installed: {', '.join(names)}"


def _made(group: Group, factory: Any, spec: ScorerSpec | TargetSpec, context: PieceContext) -> Any:
    method = "score" if group == "scorers" else "answer"
    if not isinstance(factory, type) and callable(getattr(factory, method, None)):
        if spec.has_arg or spec.options:
            raise PieceError(spec.where, f"{spec.kind} is a {group[:-1]} already made and takes no options")
        return factory
    if not callable(factory):
        raise PieceError(spec.where, f"{spec.kind} is {_named(factory)}, not a factory of a {group[:-1]}")
    return _called(factory, spec, context)


def _called(factory: Callable[..., Any], spec: ScorerSpec | TargetSpec, context: PieceContext) -> Any:
    try:
        return call_factory(
            factory, has_arg=spec.has_arg, arg=spec.arg, options=spec.options, context=context
        )
    except (PieceError, LoadError):
        raise
    except UsageError as error:
        raise PieceError(spec.where, f"{spec.kind}: {error}") from error
    except (Exception, SystemExit) as error:
        raise PieceError(spec.where, f"{spec.kind}: its factory raised {raised_at(error)}") from error


def _traits(scorer: Any, spec: ScorerSpec) -> ScorerTraits:
    traits = getattr(scorer, "traits", None)
    if traits is None:
        return ScorerTraits()
    if not isinstance(traits, ScorerTraits):
        raise PieceError(spec.where, f"{spec.kind}: its traits are {_named(traits)}, not ScorerTraits")
    low, high = traits.scale
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise PieceError(spec.where, f"{spec.kind}: its scale {low} to {high} is no range")
    return traits


def _hash(spec: ScorerSpec, factory: Any, traits: ScorerTraits) -> str:
    content = {**spec.content(), "fingerprint": dict(traits.fingerprint)}
    if is_import_string(spec.kind):
        content["source"] = source_digest(factory)
    try:
        return digest_of(content)
    except (TypeError, ValueError) as error:
        raise PieceError(
            spec.where, f"{spec.kind}: its arguments and fingerprint are no JSON: {one_line(str(error))}"
        ) from error


def _parts(spec: ScorerSpec, factory: Any, traits: ScorerTraits) -> dict[str, str]:
    """Name what the hash is made of: a value as JSON where it is short, else its digest."""
    # The kind is always there, so that a scorer without arguments is told from one that tells no parts.
    said: dict[str, Any] = {**traits.fingerprint, **spec.options, **traits.parts, "kind": spec.kind}
    if spec.has_arg:
        said["argument"] = spec.arg
    if is_import_string(spec.kind):
        said["source"] = source_digest(factory)
    parts = {}
    for name, value in sorted(said.items()):
        text = value if isinstance(value, str) and value.isprintable() else canonical_json(value)
        parts[name] = text if len(text) <= SHORT_PART else f"sha256:{digest_of(value)}"
    return parts


def _package(entry: EntryPoint) -> str:
    return f"package {entry.dist.name} {entry.dist.version}" if entry.dist else f"a package ({entry.value})"


def _named(thing: Any) -> str:
    return "nothing" if thing is None else f"a {type(thing).__name__}"
