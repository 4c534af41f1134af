"""The tables of each part, and the same figures by name for other pages to quote."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from operator import sub, truediv

from benchmarks.clients import RAW
from benchmarks.contest import ideal_s
from benchmarks.gates import LIMITS_S
from benchmarks.idle import WITH, WITHOUT
from benchmarks.results import LOUD, Results, Run, median

Figures = dict[str, dict[str, dict[str, float]]]
"""{of what: {whose: {which: figure}}}, as a mark `<!-- measured: of what, whose: which -->` names them."""


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return one Markdown table, columns aligned; all but the first to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for row in [head, rule, *rows]:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def spread(runs: Sequence[Run], column: str, digits: int = 2) -> str:
    """Return the median, and lowest .. highest where there are several; starred where a run was disturbed."""
    values = [run[column] for run in runs]
    star = "*" if any(run.get("other_s", 0.0) > LOUD * run["wall_s"] for run in runs) else ""
    told = f"{median(values):.{digits}f}{star}"
    return f"{told} ({min(values):.{digits}f} .. {max(values):.{digits}f})" if len(values) > 1 else told


def noise(results: Results) -> str:
    """Return one line on what else ran on the measured core."""
    shares = [run["other_s"] / run["wall_s"] for run in results.runs if run.get("wall_s")]
    loud = len(results.disturbed())
    told = f"Others took {100 * median(shares):.1f} % of the measured core in the median run"
    if not loud:
        return f"{told}, at most {100 * max(shares):.1f} %: a quiet machine."
    return (
        f"{told}, at most {100 * max(shares):.0f} %. **A loaded machine**: in {loud} of {len(shares)} runs, "
        f"those with a star, it was more than {100 * LOUD:.0f} %, and their times say little."
    )


def races(results: Results) -> list[tuple[int, bool]]:
    """Return which sizes of the work were run, those without a judge first."""
    return sorted({(run["cases"], run["judge"]) for run in results.runs}, key=lambda race: race[::-1])


def race_name(results: Results, cases: int, *, judge: bool) -> str:
    """Return how a mark names one size of the work: `contest 10000 judge`."""
    return f"{results.part} {cases}{' judge' if judge else ''}"


def contest_figures(results: Results, cases: int, *, judge: bool) -> dict[str, dict[str, float]]:
    """Return {client: {column: figure}} of one size of the work, of valid runs only."""
    valid = Results(
        results.part, results.date, results.machine, results.versions,
        [run for run in results.of(cases=cases, judge=judge) if "invalid" not in run],
    )  # fmt: skip
    found = {}
    for client in dict.fromkeys(run["client"] for run in valid.runs):

        def mid(column: str, client: str = client) -> float:
            return valid.median(column, client=client)

        def to_raw(column: str, by: Callable[[float, float], float], client: str = client) -> float:
            return valid.paired(column, RAW, by=by, client=client)

        has_raw = any(run["client"] == RAW for run in valid.runs)
        found[client] = {
            "wall s": mid("wall_s"),
            "x ideal": mid("wall_s") / ideal_s(cases, judge=judge),
            "CPU s": mid("cpu_s"),
            "peak MiB": mid("peak_mib"),
            "requests": mid("requests"),
            "max in flight": mid("max_in_flight"),
        }
        if has_raw:
            found[client]["x raw httpx"] = to_raw("wall_s", truediv)
            found[client]["CPU ms above raw"] = 1000 * to_raw("cpu_s", sub) / cases
    return found


def contest_table(results: Results, cases: int, *, judge: bool) -> str:
    """Return the table of one size of the work, the ideal first, invalid runs last."""
    head = ["client", "wall s", "x ideal", "x raw httpx", "CPU s", "CPU ms a case above raw httpx"]
    head += ["peak MiB", "requests", "max in flight"]
    rows = [["*ideal*", f"{ideal_s(cases, judge=judge):.2f}", "1.00", *[""] * 6]]
    for client, figures in contest_figures(results, cases, judge=judge).items():
        runs = [run for run in results.of(cases=cases, judge=judge, client=client) if "invalid" not in run]
        rows.append(
            [
                client,
                spread(runs, "wall_s"),
                f"{figures['x ideal']:.2f}",
                f"{figures['x raw httpx']:.2f}" if "x raw httpx" in figures else "",
                f"{figures['CPU s']:.2f}",
                f"{figures['CPU ms above raw']:+.2f}" if "CPU ms above raw" in figures else "",
                whole(figures["peak MiB"]),
                f"{figures['requests']:,.0f}",
                f"{figures['max in flight']:.0f}",
            ]
        )
    rows += [
        [run["client"], "INVALID", *[""] * 7]
        for run in results.of(cases=cases, judge=judge)
        if "invalid" in run
    ]
    return markdown(head, rows)


def whole(value: float) -> str:
    """Write a figure without decimals, a dash where it is not known."""
    return "-" if math.isnan(value) else f"{value:,.0f}"


def contest_notes(results: Results) -> str:
    """Return what has to be known of a contest: noise, how busy the server was, who is absent."""
    busiest = max(run["server_cpu_s"] / run["wall_s"] for run in results.runs if run.get("wall_s"))
    lines = [noise(results), f"The server was busy for at most {100 * busiest:.0f} % of a run's time."]
    lines += [f"{client}: {why}." for client, why in results.absent.items()]
    for run in results.runs:
        if "invalid" in run:
            lines.append(
                f"Invalid: {run['client']}, {run['cases']:,} cases: {run['invalid'].splitlines()[-1]}."
            )
    return "\n".join(f"- {line}" for line in lines)


def growth_figures(results: Results) -> dict[str, dict[str, float]]:
    """Return {cases: {column: figure}}; `ms` and `KiB` are of each case further than the size before.

    `KiB past 10,000` is of each case further than the 10,000 that a peak is promised for.
    """
    found: dict[str, dict[str, float]] = {}
    sizes = sorted({run["cases"] for run in results.runs})
    for cases in sizes:
        found[str(cases)] = {
            "wall s": results.median("wall_s", cases=cases),
            "CPU s": results.median("cpu_s", cases=cases),
            "peak MiB": results.median("peak_mib", cases=cases),
        }
    for fewer, more in pairwise(sizes):
        was, now = found[str(fewer)], found[str(more)]
        now["ms"] = 1000 * (now["CPU s"] - was["CPU s"]) / (more - fewer)
        now["KiB"] = 1024 * (now["peak MiB"] - was["peak MiB"]) / (more - fewer)
        if "10000" in found and more > 10_000:
            past = now["peak MiB"] - found["10000"]["peak MiB"]
            now["KiB past 10,000"] = 1024 * past / (more - 10_000)
    return found


def growth_table(results: Results) -> str:
    """Return the table of growth."""
    head = ["cases", "wall s", "CPU s", "peak MiB", "a further case: CPU ms", "a further case: KiB"]
    rows = []
    for cases, figures in growth_figures(results).items():
        runs = results.of(cases=int(cases))
        further = [f"{figures['ms']:.2f}", f"{figures['KiB']:.1f}"] if "ms" in figures else ["", ""]
        rows.append(
            [f"{int(cases):,}", spread(runs, "wall_s"), f"{figures['CPU s']:.2f}",
             whole(figures["peak MiB"]), *further]
        )  # fmt: skip
    return markdown(head, rows)


def client_figures(results: Results) -> dict[str, dict[str, float]]:
    """Return {what was run: {column: figure}} of a part whose runs have no sizes."""
    return {
        client: {
            "wall s": results.median("wall_s", client=client),
            "CPU s": results.median("cpu_s", client=client),
            "peak MiB": results.median("peak_mib", client=client),
        }
        for client in dict.fromkeys(run["client"] for run in results.runs)
    }


def client_table(results: Results) -> str:
    """Return the table of a part whose runs have no sizes."""
    rows = [
        [
            client,
            spread(results.of(client=client), "wall_s"),
            f"{figures['CPU s']:.2f}",
            whole(figures["peak MiB"]),
        ]
        for client, figures in client_figures(results).items()
    ]
    return markdown(["what is run", "wall s", "CPU s", "peak MiB"], rows)


def idle_figures(results: Results) -> dict[str, dict[str, float]]:
    """Return the figures of the idle plugin; `difference` is in CPU ms, paired by round."""
    more = results.paired("cpu_s", WITHOUT, by=sub, client=WITH)
    return {**client_figures(results), "plugin": {"difference": 1000 * more}}


def gate_figures(results: Results) -> dict[str, dict[str, float]]:
    """Return {"500 x 5 x 200": {"judge s": ..., "read s": ...}}, clustered ones named so."""
    found = {}
    for cases, slices in LIMITS_S:
        for clustered in (False, True):
            wanted = {"cases": cases, "slices": slices, "clustered": clustered}
            found[f"{cases} x 5 x {slices}" + (" clustered" if clustered else "")] = {
                "read s": results.median("read_s", **wanted),
                "judge s": results.median("judge_s", **wanted),
                "limit s": LIMITS_S[cases, slices],
            }
    return found


def gate_table(results: Results) -> str:
    """Return the table of the gate."""
    head = ["cases x scorers x slices", "CPU s to read both sides", "CPU s to judge", "at most"]
    rows = [
        [name.replace("clustered", "in clusters of 8"), f"{one['read s']:.2f}",
         f"{one['judge s']:.2f}", f"{one['limit s']:g}"]
        for name, one in gate_figures(results).items()
    ]  # fmt: skip
    return markdown(head, rows)


def figures(parts: Mapping[str, Results]) -> Figures:
    """Return every figure of the stored results by name."""
    found: Figures = {}
    for part, results in parts.items():
        if part in ("contest", "peers"):
            for cases, judge in races(results):
                found[race_name(results, cases, judge=judge)] = contest_figures(results, cases, judge=judge)
        elif part in FIGURES:
            found[part] = FIGURES[part](results)
    return found


FIGURES: Mapping[str, Callable[[Results], dict[str, dict[str, float]]]] = {
    "growth": growth_figures,
    "idle": idle_figures,
    "gates": gate_figures,
    "keeping": client_figures,
}


def soak_table(results: Results) -> str:
    """Return what a soak promised and what was seen."""
    rows = [
        [f"{run['shape']}: {run['promise']}", run["seen"], "yes" if run["kept"] else "**no**"]
        for run in results.runs
    ]
    head = ["promise", "seen", "kept"]
    return markdown(head, rows)
