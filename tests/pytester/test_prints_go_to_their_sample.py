"""What a target prints is shown with its own case, and only where that fails."""

from __future__ import annotations

import pytest

from eval_project import Project

CASES = {f"case-{n:02}": (f"q{n}", f"Q{n}") for n in range(20)}


@pytest.mark.parametrize("capture", ["fd", "sys", "no"])
def test_prints_go_to_the_sample_that_printed(project: Project, capture: str) -> None:
    project.app(
        "import asyncio\n"
        "async def answer(text):\n"
        "    print('thinking about', text)\n"
        "    await asyncio.sleep(0.01)\n"
        "    if text == 'q3':\n        raise ValueError('broke')\n"
        "    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run(f"--capture={capture}")
    result.stdout.fnmatch_lines(["*printed by the target*", "thinking about q3"])
    assert "thinking about q4" not in result.stdout.str()


def test_prints_of_a_sync_target_are_routed_too(project: Project) -> None:
    project.app(
        "def answer(text):\n    print('thinking about', text)\n"
        "    if text == 'q3':\n        raise ValueError('broke')\n    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run()
    assert "thinking about q3" in result.stdout.str()
    assert "thinking about q4" not in result.stdout.str()


def test_a_target_sees_the_stream_that_it_prints_to(project: Project) -> None:
    project.app(
        "import sys\ndef answer(text):\n"
        "    assert sys.stdout.encoding and sys.stdout.writable()\n"
        "    sys.stdout.writelines(['one ', text, '\\n'])\n"
        "    if text == 'q3':\n        raise ValueError('broke')\n    return text.upper()\n"
    )
    project.evalset(cases=CASES, epochs=1)
    result = project.run()
    result.assert_outcomes(failed=1, passed=19, skipped=1)
    result.stdout.fnmatch_lines(["*printed by the target*", "one q3"])
    assert "one q4" not in result.stdout.str()
