"""Other people's text in a comment, an issue or a summary is shown, and does nothing else."""

from __future__ import annotations

import pytest

from hostile_corpus import HOSTILE, assert_may_stand_on_a_screen
from pytest_aioncall.adapters.render.markdown import escape
from pytest_aioncall.adapters.render.markdown.marker import Marker, read_marker
from rendered_markdown import HOSTILE_MARKDOWN, assert_shown_and_nothing_else, html_of, seen_in

ALL = {**HOSTILE, **HOSTILE_MARKDOWN}
PARSERS = ("cmarkgfm", "comrak")


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("name", ALL)
def test_a_hostile_text_is_shown_and_nothing_else(name: str, parser: str) -> None:
    """In a sentence, a cell, a block and a fold: no tag, link, image, mention or reference comes out."""
    text = ALL[name]
    for made in (
        f"before {escape.inline(text)} after",
        f"before {escape.prose(text)} after",
        escape.inline(text),
        escape.table(["a", "b"], [[escape.cell(text), "last"], ["first", escape.cell(text)]]),
        escape.fenced(text),
        f"before\n\n{escape.fenced(text)}\n\nafter",
        escape.folded(text, escape.fenced(text)),
        f"- {escape.prose(text)}\n- {escape.inline(text)}",
        f"**{escape.cell(text)}** and *{escape.inline(text)}*",
    ):
        assert_shown_and_nothing_else(made, parser=parser)
        assert_may_stand_on_a_screen(made.replace("\t", " "))
        assert "<!-" not in made
        assert len(made) < 12_000


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("name", ALL)
def test_what_stands_around_a_hostile_text_stays_what_it_was(name: str, parser: str) -> None:
    """A table keeps its cells, a fold its end, and the text behind is read as ours."""
    text = ALL[name]
    cells = escape.table(["a", "b"], [[escape.cell(text), "last"]])
    html = html_of(cells, parser=parser)
    assert (html.count("<td"), html.count("<tr")) == (2, 2)
    assert "last</td>" in html
    fold = escape.folded(text, escape.fenced(text)) + "\n\n**behind**"
    html = html_of(fold, parser=parser)
    assert html.count("<details>") == html.count("</details>") == html.count("<pre") == 1
    assert html.rstrip().endswith("<p><strong>behind</strong></p>")


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "name",
    [
        "mention",
        "mention-by-entity",
        "mention-escaped",
        "issue",
        "commit",
        "address",
        "link",
        "image",
        "html",
        "headings",
        "formula",
        "emoji",
        "task",
        "markdown",
        "advisory",
    ],
)
def test_the_check_itself_sees_what_an_unescaped_text_does(name: str, parser: str) -> None:
    with pytest.raises(AssertionError):
        assert_shown_and_nothing_else(ALL[name] + "\n<hr>" * (name == "headings"), parser=parser)


def test_what_is_harmless_is_read_as_words() -> None:
    assert escape.prose("expected 'billing', got 'other'") == "expected 'billing', got 'other'"
    assert escape.prose("route went from 90.6 % to 71.9 %") == "route went from 90.6 % to 71.9 %"
    assert escape.prose("kb -> kc") == "kb -> kc"
    assert escape.prose("cites_source") == "cites\\_source"
    assert seen_in(html_of(escape.prose("cites_source_x_y"))).texts[0] == "cites_source_x_y"
    assert escape.prose("\u4e2d\u6587 \u00fcber") == "\u4e2d\u6587 \u00fcber"


@pytest.mark.parametrize(
    "text", ["q-017", "deadbeef1", "GH-1", "a@b", "#1", "x:y:z", "http://x", "1. x", "- x"]
)
def test_what_github_could_read_something_into_is_code(text: str) -> None:
    assert escape.prose(text) == f"`{text}`"


def test_a_text_is_shown_as_it_was_written() -> None:
    """What a reader sees is the text itself, pipes and backticks with it."""
    for text in ("a|b", "`", "``", "`a`", "a`", " x ", "x\\", "&#64;x", "<b>", "*a*", "a\\b"):
        for made in (escape.inline(text), f"| h |\n| --- |\n| {escape.cell(text)} |\n"):
            shown = seen_in(html_of(made)).code
            assert text in shown, (text, made, shown)


def test_a_pipe_behind_a_backslash_is_drawn_broken_in_a_table() -> None:
    """Parsers of tables disagree on what `\\\\|` is, so none of them is asked."""
    assert escape.cell("a\\|b") == "`a\\\u00a6b`"


