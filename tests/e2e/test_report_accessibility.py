"""Reports in a real browser under axe-core, the rules that accessibility audits run: no violation, anywhere.

The rules come from the package axe-playwright-python (in the extra `dev`); nothing of it goes into the wheel.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import trend_days
from pytest_aioncall.adapters.render.html import render_html
from pytest_aioncall.adapters.render.trend import render_site


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _rules() -> Path | None:
    """Return where axe.min.js lies, without importing the package and the browser driver behind it."""
    spec = importlib.util.find_spec("axe_playwright_python")
    places = (spec.submodule_search_locations or []) if spec else []
    return next((found for place in places if (found := Path(place) / "axe.min.js").is_file()), None)


HERE = Path(__file__).parent
reports = _module("golden_reports_for_axe", HERE.parent / "golden" / "reports.py")
driver = _module("chromium_driver_for_axe", HERE.parents[1] / "scripts" / "chromium.py")

CHROMIUM = driver.find_browser()
RULES = _rules()
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: no page was checked"),
    pytest.mark.skipif(
        RULES is None, reason="axe-core is not installed (pip install -e '.[dev]'): no page was checked"
    ),
    pytest.mark.skipif(sys.platform == "win32", reason="the debugging pipe needs file descriptors 3 and 4"),
]
ALL = {**reports.STATES, "hostile": reports.hostile}
# Everything that can be opened is, so that everything is checked.
UNFOLD = """(async () => {
  for (const fold of document.querySelectorAll('main details:not(.case)')) fold.open = true;
  [...document.querySelectorAll('.case')].slice(0, 6).forEach(one => { one.open = true; });
  await new Promise(done => setTimeout(done, 50));
})()"""
RUN = """axe.run(document, { resultTypes: ['violations'] }).then(found => ({
  rules: found.passes.length + found.inapplicable.length + found.violations.length,
  wrong: found.violations.map(one =>
    one.id + ': ' + one.nodes.slice(0, 3).map(at => at.html.slice(0, 120)).join(' | ')),
}))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with driver.running_browser(CHROMIUM) as running:
        yield running


def violations(browser: Any, page: Path) -> list[str]:
    """Open a page, unfold it, run every rule; return what is wrong."""
    browser.open(page)
    browser.value(UNFOLD)
    assert browser.problems == []
    assert RULES is not None
    browser.call("Runtime.evaluate", expression=RULES.read_text(encoding="utf-8"))
    found = browser.value(RUN)
    assert found["rules"] > 80
    wrong: list[str] = found["wrong"]
    return wrong


@pytest.mark.parametrize(
    ("state", "scheme", "width"),
    [
        ("powered", "light", 1280), ("powered", "light", 400), ("powered", "dark", 1280),
        ("powered", "dark", 400), ("several", "light", 400), ("several", "dark", 1280),
    ],
)  # fmt: skip
def test_a_bad_report_has_no_violation_in_any_light_and_width(
    browser: Any, tmp_path: Path, state: str, scheme: str, width: int
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_html(ALL[state]()), encoding="utf-8")
    browser.prefer(scheme)
    browser.resize(width, 900)
    assert violations(browser, page) == []


OTHERS = [
    "pass", "accepted", "no_baseline", "partial", "cannot_judge", "floor_broken", "not_comparable",
    "suspected", "user_error", "hostile",
]  # fmt: skip


@pytest.mark.parametrize("state", OTHERS)
def test_a_report_of_any_state_has_no_violation(browser: Any, tmp_path: Path, state: str) -> None:
    """All green, nothing judged, no baseline, attacked: every other one in the dark."""
    page = tmp_path / "report.html"
    page.write_text(render_html(ALL[state]()), encoding="utf-8")
    browser.prefer("dark" if OTHERS.index(state) % 2 else "light")
    browser.resize(1280, 900)
    assert violations(browser, page) == []


def test_a_report_without_an_evalset_has_no_violation(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render_html(reports.report()), encoding="utf-8")
    browser.prefer("light")
    browser.resize(1280, 900)
    assert violations(browser, page) == []


def test_the_rules_do_find_what_is_wrong(browser: Any, tmp_path: Path) -> None:
    """Pale words and a picture without a name: what these tests would miss if the rules did not run."""
    html = render_html(reports.regressed())
    page = tmp_path / "report.html"
    page.write_text(
        html.replace("<title>route: ", "<desc>route: ").replace('lang="en"', ""), encoding="utf-8"
    )
    browser.prefer("light")
    found = " ".join(violations(browser, page))
    assert "html-has-lang" in found
    assert "svg-img-alt" in found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_trend_site_has_no_violation(browser: Any, tmp_path: Path, scheme: str) -> None:
    """The index and the page of an evalset with alarms, in both colour schemes."""
    browser.prefer(scheme)
    site = dict(render_site(trend_days.alerts(), changes=trend_days.changes()))
    for name in ("index.html", "ticket-triage.html"):
        page, text = tmp_path / name, site[name]
        page.write_text(text, encoding="utf-8")
        assert violations(browser, page) == [], name
