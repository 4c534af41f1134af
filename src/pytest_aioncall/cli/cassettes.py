"""`aioncall cassettes list|show|prune`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from .talk import EXIT_OK, add_verb, count, say, say_json, settings_of

LISTED = 20
"""Recordings that `prune` names of each cassette."""
_USES = {
    "used": "",
    "further": "further epoch",
    "unused": "no longer asked for",
    "unknown": "not known",
}


def add_cassettes(verbs: Any) -> None:
    parser = add_verb(
        verbs, "cassettes", _cassettes, help=None, example="aioncall cassettes prune triage --yes"
    )
    parser.add_argument("action", choices=["list", "show", "prune"])
    parser.add_argument("names", nargs="*", metavar="EVALSET", help="evalsets or their files (default: all)")
    parser.add_argument(
        "--epochs", type=count, metavar="N", help="keep recordings of the first N epochs only"
    )
    parser.add_argument("--unused", action="store_true", help="show: only what is no longer asked for")
    parser.add_argument("--yes", action="store_true", help="prune: delete; without it prune only says what")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _cassettes(options: argparse.Namespace) -> int:
    from ..flows.kept_recordings import kept_cassettes, prune

    settings = settings_of(options, mode="replay", epochs=options.epochs)
    found = kept_cassettes(options.names, settings, only_these_epochs=options.epochs is not None)
    gone = prune(found) if options.action == "prune" and options.yes else None
    if options.json:
        _say_json(found, options, gone)
        return EXIT_OK
    if not found:
        say("no cassette yet; record one with: pytest --aioncall --aioncall-record")
        return EXIT_OK
    for one in found if options.action == "list" else [one for one in found if one.recordings]:
        {"list": _say_cassette, "show": _say_recordings, "prune": _say_unused}[options.action](one, options)
    _say_next(found, options, gone)
    return EXIT_OK


def _say_cassette(one: Any, _options: argparse.Namespace) -> None:
    days = "" if one.days is None else f", {' to '.join(dict.fromkeys(one.days))}"
    told = f"{_counted(len(one.recordings), 'recording')}, {_size(one.size)}{days}"
    say(f"{one.file}: {told if one.recordings else 'no recording yet'}")
    say(*(f"  {line}" for line in _remarks(one)))


def _remarks(one: Any) -> list[str]:
    lines = []
    unused, further = one.of_use("unused"), one.of_use("further")
    if one.evalset is None:
        lines.append("no evalset of that name is beside it: all of it is no longer asked for")
    elif unused:
        lines.append(f"{len(unused)} no longer asked for ({_size(sum(r.size for r in unused))})")
    if further:
        epochs = sorted({r.epoch for r in further})
        lines.append(
            f"{len(further)} of further epochs ({epochs[0]} to {epochs[-1]}), kept for --aioncall-epochs"
        )
    if one.missing:
        lines.append(f"{_counted(one.missing, 'call')} of a run not recorded")
    if one.unmerged:
        lines.append(
            f"{_counted(one.unmerged, 'file')} of a run that was killed; the next recording merges it"
        )
    if one.unknown and one.recordings:
        lines.append(f"cannot tell what is asked for, all is kept: {one.unknown}")
    return lines


def _say_recordings(one: Any, options: argparse.Namespace) -> None:
    shown = one.of_use("unused") if options.unused else one.recordings
    say(f"{one.file}: {_counted(len(shown), 'recording')}")
    for recording in shown:
        say(_recording_line(recording))


def _say_unused(one: Any, options: argparse.Namespace) -> None:
    unused = one.of_use("unused")
    verb = "deleted" if options.yes else "to delete"
    say(f"{one.file}: {len(unused)} of {_counted(len(one.recordings), 'recording')} {verb}")
    for recording in unused[:LISTED]:
        say(_recording_line(recording))
    if len(unused) > LISTED:
        say(f"  and {len(unused) - LISTED} more")
    if one.unknown and one.recordings:
        say(f"  cannot tell what is asked for, all is kept: {one.unknown}")


def _recording_line(one: Any) -> str:
    use = _USES[one.use]
    said = (
        f"  {one.key}  {one.recorded_at}  epoch {one.epoch}  {one.by:6}  {_size(one.size):>8}  {one.question}"
    )
    return f"{said}  [{use}]" if use else said


def _say_next(found: list[Any], options: argparse.Namespace, gone: int | None) -> None:
    unused = sum(len(one.of_use("unused")) for one in found)
    names = "".join(f" {name}" for name in options.names)
    epochs = f" --epochs {options.epochs}" if options.epochs is not None else ""
    if gone:
        say(f"{_counted(gone, 'recording')} deleted")
    elif unused and options.action == "prune":
        say("", "nothing is deleted yet", f"next:  aioncall cassettes prune{names}{epochs} --yes")
    elif unused:
        say("", f"next:  aioncall cassettes prune{names}{epochs}")
    elif options.action == "prune":
        say("nothing to delete")
    elif any(one.missing for one in found):
        say("", "next:  pytest --aioncall --aioncall-replay --aioncall-record")


def _say_json(found: list[Any], options: argparse.Namespace, gone: int | None) -> None:
    cassettes = []
    for one in found:
        told = one.as_json()
        if options.action != "list":
            wanted = ("unused",) if options.unused or options.action == "prune" else tuple(_USES)
            told["entries"] = [asdict(recording) for recording in one.of_use(*wanted)]
        cassettes.append(told)
    said: dict[str, Any] = {"format": 1, "cassettes": cassettes}
    if options.action == "prune":
        said["deleted"] = gone or 0
    say_json(said)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _size(size: int) -> str:
    for unit, step in (("MB", 1_000_000), ("kB", 1000)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} B"
