"""The `oncall` section: what its model cannot say of people, zones, days, times and durations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from ...model.oncall import Rotation
from ...model.schedule import (
    MONTHS,
    WEEKDAYS,
    SpanKind,
    instant_of,
    parse_clock,
    parse_duration,
    parse_handoff,
    parse_moment,
    parse_span,
)
from ..text import did_you_mean
from ..yaml_text import Shape, Source, quoted, step
from ..yaml_text.document import TEXT_LIST, TEXT_MAPPING

_SPANS: Final[tuple[SpanKind, ...]] = ("weekdays", "days_of_month", "months", "years")
_ROTATION: Final = Shape(text=frozenset({"start", "handoff"}), keys={"people": TEXT_LIST})
_INTERVAL: Final = Shape(
    text=frozenset({"location"}),
    keys={
        "times": Shape(items=Shape(text=frozenset({"start_time", "end_time"}))),
        **dict.fromkeys(_SPANS, TEXT_LIST),
    },
)
ONCALL_SHAPE: Final = Shape(
    text=frozenset({"timezone", "channel", "runbooks"}),
    keys={
        "rotation": _ROTATION,
        "secondary": _ROTATION,
        "overrides": Shape(items=Shape(text=frozenset({"start", "end", "person"}))),
        "owners": TEXT_MAPPING,
        "business_hours": Shape(items=_INTERVAL),
        "holidays": TEXT_LIST,
        "sla": Shape(text=frozenset({"business", "off_hours"})),
    },
)
_LOGIN = re.compile(r"@[A-Za-z0-9][A-Za-z0-9_-]{0,98}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,98})?")
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_YEARS: Final = range(1970, 3000)
_Parsed = TypeVar("_Parsed")


def note_oncall(raw: Any, source: Source) -> None:
    """Note what is wrong in the section; what a model would only say again is taken out of `raw`."""
    if not isinstance(raw, dict):
        return
    zone = _zone(raw, "timezone", "oncall", source) or UTC
    for name in ("rotation", "secondary"):
        if isinstance(raw.get(name), dict):
            _note_rotation(raw[name], f"oncall.{name}", source)
    if raw.get("rotation") is None:
        for name in ("secondary", "overrides"):
            if raw.get(name):
                source.add(f"oncall.{name}", "needs a rotation: whom would it follow? Add oncall.rotation")
    for where, override in _mappings(raw.get("overrides"), "oncall.overrides"):
        _note_override(override, where, zone, source)
    owners = raw.get("owners")
    for evalset, owner in owners.items() if isinstance(owners, dict) else ():
        _note_person(owner, step("oncall.owners", evalset), source)
    for where, interval in _mappings(raw.get("business_hours"), "oncall.business_hours"):
        _note_interval(interval, where, source)
    if isinstance(raw.get("holidays"), list):
        raw["holidays"] = list(_dates(raw["holidays"], "oncall.holidays", source))
    sla = raw.get("sla")
    if isinstance(sla, dict):
        for key in ("business", "off_hours"):
            _parsed(parse_duration, sla, key, "oncall.sla", source)


def _mappings(raw: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and value of each mapping in a list; everything else is the model's to refuse."""
    for index, item in enumerate(raw if isinstance(raw, list) else ()):
        if isinstance(item, dict):
            yield f"{where}[{index}]", item


def _parsed(
    parse: Callable[[str], _Parsed], raw: dict[str, Any], key: str, where: str, source: Source
) -> _Parsed | None:
    """Return the value of a key, None where there is no text or it cannot be read, which is noted."""
    text = raw.get(key)
    if not isinstance(text, str):
        return None
    try:
        return parse(text)
    except ValueError as error:
        source.add(f"{where}.{key}", f"{error}, got {quoted(text)}")
        return None


def _zone(raw: dict[str, Any], key: str, where: str, source: Source) -> tzinfo | None:
    """Return the zone that a key names; None where it names none, or none that there is, which is noted."""
    name = raw.get(key)
    if not isinstance(name, str) or name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        source.add(f"{where}.{key}", _unknown_zone(name))
        return None


def _unknown_zone(name: str) -> str:
    known = available_timezones()
    if not known:
        return (
            f"this machine has no files of time zones, so it does not know {quoted(name)}; "
            "run: pip install tzdata"
        )
    near = did_you_mean(name, known)
    hint = f"did you mean '{near}'?" if near else "write it as Europe/Berlin or UTC"
    return f"{quoted(name)} is no IANA time zone; {hint}"


