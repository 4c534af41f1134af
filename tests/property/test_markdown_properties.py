"""Whatever a text is made of, in Markdown it is shown and does nothing, by both parsers of it."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_aioncall.adapters.render.markdown import escape
from pytest_aioncall.adapters.render.markdown.marker import Marker, read_marker
from rendered_markdown import assert_shown_and_nothing_else, html_of, seen_in

PIECES = [
    "`", "``", "```", "~~~", "|", "\\", "\\|", "*", "_", "<", ">", "<b>", "</b>", "<!--", "-->", "&",
    "&#64;", "@", "#", "[", "]", "(", ")", "![", "](", ":", "::", "://", "www.", "http", "$", "~", "-", "+",
    "=", "1.", " ", "  ", "\t", "\n", "\r", "\n\n", "a", "b", "ann", "1", "12", "GH-", "deadbeef", "x.y",
    "\u200b", "\u202e", "\u00a0", "\u0301", "\u05d0", "\u4e2d", "\U0001f600", "</details>", "<details>",
    "</summary>", "<pre>", "</code>", "'", '"', "%", "^",
]  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
)


@pytest.mark.parametrize("parser", ["cmarkgfm", "comrak"])
@settings(max_examples=250, deadline=None)
@given(text=TEXTS, other=TEXTS)
@example(text="`|", other="\\")
@example(text="```", other="`")
@example(text="</details>\n\n```\n</details>", other="```\n~~~")
def test_a_text_does_nothing_wherever_it_stands(text: str, other: str, parser: str) -> None:
    page = "\n\n".join(
        [
            f"a {escape.inline(text)} b {escape.prose(other)} c",
            escape.inline(text),
            escape.table(["h", "i:"], [[escape.cell(text), escape.cell(other)], [escape.cell(other), "z"]]),
            f"- {escape.prose(text)}\n- {escape.inline(other)}",
            escape.folded(text, f"{escape.fenced(other)}\n\n{escape.fenced(text)}"),
            f"**{escape.cell(text)}** *{escape.inline(other)}*",
            "last words",
        ]
    )
    seen = assert_shown_and_nothing_else(page, parser=parser)
    assert seen.texts[-2:] == ["last words", "\n"]
    html = html_of(page, parser=parser)
    assert (html.count("<tr"), html.count("<td"), html.count("<pre"), html.count("<details>")) == (3, 4, 2, 1)
    assert "<!-" not in page
    assert read_marker(page) is None


@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_harmless_words_are_read_as_they_were_written(text: str) -> None:
    """What is not put into code loses nothing: a reader sees the very words."""
    made = escape.prose(text)
    if text and not made.startswith("`"):
        assert "".join(seen_in(html_of(f"a {made} b")).texts).strip() == f"a {text} b".strip()


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(st.text(st.sampled_from("ab\n\U0001f600\u4e2d"), max_size=400), min_size=1, max_size=8),
    limit=st.integers(min_value=700, max_value=2000),
    in_bytes=st.booleans(),
)
def test_a_cap_holds_and_keeps_the_last_part(parts: list[str], limit: int, in_bytes: bool) -> None:
    made = escape.capped(["### head", *parts, "foot"], limit, "POINTER", in_bytes=in_bytes)
    size = len(made.encode()) if in_bytes else len(made.encode("utf-16-le")) // 2
    assert size <= limit
    assert made.startswith("### head\n\n")
    assert made.endswith("\n\nfoot\n")


@settings(max_examples=100, deadline=None)
@given(key=st.text(st.characters(exclude_categories=("Cs",)), max_size=30), run=st.integers(0, 10**12))
def test_a_marker_of_any_key_is_read_back(key: str, run: int) -> None:
    marker = Marker(key, "open", run, 3)
    assert read_marker(f"{marker}\n### x") == marker
