"""Notifiers by the names that routes use: made when they are first needed, and told of by their failures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from ...adapters.net import Caller
from ...adapters.registry import build_notifier
from ...decide.notices import NO_NOTIFIERS
from ...errors import AioncallError, DeliveryError
from ...model.oncall import NotifierSpec, Tier
from ...model.ticket import Notification
from ...protocols import Calls, Notifier, NotifierContext
from ...settings import Settings

BUILT_IN: Final = ("pagerduty", "slack")
"""Names that need no entry in `notifiers`: kind and name are one."""
_CALL_NOBODY: Final = {"file", *NO_NOTIFIERS}


class Channels:
    """The notifiers of a project. `calls` is the network seam, made on first use where none is given."""

    def __init__(self, settings: Settings, *, calls: Calls | None = None) -> None:
        self._settings, self._calls = settings, calls
        self._own: Caller | None = None
        self._made: dict[str, Notifier] = {}
        self._dead: dict[str, DeliveryError] = {}

    def send(self, notification: Notification) -> str:
        """Send it; return the receiver's name for it. Raises DeliveryError.

        A receiver that did not answer is not asked again by this object: the rest of a run is not to be spent
        on waiting for it.
        """
        name = notification.channel
        if name in self._dead:
            raise self._dead[name]
        try:
            return self._notifier(name).send(notification)
        except DeliveryError as error:
            if not error.refused:
                self._dead[name] = error
            raise
        except AioncallError as error:
            raise DeliveryError(str(error), refused=True) from error
        except Exception as error:
            raise DeliveryError(f"notifier {name}: raised {type(error).__name__}: {error}") from error

    def check(self, name: str) -> None:
        """Make a notifier and send nothing; raises DeliveryError or UsageError where something is missing."""
        self._notifier(name)

    def close(self) -> None:
        """Close the connections that were opened here."""
        if self._own is not None:
            self._own.close()

    def _notifier(self, name: str) -> Notifier:
        if name not in self._made:
            spec = self._settings.config.notifiers.get(name)
            if spec is None and name not in BUILT_IN:
                raise DeliveryError(
                    f"no notifier {name!r}; add it to notifiers in aioncall.yaml", refused=True
                )
            self._made[name] = build_notifier(spec or NotifierSpec(kind=name), self._context(name))
        return self._made[name]

    def _context(self, name: str) -> NotifierContext:
        settings = self._settings
        if self._calls is None:
            self._calls = self._own = Caller()
        return NotifierContext(
            name=name,
            root=settings.root,
            secrets=settings.secrets,
            calls=self._calls,
            project=settings.github.repository or settings.root.name,
            now=lambda: now_of(settings),
        )


def now_of(settings: Settings) -> datetime:
    """Return the time: the session's clock, else the real one."""
    return settings.now or datetime.now(UTC)


def kind_of(name: str, settings: Settings) -> str:
    """Return the kind of a notifier; a name that has no entry is a kind itself."""
    spec = settings.config.notifiers.get(name)
    return spec.kind if spec is not None else name


def calls_somebody(name: str, settings: Settings) -> bool:
    """Tell whether a notifier of this name reaches a person by itself: a file does not."""
    return kind_of(name, settings) not in _CALL_NOBODY


def notifiers_for(tier: Tier, settings: Settings) -> tuple[str, ...]:
    """Return the names of the notifiers on the route of a tier; the issue and the review are none."""
    names = settings.config.routes.of(tier)
    return tuple(name for name in names if kind_of(name, settings) not in NO_NOTIFIERS)


def stand_ins(settings: Settings, *, tried: Iterable[str]) -> list[str]:
    """Return who takes over where none of `tried` could be told: the channel that is last, then all others.

    A file calls nobody, so it takes over from nobody.
    """
    config = settings.config
    tiers: tuple[Tier, ...] = (1, 2, 3)
    routed = [name for tier in tiers for name in notifiers_for(tier, settings)]
    channel = [config.oncall.channel] if config.oncall.channel else []
    names = dict.fromkeys([*channel, *routed, *config.notifiers])
    asked = set(tried)
    return [name for name in names if name not in asked and calls_somebody(name, settings)]
