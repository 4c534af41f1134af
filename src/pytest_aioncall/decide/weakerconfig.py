"""What two versions of `aioncall.yaml` ask of every evalset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ..model.config import Config
from ..model.weakening import Weakening

_Weaker = Callable[[Any, Any], bool]


def _up(was: Any, now: Any) -> bool:
    return bool(now > was)


def _down(was: Any, now: Any) -> bool:
    return bool(now < was)


def _margin_up(was: float | None, now: float | None) -> bool:
    """Compare shares of the span. Built in are .05 on 0-1 and .04 elsewhere, and here no scale is known."""
    return (0.05 if now is None else now) > (0.04 if was is None else was) and was != now


# Which change of a default is a loosening; keys that decide nothing are not here. None stands for the
# built-in value where the comparison gives one.
_DEFAULTS: Final[dict[str, tuple[_Weaker, Any]]] = {
    "alpha": (_down, 0.05),
    "on_inconclusive": (lambda was, now: (was, now) == ("fail", "warn"), "warn"),
    "claim": (lambda was, now: bool(was != now), "auto"),
    "margin": (_margin_up, None),
    "min": (_down, -1.0),
    "baseline_max_age_days": (_up, 30),
    "latency_p95_ratio": (_up, 2.0),
    "cost_ratio": (_up, 2.0),
    "epochs": (_down, 3),
    "mode": (lambda was, now: now == "replay" and was != "replay", "live"),
    "require_baseline": (lambda was, now: was and not now, False),
    "baseline_ref": (lambda was, now: bool(was) and was != now, ""),
}


def compare_configs(was: Config, now: Config, *, file: str) -> list[Weakening]:
    """Return what the new configuration asks less strictly than the old one; `file` is how it is shown."""
    return [*_defaults(was, now, file), *_redaction(was, now, file)]


def _defaults(was: Config, now: Config, file: str) -> Iterator[Weakening]:
    for key, (weaker, builtin) in _DEFAULTS.items():
        old, new = getattr(was.defaults, key), getattr(now.defaults, key)
        if weaker(builtin if old is None else old, builtin if new is None else new):
            gone = key not in now.defaults.model_fields_set
            yield Weakening(
                kind="default_loosened",
                what=f"defaults.{key}",
                was=_shown(old),
                now=f"{_shown(new)} (not said)" if gone else _shown(new),
                file=file,
                at_base=gone,
                where=f"defaults.{key}",
            )


def _redaction(was: Config, now: Config, file: str) -> Iterator[Weakening]:
    """A pattern less, and what it hid is stored and committed."""
    for index, pattern in enumerate(was.redact):
        if pattern not in now.redact and pattern not in was.redact[:index]:
            yield Weakening(
                kind="redact_removed",
                what=f"redact {pattern}",
                was=pattern,
                now="not redacted",
                file=file,
                at_base=True,
                where=f"redact[{index}]",
            )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else str(value)
