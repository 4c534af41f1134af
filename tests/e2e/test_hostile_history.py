"""Whatever a history holds, and other people can push to it: no text of it moves a terminal or a runner."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hostile_corpus import HOSTILE, STORABLE, assert_may_stand_on_a_screen
from pytest_aioncall.adapters.history import HistoryFolder
from pytest_aioncall.cli import main
from pytest_aioncall.flows.evalrun import settings_for
from pytest_aioncall.flows.monitor import Monitored
from pytest_aioncall.flows.monitor_told import monitor_lines
from pytest_aioncall.flows.wording import log_line
from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition, Evidence
from pytest_aioncall.model.baseline import ScorerInfo
from pytest_aioncall.model.history import CaseDay, ErrorText, EvalsetDay, HistoryEntry, MeanRow

TEXTS = {name: HOSTILE[name][:5000] for name in STORABLE}


def entry(text: str, *, day: int, value: float, judged: bool = True) -> HistoryEntry:
    """Return an entry in which everything that can be a text is this one."""
    scorer = text or "s"
    cases = tuple(
        CaseDay(case=f"{n}{text}", slices={"persona": text}, scores={scorer: (value,)}) for n in range(3)
    )
    one = EvalsetDay(
        evalset=text or "e",
        owner=text,
        judged=judged,
        because=text,
        status="pass",
        scorers={scorer: ScorerInfo(kind="exact")},
        rows=(
            MeanRow(scorer=scorer, slice={"persona": text}, mean=value),
            MeanRow(scorer=scorer, mean=value),
        ),
        cases=cases,
        error_texts=(ErrorText(template=text, samples=1, cases=1),),
        models={text: 1},
    )
    moment = f"2026-11-{day:02}T03:17:00Z"
    return HistoryEntry(run=f"{day}{text}", created_at=moment, day=moment[:10], commit=text, evalsets=(one,))


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_of_a_history_does_anything_where_it_is_shown(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEXTS[name]
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    history = HistoryFolder(tmp_path / "days")
    for one in (
        entry(text, day=20, value=1.0),
        entry(text, day=21, value=0.0),
        entry(text, day=19, value=1.0, judged=False),
    ):
        history.add(one)
    assert len(history.entries()) == 3
    (tmp_path / "days/runs/2026/11/01-forged-1.json").write_text(json.dumps({"format": text, "run": text}))
    where = ("--root", str(tmp_path), "--history", str(history.path))
    for command in (
        ("history", "show", *where),
        ("history", "show", "--json", *where),
        ("history", "show", f"--evalset={text}", *where),
        ("history", "show", f"--evalset={text}?", *where),
        ("scores", "--now", "2026-11-21T09:00:00Z", "--by", "persona", *where),
        ("scores", "--now", "2026-11-21T09:00:00Z", f"--by={text.replace(',', '')}", *where),
        ("scores", "--now", "2026-11-21T09:00:00Z", f"--scorer={text}?", *where),
    ):
        main(list(command))
        said = capsys.readouterr()
        for stream in (said.out, said.err):
            assert "Traceback" not in stream
            assert_may_stand_on_a_screen(stream)


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_of_an_alert_does_anything_on_the_monitors_screen(name: str, tmp_path: Path) -> None:
    text = TEXTS[name]
    (tmp_path / "aioncall.yaml").write_text("format: 1\n")
    one = entry(text, day=21, value=0.0, judged=False)
    alert = Alert(
        kind="eval_regression",
        tier=1,
        evalset=text,
        title=text,
        summary=text,
        evidence=(Evidence(name=text, value=text),),
        since=one.ref,
    )
    conditions = tuple(
        EvalsetCondition(
            evalset=text,
            run=one.ref,
            state=state,
            because=text,
            alerts=alerts,
            episode=Episode(first_bad=one.ref, last_bad=one.ref),
        )
        for state, alerts in (("bad", (alert,)), ("not_judged", ()), ("good", ()))
    )
    alerts = AlertsFile(
        run=one.run, day=one.day, created_at=one.created_at, monitored_at=one.created_at,
        evalsets=conditions, review=(text,), notes=(text,),
    )  # fmt: skip
    found = Monitored(alerts, one, tmp_path, log_line(text), notes=(text,))
    shown = "\n".join(monitor_lines(found, settings_for(tmp_path, {})))
    assert_may_stand_on_a_screen(shown)
