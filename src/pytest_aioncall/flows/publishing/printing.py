"""What is printed into the log of a job: commands of ours that a runner obeys, and texts that it must not."""

from __future__ import annotations

from collections.abc import Sequence

from ...adapters.runner import stop_commands
from ...adapters.text import without_commands
from ...settings import Settings


def for_log(text: str, *, settings: Settings, commands: Sequence[str] = ()) -> list[str]:
    """Return lines to be printed as they are: our commands, then a text in which nothing is obeyed.

    Outside of GitHub Actions no runner reads along, so there are no commands of ours either.
    """
    lines = without_commands(text).rstrip("\n").split("\n") if text.strip() else []
    if settings.github.run_url is None:
        return lines
    if not lines:
        return list(commands)
    stop, resume = stop_commands()
    return [*commands, stop, *lines, resume]
