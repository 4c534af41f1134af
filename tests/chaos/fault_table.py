"""The table of faults.yaml, read; and the page of the documentation that is made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

PROTOCOLS = ("openai", "anthropic")
TARGET = ("answer", "transport", "target error")
JUDGE = ("score", "judge error", "unparsable")
MAKERS = ("own", "llmock", "aimock")


@dataclass(frozen=True)
class Fault:
    """One row; see the head of faults.yaml."""

    id: str
    what: str
    target: str
    judge: str
    by: Mapping[str, Any]
    heading: str
    again: bool = True
    once: bool = True
    attempts: int | None = None
    protocols: tuple[str, ...] = PROTOCOLS
    says: str | None = None
    says_judge: str | None = None
    waits: float | None = None
    finish: str | None = None
    timeout_s: float | None = None
    epochs: int = 1
    unpriced: bool = False
    uncounted: tuple[str, ...] = field(default=())

    @property
    def goes_by(self) -> bool:
        """Whether it is asked for again, so that it may be over by then."""
        return self.target == "transport" and self.again and self.once

    @property
    def tries(self) -> int:
        """How many attempts are made at most."""
        return 2 if self.timeout_s else 3

    @property
    def attempts_while_it_lasts(self) -> int:
        if self.attempts is not None:
            return self.attempts
        return self.tries if self.target == "transport" else self.epochs


def faults() -> list[Fault]:
    """Return the rows in order; a name that is wrong in one of them is a TypeError."""
    found: list[Fault] = []
    heading = ""
    for row in yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8")):
        if "heading" in row:
            heading = row["heading"]
            continue
        lists = {name: tuple(row[name]) for name in ("protocols", "uncounted") if name in row}
        found.append(Fault(**{**row, **lists, "heading": heading}))
    return found


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
_TABLES = re.compile(r"^## The server says no.*?(?=^## What others' servers)", re.DOTALL | re.MULTILINE)


def page_with_tables(page: str) -> str:
    """Return the page with the tables as the rows are now."""
    return _TABLES.sub(lambda _: page_table() + "\n", page, count=1)


def page_table() -> str:
    """Return the tables of docs/reference/faults.md."""
    lines: list[str] = []
    heading = ""
    for fault in faults():
        if fault.heading != heading:
            heading = fault.heading
            lines += ["", f"## {heading}", ""]
            lines += [
                "| what happens | asked again | target `chat` | scorer `judge` |",
                "| --- | --- | --- | --- |",
            ]
        again = "yes" if fault.target == "transport" and fault.again else "no"
        lines.append(f"| {fault.what} | {again} | {fault.target} | {fault.judge} |")
    return "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page_with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
