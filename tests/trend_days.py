"""Made-up conditions for the trend site: a dropped score, one that is learned, one that nobody judged."""

from __future__ import annotations

import random
from datetime import date, timedelta

from pytest_aioncall.model.alert import Alert, AlertsFile, Episode, EvalsetCondition, Evidence, Point, Series
from pytest_aioncall.model.history import RunRef

FIRST = date(2026, 9, 20)
DAYS = 62
LIMIT = 3.4


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def ref(number: int) -> RunRef:
    return RunRef(run=f"run-{number}", day=day(number), commit="a1b2c3d4e5f6")


def series(
    scorer: str | None,
    *,
    name: str = "",
    mu: float,
    sd: float,
    scale: tuple[float, float] = (0.0, 1.0),
    part: dict[str, str] | None = None,
    drop: float = 0.0,
    seed: int = 3,
) -> Series:
    """Sixty-two days, two of them without a run; from day 55 on it is lower by `drop`."""
    draw = random.Random(seed)
    points, height = [], 0.0
    for number in range(DAYS):
        value = mu + draw.gauss(0, sd) - (drop if number >= 55 else 0)
        if number in (40, 41):
            continue
        z = (mu - value) / sd
        learned = number >= 30
        height = max(0.0, height + z - 0.65) if learned else 0.0
        points.append(
            Point(
                day=day(number),
                run=f"run-{number}",
                value=min(value, scale[1]) if scorer else value,
                n=200,
                z=z,
                cusum=height if learned else None,
                alarmed=learned and height > LIMIT,
                in_reference=not learned,
            )
        )
    return Series(
        name=name or scorer or "",
        scorer=scorer,
        slice=part,
        scale=scale,
        points=tuple(points),
        mu=mu,
        sigma=sd,
        k=0.65,
        h=LIMIT,
        reference_days=30,
        learning=False,
    )


def alerts(text: str = "") -> AlertsFile:
    """Return conditions of three evalsets; `text` stands wherever others' words may stand."""
    bad = EvalsetCondition(
        evalset=f"ticket-triage{text}",
        owner=f"@support-ml{text}",
        run=ref(61),
        state="bad",
        alerts=(
            Alert(
                kind="eval_regression",
                tier=1,
                evalset="ticket-triage",
                title=f"ticket-triage.daily.route 24h: 92.2 % -> 87.2 % (delta -5.0 pp, n=120){text}",
                evidence=(Evidence(name=f"p95 latency{text}", value=f"1.9 s -> 4.4 s{text}"),),
                since=ref(55),
            ),
        ),
        episode=Episode(first_bad=ref(55), last_bad=ref(61), last_good=ref(54)),
        earlier=(Episode(first_bad=ref(35), last_bad=ref(37), last_good=ref(34), recovered=ref(42)),),
        series=(
            series(f"route{text}", mu=0.922, sd=0.012, drop=0.05),
            series("helpfulness", mu=4.21, sd=0.06, scale=(1.0, 5.0), seed=4),
            series("route", mu=0.9, sd=0.03, part={"shape": f"long{text}"}, seed=5),
            series(None, name="latency_p95_s", mu=1.9, sd=0.2, seed=6),
        ),
        judged_samples=358,
        planned=360,
    )
    learning = EvalsetCondition(
        evalset="handbook",
        owner="@x",
        run=ref(61),
        state="learning",
        series=(
            Series(
                name="exact",
                scorer="exact",
                points=tuple(Point(day=day(57 + n), run="r", value=0.9, n=10) for n in range(5)),
                reference_days=5,
            ),
        ),
    )
    blind = EvalsetCondition(
        evalset="summarizer",
        owner="@y",
        run=ref(61),
        state="not_judged",
        because=f"12 % of samples errored, limit 2 %{text}",
    )
    return AlertsFile(
        run="20261120-042300-abc",
        day=day(61),
        created_at="2026-11-20T04:23:00Z",
        monitored_at="2026-11-20T04:30:00Z",
        commit="a1b2c3d4e5f6",
        evalsets=(learning, bad, blind),
    )


def changes(text: str = "") -> dict[str, list[tuple[str, str]]]:
    return {
        f"ticket-triage{text}": [
            (day(20), f"file prompts/triage.md{text}"),
            (day(55), f"answering model: gpt-x-1 -> gpt-x-2{text}"),
        ]
    }
