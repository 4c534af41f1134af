"""Same input, same verdict, bit for bit: in any order, in any process, on any machine.

The expected judgements are committed. A library that computes otherwise, on another machine or in another
version, is noticed here. `AIONCALL_WRITE_EXPECTED=1 pytest tests/golden` writes them anew; look at the diff.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import judgement_inputs as inputs
import pytest

EXPECTED = Path(__file__).parent / "expected" / "judgements"


def text_of(found: dict[str, Any]) -> str:
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize("name", list(inputs.WORLDS))
def test_a_committed_judgement_comes_out_again_to_the_last_digit(name: str) -> None:
    found = text_of(inputs.in_order(inputs.judgement(name)))
    path = EXPECTED / f"{name}.json"
    if os.environ.get("AIONCALL_WRITE_EXPECTED") == "1":
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


def test_the_committed_ones_show_every_kind_of_verdict() -> None:
    """So that what is promised is not promised of empty files."""
    rows = [v for p in EXPECTED.glob("*.json") for v in json.loads(p.read_text(encoding="utf-8"))["verdicts"]]
    assert {row["status"] for row in rows} == {"pass", "regressed", "inconclusive", "too_small"}
    assert {row["claim"] for row in rows} == {"these-cases", "cases-like-these"}
    assert len([row for row in rows if "p" in row]) > 30


@pytest.mark.parametrize("name", list(inputs.WORLDS))
@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_epochs_and_gates_changes_nothing(name: str, seed: int) -> None:
    shuffled = inputs.in_order(inputs.judgement(name, shuffle=seed))
    assert text_of(shuffled) == (EXPECTED / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "424242", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        {"PYTHONHASHSEED": "7", "OPENBLAS_NUM_THREADS": "4", "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX2 FMA3"},
    ],
    ids=["hash seed", "one thread of BLAS", "four threads, a lesser processor"],
)
def test_another_process_says_the_same(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", inputs.__file__],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    found = json.loads(done.stdout)
    for name in inputs.WORLDS:
        assert text_of(found[name]) == (EXPECTED / f"{name}.json").read_text(encoding="utf-8")


def test_an_xdist_worker_says_the_same(tmp_path: Path) -> None:
    """Two workers judge all worlds, each a half, beside other work; each compares with the committed ones."""
    folder = Path(inputs.__file__).parent
    test = tmp_path / "test_worlds.py"
    test.write_text(
        f"import sys\nsys.path.insert(0, {str(folder)!r})\n"
        "import json, os, pathlib, pytest\nimport judgement_inputs as inputs\n"
        f"EXPECTED = pathlib.Path({str(EXPECTED)!r})\n"
        "@pytest.mark.parametrize('name', list(inputs.WORLDS))\n"
        "def test_world(name):\n"
        "    assert os.environ['PYTEST_XDIST_WORKER'].startswith('gw')\n"
        "    found = json.dumps(inputs.in_order(inputs.judgement(name)), indent=1, sort_keys=True)\n"
        "    assert found + '\\n' == (EXPECTED / f'{name}.json').read_text(encoding='utf-8')\n",
        encoding="utf-8",
    )
    options = ["-q", "-n", "2", "-p", "xdist", "-p", "no:cacheprovider", "-c", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(test)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(inputs.WORLDS)} passed" in done.stdout


def test_what_is_told_has_twelve_figures_at_most() -> None:
    """More would be the last bits of a sum, which another processor adds up in another order."""
    for name in inputs.WORLDS:
        for row in json.loads((EXPECTED / f"{name}.json").read_text(encoding="utf-8"))["verdicts"]:
            names = ("baseline", "candidate", "difference", "p", "p_adjusted", "mde")
            for number in [*(row[name] for name in names if name in row), *row.get("ci", [])]:
                assert number == float(f"{number:.12g}")
                assert str(number) != "-0.0"


def test_last_bits_of_a_score_change_no_verdict() -> None:
    """A score that another machine prints one unit in the last place apart is the same score."""
    import math

    rng = random.Random(3)
    for name in ("small-fallen", "sliced"):
        now, was = inputs.sides(name)
        rows = tuple(
            row.model_copy(
                update={
                    "scores": {
                        **row.scores,
                        "smooth": tuple(
                            s if s is None or s in (0.0, 1.0) else math.nextafter(s, rng.choice((0.0, 1.0)))
                            for s in row.scores["smooth"]
                        ),
                    }
                }
            )
            for row in now.rows
        )
        gates = [inputs.Gate(scorer="smooth")]
        rules: dict[str, Any] = {
            "evalset": name, "gates": gates, "defaults": inputs.Defaults(), "max_error_rate": 0.05,
        }  # fmt: skip
        there = inputs.judge(now, was, **rules).verdicts[0]
        here = inputs.judge(inputs.replace(now, rows=rows), was, **rules).verdicts[0]
        assert (here.status, here.p) == (there.status, there.p)
        assert here.difference == there.difference