def test_texts_are_cut_to_what_a_reader_reads() -> None:
    assert escape.inline("x" * 500, 20) == f"`{'x' * 17}...`"
    assert escape.fenced("y" * 5000, 100).count("y") == 100
    assert "... 4,900 more characters" in escape.fenced("y" * 5000, 100)
    assert len(escape.fenced("\u200b" * 2_000_000, 1000)) < 5000
    assert len(escape.inline("a" + "\u0301" * 300)) < 10


def test_nothing_is_said_to_be_nothing() -> None:
    assert escape.inline("") == escape.prose("") == escape.cell("") == "(empty)"
    assert "(empty)" in escape.fenced("")
    assert "(blank)" in escape.fenced(" \n\t\n")


def test_a_fence_is_longer_than_any_run_inside() -> None:
    made = escape.fenced("a\n`````\nb")
    assert made.startswith("``````text\n")
    assert seen_in(html_of(made)).code == ["a\n`````\nb\n"]


def test_only_addresses_become_links() -> None:
    assert escape.link("run", "https://github.com/acme/app/actions/runs/1") == (
        "[run](https://github.com/acme/app/actions/runs/1)"
    )
    for bad in (None, "", "javascript:x", "https://x y", "https://x)", "https://x\n", "data:text/html,x"):
        assert escape.link("run", bad) == "run"


# -- what GitHub cuts


def test_what_fits_is_left_whole() -> None:
    assert escape.capped(["a", "", "b\n", "c"]) == "a\n\nb\n\nc\n"


def test_headline_pointer_and_footer_survive_a_cap() -> None:
    parts = ["<!-- marker -->\n### headline", "x" * 50_000, "y" * 50_000, "z" * 100, "footer"]
    made = escape.capped(parts, 60_000, "POINTER")
    assert made.startswith("<!-- marker -->\n### headline\n\nxxx")
    assert made.endswith("zzz\n\nPOINTER\n\nfooter\n")
    assert "y" not in made
    assert len(made) <= 60_000


def test_the_cap_counts_as_github_counts() -> None:
    """Characters outside of the basic plane are two to GitHub, and letters up to four bytes in a summary."""
    parts = ["head", "\U0001f600" * 29_000, "\u4e2d" * 20_000, "foot"]
    assert len(escape.capped(parts, 60_000).encode("utf-16-le")) // 2 <= 60_000
    made = escape.capped(parts, 100_000, in_bytes=True)
    assert len(made.encode()) <= 100_000
    assert "\u4e2d" in made and "\U0001f600" not in made


@pytest.mark.parametrize("limit", [400, 1000, 5000])
def test_a_first_part_that_fills_everything_loses_whole_lines_and_stays_closed(limit: int) -> None:
    body = "\n".join(f"line {n} {escape.inline('<b>[x](https://evil.invalid)</b>')}" for n in range(500))
    first = f"head\n\n<details><summary>s</summary>\n\n````text\n{body}\n````\n\n</details>"
    made = escape.capped([first, "foot"], limit, "POINTER")
    assert len(made) <= limit
    assert made.startswith("head\n")
    assert made.endswith("POINTER\n\nfoot\n")
    html = html_of(made)
    assert html.count("<details>") == html.count("</details>")
    assert html.rstrip().endswith("<p>foot</p>")


# -- the hidden line


def test_a_marker_is_read_back() -> None:
    for key in ("", "gate", "a--b", "x y/z>", "\u00fc"):
        marker = Marker(key, "red", 4242, 2, ("demo", key) if key else ())
        body = f"{marker}\n### headline"
        assert read_marker(body) == marker
        assert read_marker(body.replace("\n", "\r\n")) == marker
        assert str(marker).count("--") == 2
        assert "".join(seen_in(html_of(body)).texts).strip() == "headline"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "text\n<!-- aioncall:comment key= state=red run=1 attempt=1 -->",
        " <!-- aioncall:comment key= state=red run=1 attempt=1 -->",
        "> <!-- aioncall:comment key= state=red run=1 attempt=1 -->",
        "<!-- aioncall:comment key= state=green run=1 attempt=1 -->",
        "<!-- aioncall:comment key= state=red run=1 attempt=1 --> more",
        "<!-- aioncall:issue key= state=red run=1 attempt=1 -->",
    ],
)
def test_a_marker_anywhere_but_on_the_first_line_is_none(body: str) -> None:
    assert read_marker(body) is None


@pytest.mark.parametrize("name", ALL)
def test_no_hostile_text_forges_a_marker(name: str) -> None:
    text = ALL[name]
    for made in (escape.inline(text), escape.fenced(text), escape.prose(text), escape.plain(text)):
        assert read_marker(made) is None
        assert "<!--" not in made
