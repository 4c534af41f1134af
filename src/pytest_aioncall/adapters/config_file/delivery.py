"""The sections `routes`, `notifiers` and `monitors`: where alerts go, and no secret on the way."""

from __future__ import annotations

import re
from typing import Any, Final

from ..text import did_you_mean
from ..yaml_text import Shape, Source, quoted, step
from ..yaml_text.document import TEXT_LIST

BUILT_IN: Final = ("github", "review", "pagerduty", "slack")
"""What a route may name without an entry in `notifiers`."""
KINDS: Final = ("github", "slack", "webhook", "pagerduty", "file")
"""Kinds of notifiers that come with the package; others are import strings or installed."""
ROUTES_SHAPE: Final = Shape(keys=dict.fromkeys(("tier1", "tier2", "tier3"), TEXT_LIST))
NOTIFIERS_SHAPE: Final = Shape(values=Shape(text=frozenset({"kind", "url_env", "key_env", "path"})))
MONITORS_SHAPE: Final = Shape(text=frozenset({"history", "heartbeat_url_env"}))

VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
NOT_A_NAME: Final = "has to be the name of an environment variable; no key or token stands in this file"
_NOTIFIER_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_KIND_WORD = re.compile(r"[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.]+)?")
_BRANCH = re.compile(r"(?!.*(?:\.\.|//|\.lock(?:/|$)|/\.))[A-Za-z0-9_][A-Za-z0-9_./-]{0,198}(?<![./])")
_SECRET_KEY = re.compile(
    r"(?:.*[_-])?(?:url|key|token|secret|password|passwd|authorization|routing[_-]key|webhook)", re.IGNORECASE
)


def note_delivery(raw: dict[str, Any], source: Source) -> None:
    """Note what is wrong in `notifiers`, `routes`, `oncall.channel` and the names in `monitors`."""
    said = raw.get("notifiers")
    notifiers = said if isinstance(said, dict) else {}
    for name, notifier in notifiers.items():
        _note_notifier(name, notifier, source)
    known = list(dict.fromkeys([*BUILT_IN, *notifiers]))
    routes = raw.get("routes")
    for tier, names in routes.items() if isinstance(routes, dict) else ():
        if isinstance(names, list):
            _note_route(tier, names, known, source)
    oncall = raw.get("oncall")
    channel = oncall.get("channel") if isinstance(oncall, dict) else None
    if isinstance(channel, str):
        _note_name(channel, "oncall.channel", [name for name in known if name != "review"], source)
    monitors = raw.get("monitors")
    if isinstance(monitors, dict):
        _note_monitors(monitors, source)


def _note_name(name: str, where: str, known: list[str], source: Source) -> None:
    if name in known:
        return
    near = did_you_mean(name, known)
    hint = f"did you mean '{near}'?" if near else "add it to notifiers"
    source.add(where, f"{quoted(name)} is no notifier (known: {', '.join(known)}); {hint}")


def _note_route(tier: str, names: list[Any], known: list[str], source: Source) -> None:
    where = step("routes", tier)
    for index, name in enumerate(names):
        if isinstance(name, str):
            _note_name(name, f"{where}[{index}]", known, source)
            if name in names[:index]:
                source.add(f"{where}[{index}]", f"{quoted(name)} is named twice")
    if tier == "tier1" and all(name == "review" for name in names):
        nowhere = "only the weekly review would show a page" if names else "a page would reach nobody"
        source.add(where, f"{nowhere}; name github, or a notifier that calls somebody")


def _note_notifier(name: str, raw: Any, source: Source) -> None:
    where = step("notifiers", name)
    if not _NOTIFIER_NAME.fullmatch(name):
        source.add(where, "a notifier's name is made of A-Z a-z 0-9 _ . -")
    if not isinstance(raw, dict):
        return
    kind = raw.get("kind")
    if name in BUILT_IN and isinstance(kind, str) and kind != name:
        source.add(where, f"'{name}' is built in and means something else; choose another name")
    if isinstance(kind, str):
        _note_kind(kind, raw, where, source)
    _note_variables(raw, ("url_env", "key_env"), where, source)
    options = raw.get("options")
    for key, value in options.items() if isinstance(options, dict) else ():
        if isinstance(value, str) and _SECRET_KEY.fullmatch(key):
            # Never shown: what stands here may be the secret itself.
            message = (
                "no key, token or address of a webhook stands in this file; name variables: url_env, key_env"
            )
            source.add(step(f"{where}.options", key), message)


def _note_kind(kind: str, raw: dict[str, Any], where: str, source: Source) -> None:
    if not _KIND_WORD.fullmatch(kind):
        source.add(
            f"{where}.kind", f"needs one of {', '.join(KINDS)} or an import string, got {quoted(kind)}"
        )
    elif kind not in KINDS and ":" not in kind and (near := did_you_mean(kind, KINDS)):
        # A kind that somebody installed is spelled like none of ours.
        source.add(f"{where}.kind", f"unknown kind {quoted(kind)}; did you mean '{near}'?")
    needed = {"webhook": "url_env", "file": "path"}.get(kind)
    if needed is not None and raw.get(needed) is None:
        source.add(where, f"a notifier of kind {kind} needs {needed}")


def _note_variables(raw: dict[str, Any], keys: tuple[str, ...], where: str, source: Source) -> None:
    for key in keys:
        if isinstance(raw.get(key), str) and not VARIABLE.fullmatch(raw[key]):
            source.add(f"{where}.{key}", NOT_A_NAME)


def _note_monitors(raw: dict[str, Any], source: Source) -> None:
    _note_variables(raw, ("heartbeat_url_env",), "monitors", source)
    branch = raw.get("history")
    if isinstance(branch, str) and branch and not _BRANCH.fullmatch(branch):
        source.add(
            "monitors.history",
            f"needs the name of a branch, for example aioncall-history, got {quoted(branch)}",
        )
