"""Time zones by name, and moments that keep their offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo


def zone_of(name: str) -> tzinfo:
    """Return the IANA zone `name`. UTC needs no files of zones.

    Raises ZoneInfoNotFoundError where the machine does not know it; the configuration is refused before.
    """
    return UTC if name == "UTC" else ZoneInfo(name)


def in_zone(instant: datetime, zone: tzinfo) -> datetime:
    """Return the moment as the clocks of `zone` show it, with the offset of that moment as a fixed one.

    Two datetimes of one ZoneInfo are compared and subtracted by what clocks show, an hour wrong around a
    change of the clocks; with fixed offsets it is real time.
    """
    local = instant.astimezone(zone)
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)), fold=0)


def utc(moment: datetime) -> datetime:
    """Return the moment in UTC; raises ValueError for one that does not say its offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no offset")
    return moment.astimezone(UTC)
