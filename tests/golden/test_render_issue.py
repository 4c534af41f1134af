"""What people read in an issue and its comments, word for word; and what hostile texts may not do in it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hostile_corpus import HOSTILE, assert_may_stand_in_a_file
from issue_days import (
    ONCALL,
    SITE,
    START,
    MemoryTracker,
    alert,
    alerts_of,
    at,
    condition,
    day,
    no_data,
    publish,
    without_marker,
)
from pytest_aioncall.adapters.render.markdown.issue import issue_body, issue_title
from pytest_aioncall.adapters.render.markdown.issue_notes import note_text
from pytest_aioncall.decide.issues.marker import read_marker, write_marker
from pytest_aioncall.model.alert import Alert, EvalsetCondition, Evidence, Point, Series
from pytest_aioncall.model.issue import IssueNote, IssuePage
from pytest_aioncall.model.oncall import OnCall
from pytest_aioncall.model.report import SubjectChange
from pytest_aioncall.model.verdict import CaseMove
from rendered_markdown import HOSTILE_MARKDOWN, OURS, REFERENCE, html_of, seen_in

EXPECTED = Path(__file__).parent / "expected"
ALL = {**HOSTILE, **{f"markdown-{name}": text for name, text in HOSTILE_MARKDOWN.items()}}
LINKS = ("https://github.com/acme/app/",)


def expect(name: str, text: str) -> None:
    """Set AIONCALL_WRITE_EXPECTED=1 to write the files anew, then read their difference."""
    file = EXPECTED / name
    if os.environ.get("AIONCALL_WRITE_EXPECTED") == "1":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def rich(number: int = 5, **more: Any) -> EvalsetCondition:
    """Return a condition with everything that can be said of one."""
    route = alert(
        slice={"shape": "long"},
        since={"run": "run-04", "day": day(4)},
        evidence=(
            Evidence(name="p", value="0.003 (adjusted)"),
            Evidence(name="tokens in/out a sample", value="812 -> 810 / 96 -> 31"),
        ),
    )
    slow = alert(
        kind="latency", scorer=None, evidence=(Evidence(name="p95 latency", value="1.9 s -> 4.4 s"),)
    )
    shift = alert(tier=2, kind="output_shift", summary="label `other` 4 % -> 31 %")
    values = [0.92, 0.93, None, 0.91, 0.84, 0.83]
    points = tuple(Point(day=day(n), run=f"run-{n:02d}", value=v, n=120) for n, v in enumerate(values))
    told: dict[str, Any] = {
        "first": 4,
        "last": number,
        "alerts": (route, slow, shift),
        "changes": (
            SubjectChange(name="prompts/triage.md", kind="file", added=4, removed=9),
            SubjectChange(name="openai/some-model-2026-10-01", kind="model", was="fp_a", now="fp_b"),
        ),
        "series": (
            Series(
                name="route shape=long",
                scorer="route",
                slice={"shape": "long"},
                points=points,
                mu=0.922,
                sigma=0.01,
                learning=False,
            ),
            Series(name="latency_p95_s", points=(Point(day=day(5), run="run-05", value=4.4),)),
        ),
        "worst": (
            CaseMove(
                scorer="route", case="q-017", was=(3, 3), now=(0, 3), why="expected `billing`, got `other`"
            ),
            CaseMove(scorer="route", case="q-054", was=(3, 3), now=(1, 3)),
        ),
        "judged_samples": 360,
        "planned": 360,
        "history_gap": 1,
    }
    return condition(number, **{**told, **more})


def shown(tracker: MemoryTracker, number: int = 1) -> str:
    ticket = tracker.issues[number]
    notes = "\n".join(f"---\n{note.body}" for note in tracker.comments[number])
    head = f"{ticket.title}\n[{ticket.state}] {', '.join(ticket.assignees)}"
    return f"{head}\n\n{without_marker(ticket.body)}\n{notes}"


def test_an_incident_reads_as_expected() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich()), now=at(5))
    expect("issue_incident.md", shown(tracker))


def test_an_incident_that_was_taken_and_goes_on_reads_as_expected() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich()), now=at(5))
    tracker.clock = lambda: at(5, 1)
    tracker.say(1, "/ack", by="bo")
    tracker.say(1, "/snooze tomorow", by="bo")
    for run in (
        rich(6),
        rich(7, state="not_judged", because="provider says 503"),
        rich(8, state="good", good=[8]),
    ):
        publish(tracker, alerts_of(run), now=at(int(run.run.run[-2:])))
    expect("issue_goes_on.md", shown(tracker))


def test_a_run_that_could_not_judge_shows_no_old_number_as_its_own() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich()), now=at(5))
    held = rich(6, state="not_judged", because="provider says 503", last=5)
    held = held.model_copy(
        update={"alerts": tuple(one.model_copy(update={"day": day(5)}) for one in held.alerts)}
    )
    publish(tracker, alerts_of(held), now=at(6))
    body = tracker.issues[1].body
    assert f"| 1 | triage.daily.route 24h: 92.2 % -> 84.0 % (delta -8.2 pp, n=120) (as of {day(5)}) |" in body
    assert f"| 83.0 % of {day(5)} |" in body and "| now |" not in body.split("**Worst cases**")[0]
    assert f"**Worst cases** of {day(5)}" in body


def test_a_good_run_that_makes_no_good_day_says_why() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich()), now=at(5))
    why = f"an earlier run of {day(6)} was bad"
    publish(tracker, alerts_of(rich(6, state="good", alerts=(), uncounted=why)), now=at(6))
    assert f"This run makes no good day: {why}." in tracker.issues[1].body
    said = "".join(note.body for note in tracker.comments[1])
    assert f"it makes no good day ({why}); 0 of 3 days that end it" in said


def test_a_recovered_incident_reads_as_expected() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich()), now=at(5))
    over = rich(9, state="good", last=6, good=[7, 8, 9], recovered=9, alerts=())
    publish(tracker, alerts_of(over), now=at(9))
    expect("issue_recovered.md", shown(tracker))


def test_an_escalated_incident_reads_as_expected() -> None:
    tracker = MemoryTracker()
    oncall = OnCall.model_validate(
        {
            "timezone": "Europe/Berlin",
            "rotation": {"people": ["@ann"]},
            "secondary": {"people": ["@bo"]},
            "channel": "slack",
        }
    )
    publish(tracker, alerts_of(rich()), now=at(5), oncall=oncall)
    publish(tracker, alerts_of(rich(6)), now=at(6), oncall=oncall)
    expect("issue_escalated.md", shown(tracker))


def test_lost_data_reads_as_expected() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(condition(4, state="not_judged", alerts=[no_data(since=4)])), now=at(4))
    publish(tracker, alerts_of(condition(6, state="good")), now=at(6))
    expect("issue_no_data.md", shown(tracker))


def test_a_storm_reads_as_expected() -> None:
    tracker = MemoryTracker()
    names = ["answers", "routing", "search", "summaries", "titles"]
    change = SubjectChange(name="openai/some-model-2026-10-01", kind="model", was="fp_a", now="fp_b")
    publish(
        tracker, alerts_of(*(condition(1, name, first=1, changes=(change,)) for name in names)), now=at(1)
    )
    rest = [condition(4, n, state="good", first=1, good=[2, 3, 4], recovered=4) for n in names[:3]]
    bad = [condition(4, n, first=1, last=4) for n in names[3:]]
    publish(tracker, alerts_of(*rest, *bad), now=at(4))
    expect("issue_storm.md", shown(tracker))


def test_again_worse_reopened_and_duplicate_read_as_expected() -> None:
    texts = [
        note_text(
            IssueNote.model_validate(
                {
                    "kind": kind,
                    "day": day(5),
                    "run": rich().run,
                    "condition": rich(),
                    "episode": rich().episode,
                    "number": 7,
                    "people": ("primary @ann",),
                }
            ),
            marks=["<!-- mark -->"],
        )
        for kind in ("again", "worse", "reopened", "duplicate", "moved")
    ]
    expect("issue_comments.md", "\n---\n".join(texts))


def hostile(text: str) -> EvalsetCondition:
    """Return a condition in which every text that somebody else writes is one hostile text."""
    evil = Alert.model_validate(
        {
            **alert(scorer=text[:200] or None).model_dump(),
            "slice": {text[:100]: text[:100]},
            "title": f"triage.daily.{text}",
            "summary": text,
            "evidence": [{"name": text[:500], "value": text}],
            "owner": text,
            "runbook": text[:500],
        }
    )
    bare = evil.model_copy(update={"evidence": (), "runbook": ""})
    series = Series(
        name=text[:200], scorer=text[:200], slice={"a": text}, points=(Point(day=day(1), run="r", value=0.5),)
    )
    return condition(
        1,
        text[:300] or "empty",
        first=1,
        state="not_judged",
        because=text,
        owner=text,
        alerts=(evil, bare),
        changes=(
            SubjectChange(name=text, kind="file", added=1),
            SubjectChange(name=text, kind="model", was=text, now=text),
        ),
        series=(series,),
        worst=(CaseMove(scorer=text[:300], case=text, was=(1, 1), now=(0, 1), why=text),),
        run={
            "run": text[:300],
            "day": day(1),
            "commit": text[:100],
            "url": text,
            "created_at": at(1).isoformat(),
        },
    )


@pytest.mark.parametrize("name", ALL)
def test_no_hostile_text_does_anything_in_an_issue_or_its_comments(name: str) -> None:
    text = ALL[name].encode("utf-8", "replace").decode()
    tracker = MemoryTracker()
    oncall = OnCall.model_validate({"rotation": {"people": [text or "@ann"]}, "channel": "slack"})
    made = hostile(text)
    publish(tracker, alerts_of(made), now=START + timedelta(days=1, hours=1), oncall=oncall)
    tracker.clock = lambda: START + timedelta(days=1, hours=2)
    tracker.say(1, f"/snooze {text[:60]}")
    later = made.model_copy(
        update={"run": made.run.model_copy(update={"day": day(2), "created_at": at(2).isoformat()})}
    )
    publish(tracker, alerts_of(later), now=at(2), oncall=oncall)
    (ticket,) = tracker.issues.values()
    assert len(ticket.title) <= 256
    assert len(ticket.body) <= 60_000
    state = read_marker(ticket.body)
    assert state is not None
    assert state.evalset == (text[:300] or "empty")
    assert "<!--" not in ticket.title
    shown_texts = [without_marker(ticket.body)]
    shown_texts += [
        note.body.partition("<!-- aioncall:event")[0]
        for note in tracker.comments[1]
        if "/snooze " not in note.body[:9]
    ]
    assert len(shown_texts) >= 3
    good = later.model_copy(
        update={
            "run": later.run.model_copy(update={"day": day(3), "created_at": at(3).isoformat()}),
            "state": "good",
            "alerts": (),
            "uncounted": f"{text[:600]} was bad",
        }
    )
    publish(tracker, alerts_of(good), now=at(3), oncall=oncall)
    shown_texts += [without_marker(tracker.issues[1].body), *(_seen(tracker, "makes no good day"))]
    assert sum("makes no good day" in one for one in shown_texts) >= 1
    assert "<!--" not in "".join(shown_texts)
    for one in shown_texts:
        harmless(one, person=text)


def _seen(tracker: MemoryTracker, said: str) -> list[str]:
    """Return the comments that say something, without their marks."""
    bodies = [note.body.partition("<!-- aioncall:event")[0] for note in tracker.comments[1]]
    return [body for body in bodies if said in body]


def harmless(markdown: str, *, person: str) -> None:
    """Fail where a text became a tag, a link or a reference; the mention of who is on call is ours."""
    assert_may_stand_in_a_file(markdown.replace("\u00b7", ""))
    seen = seen_in(html_of(markdown))
    assert seen.tags <= OURS | {"a", "ol"}, seen.tags
    assert all(link.startswith(LINKS) for link in seen.links), seen.links
    for told in seen.texts:
        ours = told.replace("@ann", "").replace("#1", "")
        assert REFERENCE.search(ours) is None, (person[:50], ours[:300])


def test_the_largest_issue_keeps_marker_verdict_and_footer() -> None:
    long = "x" * 5000
    many = tuple(
        alert(title=f"{n} {long}", evidence=tuple(Evidence(name=long, value=long) for _ in range(9)))
        for n in range(60)
    )
    cases = tuple(CaseMove(scorer=long, case=f"{n} {long}", now=(0, 1), why=long) for n in range(60))
    changes = tuple(SubjectChange(name=f"{n}{long}", kind="file") for n in range(60))
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich(alerts=many, worst=cases, changes=changes)), now=at(5))
    body = tracker.issues[1].body
    assert len(body) <= 60_000
    assert read_marker(body) is not None
    assert "### `triage`" in body
    assert body.rstrip().endswith("Page (tier 1).*")


def test_a_storm_of_hundreds_fits_with_its_marker() -> None:
    names = [f"feature-{n:04d}-with-a-name-that-is-rather-long" for n in range(200)]
    tracker = MemoryTracker()
    publish(tracker, alerts_of(*(condition(1, name, first=1) for name in names)), now=at(1))
    body = tracker.issues[1].body
    assert len(body) <= 60_000
    state = read_marker(body)
    assert state is not None
    assert len(state.features) == 200


def test_an_issue_can_be_rendered_where_nothing_is_known_but_its_state() -> None:
    tracker = MemoryTracker()
    publish(tracker, alerts_of(rich()), now=at(5))
    state = read_marker(tracker.issues[1].body)
    assert state is not None
    page = IssuePage(state=state, run=rich().run)
    assert issue_title(page) == f"triage: not recovered since {day(4)}"
    assert ONCALL.rotation is not None
    assert read_marker(issue_body(page, marker=write_marker(state), site=SITE)) == state
