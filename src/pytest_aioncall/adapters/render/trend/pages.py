"""The pages of the trend site, rendered: every text of others is escaped, nothing is loaded, nothing runs."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal

from ....model.alert import AlertsFile, Episode, EvalsetCondition
from ...text import many_lines, one_line
from .. import words
from .chart import CUSUM_HEIGHT, HEIGHT, LEFT, RIGHT, WIDTH, Chart, Days, chart_of

INDEX = "index.html"
Changes = Sequence[tuple[str, str]]
"""(day, what changed), oldest first."""
_STATE: Mapping[str, tuple[str, Literal["bad", "doubt", "good", "none"], str]] = {
    "bad": ("REGRESSED", "bad", "diamond"),
    "not_judged": ("NOT JUDGED", "doubt", "triangle"),
    "learning": ("learning", "none", "ring"),
    "good": ("good", "good", "circle"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One evalset, laid out for the template."""

    file: str
    name: str
    owner: str
    word: str
    tone: str
    shape: str
    headline: str
    charts: tuple[Chart, ...]
    folded: tuple[Chart, ...]
    incidents: tuple[tuple[str, ...], ...]
    changes: tuple[tuple[int, str, str], ...]
    condition: EvalsetCondition


def render_site(
    alerts: AlertsFile, *, changes: Mapping[str, Changes], days: int = 180
) -> Iterator[tuple[str, str]]:
    """Yield (file name, HTML) of every page, the index first.

    changes  what changed of each evalset, by day
    days     how far back the charts reach
    """
    last = date.fromisoformat(alerts.day)
    pages = [
        _page(one, changes.get(one.evalset, ()), file=file, last=last, days=days)
        for one, file in zip(alerts.evalsets, _file_names(alerts), strict=True)
    ]
    order = ["bad", "not_judged", "learning", "good"]
    pages.sort(key=lambda page: (order.index(page.condition.state), page.name))
    yield INDEX, _rendered("trend_index.html.j2", alerts=alerts, pages=pages, title="aioncall: trends")
    for page in pages:
        yield page.file, _rendered("trend.html.j2", alerts=alerts, page=page, title=f"{page.name} - aioncall")


def _file_names(alerts: AlertsFile) -> list[str]:
    """Return one safe file name an evalset; names that would be one file are told apart by a digest."""
    found: list[str] = []
    for one in alerts.evalsets:
        plain = re.sub(r"[^a-z0-9_.-]+", "-", one.evalset.lower()).strip(".-") or "evalset"
        name = f"{plain[:80]}.html"
        if name in (*found, INDEX):
            name = f"{plain[:80]}-{hashlib.sha256(one.evalset.encode()).hexdigest()[:8]}.html"
        found.append(name)
    return found


def _page(condition: EvalsetCondition, changes: Changes, *, file: str, last: date, days: int) -> Page:
    word, tone, shape = _STATE[condition.state]
    recent = [(day, text) for day, text in changes if date.fromisoformat(day) > last - timedelta(days=days)]
    numbered = [(number, day, one_line(text, 200)) for number, (day, text) in enumerate(recent, 1)]
    episodes = [one for one in (condition.episode, *condition.earlier) if one is not None]
    axis = Days(_first_day(condition, last, days), last)
    flags = [(day, number, text) for number, day, text in numbered]
    charts = [(one, chart_of(one, axis, episodes=episodes, changes=flags)) for one in condition.series]
    # What alarms and the overall rows are shown at once, calm slices on request.
    shown = [chart for one, chart in charts if one.slice is None or chart.alarmed]
    folded = [chart for one, chart in charts if not (one.slice is None or chart.alarmed)]
    shown.sort(key=lambda chart: not chart.alarmed)
    return Page(
        file=file,
        name=condition.evalset,
        owner=condition.owner,
        word=word,
        tone=tone,
        shape=shape,
        headline=headline_of(condition),
        charts=tuple(shown),
        folded=tuple(folded),
        incidents=tuple(_incident(one) for one in episodes),
        changes=tuple(numbered),
        condition=condition,
    )


def headline_of(condition: EvalsetCondition) -> str:
    """Say in a sentence how the evalset stands."""
    if condition.state == "not_judged":
        return f"The run of {condition.run.day} could not judge: {one_line(condition.because, 200)}"
    if condition.alerts:
        return one_line(condition.alerts[0].title, 300)
    if condition.is_open and condition.episode is not None:
        good = words.counted(len(condition.episode.good_days), "good day")
        return f"Recovering from the drop of {condition.episode.first_bad.day}: {good} so far."
    if condition.state == "learning":
        return "Its reference is being learned; until then only the gate against the baseline speaks."
    return f"Nothing is wrong after the run of {condition.run.day}."


def _first_day(condition: EvalsetCondition, last: date, days: int) -> date:
    known = [date.fromisoformat(p.day) for series in condition.series for p in series.points]
    return max(min(known, default=last), last - timedelta(days=days - 1))


def _incident(episode: Episode) -> tuple[str, ...]:
    end = episode.recovered
    lasted = (
        date.fromisoformat((end or episode.last_bad).day) - date.fromisoformat(episode.first_bad.day)
    ).days + 1
    return (
        episode.first_bad.day,
        episode.last_bad.day,
        end.day if end else "open",
        words.counted(lasted, "day"),
        (episode.first_bad.commit or words.NOTHING)[:7],
        episode.first_bad.run,
    )


@cache
def _environment() -> Any:
    """Return the templates, compiled once for all pages of all sites."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: many_lines(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _rendered(template: str, **values: Any) -> str:
    from markupsafe import Markup

    style = "".join(map(_part, ("css/page.css", "css/trend.css")))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    text: str = (
        _environment()
        .get_template(template)
        .render(
            policy=policy,
            style=Markup(style),  # noqa: S704 - our own file
            words=words,
            frame={
                "width": WIDTH,
                "height": HEIGHT,
                "cusum_height": CUSUM_HEIGHT,
                "left": LEFT,
                "right": WIDTH - RIGHT,
            },
            **values,
        )
    )
    return text


def _part(name: str) -> str:
    place = resources.files(__package__.rpartition(".")[0]).joinpath("templates", *name.split("/"))
    return place.read_text(encoding="utf-8").replace("\r\n", "\n")
