"""`python -m fuzz`: every target for a while, side by side, and a table of what came of it.

    python -m fuzz --seconds 180 --jobs 2 [TARGET ...]

Exit 1 where a promise broke; each broken one stands in `.fuzz/findings/<target>/` with its traceback.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = ROOT / ".fuzz"
NAMES = (
    *("evalset", "config", "yaml", "json-lines", "run", "baseline", "flat-scores", "replay-file"),
    *("judge-reply", "retry-after", "cassette", "results", "chat-reply", "redaction", "template"),
)
QUICK_S = 2
START_S = 60
"""Seconds beyond its time that a target may take to start and to end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one target came to. `features` counts pairs of lines that ran one after the other."""

    target: str
    executions: int
    features_first: int
    features: int
    new_inputs: int
    findings: tuple[str, ...]
    failed: str = ""


def search(target: str, *, seconds: int, seed: int | None = None) -> Outcome:
    """Run one target in a process of its own; with a seed from the committed inputs alone, always alike."""
    kept = FOLDER / ("corpus" if seed is None else "quick")
    corpus, findings = kept / target, FOLDER / "findings" / target
    findings.mkdir(parents=True, exist_ok=True)
    for old in [*findings.iterdir(), *(corpus.glob("*") if seed is not None else ())]:
        old.unlink()
    seeds = [str(path) for path in (HERE / "seeds" / target, HERE / "found" / target) if path.is_dir()]
    command = [
        *(sys.executable, "-m", "fuzz.child", "--seconds", str(seconds)),
        *("--corpus", str(corpus), "--findings", str(findings)),
        *(() if seed is None else ("--seed", str(seed))),
        *(target, *seeds),
    ]
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds * 3 + START_S,
            env={**os.environ, "PYTHONUTF8": "1"},
        )
        said, status = done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        said, status = str(error), -1
    found = tuple(sorted(path.name for path in findings.iterdir() if path.suffix != ".txt"))
    executions = _last(r"stat::number_of_executed_units:\s*(\d+)", said)
    failed = "" if executions and (status == 0 or found) else _why(said, status)
    features = [int(n) for n in re.findall(r"\bft: (\d+)", said)]
    first = re.search(r"INITED.*?\bft: (\d+)", said)
    return Outcome(
        target,
        executions,
        int(first[1]) if first else 0,
        features[-1] if features else 0,
        _last(r"stat::new_units_added:\s*(\d+)", said),
        found,
        failed,
    )


def _last(pattern: str, said: str) -> int:
    found = re.findall(pattern, said)
    return int(found[-1]) if found else 0


def _why(said: str, status: int) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return f"ended with {status}: {lines[-1][:200] if lines else 'no word'}"


def table(outcomes: list[Outcome]) -> str:
    """Return the table as text."""
    rows = [("target", "executions", "coverage", "new", "inputs", "broken promises")]
    rows += [
        (
            one.target,
            f"{one.executions:,}",
            f"{one.features:,}",
            f"+{max(0, one.features - one.features_first):,}",
            f"+{one.new_inputs:,}",
            one.failed or (str(len(one.findings)) if one.findings else "none"),
        )
        for one in outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(row[i].rjust(widths[i]) for i in range(1, 5)), row[5]])
        for row in rows
    )


def main() -> int:
    """Run the targets and tell what came of them."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz every reader.")
    parser.add_argument("--seconds", type=int, default=180, help="seconds a target (default 180)")
    parser.add_argument("--quick", action="store_true", help="two seconds each, from the committed inputs")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"default: all of {', '.join(NAMES)}")
    given = parser.parse_args()
    unknown = [name for name in given.targets if name not in NAMES]
    if unknown or given.seconds < 1 or given.jobs < 1:
        parser.error(f"no such target: {', '.join(unknown)}" if unknown else "numbers start at 1")
    if importlib.util.find_spec("atheris") is None:
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"fuzz: SKIPPED: atheris is not installed (no wheel for Python {version} on {sys.platform}?)")
        print("fuzz: the seeds and all that was ever found are run by the test suite all the same")
        return 0
    names = given.targets or NAMES
    seconds, seed = (QUICK_S, 1) if given.quick else (given.seconds, None)
    print(f"fuzz: {len(names)} targets, {seconds} s each, {given.jobs} at once", flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        outcomes = list(pool.map(lambda name: search(name, seconds=seconds, seed=seed), names))
    print(table(outcomes))
    for one in outcomes:
        for name in one.findings:
            told = FOLDER / "findings" / one.target / f"{name}.txt"
            kind = told.read_text(encoding="utf-8").splitlines()[0] if told.is_file() else "ended the process"
            print(f"{one.target}: {kind}\n    {(FOLDER / 'findings' / one.target / name).relative_to(ROOT)}")
    if any(one.findings for one in outcomes):
        print("mend it, then keep the input: copy it to fuzz/found/<target>/<what-it-was>")
    return 1 if any(one.findings or one.failed for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
