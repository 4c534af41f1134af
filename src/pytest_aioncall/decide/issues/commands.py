"""What people tell us in comments: `/ack`, `/snooze 2026-12-01`, `/snooze 3d`, `/unsnooze`, `/split NAME`.

A command stands at the start of a line, outside of quoted text and blocks of code, in a comment of somebody
who may write to the repository. Others are not heard, and are not answered either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal

from ...model.ticket import Note

_COMMAND: Final = re.compile(r"[ \t]{0,3}/(ack|snooze|unsnooze|split)\b[ \t]*(\S*)", re.IGNORECASE)
_FENCE: Final = re.compile(r"[ \t]{0,3}(```|~~~)")
_SPAN: Final = re.compile(r"(\d{1,3})([hdw])", re.IGNORECASE)
_HOURS: Final = {"h": 1, "d": 24, "w": 168}
LONGEST_SNOOZE: Final = timedelta(days=366)
HOW_TO_SNOOZE: Final = "write /snooze 2026-12-01 or /snooze 3d"


@dataclass(frozen=True, slots=True)
class Command:
    """One command that was understood. `until` of a snooze; `evalset` of a split."""

    verb: Literal["ack", "snooze", "unsnooze", "split"]
    by: str
    at: datetime
    note: int
    until: datetime | None = None
    evalset: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A command that could not be understood, as it was `said`, and why, which begins with that."""

    by: str
    note: int
    said: str
    why: str


def read_commands(
    notes: Sequence[Note], *, actor: str, zone: tzinfo
) -> tuple[tuple[Command, ...], tuple[Unread, ...]]:
    """Return the commands in the comments of an issue, oldest first, and those nobody could understand.

    Comments of our own account and of people without write access are passed over. A date is the start of
    that day in `zone`.
    """
    found: list[Command] = []
    unread: list[Unread] = []
    for note in sorted(notes, key=lambda one: (one.created_at, one.id)):
        moment = moment_of(note.created_at)
        if not note.trusted or note.author.casefold() == actor.casefold() or moment is None:
            continue
        for verb, argument in _commands_in(note.body):
            try:
                found.append(_command(verb, argument, note=note, at=moment, zone=zone))
            except ValueError as error:
                said = f"/{verb} {argument}".rstrip()
                unread.append(Unread(note.author, note.id, said, f"{said} {error}"))
    return tuple(found), tuple(unread)


def moment_of(text: str | None) -> datetime | None:
    """Read RFC 3339; None for what is no moment with an offset."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def snoozed_until(commands: Sequence[Command], *, since: datetime, now: datetime) -> datetime | None:
    """Return until when an issue is silent at `now`, by the last word said `since` it was paged."""
    until = last_snooze(commands, since=since)
    return until if until is not None and until > now else None


def last_snooze(commands: Sequence[Command], *, since: datetime) -> datetime | None:
    """Return until when the last snooze went, over or not; None where none was, or it was taken back."""
    until: datetime | None = None
    for one in commands:
        if one.at >= since and one.verb in ("snooze", "unsnooze"):
            until = one.until if one.verb == "snooze" else None
    return until


def _commands_in(body: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    inside = False
    for line in body[:20_000].splitlines():
        if _FENCE.match(line):
            inside = not inside
        command = None if inside else _COMMAND.match(line)
        if command is not None:
            found.append((command[1].lower(), command[2]))
    return found[:20]


def _command(verb: str, argument: str, *, note: Note, at: datetime, zone: tzinfo) -> Command:
    if verb == "snooze":
        return Command("snooze", note.author, at, note.id, until=_until(argument, at=at, zone=zone))
    if verb == "split":
        if not argument:
            raise ValueError("needs the name of an evalset in the table above")
        return Command("split", note.author, at, note.id, evalset=argument.strip("`"))
    return Command("ack" if verb == "ack" else "unsnooze", note.author, at, note.id)


def _until(argument: str, *, at: datetime, zone: tzinfo) -> datetime:
    if not argument:
        raise ValueError(f"needs a date; {HOW_TO_SNOOZE}")
    span = _SPAN.fullmatch(argument)
    if span is not None:
        until = at + timedelta(hours=int(span[1]) * _HOURS[span[2].lower()])
    else:
        try:
            until = datetime.combine(date.fromisoformat(argument), time(), zone)
        except ValueError:
            raise ValueError(f"is no date; {HOW_TO_SNOOZE}") from None
    if until <= at:
        raise ValueError(f"is over already; {HOW_TO_SNOOZE}")
    if until > at + LONGEST_SNOOZE:
        raise ValueError("is more than a year away; put the label wontfix on it instead")
    return until
