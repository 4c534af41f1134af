"""Measure pytest-aioncall and print tables: `python benchmarks/run.py [PART ...] [--quick]`.

idle      what the plugin costs a project that does not use it: CPU of a one-test pytest run, paired with
          `-p no:aioncall`, and the heavy modules that were imported
instant   a python target that answers at once, one scorer: CPU and memory of 1,000, 10,000 and 100,000 cases
judge     a comparison of 10,000 cases x 5 scorers x 50 slices, and of 500 x 5 x 200: CPU of reading both
          sides and of judging them, beside what it may cost
http      1,000 cases against a model server with 50 ms latency, 32 at a time, paired with a bare httpx client

Runs alternate, medians are shown, start-up is always included. The model server has the first core of this
machine for itself, the measured process the last one.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path

from items import write_cases
from meter import CommandFailed, Cost, machine, measure, pinned

HERE = Path(__file__).resolve().parent
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]
# Other plugins of this environment stay out: both sides of a comparison are pytest and nothing else.
OTHERS = sorted({entry.name for entry in entry_points(group="pytest11")} - {"aioncall"})
OPTIONS = ["-q", "-p", "no:cacheprovider", *(part for name in OTHERS for part in ("-p", f"no:{name}"))]
PYTEST = [sys.executable, "-m", "pytest", *OPTIONS]
HEAVY = ["pydantic", "numpy", "scipy", "yaml", "jinja2", "httpx", "asyncio", "jsonschema"]
LATENCY_S, CONCURRENCY = 0.05, 32
PARTS = ["idle", "instant", "judge", "http"]

INSTANT_TARGET = """\
from items import answer_to


def answer(question: str) -> str:
    return answer_to(question)
"""

EVALSET = """\
evalset: {name}
owner: "@benchmarks"
target: {target}
epochs: 1
scorers: [contains]
include: [cases.jsonl]
"""

CONFIG = """\
providers:
  mock: {{kind: openai, base_url: "http://127.0.0.1:{port}/v1", concurrency: {concurrency}}}
defaults: {{concurrency: {concurrency}}}
"""


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print one Markdown table, columns aligned."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    print(f"\n{title}\n")
    for row in [head, ["-" * width for width in widths], *rows]:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")


def alternate(
    first: Callable[[], Cost], second: Callable[[], Cost], *, pairs: int
) -> list[tuple[Cost, Cost]]:
    """Run both once unmeasured (byte code, file cache), then in pairs, swapping who goes first."""
    first(), second()
    found = []
    for index in range(pairs):
        if index % 2:
            later = second()
            found.append((first(), later))
        else:
            found.append((first(), second()))
    return found


def print_costs(title: str, sides: Mapping[str, Sequence[Cost]]) -> None:
    """Print the medians of runs that were measured side by side."""
    rows = []
    for name, runs in sides.items():
        wall_s = [run.wall_s for run in runs]
        cpu_s = statistics.median(run.cpu_s for run in runs)
        mib = statistics.median(run.peak_mib for run in runs)
        rows.append([name, f"{statistics.median(wall_s):.3f}", spread(wall_s), f"{cpu_s:.3f}", f"{mib:.1f}"])
    table(title, ["", "wall s", "lowest .. highest", "CPU s", "peak MiB"], rows)


def spread(values: Sequence[float]) -> str:
    """Return lowest .. highest."""
    return f"{min(values):.2f} .. {max(values):.2f}"


def measure_idle(folder: Path, *, pairs: int) -> None:
    """Print what an installed but unused plugin costs."""
    (folder / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n", encoding="utf-8")
    runs = alternate(
        lambda: measure(PYTEST, folder=folder, core=CLIENT_CORE),
        lambda: measure([*PYTEST, "-p", "no:aioncall"], folder=folder, core=CLIENT_CORE),
        pairs=pairs,
    )
    extra_ms = [1000 * (with_it.cpu_s - without.cpu_s) for with_it, without in runs]
    title = f"Plugin installed, not used: one-test `pytest`, {pairs} pairs (medians)"
    print_costs(title, {"with the plugin": [a for a, _ in runs], "`-p no:aioncall`": [b for _, b in runs]})
    print(f"\npaired difference: {statistics.median(extra_ms):+.1f} ms CPU (quartiles {quartiles(extra_ms)})")
    for name, options in (("with the plugin", []), ("-p no:aioncall", ["-p", "no:aioncall"])):
        print(f"heavy modules imported {name}: {', '.join(imported(folder, options)) or 'none'}")


def quartiles(values: Sequence[float]) -> str:
    """Return first and third quartile."""
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:+.1f} .. {high:+.1f}"


def imported(folder: Path, options: Sequence[str]) -> list[str]:
    """Return which of the heavy modules a bare pytest run has imported at its end."""
    code = (
        "import json, sys, pytest\n"
        f"pytest.main({[*OPTIONS, *options]!r})\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    names: list[str] = json.loads(ended.stdout.splitlines()[-1])
    return names


def plugin_run(folder: Path) -> Cost:
    """Run the evalset of a folder once, from an empty run store."""
    return measure(
        [*PYTEST, "--aioncall", "--aioncall-concurrency", str(CONCURRENCY), "bench.eval.yaml"],
        folder=folder, core=CLIENT_CORE, env={"PYTHONPATH": str(HERE)},
    )  # fmt: skip


def lay_project(folder: Path, *, count: int, target: str, config: str) -> None:
    """Write an evalset of `count` cases and what belongs to it."""
    folder.mkdir()
    (folder / "aioncall.yaml").write_text(config, encoding="utf-8")
    evalset = EVALSET.format(name="bench", target=target)
    (folder / "bench.eval.yaml").write_text(evalset, encoding="utf-8")
    (folder / "instant.py").write_text(INSTANT_TARGET, encoding="utf-8")
    (folder / "item.md").write_text("{{ question }}", encoding="utf-8")
    write_cases(folder / "cases.jsonl", count=count)


def measure_instant(folder: Path, *, counts: Sequence[int], repeats: int) -> None:
    """Print CPU and memory by number of cases, where the target takes no time."""
    rows, costs = [], []
    for count in counts:
        project = folder / f"instant-{count}"
        lay_project(project, count=count, target='{python: "instant:answer"}', config="format: 1\n")
        runs = [plugin_run(project) for _ in range(repeats if count <= 10_000 else 1)]
        cpu_s = statistics.median(run.cpu_s for run in runs)
        wall_s = statistics.median(run.wall_s for run in runs)
        mib = statistics.median(run.peak_mib for run in runs)
        costs.append((count, cpu_s, mib))
        each_ms = 1000 * cpu_s / count
        rows.append([f"{count:,}", f"{cpu_s:.2f}", f"{wall_s:.2f}", f"{each_ms:.2f}", f"{mib:.0f}"])
    table(
        "Instant python target, one scorer, one epoch (medians)",
        ["cases", "CPU s", "wall s", "CPU ms a case, start-up included", "peak MiB"],
        rows,
    )
    for (fewer, cpu_a, mib_a), (more, cpu_b, mib_b) in itertools.pairwise(costs):
        added = more - fewer
        print(
            f"{fewer:,} -> {more:,}: each further case {1e3 * (cpu_b - cpu_a) / added:.2f} ms CPU, "
            f"{1024 * (mib_b - mib_a) / added:.1f} KiB"
        )


@contextmanager
def mock_server() -> Iterator[int]:
    """Run the mock server on its own core; give its port."""
    command = [sys.executable, str(HERE / "mock_server.py"), "--latency-ms", str(1000 * LATENCY_S)]
    with pinned(SERVER_CORE):
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.terminate()
        server.wait(timeout=10)


def ask_server(port: int, path: str, *, method: str = "GET") -> dict[str, int]:
    """Return the JSON of a counter route of the mock server."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as reply:
        answer: dict[str, int] = json.load(reply)
    return answer


