"""Runbooks: the steps that stand in an issue, and the pages that `scripts/write_runbooks.py` writes."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ...model.alert import AlertKind
from .markdown.escape import inline
from .runbook_texts import ACK, RUNBOOKS, Runbook, Step

FOLDER: Final = "docs/runbooks"
RUNS: Final = "aioncall-runs"
"""The artifact in which the daily workflow keeps `.aioncall/runs`."""
_TIERS: Final = {
    1: "tier 1: it pages whoever is on call",
    2: "tier 2: a ticket, due in 24 hours",
    3: "tier 3: a line of the weekly review",
}
_READ_THE_HISTORY: Final = ("aioncall scores", "aioncall history show", "aioncall monitor")
_BLANKS: Final = {
    "by": "",
    "span": "LAST_GOOD..FIRST_BAD",
    "worst": ' -k "CASE or CASE"',
    "one": " -k CASE",
}
_RUN_PAGE: Final = re.compile(r"/actions/runs/(\d+)(?:/attempts/\d+)?\Z", re.ASCII)
_PLAIN_ID: Final = re.compile(r"\w[\w.+/:-]*\Z", re.ASCII)
_RESERVED: Final = frozenset({"and", "or", "not", "True", "False", "None"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an incident, so that its commands run as they stand.

    file    of the evalset, below the project's root; "" where an older history does not tell
    slices  names of slices that its history has; cases, the worst first
    span    the commits in between as git calls them; "" where there are none, or none are known
    url     the page of its run; of a workflow's run, the history and the run's folder can be fetched
    """

    file: str = ""
    slices: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    span: str = ""
    url: str | None = None


def steps_of(kind: AlertKind, *, evalset: str, run: str, known: Known | None = None) -> tuple[str, ...]:
    """Return the diagnostic loop of an alert: the texts of Markdown list items, commands filled in.

    known  None: as on a page, with blanks for the reader; else a step that nothing is known for is left out
    """
    words = _words(evalset, run, known)
    steps = [step for step in RUNBOOKS[kind].steps if words["span"] or "{span}" not in step.run]
    after = 1 if steps[:1] == [ACK] else 0
    steps[after:after] = _fetching(steps, known)
    return tuple(_item(step, words) for step in steps)


def fetch_of(url: str | None) -> str:
    """Return the command that fetches the folder of a workflow's run; "" for what is no such run."""
    found = _RUN_PAGE.search(url or "")
    return f"gh run download {found[1]} -n {RUNS} -D .aioncall/runs" if found else ""


def chosen_by(cases: Sequence[str], *, evalset: str, file: str) -> str:
    """Return the arguments that choose these cases of one evalset, else all of it: ` FILE::CASE FILE::CASE`.

    Where the file is not known `-k` has to do, which looks into the ids of every evalset; "" where nothing
    can be said to it.
    """
    chosen = list(dict.fromkeys(cases))[:3]
    if file and file.isprintable() and file[0] != "-":
        named = [f"{file}::{case}" for case in chosen if case.isprintable()] or [file]
        return "".join(f" {shlex.quote(one)}" for one in named)
    words = [evalset] if _is_word(evalset) else []
    if chosen and all(map(_is_word, chosen)):
        either = " or ".join(chosen)
        words.append(f"({either})" if words and len(chosen) > 1 else either)
    return f" -k {shlex.quote(' and '.join(words))}" if words else ""


def _is_word(name: str) -> bool:
    """Tell whether `-k` takes a name as one word."""
    return bool(_PLAIN_ID.match(name)) and name not in _RESERVED


def _fetching(steps: Sequence[Step], known: Known | None) -> list[Step]:
    """Return what comes before the steps that read the history or the run: on nobody's machine but CI's."""
    fetch = fetch_of(known.url) if known is not None else ""
    if not fetch:
        return []
    read = [step.run for step in steps]
    found = []
    if any(command.startswith(_READ_THE_HISTORY) for command in read):
        found.append(Step("Fetch the history of the daily runs", "aioncall history pull"))
    if any("{run}" in command for command in read):
        found.append(Step("Fetch the run, which the daily workflow keeps as an artifact", fetch))
    return found


def _words(evalset: str, run: str, known: Known | None) -> dict[str, str]:
    """Return what is put into the commands, each ready for a shell."""
    words = {"evalset": shlex.quote(evalset), "run": shlex.quote(run)}
    if known is None:
        return {**words, **_BLANKS}
    # A name with a comma would be two; one that begins with a dash, an option.
    names = [name for name in known.slices if name and "," not in name and name[0] != "-"]
    worst, one = (
        chosen_by(cases, evalset=evalset, file=known.file) for cases in (known.cases, known.cases[:1])
    )
    return {
        **words,
        "by": f" --by {shlex.quote(','.join(names[:4]))}" if names else "",
        "span": known.span,
        "worst": worst,
        "one": one,
    }


def page_of(kind: AlertKind) -> str:
    """Return where the page of a kind stands in the documentation: `docs/runbooks/latency.md`."""
    return f"{FOLDER}/{kind}.md"


def commands_of(kind: AlertKind, *, evalset: str = "EVALSET", run: str = "RUN") -> tuple[str, ...]:
    """Return the commands of an alert's steps, filled in."""
    words = _words(evalset, run, None)
    said = (step.run.format(**words) for step in RUNBOOKS[kind].steps)
    return tuple(command for command in said if command)


