"""What must hold at the end of a soak; each check says what it saw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.items import is_answered_wrongly
from benchmarks.soak.shapes import CONCURRENCY, Shape
from benchmarks.soak.watching import WARM, Look, growth_kib, rise, warm

SEEN_AS_ERRORS = ("http_500", "too_many", "reset", "truncated")
"""The faults that leave a try without an answer; a slow answer is one."""
MOST_MORE = 4
"""Open files, threads or tasks by which the end may lie above the beginning: connections come and go."""


SETTLING_KIB = 2048
"""What the process may take once after warm-up, shared among the samples: it only shows in a short run."""


@dataclass(frozen=True, slots=True)
class Soaked:
    """All that is known of one soak at its end."""

    shape: Shape
    folder: Path
    exit_code: int
    looks: list[Look]
    tasks: list[int]
    server: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One promise: whether it was kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the run store holds, counted."""

    keys: Counter[tuple[str, int]]
    errors: Counter[str]
    wrong: int
    tries: int


def read_kept(samples: Path) -> Kept:
    """Count what `samples.jsonl` holds, a line at a time."""
    keys: Counter[tuple[str, int]] = Counter()
    errors: Counter[str] = Counter()
    wrong = tries = 0
    with samples.open(encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            keys[one["case"], one["epoch"]] += 1
            tries += one["attempts"]
            error = one.get("error")
            if error is not None:
                errors[error["kind"]] += 1
            else:
                scores = {score["scorer"]: score for score in one["scores"]}
                wrong += scores["contains"]["passed"] is not True
    return Kept(keys, errors, wrong, tries)


def checks(soaked: Soaked) -> Iterator[Check]:
    """Yield every check of a soak."""
    runs = sorted((soaked.folder / ".aioncall" / "runs").glob("*/run.json"))
    if not runs:
        said = (soaked.folder / "pytest.log").read_text(encoding="utf-8", errors="replace")
        yield Check("the run began", False, f"exit {soaked.exit_code}: {said[-1500:]}")
        return
    kept = read_kept(runs[-1].with_name("samples.jsonl"))
    run = json.loads(runs[-1].read_text(encoding="utf-8"))
    yield from _nothing_lost(soaked, kept, run["totals"])
    yield from _nothing_grows(soaked)
    yield from _judged(soaked, kept, complete=run["complete"])


def _nothing_lost(soaked: Soaked, kept: Kept, totals: dict[str, Any]) -> Iterator[Check]:
    shape, faults = soaked.shape, Counter(soaked.server["faults"])
    twice = sum(count - 1 for count in kept.keys.values())
    yield Check(
        "every sample is kept exactly once",
        len(kept.keys) == shape.samples and not twice,
        f"{len(kept.keys):,} of {shape.samples:,}, {twice} twice",
    )
    requests, retries, unanswered = soaked.server["requests"], totals["retries"], sum(kept.errors.values())
    yield Check(
        "samples and retries add up to what the server saw",
        shape.samples + retries == kept.tries == requests,
        f"{shape.samples:,} + {retries:,} retries, {kept.tries:,} tries, {requests:,} requests",
    )
    injected = sum(faults[kind] for kind in SEEN_AS_ERRORS)
    told = ", ".join(f"{kind} {faults[kind]}" for kind in sorted(faults))
    yield Check(
        "retries and errors add up to the faults that were injected",
        retries + unanswered == injected,
        f"{retries:,} retries, {unanswered} errors, {injected:,} injected ({told})",
    )
    expected = shape.epochs * sum(is_answered_wrongly(item) for item in range(shape.cases))
    yield Check(
        "no fault became a wrong answer, and no wrong answer got lost",
        expected - unanswered <= kept.wrong <= expected,
        f"{kept.wrong:,} wrong, {expected:,} expected, {unanswered} unanswered",
    )


def _nothing_grows(soaked: Soaked) -> Iterator[Check]:
    shape = soaked.shape
    looks = warm(soaked.looks, samples=shape.samples)
    if len(looks) < 8:
        yield Check("the run was watched", False, f"{len(looks)} looks after warm-up")
        return
    kib = growth_kib(looks)
    once = SETTLING_KIB / (looks[-1].answered - looks[0].answered)
    span = f"{looks[0].rss_kib / 1024:.1f} to {looks[-1].rss_kib / 1024:.1f} MiB"
    yield Check(
        f"a further sample leaves at most {shape.kib_a_sample:g} KiB",
        kib <= shape.kib_a_sample + once,
        f"{kib:+.2f} KiB ({span} in {len(looks)} looks)",
    )
    tasks = soaked.tasks[int(len(soaked.tasks) * WARM) :]
    for name, values in (
        ("open files", [look.files for look in looks]),
        ("threads", [look.threads for look in looks]),
        ("tasks", tasks),
    ):
        more = rise(values) if values else float("inf")
        yield Check(
            f"{name} do not grow",
            more <= MOST_MORE,
            f"{more:+g}, at most {max(values, default=0)} (concurrency {CONCURRENCY})",
        )


def _judged(soaked: Soaked, kept: Kept, *, complete: bool) -> Iterator[Check]:
    yield Check("the run is complete", complete, f"complete: {complete}")
    report = json.loads((soaked.folder / ".aioncall" / "report.json").read_text(encoding="utf-8"))
    judgement = report["evalsets"][0]["judgement"] or {"verdicts": []}
    said = [f"{row['scorer']}: {row['status']}" for row in judgement["verdicts"]]
    yield Check(
        "the gate was judged",
        soaked.exit_code == 0 and len(said) == 2,
        f"exit {soaked.exit_code}, {report['status']}; {', '.join(said) or 'no verdict'}",
    )
    unanswered = sum(kept.errors.values())
    yield Check(
        "less than 2 % ended without an answer",
        unanswered < 0.02 * soaked.shape.samples,
        f"{unanswered} ({dict(kept.errors)})",
    )
