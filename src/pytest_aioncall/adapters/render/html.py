"""The report as one HTML file: opens from disk, loads nothing, and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib import resources
from typing import Any

from ...model.report import Report
from ..text import many_lines
from . import words
from .casedata import case_data, script_json
from .page import page_of
from .states import row_tone
from .story import stories

_STYLES = ("css/page.css", "css/figures.css", "css/cases.css", "css/media.css")
_SCRIPTS = ("js/dom.js", "js/diff.js", "js/case.js", "js/list.js", "js/page.js")


def render_html(report: Report) -> str:
    """Return the report as one self-contained page."""
    return "".join(html_parts(report))


def html_parts(report: Report) -> Iterator[str]:
    """Yield the report as one self-contained page, piece by piece: with many cases it is megabytes.

    Every text of others is escaped by the template or carried as JSON that the page's script shows as text;
    the content security policy allows this page's own style and script by their hash and nothing else, so
    that hostile text stays text even where an escape were missing.
    """
    from markupsafe import Markup

    style = "".join(map(_part, _STYLES))
    script = f'"use strict";\n(() => {{\n{"".join(map(_part, _SCRIPTS))}}})();\n'
    data = case_data(stories(report))
    template = _environment().get_template("report.html.j2")
    yield from template.generate(
        page=page_of(report),
        words=words,
        tone_of=row_tone,
        policy=_policy(style, script),
        # Our own files and our own escaping: the only texts that the template does not escape.
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        data=Markup(data.index()),  # noqa: S704
        chunks=(Markup(script_json(chunk)) for chunk in data.chunks),  # noqa: S704
        cases_listed=data.listed,
        cases_whole=data.whole,
        cases_planned=sum(evalset.planned.cases for evalset in report.evalsets),
    )


def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _finalized(value: Any) -> Any:
    """Make what cannot be seen visible in every plain string that the template prints."""
    return many_lines(value) if type(value) is str else value


def _part(name: str) -> str:
    text = resources.files(__package__).joinpath("templates", *name.split("/")).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
