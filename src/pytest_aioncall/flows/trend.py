"""Write the trend site from the history: static pages that any web server can give, GitHub Pages for one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ..adapters.files import replace_text
from ..adapters.render.trend import render_site
from ..decide.monitor import conditions
from ..decide.monitor.looks import daily_entries
from ..decide.trend import amounts_by_day, changes_by_day
from ..errors import UsageError
from ..settings import Settings
from .evalset_files import files_there
from .history import open_history

DAYS, MOST_DAYS = 180, 3650


def write_site(out: Path, *, where: str | None, settings: Settings, days: int = DAYS) -> list[Path]:
    """Write the pages as they are after the newest daily run; return them, the index first.

    where  folder or branch of the history; None: this machine's runs
    days   how far back the charts reach
    Raises UsageError where the history has no daily run.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"--days is from 1 to {MOST_DAYS}")
    history = open_history(where, settings, must_be_there=True)
    entries = history.entries()
    now = settings.now or datetime.now(UTC)
    daily = daily_entries(entries, now=now)
    if not daily:
        raise UsageError(
            history.elsewhere
            or "the history has no daily run yet; make one: pytest --aioncall; aioncall monitor"
        )
    newest = daily[-1]
    config = settings.config
    alerts = conditions(
        entries,
        run=newest.run,
        attempt=newest.attempt,
        monitors=config.monitors,
        now=now,
        owners=config.oncall.owners,
        files=files_there(entries, settings.root),
    )
    shown = [
        one.model_copy(update={"series": (*one.series, *amounts_by_day(entries, one.evalset))})
        for one in alerts.evalsets
    ]
    alerts = alerts.model_copy(update={"evalsets": tuple(shown)})
    changes = {one.evalset: changes_by_day(entries, one.evalset) for one in alerts.evalsets}
    written = []
    for name, text in render_site(alerts, changes=changes, days=days):
        replace_text(out / name, text)
        written.append(out / name)
    # GitHub Pages leaves files alone where this one is.
    replace_text(out / ".nojekyll", "")
    return written
