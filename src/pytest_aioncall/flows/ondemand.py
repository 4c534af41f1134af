"""A network seam that is made at its first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..protocols import Inspect, Method, Reply, Wire


def silent_wire() -> WireOnDemand:
    """Return a seam for pieces that are made and never used: it needs no key and sends nothing."""
    return WireOnDemand(_nothing_is_sent, mode="check")


def _nothing_is_sent() -> Wire:
    raise AssertionError("this verb calls nothing")


class WireOnDemand:
    """Makes the real wire when the first call is sent: runs that call no model load no HTTP library.

    `mode` is what pieces see: `live`, or `check` where nothing will ever be sent and no key is needed.
    """

    def __init__(self, make: Callable[[], Wire], *, mode: str = "live") -> None:
        self._make = make
        self._wire: Wire | None = None
        self.mode = mode

    async def send(
        self,
        method: Method,
        url: str,
        *,
        headers: Mapping[str, str],
        json: Any,
        asked: Mapping[str, Any],
        epoch: int,
        provider: str = "",
        timeout_s: float = 60.0,
        max_attempts: int = 4,
        inspect: Inspect | None = None,
    ) -> Reply:
        """Send through the real wire, made now if this is the first call."""
        if self._wire is None:
            self._wire = self._make()
        return await self._wire.send(
            method,
            url,
            headers=headers,
            json=json,
            asked=asked,
            epoch=epoch,
            provider=provider,
            timeout_s=timeout_s,
            max_attempts=max_attempts,
            inspect=inspect,
        )

    @property
    def was_used(self) -> bool:
        """Whether a call was sent through the real wire."""
        return self._wire is not None

    def waiting(self) -> str | None:
        """Say which provider makes everybody wait and for how long, None while none does."""
        ask = getattr(self._wire, "waiting", None)
        return ask() if ask is not None else None

    async def close(self) -> None:
        """Close the real wire, if it was ever made."""
        if self._wire is not None:
            await self._wire.close()
