"""The page `docs/reference/speed.md`: a template of words, and every figure in it from the stored runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks import tables
from benchmarks.promises import PROMISES, told
from benchmarks.results import Results, load
from benchmarks.serving import ROOT

PARTS = ("contest", "peers", "growth", "idle", "gates", "keeping", "soak")
PAGE = ROOT / "docs" / "reference" / "speed.md"
TEMPLATE = Path(__file__).with_name("speed.template.md")
PLACE = re.compile(r"\{\{ (\w+) \}\}")
NEVER = "Not measured yet."


def stored() -> dict[str, Results]:
    """Return the stored results of every part that has some."""
    return {part: found for part in PARTS if (found := load(part)) is not None}


def page(parts: Mapping[str, Results]) -> str:
    """Return the whole page. Raises ValueError where words and figures do not fit together."""
    words = TEMPLATE.read_text(encoding="utf-8")
    blocks = {part: section(parts[part]) if part in parts else NEVER for part in PARTS}
    blocks["promises"] = promised(parts)
    if set(PLACE.findall(words)) != set(blocks):
        raise ValueError(f"without use or figure: {sorted(set(PLACE.findall(words)) ^ set(blocks))}")
    return PLACE.sub(lambda place: blocks[place[1]], words)


def section(results: Results) -> str:
    """Return the tables of one part, with machine, date and versions above them."""
    return f"{colophon(results)}\n\n{_tables(results)}"


def colophon(results: Results) -> str:
    """Return when, where and with what the runs were made."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return f"{results.date}; {results.machine}; {versions}."


def _tables(results: Results) -> str:
    if results.part in ("contest", "peers"):
        found = [
            f"**{cases:,} cases{', one judge call each' if judge else ''}**\n\n"
            + tables.contest_table(results, cases, judge=judge)
            for cases, judge in tables.races(results)
        ]
        return "\n\n".join([*found, tables.contest_notes(results)])
    if results.part == "growth":
        return f"{tables.growth_table(results)}\n\n- {tables.noise(results)}"
    if results.part == "idle":
        more = tables.idle_figures(results)["plugin"]["difference"]
        heavy = next(iter(results.absent.values()))
        return (
            f"{tables.client_table(results)}\n\n- The plugin costs {more:+.0f} ms CPU (paired by round).\n"
            f"- Heavy modules imported by the one-test run with the plugin: {heavy}.\n"
            f"- {tables.noise(results)}"
        )
    if results.part == "gates":
        return f"{tables.gate_table(results)}\n\n- {tables.noise(results)}"
    if results.part == "keeping":
        count = max(run["cases"] for run in results.runs)
        return f"{count:,} cases.\n\n{tables.client_table(results)}\n\n- {tables.noise(results)}"
    return tables.soak_table(results)


def promised(parts: Mapping[str, Results]) -> str:
    """Return the table of promises."""
    rows = [[one.words, f"{one.most:g} {one.unit}".strip(), *told(one, parts)] for one in PROMISES]
    return tables.markdown(["promise", "at most", "measured", "kept"], rows)