def _note_person(person: Any, where: str, source: Source) -> None:
    if isinstance(person, str) and not (_LOGIN.fullmatch(person) or _MAIL.fullmatch(person)):
        message = 'is nobody: write a GitHub login or team ("@ann", "@acme/search") or a mail address'
        source.add(where, f"{quoted(person)} {message}")


def _note_rotation(raw: dict[str, Any], where: str, source: Source) -> None:
    people = raw.get("people")
    for index, person in enumerate(people if isinstance(people, list) else ()):
        _note_person(person, f"{where}.people[{index}]", source)
    said = {"handoff": raw.get("handoff", Rotation.model_fields["handoff"].default)}
    handoff = _parsed(parse_handoff, said, "handoff", where, source)
    start = _date(raw["start"]) if isinstance(raw.get("start"), str) else None
    if "start" in raw and isinstance(raw["start"], str) and start is None:
        source.add(f"{where}.start", f"needs a date, for example 2026-11-02, got {quoted(raw['start'])}")
        del raw["start"]
    if start is not None and handoff is not None and start.weekday() != handoff[0]:
        days = WEEKDAYS[start.weekday()].capitalize(), WEEKDAYS[handoff[0]].capitalize()
        source.add(
            f"{where}.start",
            f"is a {days[0]}, and the first handoff is on a {days[1]}; write the day of the first handoff",
        )


def _note_override(raw: dict[str, Any], where: str, zone: tzinfo, source: Source) -> None:
    _note_person(raw.get("person"), f"{where}.person", source)
    start, end = (_parsed(_moment(zone), raw, key, where, source) for key in ("start", "end"))
    if start is not None and end is not None and not start < end:
        message = f"has to be after start ({quoted(raw['start'])}), got {quoted(raw['end'])}"
        source.add(f"{where}.end", message)


def _moment(zone: tzinfo) -> Callable[[str], datetime]:
    def parse(text: str) -> datetime:
        moment = parse_moment(text)
        if moment.year not in _YEARS:
            raise ValueError(f"needs a year from {_YEARS[0]} to {_YEARS[-1]}")
        return instant_of(moment, zone)

    return parse


def _note_interval(raw: dict[str, Any], where: str, source: Source) -> None:
    _zone(raw, "location", where, source)
    for place, times in _mappings(raw.get("times"), f"{where}.times"):
        start, end = (_parsed(parse_clock, times, key, place, source) for key in ("start_time", "end_time"))
        if start is not None and end is not None and start >= end:
            source.add(
                f"{place}.end_time",
                f"has to be after start_time ({times['start_time']}); hours over midnight are two ranges, "
                "the first until 24:00",
            )
    for kind in _SPANS:
        for index, text in enumerate(raw[kind] if isinstance(raw.get(kind), list) else ()):
            if isinstance(text, str):
                _note_span(text, kind, f"{where}.{kind}[{index}]", source)


def _note_span(text: str, kind: SpanKind, where: str, source: Source) -> None:
    try:
        parse_span(text, kind)
    except ValueError as error:
        names = {"weekdays": WEEKDAYS, "months": MONTHS}.get(kind, ())
        words = [word.strip() for word in text.split(":")]
        short = {*names, *(name[:3] for name in names)}
        near = [near for word in words if word.lower() not in short and (near := did_you_mean(word, names))]
        hint = f"; did you mean '{near[0]}'?" if near else ""
        source.add(where, f"{error}, got {quoted(text)}{hint}")


def _dates(items: list[Any], where: str, source: Source) -> Iterator[Any]:
    """Yield the days that there are; the others are noted. What is no text is the model's to refuse."""
    for index, item in enumerate(items):
        day = _date(item) if isinstance(item, str) else item
        if day is None and isinstance(item, str):
            source.add(f"{where}[{index}]", f"needs a date, for example 2026-12-25, got {quoted(item)}")
        else:
            yield day


def _date(text: str) -> date | None:
    """Return the day; None where it is none, or none of the years that a rotation can be about."""
    try:
        day = date.fromisoformat(text if _DATE.fullmatch(text) else "")
    except ValueError:
        return None
    return day if day.year in _YEARS else None
