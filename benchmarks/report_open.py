"""Measure how soon a report of many cases can be read: `python benchmarks/report_open.py [--cases 10000]`.

Two pages are opened in headless Chromium, each several times in a fresh tab of a fresh profile:

as a run writes it   the worst 500 cases with their answers, of the others a line with the scores
every case in full   all of them with 3 epochs, answers, scores and reasons: more than any run writes

Shown are medians in milliseconds from the start of the navigation: the first paint, which has the verdict,
and the end of the load event, after which the list of cases answers. Then what a reader waits for once:
opening a case with its word-level difference, and the first search through all texts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests" / "golden"), str(ROOT / "src")]

import reports  # noqa: E402
from chromium import NAMES, find_browser, running_browser  # noqa: E402

from benchmarks.meter import machine  # noqa: E402
from pytest_aioncall.adapters.render.html import render_html  # noqa: E402
from pytest_aioncall.flows.report_cases import SHOWN_CASES  # noqa: E402
from pytest_aioncall.model.report import CaseView, Report  # noqa: E402

PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
SEARCH = """(async () => {
  const before = performance.now();
  location.hash = '#text=nowhere+to+be+found';
  const said = document.getElementById('shown');
  while (!said.textContent.startsWith('No case')) await new Promise(requestAnimationFrame);
  return performance.now() - before;
})()"""
OPEN = """(async () => {
  const before = performance.now();
  const box = document.querySelectorAll('.case')[1];
  box.open = true;
  while (box.childElementCount === 1) await new Promise(requestAnimationFrame);
  return performance.now() - before;
})()"""


def full_case(number: int) -> CaseView:
    """Return a case that differs from all others in its texts, so that nothing is saved by likeness."""
    bad = number % 9 == 0
    view: CaseView = reports.case(
        f"c-{number:05d}", "worse" if bad else "holding", now=(0, 1, 0) if bad else (1, 1, 1)
    )
    now = tuple(
        one.model_copy(update={"text": f"{one.text} Ticket {number}, epoch {one.epoch}."}) for one in view.now
    )
    return view.model_copy(update={"now": now, "input": {"ticket": f"{reports.TICKET} ({number})"}})


def brief_case(number: int) -> CaseView:
    """Return a case as a report of a large suite lists it."""
    scores = {"route": (1.0, 1.0, 1.0), "helpfulness": (4.0, 4.0, 5.0)}
    return CaseView(
        case=f"c-{number:05d}", status="holding", input=f"{reports.TICKET} ({number})"[:200], brief=True,
        slices={"persona": "free", "region": f"r{number % 40}"}, was_scores=scores, now_scores=scores,
    )  # fmt: skip


def report_of(cases: tuple[CaseView, ...]) -> Report:
    """Put the cases into a report of one judged evalset."""
    judgement = reports.judged("pass", (*reports.overall(), *reports.slices(bad=False)))
    planned = reports.planned(cases=len(cases))
    found: Report = reports.report(reports.evalset(judgement, planned=planned, cases=cases))
    return found


def opened(page: Path, browser: str, *, repeats: int) -> dict[str, float]:
    """Open a page several times; return medians in milliseconds."""
    found: dict[str, list[float]] = {}
    for _ in range(repeats):
        with running_browser(browser) as running:
            running.resize(1280, 900)
            running.open(page)
            running.value("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
            parts = (("paint", PAINT), ("usable", LOADED), ("open a case", OPEN), ("search", SEARCH))
            for name, expression in parts:
                found.setdefault(name, []).append(float(running.value(expression)))
            if running.problems:
                raise SystemExit(f"the page complained: {running.problems}")
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> int:
    """Render, open, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000, help="cases in the report (default 10000)")
    parser.add_argument("--repeats", type=int, default=5, help="how often each page is opened (default 5)")
    args = parser.parse_args()
    browser = find_browser()
    if browser is None:
        print(f"no Chromium found (looked for {', '.join(NAMES)}); install one: apt-get install chromium")
        return 1
    whole = min(SHOWN_CASES, args.cases)
    pages: dict[str, Any] = {
        "as a run writes it": (*map(full_case, range(whole)), *map(brief_case, range(whole, args.cases))),
        "every case in full": tuple(map(full_case, range(args.cases))),
    }
    print(machine())
    print(f"\n{args.cases:,} cases x 3 epochs, headless Chromium, medians of {args.repeats}\n")
    print("| page | MB | render, CPU s | first paint ms | usable ms | open a case ms | first search ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name, cases in pages.items():
            report = report_of(cases)
            render_html(report)
            before = time.process_time()
            html = render_html(report)
            cpu_s = time.process_time() - before
            page = Path(folder) / "report.html"
            page.write_text(html, encoding="utf-8")
            ms = opened(page, browser, repeats=args.repeats)
            print(
                f"| {name} | {page.stat().st_size / 1e6:.1f} | {cpu_s:.2f} | {ms['paint']:.0f} | "
                f"{ms['usable']:.0f} | {ms['open a case']:.0f} | {ms['search']:.0f} |"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
