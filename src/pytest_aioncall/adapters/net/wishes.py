"""What the headers of a refusal ask for: how long nobody should come back.

Retry-After: RFC 9110, section 10.2.3. `retry-after-ms`, `x-ratelimit-reset-requests` and -tokens (durations
such as `6m0s`): OpenAI and Azure. `anthropic-ratelimit-*-reset` (RFC 3339): Anthropic. `ratelimit-reset` and
`x-ratelimit-reset` (seconds, or seconds since 1970): many gateways.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Vendors refill little by little, yet tell when all is refilled: more than this is not worth believing.
LONGEST_RESET_S = 60.0
# No wait is that long; what is written so is a moment since 1970.
_EPOCH_S = 1e9
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|[smhd]))+", re.ASCII)
_PART = re.compile(r"([\d.]+)(ms|[smhd])", re.ASCII)
_LONGEST_VALUE = 64
# How many are left of something, and when there will be some again.
_KINDS = (
    *(
        (f"anthropic-ratelimit-{kind}-remaining", f"anthropic-ratelimit-{kind}-reset")
        for kind in ("requests", "tokens", "input-tokens", "output-tokens")
    ),
    *((f"x-ratelimit-remaining-{kind}", f"x-ratelimit-reset-{kind}") for kind in ("requests", "tokens")),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
)


def retry_after_s(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return how many seconds a server asks to wait (seconds, milliseconds or an HTTP date), None if not.

    `headers` has lower-case names. Never negative, never infinite; total on any header values.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if not value or len(value) > _LONGEST_VALUE:
            continue
        wait = _seconds(value)
        wait = _until(value, now=now) if wait is None else wait / unit
        if wait is not None and math.isfinite(wait):
            return max(0.0, wait)
    return None


def reset_after_s(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Return in how many seconds what is used up is there again, None where the headers do not say.

    Only what has nothing left counts; of several, the longest; at most LONGEST_RESET_S.
    """
    waits: list[float] = []
    for remaining, reset in _KINDS:
        value = headers.get(reset, "").strip()
        if not value or len(value) > _LONGEST_VALUE or _seconds(headers.get(remaining, "")) != 0:
            continue
        wait = _seconds(value)
        if wait is not None and wait >= _EPOCH_S:
            wait -= now.timestamp()
        if wait is None:
            wait = _duration(value)
        if wait is None:
            wait = _until(value, now=now)
        if wait is not None and math.isfinite(wait):
            waits.append(min(max(0.0, wait), LONGEST_RESET_S))
    return max(waits, default=None)


def _seconds(value: str) -> float | None:
    if len(value) > _LONGEST_VALUE:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _duration(value: str) -> float | None:
    """Read `1s`, `6m0s`, `20ms`, `1h2m3.5s`."""
    if not _DURATION.fullmatch(value):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))


def _until(value: str, *, now: datetime) -> float | None:
    """Read an HTTP date or RFC 3339; a moment without a zone is in UTC."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(value)
            return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
