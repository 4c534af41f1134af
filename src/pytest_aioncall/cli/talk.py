"""How the command talks: lines and JSON on stdout, complaints on stderr, and what every verb needs."""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

EXIT_OK, EXIT_USAGE, EXIT_CANNOT_JUDGE, EXIT_NOT_COMPARABLE, EXIT_INTERRUPTED = 0, 4, 7, 8, 2


def complain(error: object) -> None:
    from ..flows.guarding import without_commands

    sys.stderr.write(without_commands(f"{error}\n"))


def say(*lines: str) -> None:
    """Print lines as far as the terminal has their letters; no CI runner takes one for a command."""
    from ..flows.guarding import without_commands

    encoding = sys.stdout.encoding or "ascii"
    for line in lines:
        _write(without_commands(line.encode(encoding, "backslashreplace").decode(encoding) + "\n"))


def say_as_it_is(*lines: str) -> None:
    """Print lines among which may be commands for a CI runner: what others wrote in them is safe already."""
    encoding = sys.stdout.encoding or "ascii"
    for line in lines:
        _write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def say_json(value: Any) -> None:
    """Print one JSON value; some CI runners obey `##[group]` anywhere in a line, and JSON can spell it."""
    _write(json.dumps(value, ensure_ascii=True).replace("##", "#\\u0023") + "\n")


def _write(text: str) -> None:
    """Print; a reader that has gone (`| head`) changes nothing about the verb and its exit code."""
    if sys.stdout.closed:
        return
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        leave_stdout()


def leave_stdout() -> None:
    # Closed, Python does not flush it again, and complain, when the process ends.
    with suppress(OSError):
        sys.stdout.close()


def settings_of(options: argparse.Namespace, **flags: Any) -> Any:
    from ..flows.evalrun import settings_for

    start = Path(getattr(options, "root", None) or Path.cwd())
    return settings_for(start.absolute(), flags)


def near(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


class Parser(argparse.ArgumentParser):
    """A parser that knows what somebody meant by a verb or an action that there is not."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, with the nearest choice, and exit."""
        found = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)$", message)
        if found:
            near = difflib.get_close_matches(found[1], re.findall(r"[\w-]+", found[2]), n=1)
            message += f"; did you mean {near[0]!r}?" if near else ""
        super().error(message)


def add_verb(
    verbs: Any, name: str, call: Callable[[argparse.Namespace], int], *, help: str | None, example: str
) -> argparse.ArgumentParser:
    shown = {"help": help} if help is not None else {}
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        description=help,
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **shown,
    )
    parser.add_argument("--root", help=argparse.SUPPRESS)
    parser.set_defaults(verb=call)
    return parser


def fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(
            f"{text} is no margin; give a number from 0 up, in units of the scale"
        )
    return value


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no count; give a whole number from 0 up")
    return int(text)


def probability(text: str) -> float:
    value = float(text)
    if not 0 < value < 0.5:
        raise argparse.ArgumentTypeError(f"{text} is no false-alarm rate; give a number between 0 and 0.5")
    return value
