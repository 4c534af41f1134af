"""Other people's text in Markdown that GitHub renders: it is shown, and does nothing else.

Two ways, and no third. A text whose every character is known to mean nothing stands as it is; any other
stands in code, where GitHub reads no mention, no reference, no entity, no link, no image and no HTML.
Escaping character by character is not enough: `\\@x` and `&#64;x` are plain text to the Markdown parser, and
what looks for mentions afterwards sees `@x`.

What is returned never holds a line end (`fenced` and `folded` excepted), nothing unseen, no `<!--`, and no
command of a CI runner at the start of a line. Lengths are in characters of the text, without what is put
around it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Literal

from ...text import log_line, many_lines, without_commands

COMMENT_LIMIT: Final = 60_000
"""Characters of a comment, an issue or a check: GitHub refuses more than 65,536."""
SUMMARY_LIMIT: Final = 1_000_000
"""Bytes of the summary of a step: GitHub shows none of one that is larger than 1 MiB."""
EMPTY: Final = "(empty)"

# cmark reads no code span behind more than 80 backticks, and counts those of a fence to 255 only.
_LONG_RUN: Final = re.compile("(`{8})`+|(~{8})~+")
_TICKS: Final = re.compile("`+")
_MARKS_IN_A_PILE: Final = 4
_PLAIN: Final = re.compile(r"""(?:[^\W_]|['"(])(?:[^\W_]|[ ,.;:()'"%+=/?_-])*""")
# Plain letters that GitHub makes links or pictures of: commits, GH-1 and what a repository's own autolinks
# look like, addresses, :emoji:. A number and a dot at the start of a line begin a list.
_MEANS_SOMETHING: Final = re.compile(
    r"\b[0-9a-f]{7,}\b|\b[a-z][a-z0-9]*-\d|\bwww\.|://|::|:[\w+-]+:|^\d+[.)](?:\s|$)", re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:/_~%?=&#+,;@!$'*-]+")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def inline(text: str, limit: int = 200) -> str:
    """Return `text` as code inside a sentence: a name, a value, an answer."""
    return _code(_tame(text, limit)) if text else EMPTY


def prose(text: str, limit: int = 300) -> str:
    """Return `text` as words of a sentence where they can mean nothing else, and as code where they could."""
    line = _tame(text, limit)
    if not line:
        return EMPTY
    return line.replace("_", "\\_") if _is_harmless(line) else _code(line)


def cell(text: str, limit: int = 120) -> str:
    """Return `text` for a cell of a table: `prose` whose pipes part no columns."""
    shown = prose(text, limit)
    # Readers of tables disagree on what stands in `\\|`, so a pipe behind a backslash is drawn broken.
    return shown.replace("\\|", "\\\u00a6").replace("|", "\\|")


def fenced(text: str, limit: int = 2000, *, language: Literal["text", "diff", "sh"] = "text") -> str:
    """Return `text` as a block of code whose fence is longer than any run of backticks inside."""
    if not text.strip():
        return _block(EMPTY if not text else "(blank)", language)
    shown = without_commands(many_lines(_unpiled(text[:limit]))).rstrip("\n")
    shown = "\n".join(line if len(line) <= limit else line[:limit] for line in shown.split("\n"))
    shown = _shortened(_unmarked(shown))[: 4 * limit]
    left = len(text) - limit
    return _block(shown + (f"\n... {left:,} more characters" if left > 0 else ""), language)


def folded(title: str, body: str) -> str:
    """Return a block that a click opens. `title` is anybody's text; `body` is safe Markdown already."""
    return f"<details><summary>{in_html(title)}</summary>\n\n{body.strip()}\n\n</details>"


def in_html(text: str, limit: int = 200) -> str:
    """Return `text` for inside an HTML tag of ours, where no Markdown is read."""
    line = _tame(text, limit) or EMPTY
    shown = html.escape(line)
    return shown if _is_harmless(line) else f"<code>{shown}</code>"


def plain(text: str, limit: int = 200) -> str:
    """Return `text` for where no Markdown is read at all: the title of an issue, of a check, of a page."""
    return _tame(text, limit)


def link(label: str, url: str | None) -> str:
    """Return `label` (Markdown that is safe already) as a link; as it is where the address is none."""
    if url is None or not _ADDRESS.fullmatch(url):
        return label
    return f"[{label}]({url})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are safe already. A head that ends with `:` has numbers below it."""
    rules = ["---:" if head.endswith(":") else "---" for head in heads]
    lines = [[head.removesuffix(":") for head in heads], rules, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def capped(
    parts: Sequence[str],
    limit: int = COMMENT_LIMIT,
    pointer: str = "Cut here: the rest stands in the artifact of this run.",
    *,
    in_bytes: bool = False,
) -> str:
    """Join parts by empty lines so that all of it fits `limit`.

    The first part (marker and headline) and the last one survive, the others in their order as long as there
    is room; `pointer` says before the last one that something is missing. Nothing is cut inside of a part,
    but for a first part that fills the limit by itself: it loses whole lines, and what was open is closed.
    `limit` counts UTF-16 units as GitHub does, or bytes of UTF-8.
    """
    wanted = [part.strip("\n") for part in parts if part.strip()]
    if not wanted:
        return ""

    def size(text: str) -> int:
        return len(text.encode("utf-8" if in_bytes else "utf-16-le", "replace")) // (1 if in_bytes else 2)

    whole = "\n\n".join(wanted) + "\n"
    if size(whole) <= limit:
        return whole
    first, last = wanted[0], wanted[-1] if len(wanted) > 1 else ""
    room = limit - size(pointer) - size(last) - 8
    if size(first) > room:
        first = _fewer_lines(first, room, in_bytes=in_bytes)
    kept, room = [first], room - size(first)
    for part in wanted[1:-1]:
        if size(part) + 2 <= room:
            kept.append(part)
            room -= size(part) + 2
    return "\n\n".join(part for part in (*kept, pointer, last) if part) + "\n"


def _tame(text: str, limit: int) -> str:
    """Return one line without anything unseen, any pile of marks, any comment, any run of backticks."""
    line = log_line(_unpiled(text[: 8 * limit + 64]), limit)
    return _shortened(_unmarked(line))


def _unmarked(text: str) -> str:
    """Break up `<!--`: a marker of ours is never found in what somebody else wrote."""
    return text.replace("<!-", "<! -")


def _shortened(text: str) -> str:
    return _LONG_RUN.sub(lambda run: f"{run[1] or run[2]}...", text)


def _unpiled(text: str) -> str:
    """Return text in which no letter carries more marks than any language needs."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_PILE:
            kept.append(char)
    return "".join(kept)


def _is_harmless(line: str) -> bool:
    """Tell whether no reader of Markdown or of references finds anything in a line."""
    words = line.replace(" -> ", " ")
    if not _PLAIN.fullmatch(words) or _MEANS_SOMETHING.search(words):
        return False
    # Letters that run from right to left turn around what stands next to them.
    return words.isascii() or not any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in words)


def _code(line: str) -> str:
    """Put a line into a code span whose delimiters do not occur in it."""
    ticks = "`" * (1 + max(map(len, _TICKS.findall(line)), default=0))
    # One space at both ends is taken off again by the parser, unless there is nothing else.
    pad = " " if line.strip(" ") and (line[0] in "` " or line[-1] in "` ") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def _block(text: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _fewer_lines(text: str, room: int, *, in_bytes: bool) -> str:
    """Return the first lines of Markdown that fit, with every fence and fold closed: never half a line, for
    half a code span is none."""
    kept: list[str] = []
    left = room - 200
    for line in text.split("\n"):
        left -= 1 + len(line.encode("utf-8" if in_bytes else "utf-16-le", "replace")) // (
            1 if in_bytes else 2
        )
        if left < 0:
            break
        kept.append(line)
    fence, depth = "", 0
    for line in kept:
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and found[1].startswith(fence) and not found[2].strip() else fence
        elif found:
            fence = found[1]
        else:
            depth += line.count("<details>") - line.count("</details>")
    return "\n".join([*kept, *([fence] if fence else []), *(["", "</details>"] * max(0, depth))])