def measure_http(folder: Path, *, count: int, pairs: int) -> None:
    """Print the cost of running cases over HTTP beside a bare client's."""
    project = folder / "http"
    with mock_server() as port:
        config = CONFIG.format(port=port, concurrency=CONCURRENCY)
        lay_project(
            project, count=count, target="{chat: {model: mock/mock-1, prompt: item.md}}", config=config
        )
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        floor = [sys.executable, str(HERE / "floor_client.py"), "cases.jsonl", url, str(CONCURRENCY)]
        ask_server(port, "/reset", method="POST")
        plugin_run(project)
        seen = ask_server(port, "/stats")
        if seen["requests"] != count:
            raise CommandFailed(f"the plugin asked {seen['requests']} times for {count} cases")
        runs = alternate(
            lambda: plugin_run(project),
            lambda: measure(floor, folder=project, core=CLIENT_CORE),
            pairs=pairs,
        )
    ideal_s = math.ceil(count / CONCURRENCY) * LATENCY_S
    print_costs(
        f"{count:,} cases, {1000 * LATENCY_S:.0f} ms latency, {CONCURRENCY} at a time, {pairs} pairs "
        f"(medians); ideal {ideal_s:.2f} s",
        {"bare httpx client": [b for _, b in runs], "pytest --aioncall": [a for a, _ in runs]},
    )
    ratios = [ours.wall_s / floor_cost.wall_s for ours, floor_cost in runs]
    print(
        f"\nwall over the bare client's, paired: {statistics.median(ratios):.2f} ({spread(ratios)}); "
        f"server saw at most {seen['max_in_flight']} at once over {seen['connections']} connections"
    )


def measure_judge(*, repeats: int) -> None:
    rows = []
    for cases, slices, limit in ((10_000, 50, 5.0), (500, 200, 3.0)):
        for clustered in (False, True):
            command = [sys.executable, str(HERE / "judging.py"), str(cases), str(slices)]
            command += ["--clustered"] if clustered else []
            runs = []
            for _ in range(repeats):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise CommandFailed(done.stderr)
                runs.append(json.loads(done.stdout))
            if len({run["digest"] for run in runs}) > 1:
                raise CommandFailed("the same comparison was judged in two ways")
            judged = statistics.median(run["judge_s"] for run in runs)
            name = f"{cases:,} x 5 x {slices}" + (", clusters of 8" if clustered else "")
            read = statistics.median(run["read_s"] for run in runs)
            over = " EXCEEDED" if judged > limit else ""
            rows.append(
                [name, str(runs[0]["rows"]), f"{read:.2f} s", f"{judged:.2f} s", f"{limit:g} s{over}"]
            )
    head = ["cases x scorers x slices", "gate rows", "read both sides", "judge", "limit"]
    table("judge: CPU of one comparison", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"default: {' '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, at most 10,000 cases")
    given = parser.parse_args()
    parts = given.parts or PARTS
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    print(f"{today}, {machine()}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory(prefix="aioncall-bench-") as name:
        folder = Path(name)
        if "idle" in parts:
            measure_idle(folder, pairs=5 if given.quick else 20)
        if "instant" in parts:
            counts = [1_000, 10_000] if given.quick else [1_000, 10_000, 100_000]
            measure_instant(folder, counts=counts, repeats=1 if given.quick else 3)
        if "judge" in parts:
            measure_judge(repeats=1 if given.quick else 3)
        if "http" in parts:
            measure_http(folder, count=1_000, pairs=2 if given.quick else 7)


if __name__ == "__main__":
    try:
        main()
    except CommandFailed as failed:
        sys.exit(str(failed))
