"""What GitHub would make of a Markdown text: its own parser, and then what looks for references in it.

GitHub parses with cmark-gfm, takes away what HTML may not hold, and then makes links of mentions, issues,
commits and addresses in every text that does not stand in code, a link or a preformatted block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import pytest

QUIET: Final = frozenset({"a", "code", "pre", "tt", "script", "style"})
"""Inside of these GitHub looks for no reference."""
OURS: Final = frozenset(
    {
        "p", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "code", "pre", "strong", "em", "ul",
        "li", "details", "summary", "br",
    }
)  # fmt: skip
"""Tags that a text of ours may come out as."""
REFERENCE: Final = re.compile(
    r"@[A-Za-z0-9]"  # a mention of a person or a team, or an address
    r"|#\d"  # an issue
    r"|\b(?:gh|ghsa|cve)-\d"
    r"|\b[0-9a-f]{7,40}\b"  # a commit
    r"|://|\bwww\."
    r"|:[a-z0-9+-]+:"  # a picture
    r"|\$",  # a formula needs two of them
    re.IGNORECASE,
)

HOSTILE_MARKDOWN: Final = {
    "mention-amid-words": "please ask someone @octocat about it",
    "issue-amid-words": "it is as in #12 before",
    "address-amid-words": "see www.evil.invalid for more",
    "commit-amid-words": "it fails since deadbeef1 came",
    "mention": "@octocat and @acme/security, cc @github-actions[bot]",
    "mention-by-entity": "&#64;octocat &#x40;octocat &commat;octocat",
    "mention-escaped": "\\@octocat \\#1",
    "mention-behind-comment": "@<!-- -->octocat #<!-- -->1",
    "issue": "#1 GH-1 acme/app#1 acme/app#12 fixes #3, closes GH-4",
    "commit": "deadbeef1 0123456789abcdef0123456789abcdef01234567 acme@deadbeef1 acme/app@deadbeef1",
    "address": "https://evil.invalid/x www.evil.invalid ftp://evil.invalid mail@evil.invalid <https://evil.invalid>",
    "link": "[click](https://evil.invalid) [click][1]\n\n[1]: https://evil.invalid",
    "image": "![x](https://evil.invalid/p.png) <img src=https://evil.invalid/p.png>",
    "html": "<details open><summary>ours</summary></details><b>bold</b><kbd>x</kbd><input type=checkbox>",
    "marker": "<!-- aioncall:comment key= state=resolved run=99999 attempt=1 -->\nall green",
    "marker-in-pieces": "<!-\u200b- aioncall:comment --> <!--> <!--->",
    "table": "| a | b |\n|---|---|\n| c | d \\| e \\\\| f |",
    "pipes": "a|b\\|c\\\\|d\\\\\\|e `|` ``|``",
    "ticks": "`a` ``b`` ```c``` ` `` `",
    "only-ticks": "`",
    "eighty-one-ticks": "`" * 81 + " [click](https://evil.invalid) " + "`" * 81,
    "three-hundred-ticks": "x\n" + "`" * 300 + "\n<b>out</b>\n[click](https://evil.invalid)",
    "fences": "```\n</details>\n~~~\n<b>x</b>\n````\n# h\n```js\n",
    "tildes": "~" * 400 + "\n<b>x</b>",
    "headings": "# one\ntwo\n===\nthree\n---\n* * *\n- item\n1. item\n> quote\n    code",
    "emphasis": "*a* _b_ **c** __d__ ~~e~~ a_b_c *",
    "formula": "$a$ $$b$$ $`c`$ costs $5 and $6",
    "emoji": ":tada: :+1: :octocat:",
    "task": "- [ ] todo\n- [x] done",
    "footnote": "x[^1]\n\n[^1]: https://evil.invalid",
    "alert": "> [!WARNING]\n> all is lost",
    "hebrew": "\u05d0\u05d1\u05d2 3/3 \u0627\u0644\u0639",
    "backslash-at-the-end": "ends with a backslash \\",
    "tick-at-the-end": "ends with a tick `",
    "spaces": "   ",
    "autolinked-ticket": "TICKET-123 JIRA-9",
    "advisory": "CVE-2024-12345 GHSA-2x2x-3y3y-4z4z",
}
"""Texts that Markdown, or what looks for references behind it, would do something with."""


@dataclass
class Seen:
    """What came out: tags, links, and the text that stands where references are looked for."""

    tags: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = Seen()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.tags.add(tag)
        named = dict(attrs)
        for name in ("href", "src"):
            if named.get(name) is not None:
                self.seen.links.append(named[name] or "")
        for name in named:
            assert not name.startswith("on"), (tag, attrs)
        if tag not in ("br", "hr", "img", "input"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        where = self.seen.code if QUIET.intersection(self._open) else self.seen.texts
        where.append(data)

    def handle_comment(self, data: str) -> None:
        self.seen.comments.append(data)


def html_of(markdown: str, *, parser: str = "cmarkgfm") -> str:
    """Return what a parser of GitHub's Markdown makes of a text, its raw HTML kept."""
    if parser == "cmarkgfm":
        cmarkgfm = pytest.importorskip("cmarkgfm")
        from cmarkgfm.cmark import Options

        return str(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))
    comrak = pytest.importorskip("comrak")
    options = comrak.ExtensionOptions()
    for name in ("autolink", "table", "strikethrough", "tasklist"):
        setattr(options, name, True)
    render = comrak.RenderOptions()
    setattr(render, "unsafe_" if hasattr(render, "unsafe_") else "unsafe", True)
    return str(comrak.render_markdown(markdown, extension_options=options, render_options=render))


def seen_in(html: str) -> Seen:
    """Read HTML as a browser would."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.seen


def assert_shown_and_nothing_else(
    markdown: str, *, parser: str = "cmarkgfm", links: tuple[str, ...] = (), dollars: bool = False
) -> Seen:
    """Fail where anything in a text became a tag that is not ours, a link, a picture or a reference.

    links    what the address of a link of ours may begin with
    dollars  money of ours stands in the text
    """
    seen = seen_in(html_of(markdown, parser=parser))
    allowed = OURS | ({"a"} if links else set())
    assert seen.tags <= allowed, seen.tags - allowed
    strange = [link for link in seen.links if not link.startswith(links or ("\0",))]
    assert not strange, strange[:3]
    for text in seen.texts:
        found = REFERENCE.search(text.replace("$", "") if dollars else text)
        assert found is None, (found, text[:300])
    return seen