def pages() -> dict[str, str]:
    """Return every page that is generated, by its path: one a kind, and the list of them."""
    found = {page_of(kind): _page(book) for kind, book in RUNBOOKS.items()}
    return {f"{FOLDER}/README.md": _index(), **found}


def text_of(kind: AlertKind, *, evalset: str, run: str) -> str:
    """Return the page of a kind with its commands filled in, for a terminal."""
    text = _page(RUNBOOKS[kind], note="", evalset=evalset, run=run, elsewhere=_ELSEWHERE)
    return _SIBLING.sub(r"\1 (`aioncall runbook \2`)", text)


def own_pages() -> dict[str, str]:
    """Return the pages that a team keeps in its own repository, by file name."""
    return {f"{kind}.md": _page(book, note=_OWN, elsewhere=_ELSEWHERE) for kind, book in RUNBOOKS.items()}


def _item(step: Step, words: Mapping[str, str]) -> str:
    command = step.run.format(**words)
    return f"{step.say}: {inline(command, 400)}" if command else f"{step.say}."


_GENERATED: Final = (
    "<!-- Generated by scripts/write_runbooks.py: change adapters/render/runbook_texts.py. -->"
)
_OWN: Final = "<!-- Written by `aioncall runbook --write`, which never writes over it: make it yours. -->"
# Outside of our own documentation a link to one of its pages leads nowhere: the page is named.
_ELSEWHERE: Final = r"\1 (\2 in the documentation of pytest-aioncall)"
_LINK_OUT: Final = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")
_SIBLING: Final = re.compile(r"\[([^\]]+)\]\((\w+)\.md\)")
_BLANK_WORD: Final = re.compile(r"\b(?:EVALSET|RUN)\b")


def _page(
    book: Runbook,
    *,
    note: str = _GENERATED,
    evalset: str = "EVALSET",
    run: str = "RUN",
    elsewhere: str | None = None,
) -> str:
    """Return a page; `elsewhere` says how a link out of its folder is told where there is no such page."""
    words = _words(evalset, run, None)
    filled = {"EVALSET": words["evalset"], "RUN": words["run"]}
    steps = [f"{number}. {_item(step, words)}" for number, step in enumerate(book.steps, 1)]
    parts = [
        f"# {book.title}",
        *([note] if note else []),
        f"*{_TIERS[book.tier]}*",
        f"**What rings.** {book.rule}",
        f"**What it means.** {book.means}",
        "## What to look at",
        _what_is_blank(evalset, run),
        "\n".join(steps),
        "## What to do",
        "\n".join(f"- {_BLANK_WORD.sub(lambda found: filled[found[0]], one)}" for one in book.outcomes),
        "## How it ends",
        book.ends,
    ]
    if elsewhere is not None:
        parts = [_LINK_OUT.sub(elsewhere, part) for part in parts]
    return "\n\n".join(_wrapped(part) for part in parts) + "\n"


def _what_is_blank(evalset: str, run: str) -> str:
    """Say what the reader has to fill in, and where the history and the run come from."""
    fetched = f"`gh run download RUNID -n {RUNS} -D .aioncall/runs` fetches it from the daily workflow"
    feature = "EVALSET is the feature that the alert names; " if evalset == "EVALSET" else ""
    folder = (
        f"RUN is its run as a folder: {fetched}, or `latest` once you ran the evals here."
        if run == "RUN"
        else f"The run is read from its folder: {fetched}."
    )
    return (
        f"{feature}CASE, LAST_GOOD and FIRST_BAD stand in its issue. {folder} "
        "`aioncall history pull` fetches the history of the daily runs first."
    )


def _index() -> str:
    rows = [f"| [{book.title}]({kind}.md) | {book.tier} | {book.rule} |" for kind, book in RUNBOOKS.items()]
    parts = [
        "# Runbooks",
        _GENERATED,
        "One page for each kind of alert: what rings, what it means for users, what to look at with which "
        "command, and how it ends. Tiers: 1 pages, 2 is a ticket due in 24 hours, 3 a line of the weekly "
        "review. "
        "[On call in an afternoon](../on-call-in-an-afternoon.md) sets up who is called.",
        "\n".join(["| alert | tier | what rings |", "| --- | --- | --- |", *rows]),
    ]
    return "\n\n".join(_wrapped(part) for part in parts) + "\n"


_WIDTH: Final = 112
# What no line may end in the middle of: code, and the text of a link.
_WHOLE: Final = re.compile(r"`[^`]+`|\[[^\]]+\]")
_GLUE: Final = "\0"


def _wrapped(text: str) -> str:
    """Return a paragraph or the items of a list in lines that a reviewer can read; tables stay whole."""
    if text.startswith(("|", "#", "<!--")):
        return text
    lines = []
    for line in _WHOLE.sub(lambda found: found[0].replace(" ", _GLUE), text).split("\n"):
        mark = re.match(r"(?:\d+\.|-) ", line)
        lines += textwrap.wrap(
            line,
            _WIDTH,
            subsequent_indent=" " * mark.end() if mark else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines).replace(_GLUE, " ")
