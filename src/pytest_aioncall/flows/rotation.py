"""`aioncall who` and `aioncall oncall`: who is called, until when, and who owns what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from ..adapters.evalset_files import load_evalset
from ..adapters.render.times import length, moment
from ..adapters.text import did_you_mean, log_line
from ..decide.oncall import (
    Deadline,
    EscalationStep,
    Shift,
    deadline,
    escalations,
    in_zone,
    on_call_at,
    owner_of,
    shifts,
    zone_of,
)
from ..errors import UsageError
from ..model.oncall import OnCall
from ..model.schedule import instant_of, parse_moment
from ..settings import Settings
from .checking import find_evalsets

_LISTED = 15
"""Owners that are listed on a screen."""
_WEEK = timedelta(days=7)
_LONGEST_PLAN = 104
_SET_UP = 'put oncall: {rotation: {people: ["@ann", "@bo"]}} into aioncall.yaml'


@dataclass(frozen=True, slots=True)
class Owners:
    """The model owner of each evalset.

    unread   files of evalsets that do not load, so that nobody knows whose they are
    strange  names in `oncall.owners` that no evalset has, where all of them were read
    """

    by_evalset: dict[str, str]
    unread: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Who:
    """Who is called at one moment. `due` is for a page of that moment; `coming` the shift after this one.

    steps  who is asked when nobody acknowledges such a page; of the feature that was asked about, else ()
    """

    oncall: OnCall
    at: datetime
    asked: bool
    shift: Shift
    coming: Shift | None
    due: Deadline
    owners: Owners
    feature: str | None = None
    steps: tuple[EscalationStep, ...] = ()

    def lines(self) -> list[str]:
        """Return what a person reads; the first line is the answer."""
        rows = [self._answer()]
        if self.coming is not None and self.coming.primary:
            rows.append(f"next       {_shift_line(self.coming)}")
        if self.shift.secondary:
            rows.append(f"secondary  {self.shift.secondary}")
        hours = "in business hours" if self.due.business else "outside business hours"
        when = "then" if self.asked else "now"
        rows.append(
            f"a page {when}: acknowledge within {length(self.due.due - self.at)} ({hours}), "
            f"by {moment(self.due.due)}"
        )
        rows += [f"  else     {_step_line(step)}" for step in self.steps[1:]]
        rows += self._owner_lines()
        if self.shift.primary is None:
            rows.append(f"next:  {_SET_UP}")
        return [log_line(row, 300) for row in rows]

    def _answer(self) -> str:
        when = f" at {moment(self.at)}" if self.asked else ""
        if self.shift.primary is not None:
            about = f" for {self.feature}" if self.feature else ""
            stands_in = f", instead of {self.shift.instead_of}" if self.shift.instead_of else ""
            until = f" until {moment(self.shift.end)}" if self.shift.end else ""
            comma = "," if when and until else ""
            return f"{self.shift.primary} is on call{about}{when}{comma}{until}{stands_in}"
        nobody = f"nobody is on call{when}: aioncall.yaml has no oncall.rotation"
        if self.feature is not None:
            return (
                f"{self.owners.by_evalset[self.feature]} is called for {self.feature}, as its owner; {nobody}"
            )
        return f"{nobody}; a page goes to the owner of its evalset"

    def _owner_lines(self) -> list[str]:
        owners = self.owners.by_evalset
        if self.feature is not None:
            return [f"owner      {owners[self.feature]}"]
        lines = [
            f"owner      {owner} of {name}{' (no such evalset)' if name in self.owners.strange else ''}"
            for name, owner in list(owners.items())[:_LISTED]
        ]
        if len(owners) > _LISTED:
            lines.append(f"           and {len(owners) - _LISTED} more: aioncall who --json")
        if self.owners.unread:
            files = ", ".join(self.owners.unread[:3])
            lines.append(f"not read   {files} (see aioncall check)")
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {
            "format": 1,
            "at": self.at.isoformat(),
            "timezone": self.oncall.timezone,
            **_shift_json(self.shift),
            "next": None if self.coming is None else _shift_json(self.coming),
            "acknowledge_by": self.due.due.isoformat(),
            "business_hours": self.due.business,
            "feature": self.feature,
            "escalation": [
                {"at": step.at.isoformat(), "to": step.to, "role": step.role} for step in self.steps
            ],
            "owners": self.owners.by_evalset,
            "channel": self.oncall.channel,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """The shifts of the coming weeks, the one under way first."""

    oncall: OnCall
    shifts: tuple[Shift, ...]

    def lines(self) -> list[str]:
        """Return what a person reads; the first line says who is on call now."""
        first, *rest = self.shifts
        if first.primary is None and not rest:
            return ["nobody is on call: aioncall.yaml has no oncall.rotation", f"next:  {_SET_UP}"]
        until = f" until {moment(first.end)}" if first.end else ""
        lines = [f"{first.primary or 'nobody'} is on call{until}{_aside(first)}"]
        lines += [
            f"  from {moment(one.start)}  {one.primary or '-'}{_aside(one)}" for one in rest if one.start
        ]
        last = self.shifts[-1].end
        if rest and last is not None:
            lines.append(f"  until {moment(last)}")
        return [log_line(line, 300) for line in lines]

    def as_json(self) -> dict[str, Any]:
        """Return the same as plain data."""
        told = [_shift_json(one) for one in self.shifts]
        return {"format": 1, "timezone": self.oncall.timezone, "shifts": told}


def who(settings: Settings, *, at: str | None = None, feature: str | None = None) -> Who:
    """Return who is called at `at` (a time with its offset, or local to the section's zone), by default now.

    Raises UsageError for a time that is none and for a feature that no evalset has.
    """
    oncall = settings.config.oncall
    zone = zone_of(oncall.timezone)
    instant = _now(settings) if at is None else _asked(at, zone)
    owners = owners_of(settings)
    if feature is not None:
        _refuse_unknown(feature, owners)
    try:
        shift = on_call_at(oncall, instant)
        due = deadline(oncall, instant)
        coming = on_call_at(oncall, shift.end) if shift.end is not None else None
        steps = () if feature is None else _steps(oncall, instant, feature, owners)
    except (OverflowError, ValueError):
        raise _too_far(instant) from None
    return Who(
        oncall=oncall,
        at=in_zone(instant, zone),
        asked=at is not None,
        shift=shift,
        coming=coming,
        due=due,
        owners=owners,
        feature=feature,
        steps=steps,
    )


def plan(settings: Settings, *, weeks: int = 4) -> Plan:
    """Return the shifts from now on for so many weeks."""
    if not 1 <= weeks <= _LONGEST_PLAN:
        raise UsageError(f"--weeks: needs a number from 1 to {_LONGEST_PLAN}, got {weeks}")
    now = _now(settings)
    oncall = settings.config.oncall
    try:
        return Plan(oncall, tuple(shifts(oncall, since=now, until=now + weeks * _WEEK)))
    except (OverflowError, ValueError):
        raise _too_far(now) from None


def _too_far(at: datetime) -> UsageError:
    return UsageError(f"{at:%Y-%m-%d} is too far away to be planned")


def owners_of(settings: Settings) -> Owners:
    """Return who owns each evalset of the project: by `oncall.owners`, else by the evalset itself."""
    oncall = settings.config.oncall
    owners: dict[str, str] = {}
    unread: list[str] = []
    for path in find_evalsets(settings.root, []):
        try:
            evalset = load_evalset(path, root=settings.root)
        except UsageError:
            # Whoever asks at three in the morning gets an answer about the others.
            unread.append(path.name)
        else:
            owners[evalset.evalset] = owner_of(oncall, evalset.evalset, evalset.owner)
    others = {name: owner for name, owner in oncall.owners.items() if name not in owners}
    strange = () if unread else tuple(others)
    return Owners(dict(sorted({**owners, **others}.items())), tuple(unread), strange)


def _steps(oncall: OnCall, at: datetime, feature: str, owners: Owners) -> tuple[EscalationStep, ...]:
    return escalations(
        oncall,
        fired_at=at,
        acked_at=None,
        now=at + timedelta(days=60),
        evalset=feature,
        owner=owners.by_evalset[feature],
    )


def _now(settings: Settings) -> datetime:
    return settings.now or datetime.now(UTC)


def _asked(text: str, zone: tzinfo) -> datetime:
    try:
        return instant_of(parse_moment(text.strip()), zone)
    except (ValueError, OverflowError):
        raise UsageError(
            f"--at: needs a time, for example '2026-12-24 10:00' (in {zone}) or 2026-12-24T10:00+01:00, "
            f"got {log_line(text, 60)!r}"
        ) from None


def _refuse_unknown(feature: str, owners: Owners) -> None:
    known = owners.by_evalset
    if feature in known:
        return
    near = did_you_mean(feature, known)
    hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(list(known)[:_LISTED]) or 'none'}"
    unread = f" (not read: {', '.join(owners.unread[:3])})" if owners.unread else ""
    raise UsageError(f"--feature: no evalset {log_line(feature, 80)!r}; {hint}{unread}")


def _shift_line(shift: Shift) -> str:
    until = f" until {moment(shift.end)}" if shift.end else ""
    return f"{shift.primary}{until}{_aside(shift)}"


def _aside(shift: Shift) -> str:
    """Say what else is to be known of a shift: a stand-in, a second person, a change of the clocks."""
    said = [f"instead of {shift.instead_of}"] if shift.instead_of else []
    said += [f"secondary {shift.secondary}"] if shift.secondary else []
    if shift.start and shift.end and shift.start.utcoffset() != shift.end.utcoffset():
        said.append(f"the clocks change: {length(shift.end - shift.start)}")
    return f" ({', '.join(said)})" if said else ""


def _step_line(step: EscalationStep) -> str:
    who = f"the channel {step.to}" if step.role == "channel" else f"{step.to} ({step.role})"
    return f"{who} is asked at {moment(step.at)}"


def _shift_json(shift: Shift) -> dict[str, Any]:
    return {
        "primary": shift.primary,
        "secondary": shift.secondary,
        "instead_of": shift.instead_of,
        "start": shift.start.isoformat() if shift.start else None,
        "end": shift.end.isoformat() if shift.end else None,
    }
