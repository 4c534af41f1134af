"""The demo holds on this interpreter: green as committed, and each change comes out as it has to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("bm25s", reason="the demo needs the extra `demo`")

ROOT = Path(__file__).resolve().parents[2]


def test_the_handbook_replays_green_from_its_recordings(tmp_path: Path) -> None:
    """Every request of every epoch is recorded, and the committed baseline is what the recordings say."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIONCALL_", "PYTEST_", "GITHUB_")) and name != "CI"
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no"),
            *("--aioncall", "--aioncall-replay", "--aioncall-report", str(tmp_path)),
            "evalsets/oncall-handbook.eval.yaml",
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300/300 judged, 0 errors" in done.stdout
    assert "replayed from recordings of" in done.stdout
    assert "REGRESSED" not in done.stdout


@pytest.mark.parametrize("change", ["friendlier", "index", "again", "refactoring"])
def test_a_change_of_the_demo_comes_out_as_expected(change: str) -> None:
    """`make demo-regression` asserts the outcome; here each change is a test of its own."""
    done = subprocess.run(
        [sys.executable, "scripts/demo_regression.py", "--only", change],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"--- {change}: as expected" in done.stdout


def test_the_readme_shows_what_the_demo_really_prints() -> None:
    """The red block on the first screen is no mock-up: a script wrote it, and it is still what is printed."""
    done = subprocess.run(
        [sys.executable, "scripts/readme_block.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
