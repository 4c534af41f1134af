"""What two versions of `aioncall.yaml` ask of every evalset."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ..model.config import Config
from ..model.evalset import EpochRange
from ..model.weakening import Weakening

EPOCHS: Final = 3
"""How often a case runs where neither its evalset nor the configuration says."""

_Weaker = Callable[[Any, Any], bool]


def _up(was: Any, now: Any) -> bool:
    return bool(now > was)


def _down(was: Any, now: Any) -> bool:
    return bool(now < was)


def _margin_up(was: float | None, now: float | None) -> bool:
    """Compare shares of the span. Built in are .05 on 0-1 and .04 elsewhere, and here no scale is known."""
    return (0.05 if now is None else now) > (0.04 if was is None else was) and was != now


def epoch_limits(epochs: int | EpochRange) -> tuple[int, int]:
    """Return the least and the most epochs."""
    return (epochs, epochs) if isinstance(epochs, int) else (epochs.min, epochs.max)


def fewer_epochs(was: int | EpochRange, now: int | EpochRange) -> bool:
    """Tell whether the least or the most epochs went down: floors are tested in fewer of them."""
    (least, most), (new_least, new_most) = epoch_limits(was), epoch_limits(now)
    return new_least < least or new_most < most


def epochs_shown(epochs: int | EpochRange) -> str:
    """Return a number of epochs as it is read."""
    least, most = epoch_limits(epochs)
    return str(least) if least == most else f"{least} to {most}"


# Which change of a default is a loosening; keys that decide nothing are not here. None stands for the
# built-in value where the comparison gives one.
_RECALLING: Final = ("replay", "fallback", "extend")
_DEFAULTS: Final[dict[str, tuple[_Weaker, Any]]] = {
    "alpha": (_down, 0.05),
    "on_inconclusive": (lambda was, now: (was, now) == ("fail", "warn"), "warn"),
    "claim": (lambda was, now: bool(was != now), "auto"),
    "margin": (_margin_up, None),
    "min": (_down, -1.0),
    "baseline_max_age_days": (_up, 30),
    "latency_p95_ratio": (_up, 2.0),
    "cost_ratio": (_up, 2.0),
    "tokens_ratio": (_up, 2.0),
    "retrieved_ratio": (_up, 2.0),
    "epochs": (fewer_epochs, EPOCHS),
    # Of these none asks for what is recorded, so a model that has changed goes unseen.
    "mode": (lambda was, now: now in _RECALLING and was not in _RECALLING, "live"),
    "require_baseline": (lambda was, now: was and not now, False),
    "baseline_ref": (lambda was, now: bool(was) and was != now, ""),
}


def compare_configs(was: Config, now: Config, *, file: str) -> list[Weakening]:
    """Return what the new configuration asks less strictly than the old one; `file` is how it is shown."""
    return [*_defaults(was, now, file), *_redaction(was, now, file), *_providers(was, now, file)]


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
    """A pattern or kind less, or a built-in kind off, and what it hid is stored and committed."""
    left = {(sort, word) for sort, word, _ in _redacted(now)}
    seen: set[tuple[str, str]] = set()
    for sort, word, index in _redacted(was):
        if sort == "off" or (sort, word) in left or (sort, word) in seen:
            continue
        seen.add((sort, word))
        yield Weakening(
            kind="redact_removed",
            what=f"redact {word}",
            was=word,
            now="not redacted",
            file=file,
            at_base=True,
            where=f"redact[{index}]",
        )
    off = {word for sort, word, _ in _redacted(was) if sort == "off"}
    for sort, word, index in _redacted(now):
        if sort == "off" and word not in off:
            off.add(word)
            yield Weakening(
                kind="redact_removed",
                what=f"redact {word}",
                was=word,
                now="not redacted (off)",
                file=file,
                where=f"redact[{index}]",
            )


def _redacted(config: Config) -> Iterator[tuple[str, str, int]]:
    """Yield what each entry of `redact` does: (pattern, off or kind; the pattern or kind; which entry)."""
    for index, rule in enumerate(config.redact):
        if isinstance(rule, str):
            yield "pattern", rule, index
            continue
        if rule.pattern is not None:
            yield "pattern", rule.pattern, index
        if rule.off is not None:
            yield "off", rule.off, index
        for kind in rule.kinds:
            yield "kind", kind, index


def _providers(was: Config, now: Config, file: str) -> Iterator[Weakening]:
    """Another server under the same name is another judge, though no evalset says so."""
    for name, old in was.providers.items():
        new = now.providers.get(name)
        if new is not None and (old.kind, old.base_url) != (new.kind, new.base_url):
            yield Weakening(
                kind="provider_changed",
                what=f"provider {name}",
                was=f"{old.kind} at {old.base_url or 'its own address'}",
                now=f"{new.kind} at {new.base_url or 'its own address'}",
                file=file,
                where=f"providers.{name}",
            )


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, EpochRange):
        return epochs_shown(value)
    return "none" if value is None else str(value)
